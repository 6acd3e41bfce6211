"""A small fault is mended without a model where it can be; what may be wrong is not offered."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from action_scene import (  # noqa: F401  (the fixtures)
    backend_fixture,
    client_fixture,
    done,
    edited,
    span,
    workspace_fixture,
)
from engine.api import Priority
from engine.fake import FakeBackend
from inprocess import Client
from lsp_server.actions import ruff_check


async def fixed(
    client: Client, path: Path, text: str, line: int, message: str, wrong: str = ""
) -> dict[str, Any]:
    client._change(path.as_uri(), text)
    row = text.split("\n")[line]
    start = row.index(wrong) if wrong else 0
    where = span(line, start, start + len(wrong) if wrong else len(row))
    diagnostic = {"range": where, "message": message, "severity": 1}
    return await done(client, "fix", uri=path.as_uri(), range=where, diagnostics=[diagnostic], apply=False)


def asked(backend: FakeBackend) -> int:
    return sum(request.priority is Priority.CHAT for request in backend.requests)


MENDED = [
    pytest.param("def f(a)\n    return a\n", 0, "Expected `:`", "", "def f(a):\n    return a\n", id="colon"),
    pytest.param("x = [y\n", 0, "'[' was never closed", "", "x = [y]\n", id="bracket"),
    pytest.param('x = "abc\n', 0, "unterminated string literal", "", 'x = "abc"\n', id="quote"),
    pytest.param(
        "def f(a):\n    b = a\n      return b\n",
        2,
        "unexpected indent",
        "",
        "def f(a):\n    b = a\n    return b\n",
        id="margin",
    ),
    pytest.param(
        "def f(price):\n    return prcie\n",
        1,
        "Undefined name `prcie`",
        "prcie",
        "def f(price):\n    return price\n",
        id="name",
    ),
    pytest.param(
        "def f(a):\n    new_total = a\n    return total\n\n\ndef g(total): ...\n",
        2,
        "Undefined name `total`",
        "total",
        "def f(a):\n    total = a\n    return total\n\n\ndef g(total): ...\n",
        id="where it is set",
    ),
    pytest.param(
        "import re\n\n\ndef f(p):\n    return os.path.join(p, re.A)\n",
        4,
        '"os" is not defined',
        "os",
        "import os\nimport re\n\n\ndef f(p):\n    return os.path.join(p, re.A)\n",
        id="import",
    ),
    pytest.param(
        "x = 1\n\nprint(celsius_to_kelvin(x))\n",
        2,
        "Undefined name `celsius_to_kelvin`",
        "celsius_to_kelvin",
        "from utils import celsius_to_kelvin\n\nx = 1\n\nprint(celsius_to_kelvin(x))\n",
        id="of the workspace",
    ),
    pytest.param(
        'print("a".stirp())\n',
        0,
        '"str" has no attribute "stirp"; maybe "strip"?',
        '"a".stirp',
        'print("a".strip())\n',
        id="attribute",
    ),
    pytest.param(
        "from utils import celsius_to_kelvin\n\ncelsius_to_kelvin(degree=3)\n",
        2,
        'Unexpected keyword argument "degree" for "celsius_to_kelvin"',
        "celsius_to_kelvin(degree=3)",
        "from utils import celsius_to_kelvin\n\ncelsius_to_kelvin(degrees=3)\n",
        id="argument",
    ),
]


@pytest.mark.parametrize(("text", "line", "message", "wrong", "result"), MENDED)
async def test_a_small_fault_needs_no_model(
    client: Client,
    workspace: Path,
    backend: FakeBackend,
    text: str,
    line: int,
    message: str,
    wrong: str,
    result: str,
) -> None:
    found = await fixed(client, workspace / "main.py", text, line, message, wrong)
    assert found["edit"] is not None, found["message"]
    assert edited(text, found["edit"]) == result
    assert not asked(backend)


@pytest.mark.parametrize(("text", "line", "message", "wrong", "result"), MENDED)
async def test_nor_does_it_need_ruff(
    client: Client,
    workspace: Path,
    monkeypatch: pytest.MonkeyPatch,
    text: str,
    line: int,
    message: str,
    wrong: str,
    result: str,
) -> None:
    monkeypatch.setattr(ruff_check, "ruff_program", lambda: None)
    found = await fixed(client, workspace / "main.py", text, line, message, wrong)
    assert found["edit"] is not None, found["message"]
    assert edited(text, found["edit"]) == result


async def test_an_import_is_all_that_changes(client: Client, workspace: Path) -> None:
    text = "import re\n\nprint(os.sep, re.A)\n"
    found = await fixed(client, workspace / "main.py", text, 2, "Undefined name `os`", "os")
    (change,) = found["edit"]["documentChanges"]
    (row,) = change["edits"]
    assert row["range"] == span(0)
    assert row["newText"] == "import os\n"


async def test_of_several_that_hold_the_model_chooses(
    client: Client, workspace: Path, backend: FakeBackend
) -> None:
    text = "def f(pricea, priceb):\n    return pricec, pricea, priceb\n"
    for name in ("pricea", "priceb"):
        backend.script = lambda prompt, name=name: name
        found = await fixed(client, workspace / "main.py", text, 1, "Undefined name `pricec`", "pricec")
        assert edited(text, found["edit"]) == text.replace("pricec", name)
    assert asked(backend) == 2


async def test_a_name_is_not_replaced_by_any_other(
    client: Client, workspace: Path, backend: FakeBackend
) -> None:
    """Which would please every checker."""
    backend.script = lambda prompt: "amount"
    text = "def f(amount):\n    return filesize + amount\n"
    found = await fixed(client, workspace / "main.py", text, 1, "Undefined name `filesize`", "filesize")
    assert found["edit"] is None
    assert "chat.model" in found["message"]


async def test_what_brings_another_problem_is_not_offered(
    client: Client, workspace: Path, backend: FakeBackend
) -> None:
    backend.script = lambda prompt: "prizes"
    text = "def f(amount):\n    return prize\n"
    found = await fixed(client, workspace / "main.py", text, 1, "Undefined name `prize`", "prize")
    assert found["edit"] is None


async def test_javascript_is_mended_too(client: Client, workspace: Path, backend: FakeBackend) -> None:
    path = workspace / "page.ts"
    text = "export function f(a: number[]) {\n  return a.map((x) => x + 1;\n}\n"
    path.write_text(text)
    client.open(path)
    backend.script = lambda prompt: ")"
    found = await fixed(client, path, text, 1, "')' expected.")
    assert edited(text, found["edit"]) == text.replace("+ 1;", "+ 1);")


@pytest.mark.parametrize("junk", ["((((", "=> =>", "} }"])
async def test_what_only_breaks_a_script_otherwise_is_not_offered(
    client: Client, workspace: Path, backend: FakeBackend, junk: str
) -> None:
    path = workspace / "page.ts"
    text = "export function f(a: number) {\n  const b = 3 +* 4 of a,, ;\n  return b;\n}\n"
    path.write_text(text)
    client.open(path)
    backend.script = lambda prompt: junk
    found = await fixed(client, path, text, 1, "Expression expected.", "* 4 of a")
    assert found["edit"] is None


async def test_a_long_file_is_mended(client: Client, workspace: Path) -> None:
    body = "".join(f"def f{number}(price):\n    return price\n\n\n" for number in range(4_900))
    text = body + "def last(price):\n    return prcie\n"
    assert text.count("\n") > 19_600
    line = text.count("\n") - 1
    found = await fixed(client, workspace / "main.py", text, line, "Undefined name `prcie`", "prcie")
    assert edited(text, found["edit"]) == body + "def last(price):\n    return price\n"


@pytest.mark.parametrize(
    "name", ["{{ x }}", "`rm -rf`", "[a](command:b)", "\u202eabc", "x" * 5_000, "(.*)+$"]
)
async def test_a_message_is_only_read(client: Client, workspace: Path, name: str) -> None:
    text = "def f(price):\n    return prcie\n"
    message = f"Undefined name `prcie` {name}"
    found = await fixed(client, workspace / "main.py", text, 1, message, "prcie")
    assert edited(text, found["edit"]) == text.replace("prcie", "price")
