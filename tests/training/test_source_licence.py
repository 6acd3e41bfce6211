"""Which packages and files may be used: metadata, licence files and headers must agree."""

from __future__ import annotations

import json

import pytest

from training.corpus.repository import SourceFile
from training.sources import metadata
from training.sources.errors import LicenceError
from training.sources.licence import checked_licence, declared_licence, recognised_licence, refused_files
from training.sources.licence_names import spdx_of
from training.sources.licence_texts import forbids, recognised, restrictive
from training.sources.package import Package
from training.sources.spdx import is_permissive, is_same
from training.sources.table import Registry, Source

MIT = "Permission is hereby granted, free of charge, to any person obtaining a copy of this software"
BSD2 = "Redistribution and use in source and binary forms. Redistributions of source code must retain"
BSD3 = BSD2 + " the notice.\n3. Neither the name of the author may be used to endorse products"
GPL = "                    GNU GENERAL PUBLIC LICENSE\n                       Version 3, 29 June 2007\n"
GPL_HEADER = (
    "/*\n * This program is free software; you can redistribute it and/or modify it under\n"
    " * the terms of the GNU Lesser General Public\n * License as published by the FSF.\n */\nint x;\n"
)
SOURCE = Source("python", Registry.PYPI, "some", "1.0", "MIT")


def package(
    *said: str, licences: dict[str, str] | None = None, files: dict[str, str] | None = None, **more: object
) -> Package:
    sources = tuple(SourceFile(path, "python", text) for path, text in (files or {}).items())
    return Package(said, tuple((licences or {}).items()), sources, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("said", "spdx"),
    [
        ("MIT", "MIT"),
        ("mit or apache-2.0", "MIT OR Apache-2.0"),
        ("MIT License", "MIT"),
        ("Expat", "MIT"),
        ("MIT/Apache-2.0", "MIT OR Apache-2.0"),
        ("Apache Software License AND MIT License", "Apache-2.0 AND MIT"),
        ("MIT License AND MIT No Attribution License (MIT-0)", "MIT AND MIT-0"),
        ("BSD-3-clause~Google", "BSD-3-Clause"),
        ("MIT-CMU", "MIT-CMU"),
        ("Apache-2.0 WITH LLVM-exception", "Apache-2.0 WITH LLVM-exception"),
        ("BSD-2-clause or GPL-2+", "BSD-2-Clause OR GPL-2.0-or-later"),
        ("(GPL-2+ and Expat) or ISC", "(GPL-2.0-or-later AND MIT) OR ISC"),
        ("UNLICENSED", None),
        ("SEE LICENSE IN LICENSE.md", None),
        ("Other/Proprietary License", None),
    ],
)
def test_a_licence_as_metadata_write_it_is_read_as_spdx(said: str, spdx: str | None) -> None:
    assert spdx_of(said) == spdx


@pytest.mark.parametrize(
    ("expression", "answer"),
    [
        ("MIT", True),
        ("GPL-3.0-only", False),
        ("MIT OR GPL-3.0-only", True),
        ("MIT AND GPL-3.0-only", False),
        ("(MIT OR GPL-2.0-only) AND BSD-3-Clause", True),
        ("(MIT AND GPL-2.0-only) OR MPL-2.0", False),
        ("Apache-2.0 WITH LLVM-exception", True),
        ("GPL-2.0-only WITH Classpath-exception-2.0", False),
        ("no such", False),
    ],
)
def test_one_side_of_or_and_both_of_and_must_be_permissive(expression: str, answer: bool) -> None:
    assert is_permissive(expression) is answer


def test_the_order_of_sides_does_not_matter() -> None:
    assert is_same("MIT OR Apache-2.0", "apache-2.0 or mit")
    assert not is_same("MIT OR Apache-2.0", "MIT AND Apache-2.0")


def test_a_wheel_tells_its_expression_before_its_classifiers() -> None:
    head = (
        "Metadata-Version: 2.4\nName: x\nLicense-Expression: MIT\nClassifier: License :: OSI Approved\n"
        "Classifier: License :: OSI Approved :: BSD License\nLicense: whatever\n\n"
        "License: GPL in the description"
    )
    assert metadata.of_wheel(head) == ("MIT", "BSD License", "whatever")


@pytest.mark.parametrize(
    ("head", "said"),
    [
        ({"license": "MIT"}, ("MIT",)),
        ({"license": {"type": "ISC", "url": "x"}}, ("ISC",)),
        ({"licenses": [{"type": "MIT"}, {"type": "Apache-2.0"}]}, ("(MIT) OR (Apache-2.0)",)),
        ({}, ()),
        ([], ()),
    ],
)
def test_package_json_is_read_in_all_its_spellings(head: object, said: tuple[str, ...]) -> None:
    assert metadata.of_npm(json.dumps(head)) == said
    assert metadata.of_npm("{broken") == ()


def test_a_debian_copyright_names_the_whole_and_its_parts() -> None:
    text = (
        "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\n"
        "Files: *\nCopyright: someone\nLicense: Expat\n\n# a remark\n"
        "Files: contrib/*\n tests/a?.c\nLicense: GPL-2+\n"
        " words of it\n\nFiles: debian/*\nLicense: GPL-3\n\nLicense: Expat\n words\n"
    )
    assert metadata.of_debian(text) == (("Expat",), (("contrib/*", "GPL-2+"), ("tests/a?.c", "GPL-2+")))
    assert metadata.of_debian("This package is free.") == ((), ())


def test_a_package_that_says_and_brings_the_same_may_be_used() -> None:
    assert checked_licence(SOURCE, package("MIT License", "MIT", licences={"LICENSE": MIT})) == "MIT"


@pytest.mark.parametrize(("text", "spdx"), [(BSD2, "BSD-2-Clause"), (BSD3, "BSD-3-Clause")])
def test_the_text_tells_which_bsd_licence_is_meant(text: str, spdx: str) -> None:
    assert declared_licence(package("BSD License", licences={"LICENSE.txt": text}), "x") == spdx
    assert declared_licence(package("BSD License", "BSD-2-Clause"), "x") == "BSD-2-Clause"


def test_a_licence_that_is_not_the_tables_is_refused() -> None:
    with pytest.raises(LicenceError, match="under ISC, the table says MIT"):
        checked_licence(SOURCE, package("ISC"))


@pytest.mark.parametrize(
    "text",
    [
        GPL,
        MIT + "\n\nParts:\n" + GPL,
        "You can redistribute it under the terms of the GNU Affero General Public License.",
        "Mozilla Public License Version 2.0\n==================",
        "Server Side Public License\nVERSION 1",
        'Business Source License 1.1\n"Commons Clause" License Condition v1.0',
        MIT + "\nfor non-commercial use only.",
        "Creative Commons Attribution-NonCommercial 4.0",
    ],
)
def test_metadata_that_lie_are_found_out_by_the_licence_file(text: str) -> None:
    with pytest.raises(LicenceError, match="its LICENSE says"):
        declared_licence(package("MIT", licences={"LICENSE": text}), "some")


def test_a_licence_file_that_nobody_knows_is_refused() -> None:
    with pytest.raises(LicenceError, match="no licence known"):
        declared_licence(package("MIT", licences={"LICENSE": "You may look, but not touch."}), "some")


@pytest.mark.parametrize(
    "said",
    [
        (),
        ("UNKNOWN",),
        ("GPL-3.0-only",),
        ("Other/Proprietary License", "MIT"),
        ("MIT License", "GNU GPL v3"),
        ("MIT License", "LGPL-2.1-only"),
        (GPL * 5,),
    ],
)
def test_metadata_without_a_permissive_licence_are_refused(said: tuple[str, ...]) -> None:
    with pytest.raises(LicenceError, match="take it out"):
        declared_licence(package(*said), "some")


def test_a_whole_text_in_the_metadata_is_recognised() -> None:
    assert declared_licence(package(MIT + " and so on" * 30), "some") == "MIT"


def test_the_other_side_of_an_or_may_stand_in_the_licence_file() -> None:
    both = package("MIT OR GPL-3.0-or-later", licences={"LICENSE": MIT, "COPYING": GPL})
    assert declared_licence(both, "some") == "MIT OR GPL-3.0-or-later"


@pytest.mark.parametrize(
    "text",
    [
        "non-separable material that was previously distributed\nunder the GNU General Public License",
        "This is compatible with the GNU General Public License.",
        "for both commercial and non-commercial use",
    ],
)
def test_a_mention_is_no_grant(text: str) -> None:
    assert not restrictive(text)


def test_a_header_that_contradicts_keeps_its_file_out_and_no_other() -> None:
    found = package(
        "MIT",
        files={
            "a.py": GPL_HEADER,
            "b.py": "# SPDX-License-Identifier: MPL-2.0\n",
            "c.py": "# SPDX-License-Identifier: MIT OR GPL-2.0-only\n",
            "d.py": "x = 1\n" * 2000 + GPL_HEADER,
            "e.py": "# Licensed under the Apache License, Version 2.0\n",
        },
    )
    reasons = refused_files(found)
    assert reasons == {"a.py": "its header says GPL", "b.py": "its header is tagged MPL-2.0"}


def test_the_quick_look_at_a_header_hides_nothing() -> None:
    """Every text that is found out in a licence file is also found out in a header."""
    for text in (GPL_HEADER, "CeCILL", "Commons Clause", "proprietary and confidential", "academic use only"):
        assert restrictive(text)
        assert forbids(text)


def test_a_vendored_folder_with_its_own_copyleft_is_kept_out() -> None:
    found = package(
        "MIT",
        licences={"LICENSE": MIT, "some/_vendor/gnu/COPYING": GPL, "some/_vendor/free/LICENSE": MIT},
        files={"some/_vendor/gnu/a.py": "", "some/_vendor/free/b.py": "", "some/_vendor/gnuish.py": ""},
    )
    assert refused_files(found) == {"some/_vendor/gnu/a.py": "some/_vendor/gnu/COPYING says GPL"}


def test_the_last_declaration_of_a_part_counts() -> None:
    found = package(
        "Expat",
        files=dict.fromkeys(("lib/a.c", "lib/free/b.c", "lib/free/c.c", "lib/either.c", "main.c"), ""),
        declared=(
            ("lib/*", "GPL-2+"),
            ("lib/free/*", "public-domain and Expat"),
            ("lib/free/c.?", "Custom"),
            ("lib/either.c", "GPL-2 or BSD-3-clause"),
        ),
    )
    assert refused_files(found) == {"lib/a.c": "declared as GPL-2+", "lib/free/c.c": "declared as Custom"}


def test_the_common_texts_are_recognised() -> None:
    assert [recognised(each) for each in (MIT, BSD2, BSD3, "nothing")] == [
        "MIT",
        "BSD-2-Clause",
        "BSD-3-Clause",
        None,
    ]
    assert (
        recognised_licence(package(licences={"LICENSE-MIT": MIT, "LICENSE.txt": BSD2}))
        == "BSD-2-Clause OR MIT"
    )
    assert recognised_licence(package(licences={"LICENSE": "what?"})) is None
