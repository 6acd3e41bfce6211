"""One import more: what it says, and where it goes."""

from __future__ import annotations

import abc
from collections.abc import Iterator
from pathlib import Path

import pytest

from context import RepoContext
from context.extract import extract
from context.languages import language_named, language_of
from context.providers import Provider
from lsp_server.actions.rules import missing_import
from lsp_server.actions.rules.import_line import import_edit
from lsp_server.actions.rules.missing_import import missing_imports
from lsp_server.actions.rules.script_import import script_import_edit

OS = Provider("os", "", "os", 0)
PATH = Provider("pathlib", "Path", "Path", 0)
NUMPY = Provider("numpy", "", "np", 3)
OWN = Provider("shop.prices", "Price", "Price", 1)
NEAR = Provider(".prices", "Price", "Price", 1)


def added(text: str, provider: Provider) -> str:
    language = language_named("python")
    assert language is not None
    edit = import_edit(text, extract(text, language), "shop", provider)
    return text if edit is None else edit.applied(text)


@pytest.mark.parametrize(
    ("text", "provider", "result"),
    [
        pytest.param("x = 1\n", OS, "import os\n\nx = 1\n", id="none yet"),
        pytest.param("", OS, "\nimport os", id="nothing at all"),
        pytest.param(
            '"""Doc."""\n\n\nx\n', OS, '"""Doc."""\n\nimport os\n\nx\n', id="below what describes it"
        ),
        pytest.param(
            "#!/bin/sh\n# c\nx\n", OS, "#!/bin/sh\n# c\nimport os\n\nx\n", id="below its first comments"
        ),
        pytest.param("import abc\nimport re\n", OS, "import abc\nimport os\nimport re\n", id="in order"),
        pytest.param(
            "import re\nfrom abc import A\n", OS, "import os\nimport re\nfrom abc import A\n", id="plain"
        ),
        pytest.param(
            "import abc\nfrom json import loads\nimport re\n",
            PATH,
            "import abc\nfrom json import loads\nfrom pathlib import Path\nimport re\n",
            id="by module alone",
        ),
        pytest.param("import re\nimport abc\n", OS, "import re\nimport abc\nimport os\n", id="without order"),
        pytest.param(
            "from __future__ import annotations\n\nimport re\n",
            OS,
            "from __future__ import annotations\n\nimport os\nimport re\n",
            id="never before the future",
        ),
        pytest.param(
            "from __future__ import annotations\n\n\ndef f(): ...\n",
            OS,
            "from __future__ import annotations\n\nimport os\n\n\ndef f(): ...\n",
            id="a block of its own",
        ),
        pytest.param(
            "import re\n\nfrom shop.a import b\n",
            NUMPY,
            "import re\n\nimport numpy as np\n\nfrom shop.a import b\n",
            id="a block between two",
        ),
        pytest.param(
            "import re\n\nimport yaml\n\nfrom shop.a import b\n",
            OWN,
            "import re\n\nimport yaml\n\nfrom shop.a import b\nfrom shop.prices import Price\n",
            id="with its own package",
        ),
        pytest.param(
            "import re\n\nfrom . import a\n",
            NEAR,
            "import re\n\nfrom . import a\nfrom .prices import Price\n",
            id="dots",
        ),
        pytest.param(
            "from pathlib import PurePath\n", PATH, "from pathlib import Path, PurePath\n", id="a name more"
        ),
        pytest.param("from pathlib import Path\n", PATH, "from pathlib import Path\n", id="there already"),
        pytest.param(
            "from shop.prices import (\n    LIMIT,\n    total,  # all\n)\n",
            OWN,
            "from shop.prices import (\n    LIMIT,\n    Price,\n    total,  # all\n)\n",
            id="a line more",
        ),
        pytest.param(
            "from shop.prices import (\n    LIMIT,\n)\n",
            OWN,
            "from shop.prices import (\n    LIMIT,\n    Price,\n)\n",
            id="the last line",
        ),
        pytest.param(
            "from a import b\nfrom a import c\nfrom pathlib import PurePath\n",
            PATH,
            "from a import b\nfrom a import c\nfrom pathlib import Path\nfrom pathlib import PurePath\n",
            id="one to a line",
        ),
        pytest.param(
            "if x:\n    import re\n\n\ndef f():\n    import abc\n",
            OS,
            "import os\n\nif x:\n    import re\n\n\ndef f():\n    import abc\n",
            id="not where it is not always run",
        ),
        pytest.param("import re", OS, "import os\nimport re", id="without a last line end"),
    ],
)
def test_an_import_goes_where_its_like_are(text: str, provider: Provider, result: str) -> None:
    assert added(text, provider) == result


def test_a_line_that_were_too_long_is_broken_up() -> None:
    names = ", ".join(f"name_number_{number}" for number in range(6))
    text = f"from shop.prices import {names}\n"
    result = added(text, OWN)
    assert max(len(line) for line in result.split("\n")) <= 88
    assert "    Price,\n" in result
    compile(result, "a.py", "exec")


@pytest.mark.parametrize(
    "text", ["from x import (\n", "import\n", "from pathlib import *\n", "x = '''\nimport os\n", "\ud800\n"]
)
def test_broken_files_do_not_raise(text: str) -> None:
    assert added(text, PATH).count("from pathlib import Path") <= 1


def scripted(text: str, provider: Provider) -> str:
    language = language_of("a.ts")
    assert language is not None
    edit = script_import_edit(text, extract(text, language), provider)
    return text if edit is None else edit.applied(text)


@pytest.mark.parametrize(
    ("text", "provider", "result"),
    [
        (
            "import a from 'a';\nf();\n",
            Provider("./b", "g", "g", 1),
            "import a from 'a';\nimport { g } from './b';\nf();\n",
        ),
        (
            'import a from "a"\n',
            Provider("./b", "default", "g", 1),
            'import a from "a"\nimport g from "./b"\n',
        ),
        ("import {a, c} from './b';\n", Provider("./b", "b", "b", 1), "import {a, b, c} from './b';\n"),
        (
            "import * as fs from 'fs';\n",
            Provider("path", "", "path", 1),
            "import * as fs from 'fs';\nimport * as path from 'path';\n",
        ),
        ("const a = require('a');\n", Provider("./b", "g", "g", 1), "const a = require('a');\n"),
        ("import { g } from './c';\n", Provider("./b", "g", "g", 1), "import { g } from './c';\n"),
    ],
)
def test_a_script_imports_as_it_does(text: str, provider: Provider, result: str) -> None:
    assert scripted(text, provider) == result


# What a name may be


@pytest.fixture(name="context")
def context_fixture(tmp_path: Path) -> Iterator[RepoContext]:
    files = {
        "shop/__init__.py": "__version__ = '1'\n",
        "shop/prices.py": (
            "import numpy as np\nfrom .money import Money\n\nclass Price: ...\nMARK = open('mark', 'w')\n"
        ),
        "shop/money.py": "class Money: ...\n",
        "shop/main.py": "import re\n\nfrom .money import Other\n",
        "web/a.ts": "import { Money } from './money';\nexport class Page {}\n",
        "web/money.ts": "export class Money {}\n",
        "web/pages/b.ts": "import x from 'x';\n",
        "jinja2.py": "def render(): ...\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    context = RepoContext([tmp_path])
    context.start()
    assert context.wait_ready(60)
    yield context
    context.close()
    assert not (tmp_path / "mark").exists(), "a file of the workspace was run"


def imported(context: RepoContext, root: Path, path: str, name: str, use: str | None = None) -> list[str]:
    text = (root / path).read_text() + f"\nprint({use or name})\n"
    language = language_of(path)
    assert language is not None
    at = text.rindex(use or name) + len(name)
    found = missing_imports(context, root / path, language, text, name, at)
    return [
        next(line for line in each.edit.applied(text).split("\n") if line not in text.split("\n"))
        for each in found
    ]


@pytest.mark.parametrize(
    ("path", "name", "line"),
    [
        ("shop/main.py", "np", "import numpy as np"),
        ("shop/main.py", "Money", "from .money import Money, Other"),
        ("shop/main.py", "Price", "from .prices import Price"),
        ("shop/main.py", "prices", "from . import prices"),
        ("shop/main.py", "json", "import json"),
        ("shop/main.py", "defaultdict", "from collections import defaultdict"),
        ("shop/main.py", "jinja2", "import jinja2"),
        ("jinja2.py", "Price", "from shop.prices import Price"),
        ("web/pages/b.ts", "Money", "import { Money } from '../money';"),
        ("web/pages/b.ts", "Page", "import { Page } from '../a';"),
    ],
)
def test_a_name_is_imported_as_the_workspace_does(
    context: RepoContext, tmp_path: Path, path: str, name: str, line: str
) -> None:
    found = imported(context, tmp_path, path, name)
    if name == "jinja2":
        assert found in ([], [line])  # a module at the workspace's root
    else:
        assert found[0] == line


def test_a_submodule_of_the_standard_library_is_named(context: RepoContext, tmp_path: Path) -> None:
    found = imported(context, tmp_path, "shop/main.py", "urllib", "urllib.parse.quote")
    assert found[0] == "import urllib.parse"


@pytest.mark.parametrize("name", ["nowhere", "prcies", "this", "antigravity_", "x" * 500])
def test_what_nobody_knows_is_not_imported(context: RepoContext, tmp_path: Path, name: str) -> None:
    assert imported(context, tmp_path, "shop/main.py", name) in ([], ["import this"])


@pytest.mark.parametrize("module", ["unittest.__main__", "venv.__main__", "this", "prices"])
def test_a_file_does_not_choose_what_is_run_here(
    context: RepoContext, tmp_path: Path, module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Modules of the standard library that are programs, and what is none of it."""
    asked: list[str] = []
    for cached in (missing_import._names_of, missing_import._well_known):  # nothing made up is kept
        monkeypatch.setattr(missing_import, cached.__name__, cached.__wrapped__)
    monkeypatch.setattr("importlib.import_module", lambda name: asked.append(name) or abc)
    language = language_named("python")
    assert language is not None
    text = f"from {module} import other\nfrom json import loads\n\nABCMeta\n"

    missing_imports(context, tmp_path / "shop" / "main.py", language, text, "ABCMeta", len(text) - 1)

    assert "json" in asked, "or nothing was proved"
    assert module not in asked
