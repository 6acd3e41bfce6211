"""The light bulb as a client sees it: what is offered where, before any engine is asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from action_scene import (  # noqa: F401  (the fixtures)
    ACTIONS,
    UNDEFINED,
    WRONG_LINE,
    actions,
    backend_fixture,
    client_fixture,
    command,
    span,
    titles,
    workspace_fixture,
)
from engine.fake import FakeBackend
from inprocess import Client, connected


async def test_the_light_bulb_asks_no_engine(client: Client, workspace: Path, backend: FakeBackend) -> None:
    backend.gate.clear()  # it would wait for ever
    asked = len(backend.requests)

    found = await actions(client, workspace / "main.py", span(WRONG_LINE, 13), UNDEFINED)

    assert titles(found) == [
        'Fix with ghostfill: Undefined name "celsius_to_kelvn"',
        "Document 'report'",
        "Explain 'report'",
    ]
    assert [action.get("kind") for action in found] == ["quickfix", "refactor.rewrite", None]
    assert all("edit" not in action for action in found)
    assert found[2]["command"]["command"] == "ghostfill.explain"
    assert found[2]["command"]["arguments"] == [
        {"uri": (workspace / "main.py").as_uri(), "range": span(WRONG_LINE, 13)}
    ]
    assert len(backend.requests) == asked


async def test_without_anything_wrong_there_is_no_fix(client: Client, workspace: Path) -> None:
    found = await actions(client, workspace / "main.py", span(WRONG_LINE, 13))
    assert titles(found) == ["Document 'report'", "Explain 'report'"]


async def test_outside_of_functions_there_is_nothing(client: Client, workspace: Path) -> None:
    assert await actions(client, workspace / "main.py", span(0)) == []


async def test_what_is_described_is_not_documented_again(client: Client, workspace: Path) -> None:
    client._change((workspace / "main.py").as_uri(), 'def f():\n    """Described."""\n')
    assert titles(await actions(client, workspace / "main.py", span(0))) == ["Explain 'f'"]


async def test_several_diagnostics_of_one_statement_are_one_fix(client: Client, workspace: Path) -> None:
    other = {"range": span(WRONG_LINE, 4, 10), "message": "something else"}
    elsewhere = {"range": span(WRONG_LINE + 1, 4, 9), "message": "in the next line"}

    found = await actions(client, workspace / "main.py", span(WRONG_LINE), UNDEFINED, other, elsewhere)

    assert titles(found)[:2] == [
        'Fix with ghostfill: Undefined name "celsius_to_kelvn"',
        "Fix with ghostfill: in the next line",
    ]
    assert [len(action["diagnostics"]) for action in found[:2]] == [2, 1]


async def test_a_syntax_error_needs_no_diagnostic(client: Client, workspace: Path) -> None:
    client._change((workspace / "main.py").as_uri(), "def f():\n    return g(1\n")
    found = await actions(client, workspace / "main.py", span(1, 8))
    assert "Fix with ghostfill: syntax error" in titles(found)


@pytest.mark.parametrize(("trigger", "num_actions"), [(1, 3), (2, 1)], ids=["by hand", "by itself"])
async def test_a_light_bulb_that_nobody_asked_for_shines_for_fixes_alone(
    client: Client, workspace: Path, trigger: int, num_actions: int
) -> None:
    where = span(WRONG_LINE, 13)

    found = await actions(client, workspace / "main.py", where, UNDEFINED, triggerKind=trigger)

    assert len(found) == num_actions
    assert titles(found)[0].startswith("Fix")


async def test_only_the_kinds_that_are_asked_for(client: Client, workspace: Path) -> None:
    async def of(*kinds: str) -> list[str]:
        found = await actions(client, workspace / "main.py", span(WRONG_LINE), UNDEFINED, only=list(kinds))
        return [action["kind"] for action in found]

    assert await of("quickfix") == ["quickfix"]
    assert await of("refactor") == ["refactor.rewrite"]
    assert await of("refactor.rewrite", "quickfix") == ["quickfix", "refactor.rewrite"]
    assert await of("source", "refactor.rewri") == []


@pytest.mark.parametrize("name", ["notes.go", ".env"])
async def test_other_languages_and_private_files_have_no_light_bulb(
    client: Client, workspace: Path, name: str
) -> None:
    path = workspace / name
    client.notify(
        "textDocument/didOpen",
        {"textDocument": {"uri": path.as_uri(), "languageId": "go", "version": 0, "text": path.read_text()}},
    )
    assert await actions(client, path, span(0), {**UNDEFINED, "range": span(0, 0, 3)}) == []


async def test_a_client_that_cannot_resolve_gets_commands(workspace: Path, backend: FakeBackend) -> None:
    async with connected(backend, workspace, textDocument={"codeAction": ACTIONS}) as client:
        client.open(workspace / "main.py")
        found = await actions(client, workspace / "main.py", span(WRONG_LINE), UNDEFINED)

    assert [action["command"]["command"] for action in found] == [
        "ghostfill.fix",
        "ghostfill.document",
        "ghostfill.explain",
    ]
    assert found[0]["command"]["arguments"][0]["diagnostics"] == [UNDEFINED]


async def test_a_client_without_literals_gets_bare_commands(workspace: Path, backend: FakeBackend) -> None:
    async with connected(backend, workspace) as client:
        client.open(workspace / "main.py")
        found = await actions(client, workspace / "main.py", span(WRONG_LINE), UNDEFINED)

    assert [action["command"] for action in found] == [
        "ghostfill.fix",
        "ghostfill.document",
        "ghostfill.explain",
    ]
