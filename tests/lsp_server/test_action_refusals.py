"""What the actions do not do, said in a sentence."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from action_scene import (  # noqa: F401  (the fixtures)
    FULL,
    MAIN,
    UNDEFINED,
    WRONG_LINE,
    actions,
    backend_fixture,
    client_fixture,
    done,
    edited,
    refused,
    span,
    workspace_fixture,
)
from engine.fake import FakeBackend
from inprocess import TIMEOUT_SECONDS, Client, connected


@pytest.mark.parametrize("name", ["fix", "document", "explain"])
async def test_what_is_refused_is_refused_with_a_sentence(client: Client, workspace: Path, name: str) -> None:
    uri = (workspace / "main.py").as_uri()

    assert "takes one object" in await refused(client, name)
    assert "needs a range" in await refused(client, name, uri=uri)
    assert "needs a range" in await refused(client, name, uri=uri, range={"start": 1, "end": None})
    assert "is not open" in await refused(client, name, uri="file:///no/such.py", range=span(0))

    client.server.session.switches.toggle(None)
    assert "off" in await refused(client, name, uri=uri, range=span(WRONG_LINE))


@pytest.mark.parametrize("name", ["fix", "document", "explain"])
async def test_languages_without_a_grammar_are_refused(client: Client, workspace: Path, name: str) -> None:
    path = workspace / "notes.go"
    text = path.read_text()
    document = {"uri": path.as_uri(), "languageId": "go", "version": 0, "text": text}
    client.notify("textDocument/didOpen", {"textDocument": document})

    assert "cannot read go" in await refused(client, name, uri=path.as_uri(), range=span(2))


@pytest.mark.parametrize("name", ["fix", "document", "explain"])
async def test_private_files_are_refused(client: Client, workspace: Path, name: str) -> None:
    client.open(workspace / ".env")
    uri = (workspace / ".env").as_uri()
    assert "private" in await refused(client, name, uri=uri, range=span(0))


@pytest.mark.parametrize("name", ["fix", "document", "explain"])
async def test_files_too_large_are_refused(client: Client, workspace: Path, name: str) -> None:
    client._change((workspace / "main.py").as_uri(), MAIN + "x = 1\n" * 100_000)
    uri = (workspace / "main.py").as_uri()
    assert "too large" in await refused(client, name, uri=uri, range=span(WRONG_LINE))


@pytest.mark.parametrize("name", ["document", "explain"])
async def test_a_selection_over_functions_and_one_outside_of_any(
    client: Client, workspace: Path, name: str
) -> None:
    uri = (workspace / "main.py").as_uri()
    both = {"start": {"line": 4, "character": 0}, "end": {"line": 9, "character": 3}}

    assert "reaches over several" in await refused(client, name, uri=uri, range=both)
    assert "no function or class here" in await refused(client, name, uri=uri, range=span(0))


async def test_nothing_wrong_is_nothing_to_fix(client: Client, workspace: Path) -> None:
    uri = (workspace / "main.py").as_uri()
    assert "known to be wrong" in await refused(client, "fix", uri=uri, range=span(WRONG_LINE))


async def test_what_the_client_told_before_counts(client: Client, workspace: Path) -> None:
    """Through ghostfill/didChangeDiagnostics, by line."""
    uri = (workspace / "main.py").as_uri()
    client.notify("ghostfill/didChangeDiagnostics", {"uri": uri, "diagnostics": [UNDEFINED]})

    found = await done(client, "fix", uri=uri, range=span(WRONG_LINE), apply=False)

    assert edited(MAIN, found["edit"]) == MAIN.replace("to_kelvn", "to_kelvin")


async def test_a_model_that_says_nothing(client: Client, workspace: Path, backend: FakeBackend) -> None:
    backend.script = lambda prompt: ""
    uri = (workspace / "main.py").as_uri()
    found = await done(client, "document", uri=uri, range=span(WRONG_LINE))
    (action,) = await actions(client, workspace / "main.py", span(WRONG_LINE), only=["refactor"])
    answer = await asyncio.wait_for(client.send("codeAction/resolve", action)[1], TIMEOUT_SECONDS)

    assert (found["edit"], found["applied"]) == (None, False)
    assert "nothing usable" in found["message"]
    assert answer["error"]["message"] == found["message"]


async def test_without_an_engine_only_facts_remain(workspace: Path, backend: FakeBackend) -> None:
    async with connected(backend, workspace, **FULL) as client:
        client.open(workspace / "main.py")
        backend.is_dead = True
        uri = (workspace / "main.py").as_uri()

        assert "ngine" in await refused(client, "document", uri=uri, range=span(WRONG_LINE))
        found = await done(client, "explain", uri=uri, range=span(WRONG_LINE), show=False)

    assert "def report(celsius):" in found["text"]
    assert "in vain" in found["text"]
