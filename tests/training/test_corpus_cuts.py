"""Licence headers and credentials go; everything else of a file stays."""

import pytest

from training.corpus.licence_header import without_licence_header
from training.corpus.secrets import without_secrets

PYTHON = """#!/usr/bin/env python
# -*- coding: utf-8 -*-
# Copyright 2020 Somebody
# Licensed under the Apache License, Version 2.0

# Talks to the printer.
import os
"""
C = """/* Copyright (c) 2020 Somebody. All rights reserved. */
/* Talks to the printer. */
#include <stdio.h>
"""
GO = """// Copyright 2020 Somebody.
// Use of this source code is governed by a licence.

//go:build linux

// Package printer talks.
package printer
"""


@pytest.mark.parametrize(
    ("text", "language", "left"),
    [
        pytest.param(
            PYTHON,
            "python",
            "#!/usr/bin/env python\n# -*- coding: utf-8 -*-\n\n# Talks to the printer.\nimport os\n",
            id="python: shebang, coding line and other comments stay",
        ),
        pytest.param(C, "c", "/* Talks to the printer. */\n#include <stdio.h>\n", id="c"),
        pytest.param(GO, "go", "//go:build linux\n\n// Package printer talks.\npackage printer\n", id="go"),
        pytest.param(
            "# Copyright 2020\n\n# THE AUTHOR DISCLAIMS ALL WARRANTIES.\n\n# Prints.\nimport os\n",
            "python",
            "# Prints.\nimport os\n",
            id="python: in several paragraphs",
        ),
        pytest.param(
            "// SPDX-License-Identifier: MIT\nexport const x = 1;\n",
            "typescript",
            "export const x = 1;\n",
            id="typescript",
        ),
        pytest.param(
            "/*\n * Licensed under the EPL\n */\n\npackage a.b;\n", "java", "package a.b;\n", id="java"
        ),
        pytest.param(
            "import os\n\n# Copyright 2020\n",
            "python",
            "import os\n\n# Copyright 2020\n",
            id="only at the top",
        ),
        pytest.param(
            '"""Licensed to print."""\n', "python", '"""Licensed to print."""\n', id="docstrings stay"
        ),
        pytest.param(
            "#![allow(x)]\nfn f() {}\n", "rust", "#![allow(x)]\nfn f() {}\n", id="an attribute is no shebang"
        ),
        pytest.param("# only a comment", "python", "# only a comment", id="no end of line"),
        pytest.param("", "python", "", id="empty"),
    ],
)
def test_a_licence_header_is_cut(text: str, language: str, left: str) -> None:
    assert without_licence_header(text, language) == left


@pytest.mark.parametrize(
    ("text", "language"),
    [
        pytest.param("import os\n\n# Copyright 2020\n", "python", id="only at the top"),
        pytest.param('"""Licensed to print."""\n', "python", id="docstrings stay"),
        pytest.param("#![allow(x)]\nfn f() {}\n", "rust", id="an attribute is no shebang"),
        pytest.param("\n\n# only a comment", "python", id="no end of line"),
        pytest.param("", "python", id="empty"),
    ],
)
def test_a_text_without_one_stays_as_it_is(text: str, language: str) -> None:
    assert without_licence_header(text, language) == text


def test_the_line_of_a_credential_goes() -> None:
    text = 'name = "x"\ntoken = "' + "ghp_" + "a1B2" * 9 + '"\nport = 80\n'

    assert without_secrets(text) == 'name = "x"\nport = 80\n'


def test_a_file_with_a_private_key_goes_whole() -> None:
    text = 'KEY = """\n-----BEGIN ' + "RSA PRIVATE KEY-----\nMIIE\n" + '"""\n'

    assert without_secrets(text) is None


def test_ordinary_text_stays() -> None:
    text = "token = read_token(path)\npassword = getpass('password: ')\n"

    assert without_secrets(text) == text
