"""A fix with an instruct model: its rewriting is one candidate more, judged as all are."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from action_scene import (  # noqa: F401  (the fixtures)
    FULL,
    backend_fixture,
    command,
    done,
    edited,
    refused,
    span,
    workspace_fixture,
)
from engine.api import Priority
from engine.fake import FakeBackend
from fake_chat_server import FakeChatServer, chat_server
from inprocess import TIMEOUT_SECONDS, Client, connected
from lsp_server.actions.rewrite import answer
from lsp_server.actions.rewrite.instruct_fix import NOT_GOOD
from lsp_server.actions.rewrite.place import REACHES_OUT
from lsp_server.actions.rewrite.prompt import OUTLINE

TEXT = "def f(a):\n    b = a\n    return g(a b\n\n\ndef g(a):\n    return a\n"
FIXED = TEXT.replace("g(a b", "g(a + b)")
WRONG = {"range": span(2, 13, 16), "message": "'(' was never closed", "severity": 1}
OTHER = {"range": span(2, 15, 16), "message": "expected an operator, not b", "severity": 1}
GOOD = "```python\n    return g(a + b)\n```"


@pytest.fixture(name="chat")
def chat_fixture() -> Iterator[FakeChatServer]:
    with chat_server(lambda messages: GOOD) as server:
        yield server


@pytest.fixture(name="client")
async def client_fixture(
    workspace: Path, backend: FakeBackend, chat: FakeChatServer
) -> AsyncIterator[Client]:
    backend.script = lambda prompt: "(((("
    async with connected(backend, workspace, {"chat": {"url": chat.url}}, **FULL) as client:
        client.open(workspace / "main.py", TEXT)
        await asyncio.sleep(0)
        yield client


@pytest.fixture(name="uri")
def uri_fixture(workspace: Path) -> str:
    return (workspace / "main.py").as_uri()


async def fixed(client: Client, uri: str, *diagnostics: Any, line: int = 2) -> dict[str, Any]:
    return await done(client, "fix", uri=uri, range=span(line), diagnostics=list(diagnostics), apply=False)


async def test_what_the_instruct_model_writes_is_taken(
    client: Client, chat: FakeChatServer, uri: str
) -> None:
    """Several diagnostics on one place are one question, which has them all."""
    found = await fixed(client, uri, WRONG, OTHER)

    assert edited(TEXT, found["edit"]) == FIXED
    assert found["message"] == f"Fix: {WRONG['message']}"
    (prompt,) = chat.prompts
    for told in ("line 3", "was never closed", "expected an operator, not b", "return g(a b", "b = a"):
        assert told in prompt
    assert OUTLINE not in prompt


async def test_syntax_errors_need_no_diagnostics(client: Client, uri: str) -> None:
    assert edited(TEXT, (await fixed(client, uri))["edit"]) == FIXED


async def test_resolving_an_action_asks_it_too(client: Client, workspace: Path, uri: str) -> None:
    params = {"textDocument": {"uri": uri}, "range": span(2), "context": {"diagnostics": [WRONG]}}
    action, *_ = await client.request("textDocument/codeAction", params)
    edit = (await client.request("codeAction/resolve", action))["edit"]
    assert edited(TEXT, edit) == FIXED


@pytest.mark.parametrize(
    "break_it",
    [
        pytest.param(lambda chat: setattr(chat, "models", []), id="no model"),
        pytest.param(lambda chat: setattr(chat, "answer", lambda messages: "I do not know."), id="no code"),
        pytest.param(lambda chat: setattr(chat, "breaks_after", 0), id="broken connection"),
        pytest.param(lambda chat: setattr(chat, "api_key", "other"), id="refused"),
    ],
)
async def test_without_its_help_filling_in_goes_on(
    client: Client, chat: FakeChatServer, backend: FakeBackend, uri: str, break_it: Any
) -> None:
    break_it(chat)
    backend.script = lambda prompt: "a + b)"
    found = await fixed(client, uri, WRONG)
    assert edited(TEXT, found["edit"]) == FIXED
    assert any(request.priority is Priority.CHAT for request in backend.requests)


async def test_without_the_engine_that_completes_it_is_asked_as_well(
    client: Client, backend: FakeBackend, uri: str
) -> None:
    backend.is_dead = True
    assert edited(TEXT, (await fixed(client, uri, WRONG))["edit"]) == FIXED


async def test_javascript_is_checked_by_its_grammar(
    client: Client, chat: FakeChatServer, backend: FakeBackend, workspace: Path
) -> None:
    """The first answer parses no better; the second is the whole function, tabs and line ends stay."""
    backend.script = lambda prompt: ""
    text = "function f(a, b) {\r\n\tif (a) {\r\n\t\treturn g(a b a;\r\n\t}\r\n}\r\n"
    path = workspace / "main.js"
    client.open(path, text)
    answers = iter(["```js\nreturn g(a b));\n```", "```js\n" + text.replace("a b a", "a, b, a)") + "```"])
    chat.answer = lambda messages: next(answers)
    found = await done(client, "fix", uri=path.as_uri(), range=span(2), apply=False)
    assert edited(text, found["edit"]) == text.replace("a b a", "a, b, a)")
    assert len(chat.bodies) == 2


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        pytest.param("I cannot.", answer.WITHOUT_CODE, id="without code"),
        pytest.param("```\ndef f(a, b):\n    return g(a + b)\n```", REACHES_OUT, id="leaves its range"),
        pytest.param("```\n    return g(a b\n```", NOT_GOOD, id="nothing new"),
        pytest.param("```\n    return g(a b))\n```", NOT_GOOD, id="as wrong as before"),
        pytest.param("```\n    return g(a b  # noqa\n```", NOT_GOOD, id="hidden"),
        pytest.param("```\n    ...\n```", answer.LEFT_OUT, id="left out"),
    ],
)
async def test_what_is_no_fix_is_said_and_changes_nothing(
    client: Client, chat: FakeChatServer, uri: str, said: str, reason: str
) -> None:
    text = TEXT.replace("    b = a\n", "    b = a\n    " + "c = 1\n    " * 600)  # no function to rewrite
    text = text.replace("    \n", "\n")
    client._change(uri, text)
    chat.answer = lambda messages: said
    line = text[: text.index("return g(a b")].count("\n")
    found = await fixed(client, uri, line=line)

    assert (found["edit"], found["applied"]) == (None, False)
    assert "nothing was changed" in found["message"]
    assert reason in found["message"]


async def test_a_model_that_is_not_there_is_asked_once_and_named(
    client: Client, chat: FakeChatServer, uri: str
) -> None:
    chat.models = []
    found = await fixed(client, uri)
    assert found["edit"] is None
    assert "nothing was changed" in found["message"]
    assert "model" in found["message"].partition("nothing was changed.")[2]
    assert not chat.bodies


async def test_an_answer_longer_than_its_budget(client: Client, chat: FakeChatServer, uri: str) -> None:
    chat.finish_reason = "length"
    chat.answer = lambda messages: "```python\n" + "    return g(a + b)\n" * 300
    found = await fixed(client, uri)
    assert found["edit"] is None
    assert answer.TOO_LONG in found["message"]


async def test_the_second_try_is_the_function_after_an_outline(
    client: Client, chat: FakeChatServer, uri: str
) -> None:
    """What the first answer must not change, the second may."""
    function = "def f(a, b):\n    return g(a + b)\n"

    def answer(messages: list[dict[str, str]]) -> str:
        return f"1. Take both.\n\n```python\n{function}```" if OUTLINE in messages[-1]["content"] else "No."

    chat.answer = answer
    found = await fixed(client, uri, WRONG)

    assert edited(TEXT, found["edit"]) == function + TEXT[TEXT.index("\n\ndef g") :]
    assert len(chat.bodies) == 2


async def test_it_is_not_asked_for_what_is_found_without_it(
    client: Client, chat: FakeChatServer, uri: str
) -> None:
    text = "def report(celsius):\n    return celsus\n"
    client._change(uri, text)
    wrong = {"range": span(1, 11, 17), "message": "Undefined name `celsus`"}
    assert edited(text, (await fixed(client, uri, wrong, line=1))["edit"]) == text.replace(
        "celsus", "celsius"
    )
    assert not chat.bodies


async def test_without_one_the_user_is_told_what_would_help(
    workspace: Path, backend: FakeBackend, uri: str
) -> None:
    backend.script = lambda prompt: "(((("
    async with connected(backend, workspace, **FULL) as client:
        client.open(workspace / "main.py", TEXT)
        found = await fixed(client, uri)
    assert found["edit"] is None
    assert "chat.model" in found["message"]


# The document as it is


async def test_a_document_that_changed_meanwhile_is_left_alone(
    client: Client, chat: FakeChatServer, uri: str
) -> None:
    chat.hold()
    pending = command(client, "fix", uri=uri, range=span(2))
    await asyncio.to_thread(chat.was_asked.wait, TIMEOUT_SECONDS)
    client._change(uri, "x = 1\n" + TEXT)
    chat.let(1_000)

    answer = await asyncio.wait_for(pending, TIMEOUT_SECONDS)
    assert "changed while ghostfill worked" in answer["error"]["message"]


async def test_cancelling_closes_the_connection(
    client: Client, chat: FakeChatServer, backend: FakeBackend, uri: str
) -> None:
    chat.hold()
    params = {"command": "ghostfill.fix", "arguments": [{"uri": uri, "range": span(2)}]}
    number, pending = client.send("workspace/executeCommand", params)
    await asyncio.to_thread(chat.was_asked.wait, TIMEOUT_SECONDS)
    asked = sum(request.priority is Priority.CHAT for request in backend.requests)
    client.notify("$/cancelRequest", {"id": number})

    assert (await asyncio.wait_for(pending, TIMEOUT_SECONDS))["error"]["code"] == -32800
    assert await asyncio.to_thread(chat.was_left.wait, TIMEOUT_SECONDS)
    assert sum(request.priority is Priority.CHAT for request in backend.requests) == asked


async def test_nothing_wrong_is_nothing_to_ask(client: Client, chat: FakeChatServer, uri: str) -> None:
    said = await refused(client, "fix", uri=uri, range=span(6))
    assert "known to be wrong" in said
    assert not chat.bodies
