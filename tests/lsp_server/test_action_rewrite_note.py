"""Lines rewritten as a note asks for, through the server and an instruct model of the test's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from action_scene import (  # noqa: F401  (the fixtures)
    FULL,
    MAIN,
    UNDEFINED,
    WRONG_LINE,
    backend_fixture,
    command,
    done,
    edited,
    refused,
    span,
    workspace_fixture,
)
from engine.fake import FakeBackend
from fake_chat_server import FakeChatServer, chat_server
from inprocess import TIMEOUT_SECONDS, Client, connected
from lsp_server.actions.rewrite import answer
from lsp_server.actions.rewrite import note as note_module
from lsp_server.actions.rewrite.place import REACHES_OUT
from lsp_server.actions.rewrite.prompt import OUTLINE

NOTE = "give the kelvin back"


@pytest.fixture(name="chat")
def chat_fixture() -> Iterator[FakeChatServer]:
    with chat_server(lambda messages: "```python\n    return kelvin\n```") as server:
        yield server


@pytest.fixture(name="client")
async def client_fixture(
    workspace: Path, backend: FakeBackend, chat: FakeChatServer
) -> AsyncIterator[Client]:
    async with connected(backend, workspace, {"chat": {"url": chat.url}}, **FULL) as client:
        client.open(workspace / "main.py")
        await asyncio.sleep(0)
        yield client


@pytest.fixture(name="uri")
def uri_fixture(workspace: Path) -> str:
    return (workspace / "main.py").as_uri()


def lines(first: int, last: int) -> dict[str, Any]:
    """Whole lines, from zero, as editors select them."""
    return {"start": {"line": first, "character": 0}, "end": {"line": last + 1, "character": 0}}


async def test_the_statement_at_the_cursor_is_rewritten(
    client: Client, chat: FakeChatServer, uri: str
) -> None:
    at = {"line": 5, "character": 8}
    found = await done(client, "fix", uri=uri, position=at, note=NOTE, apply=False)

    assert edited(MAIN, found["edit"]) == MAIN.replace("print(kelvin)", "return kelvin")
    assert found["message"] == f"Fix as asked: {NOTE}"
    (note,) = found["edit"]["changeAnnotations"].values()
    assert note == {"label": found["message"], "needsConfirmation": True, "description": "written by a model"}
    (prompt,) = chat.prompts
    assert NOTE in prompt
    assert "print(kelvin)" in prompt
    assert "def report(celsius):" in prompt
    assert "main.py" in prompt


async def test_a_selection_is_rewritten_whole(client: Client, chat: FakeChatServer, uri: str) -> None:
    """Its statements are not cut apart, and what is reported of them goes along."""
    chat.answer = lambda messages: (
        "```python\ndef report(celsius):\n    return celsius_to_kelvin(celsius)\n\n\ndef again(celsius):\n```"
    )
    picked = {"start": {"line": WRONG_LINE, "character": 10}, "end": {"line": 5, "character": 6}}
    found = await done(client, "fix", uri=uri, range=picked, note=NOTE, diagnostics=[UNDEFINED], apply=False)

    rewritten = "    return celsius_to_kelvin(celsius)\n"
    kept = "    kelvin = celsius_to_kelvn(celsius)\n    print(kelvin)\n"
    assert edited(MAIN, found["edit"]) == MAIN.replace(kept, rewritten)
    assert UNDEFINED["message"] in chat.prompts[0]


async def test_what_is_not_wrong_may_change_and_grow(client: Client, chat: FakeChatServer, uri: str) -> None:
    new = "    # twice\n    for _ in range(2):\n        report(celsius)\n        x = 1\n    y = 2\n    f(y)\n"
    chat.answer = lambda messages: f"```\n{new}```"
    found = await done(client, "fix", uri=uri, range=lines(9, 9), note="twice", apply=False)
    assert edited(MAIN, found["edit"]) == MAIN.replace("    report(celsius)\n", new)


async def test_windows_line_ends_and_tabs_stay(client: Client, chat: FakeChatServer, uri: str) -> None:
    text = "def f(a):\r\n\tif a:\r\n\t\treturn 1\r\n\treturn 2\r\n"
    client._change(uri, text)
    chat.answer = lambda messages: "```\n    if a:\n        b = a\n        return b\n```"
    found = await done(client, "fix", uri=uri, position={"line": 1, "character": 4}, note="b", apply=False)
    (row,) = found["edit"]["documentChanges"][0]["edits"]
    assert row["newText"] == "b = a\r\n\t\treturn b"


async def test_credentials_are_hidden_and_come_back(client: Client, chat: FakeChatServer, uri: str) -> None:
    key = "AKIA" + "ABCDEFGHIJKLMNOP"
    text = f'def f(call):\n    call("{key}", 1)\n'
    client._change(uri, text)
    chat.answer = lambda messages: '```\n    call("<hidden>", 2)\n```'
    found = await done(client, "fix", uri=uri, range=lines(1, 1), note="two", apply=False)

    assert edited(text, found["edit"]) == text.replace("1)", "2)")
    assert key not in chat.prompts[0]

    chat.answer = lambda messages: '```\n    call("<hidden>", "<hidden>")\n```'
    found = await done(client, "fix", uri=uri, range=lines(1, 1), note="two", apply=False)
    assert (found["edit"], "credentials" in found["message"]) == (None, True)


async def test_an_answer_of_no_use_is_asked_for_once_more(
    client: Client, chat: FakeChatServer, uri: str
) -> None:
    answers = iter(["I do not know.", "1. Return it.\n\n```python\nreturn kelvin\n```"])
    chat.answer = lambda messages: next(answers)
    found = await done(client, "fix", uri=uri, range=lines(5, 5), note=NOTE, apply=False)

    assert edited(MAIN, found["edit"]) == MAIN.replace("print(kelvin)", "return kelvin")
    assert [OUTLINE in prompt for prompt in chat.prompts] == [False, True]


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        pytest.param("No.", answer.WITHOUT_CODE, id="without code"),
        pytest.param(
            "```\n    kelvin = None\n    print(celsius_to_kelvin(celsius))\n```",
            REACHES_OUT,
            id="leaves its range",
        ),
        pytest.param("```\n    return kelvin(\n```", note_module.NOT_BETTER, id="does not parse"),
        pytest.param("```\n    return kelvin = 1\n```", note_module.NOT_BETTER, id="is no Python"),
        pytest.param("```\nreturn kelvin\n  print()\n```", note_module.NOT_BETTER, id="margins of no block"),
        pytest.param("```\n    print(kelvin)\n```", note_module.NOT_BETTER, id="nothing new"),
        pytest.param('```\n    key = "AKIAABCDEFGHIJKLMNOP"\n```', note_module.NOT_BETTER, id="a credential"),
        pytest.param("```\n    # ... rest of the code\n```", answer.LEFT_OUT, id="left out"),
    ],
)
async def test_an_answer_that_is_no_good_changes_nothing(
    client: Client, chat: FakeChatServer, uri: str, said: str, reason: str
) -> None:
    chat.answer = lambda messages: said
    found = await done(client, "fix", uri=uri, range=lines(5, 5), note=NOTE)
    assert (found["edit"], found["applied"]) == (None, False)
    assert reason.rstrip(".") in found["message"]
    assert "othing was changed" in found["message"]
    assert len(chat.bodies) == 2


async def test_an_answer_longer_than_its_budget(client: Client, chat: FakeChatServer, uri: str) -> None:
    chat.finish_reason = "length"
    chat.answer = lambda messages: "```python\n" + "    return kelvin\n" * 300
    found = await done(client, "fix", uri=uri, range=lines(5, 5), note=NOTE)
    assert found["edit"] is None
    assert answer.TOO_LONG in found["message"]
    assert all(body["max_tokens"] <= 1024 for body in chat.bodies)


# What is refused before anybody is asked


async def test_without_an_instruct_model(workspace: Path, backend: FakeBackend, uri: str) -> None:
    async with connected(backend, workspace, **FULL) as client:
        client.open(workspace / "main.py")
        assert await refused(client, "fix", uri=uri, range=lines(5, 5), note=NOTE) == note_module.NEEDS_MODEL


@pytest.mark.parametrize("note", ["two\nlines", "x" * 501, " ", 3, ["x"], "\u202e"])
async def test_a_note_is_one_line(client: Client, chat: FakeChatServer, uri: str, note: Any) -> None:
    assert await refused(client, "fix", uri=uri, range=lines(5, 5), note=note) == note_module.NO_NOTE
    assert not chat.bodies


@pytest.mark.parametrize(
    ("where", "said"),
    [
        pytest.param(lines(4, 9), "several functions (report, again): select inside of one", id="functions"),
        pytest.param(lines(2, 2), "no code here", id="a blank line"),
    ],
)
async def test_what_cannot_be_rewritten_at_once(
    client: Client, chat: FakeChatServer, uri: str, where: dict[str, Any], said: str
) -> None:
    assert said in await refused(client, "fix", uri=uri, range=where, note=NOTE)
    assert not chat.bodies


async def test_a_selection_that_no_answer_holds(client: Client, chat: FakeChatServer, uri: str) -> None:
    client._change(uri, "def f(a):\n" + "".join(f"    a.call_number({n})\n" for n in range(500)))
    assert "select fewer" in await refused(client, "fix", uri=uri, range=lines(1, 400), note=NOTE)
    assert not chat.bodies


async def test_a_file_of_20_000_generated_lines(client: Client, chat: FakeChatServer, uri: str) -> None:
    """Left alone where it is too much to parse at once; else only what is around the place is sent."""
    client._change(uri, "".join(f"VALUE_{n} = compute({n}, {n + 1})\n" for n in range(20_000)))
    said = await refused(client, "fix", uri=uri, range=lines(5, 5), note=NOTE)
    assert "too large, or looks generated" in said
    assert not chat.bodies

    text = "".join(f"X{n} = {n}\n" for n in range(20_000))
    client._change(uri, text)
    chat.answer = lambda messages: "```\nX9000 = 1\n```"
    found = await done(client, "fix", uri=uri, range=lines(9_000, 9_000), note=NOTE, apply=False)
    assert edited(text, found["edit"]) == text.replace("X9000 = 9000", "X9000 = 1")
    assert len(chat.prompts[0]) < 20_000


async def test_a_language_without_a_grammar(client: Client, workspace: Path, chat: FakeChatServer) -> None:
    path = workspace / "notes.go"
    document = {"uri": path.as_uri(), "languageId": "go", "version": 0, "text": path.read_text()}
    client.notify("textDocument/didOpen", {"textDocument": document})
    said = await refused(client, "fix", uri=path.as_uri(), range=lines(2, 2), note=NOTE)
    assert "checked by a grammar" in said
    assert "cannot read go" in said
    assert not chat.bodies


# While it works


async def test_a_model_that_is_not_there(client: Client, chat: FakeChatServer, uri: str) -> None:
    chat.models = []
    said = await refused(client, "fix", uri=uri, range=lines(5, 5), note=NOTE)
    assert "model" in said
    assert not chat.bodies


async def test_a_document_that_changed_meanwhile_is_left_alone(
    client: Client, chat: FakeChatServer, uri: str
) -> None:
    chat.answer = lambda messages: "```\n    return kelvin\n```"
    await done(
        client, "fix", uri=uri, range=lines(5, 5), note=NOTE, apply=False
    )  # the server's loop is known now
    chat.was_asked.clear()
    chat.hold()
    pending = command(client, "fix", uri=uri, range=lines(5, 5), note=NOTE)
    await asyncio.to_thread(chat.was_asked.wait, TIMEOUT_SECONDS)
    client._change(uri, "x = 1\n" + MAIN)
    chat.let(1_000)

    answer = await asyncio.wait_for(pending, TIMEOUT_SECONDS)
    assert "changed while ghostfill worked" in answer["error"]["message"]


async def test_cancelling_closes_the_connection(client: Client, chat: FakeChatServer, uri: str) -> None:
    chat.hold()
    argument = {"uri": uri, "range": lines(5, 5), "note": NOTE}
    params = {"command": "ghostfill.fix", "arguments": [argument]}
    number, pending = client.send("workspace/executeCommand", params)
    await asyncio.to_thread(chat.was_asked.wait, TIMEOUT_SECONDS)
    client.notify("$/cancelRequest", {"id": number})

    assert (await asyncio.wait_for(pending, TIMEOUT_SECONDS))["error"]["code"] == -32800
    assert await asyncio.to_thread(chat.was_left.wait, TIMEOUT_SECONDS)


async def test_without_the_engine_that_completes(
    client: Client, chat: FakeChatServer, backend: FakeBackend, uri: str
) -> None:
    """A model elsewhere is enough; only what other files say is missing then."""
    backend.is_dead = True
    found = await done(client, "fix", uri=uri, range=lines(5, 5), note=NOTE, apply=False)
    assert edited(MAIN, found["edit"]) == MAIN.replace("print(kelvin)", "return kelvin")
