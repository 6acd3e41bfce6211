"""What fix and document do to a document, and that it is the one they were made for."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from action_scene import (  # noqa: F401  (the fixtures)
    MAIN,
    UNDEFINED,
    WRONG_LINE,
    actions,
    backend_fixture,
    client_fixture,
    command,
    done,
    edited,
    span,
    workspace_fixture,
)
from engine.api import Priority
from engine.fake import FakeBackend
from inprocess import TIMEOUT_SECONDS, Client, connected


async def test_resolving_a_fix_gives_its_edit(client: Client, workspace: Path) -> None:
    """For this version of the document, to be confirmed."""
    fix, *_ = await actions(client, workspace / "main.py", span(WRONG_LINE, 13), UNDEFINED)
    edit = (await client.request("codeAction/resolve", fix))["edit"]

    assert edited(MAIN, edit) == MAIN.replace("to_kelvn", "to_kelvin")
    (change,) = edit["documentChanges"]
    assert change["textDocument"] == {"uri": (workspace / "main.py").as_uri(), "version": 0}
    (row,) = change["edits"]
    assert row["newText"] == "i"
    assert edit["changeAnnotations"][row["annotationId"]]["needsConfirmation"] is True


async def test_resolving_a_document_action_gives_its_edit(client: Client, workspace: Path) -> None:
    (_, document, _) = await actions(client, workspace / "main.py", span(WRONG_LINE, 13), UNDEFINED)
    edit = (await client.request("codeAction/resolve", document))["edit"]

    header = "def report(celsius):\n"
    assert edited(MAIN, edit) == MAIN.replace(header, f'{header}    """Print the temperature."""\n')


@pytest.mark.parametrize("data", [None, 3, {"command": "ghostfill.fix"}, {"command": 1, "argument": {}}])
async def test_an_action_of_somebody_else_is_given_back(client: Client, data: Any) -> None:
    action = {"title": "Theirs", "data": data}
    found = await client.request("codeAction/resolve", action)
    assert "edit" not in found
    assert found["title"] == "Theirs"


async def test_who_knows_no_versions_gets_plain_changes(workspace: Path, backend: FakeBackend) -> None:
    async with connected(backend, workspace) as client:
        client.open(workspace / "main.py")
        uri = (workspace / "main.py").as_uri()
        found = await done(client, "fix", uri=uri, range=span(WRONG_LINE, 13), diagnostics=[UNDEFINED])

    assert not found["applied"]
    assert list(found["edit"]) == ["changes"]
    assert edited(MAIN, found["edit"]) == MAIN.replace("to_kelvn", "to_kelvin")
    assert "lets no server apply" in found["message"]


async def test_an_infilled_fix_is_the_one_that_parses(
    client: Client, workspace: Path, backend: FakeBackend
) -> None:
    text = "def f(a):\n    return a +\n"
    backend.script = lambda prompt: " 1"
    client._change((workspace / "main.py").as_uri(), text)

    found = await done(
        client, "fix", uri=(workspace / "main.py").as_uri(), position=span(1)["start"], apply=False
    )

    assert edited(text, found["edit"]) == "def f(a):\n    return a + 1\n"
    chat = [request for request in backend.requests if request.priority is Priority.CHAT]
    assert chat
    assert all(request.document is None and request.max_tokens <= 96 for request in chat)


async def test_a_fix_that_fixes_nothing_is_not_made(
    client: Client, workspace: Path, backend: FakeBackend
) -> None:
    text = "def f(a):\n    return a +\n"
    backend.script = lambda prompt: "(((("
    client._change((workspace / "main.py").as_uri(), text)

    found = await done(client, "fix", uri=(workspace / "main.py").as_uri(), position=span(1)["start"])

    assert (found["edit"], found["applied"]) == (None, False)
    assert "nothing was changed" in found["message"]


async def test_of_a_long_statement_only_the_wrong_line_is_written_anew(
    client: Client, workspace: Path
) -> None:
    text = "def f(price):\n    return [\n" + "        price,\n" * 40 + "        prise,\n    ]\n"
    client._change((workspace / "main.py").as_uri(), text)
    wrong = {"range": span(42, 8, 13), "message": "Undefined name `prise`"}

    uri = (workspace / "main.py").as_uri()
    found = await done(client, "fix", uri=uri, range=span(42), diagnostics=[wrong], apply=False)

    assert edited(text, found["edit"]) == text.replace("prise", "price")


async def test_windows_line_ends_stay(client: Client, workspace: Path, backend: FakeBackend) -> None:
    text = "def f(a):\r\n    return a\r\n"
    backend.script = lambda prompt: "What is\n    given."
    client._change((workspace / "main.py").as_uri(), text)

    found = await done(client, "document", uri=(workspace / "main.py").as_uri(), range=span(0), apply=False)

    (row,) = found["edit"]["documentChanges"][0]["edits"]
    assert row["newText"] == '    """What is\r\n    given.\r\n    """\r\n'
    assert row["range"] == span(1)


async def test_columns_are_the_clients(client: Client, workspace: Path) -> None:
    text = 'def f(price):\n    return "𝒳€", prise\n'
    client._change((workspace / "main.py").as_uri(), text)
    wrong = {"range": span(1, 18, 23), "message": "Undefined name `prise`"}

    uri = (workspace / "main.py").as_uri()
    found = await done(client, "fix", uri=uri, range=span(1, 18), diagnostics=[wrong], apply=False)

    (row,) = found["edit"]["documentChanges"][0]["edits"]
    assert (row["range"], row["newText"]) == (span(1, 21, 22), "c")


async def answer_applied(client: Client, is_applied: bool, seen: list[Any]) -> None:
    """Have the client answer what it is asked to apply."""
    write = client.write

    def answer(data: bytes) -> None:
        message = json.loads(data.partition(b"\r\n\r\n")[2])
        if message.get("method") != "workspace/applyEdit":
            write(data)
            return
        seen.append(message["params"])
        result = {"applied": is_applied, "failureReason": None if is_applied else "the user said no"}
        client._receive({"id": message["id"], "result": result})

    client.write = answer  # type: ignore[method-assign]


@pytest.mark.parametrize("is_applied", [True, False])
async def test_a_command_has_its_edit_applied(client: Client, workspace: Path, is_applied: bool) -> None:
    seen: list[Any] = []
    await answer_applied(client, is_applied, seen)
    uri = (workspace / "main.py").as_uri()

    found = await done(client, "document", uri=uri, range=span(WRONG_LINE))

    assert found["applied"] is is_applied
    assert ("the user said no" in found["message"]) is not is_applied
    assert [each["edit"] for each in seen] == [found["edit"]]


# The document as it is


async def test_a_document_that_changed_meanwhile_is_left_alone(
    client: Client, workspace: Path, backend: FakeBackend
) -> None:
    backend.gate.clear()
    uri = (workspace / "main.py").as_uri()
    pending = command(client, "document", uri=uri, range=span(WRONG_LINE))
    while not any(request.priority is Priority.CHAT for request in backend.requests):
        await asyncio.sleep(0.01)
    client._change(uri, "x = 1\n" + MAIN)
    backend.gate.set()

    answer = await asyncio.wait_for(pending, TIMEOUT_SECONDS)

    assert "changed while ghostfill worked" in answer["error"]["message"]


async def test_an_action_of_an_older_version_is_not_resolved(client: Client, workspace: Path) -> None:
    fix, *_ = await actions(client, workspace / "main.py", span(WRONG_LINE, 13), UNDEFINED)
    client._change((workspace / "main.py").as_uri(), "x = 1\n" + MAIN)

    answer = await asyncio.wait_for(client.send("codeAction/resolve", fix)[1], TIMEOUT_SECONDS)

    assert "changed since this was offered" in answer["error"]["message"]


@pytest.mark.parametrize("name", ["document", "explain"])
async def test_cancelling_stops_the_engine(
    client: Client, workspace: Path, backend: FakeBackend, name: str
) -> None:
    backend.gate.clear()
    argument = {"uri": (workspace / "main.py").as_uri(), "range": span(WRONG_LINE)}
    params = {"command": f"ghostfill.{name}", "arguments": [argument]}
    number, pending = client.send("workspace/executeCommand", params)
    while not any(request.priority is Priority.CHAT for request in backend.requests):
        await asyncio.sleep(0.01)
    cancelled = backend.num_cancelled
    client.notify("$/cancelRequest", {"id": number})

    assert (await asyncio.wait_for(pending, TIMEOUT_SECONDS))["error"]["code"] == -32800
    assert backend.num_cancelled == cancelled + 1


async def test_a_cancelled_resolve_is_answered(client: Client, workspace: Path, backend: FakeBackend) -> None:
    (action,) = await actions(client, workspace / "main.py", span(WRONG_LINE), only=["refactor"])
    backend.gate.clear()
    number, pending = client.send("codeAction/resolve", action)
    while not any(request.priority is Priority.CHAT for request in backend.requests):
        await asyncio.sleep(0.01)
    client.notify("$/cancelRequest", {"id": number})

    assert (await asyncio.wait_for(pending, TIMEOUT_SECONDS))["error"]["code"] == -32800
