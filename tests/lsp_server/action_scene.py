"""What the tests of the actions share: a workspace, models that say what the test wants, and a client."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from engine.api import ChatAnswer, FinishReason, Message, Role
from engine.fake import FakeBackend, in_words
from inprocess import TIMEOUT_SECONDS, Client, connected
from lsp_server.actions.errors import ChatError

UTILS = "def celsius_to_kelvin(degrees: float) -> float:\n    return degrees + 273.15\n"
MAIN = (
    "from utils import celsius_to_kelvin\n\n\ndef report(celsius):\n    kelvin = celsius_to_kelvn(celsius)\n"
    "    print(kelvin)\n\n\ndef again(celsius):\n    report(celsius)\n"
)
WRONG_LINE = 4
RESOLVES = {"dataSupport": True, "resolveSupport": {"properties": ["edit"]}}
ACTIONS = {"codeActionLiteralSupport": {"codeActionKind": {"valueSet": []}}}
FULL = {
    "textDocument": {"codeAction": {**ACTIONS, **RESOLVES}, "inlineCompletion": {}},
    "workspace": {
        "applyEdit": True,
        "workspaceEdit": {"documentChanges": True, "changeAnnotationSupport": {}},
    },
}


class FakeChat:
    """An instruct model in the place of `session.chat`; remembers what it was asked.

    `step`, where there is one, is acquired before each piece.
    """

    is_set = True
    name = "instruct"

    def __init__(self, answer: Callable[[str], str]) -> None:
        self.answer = answer
        """From the user's message to all that it says."""
        self.prompt_chars = 20_000
        self.finish_reason = FinishReason.EOS
        self.refusal = ""
        """Why it cannot be asked."""
        self.breaks_after: int | None = None
        """It is gone after so many pieces."""
        self.step: asyncio.Semaphore | None = None
        self.asked: list[Sequence[Message]] = []
        self.max_tokens: list[int] = []
        self.num_cancelled = 0

    @property
    def prompt(self) -> str:
        """The user's message of the one question."""
        (messages,) = self.asked
        assert [message.role for message in messages] == [Role.SYSTEM, Role.USER]
        return messages[-1].content

    async def ready(self) -> None:
        if self.refusal:
            raise ChatError(self.refusal)

    async def ask(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int,
        on_text: Callable[[str], None] | None = None,
    ) -> ChatAnswer:
        self.asked.append(messages)
        self.max_tokens.append(max_tokens)
        pieces = in_words(self.answer(messages[-1].content))
        try:
            for number, piece in enumerate(pieces):
                if self.step is not None:
                    await self.step.acquire()
                if number == self.breaks_after:
                    raise ChatError("The server has gone away: try again.")
                if on_text is not None:
                    on_text(piece)
        except asyncio.CancelledError:
            self.num_cancelled += 1
            raise
        return ChatAnswer("".join(pieces), self.finish_reason)

    def forget(self) -> None:
        """Nothing is known."""

    async def close(self) -> None:
        """Nothing is open."""


def span(line: int, start: int = 0, end: int | None = None) -> dict[str, Any]:
    end = start if end is None else end
    return {"start": {"line": line, "character": start}, "end": {"line": line, "character": end}}


UNDEFINED = {"range": span(WRONG_LINE, 13, 29), "message": 'Undefined name "celsius_to_kelvn"', "severity": 1}


@pytest.fixture(name="workspace")
def workspace_fixture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("GHOSTFILL_RUNTIME_DIR", str(tmp_path / "run"))
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "utils.py").write_text(UTILS)
    (folder / "main.py").write_text(MAIN)
    (folder / "notes.go").write_text("package main\n\nfunc main() {}\n")
    (folder / ".env").write_text("KEY=1\n")
    return folder


@pytest.fixture(name="backend")
def backend_fixture() -> FakeBackend:
    return FakeBackend(lambda prompt: "Print the temperature.")


@pytest.fixture(name="client")
async def client_fixture(workspace: Path, backend: FakeBackend) -> AsyncIterator[Client]:
    async with connected(backend, workspace, **FULL) as client:
        client.open(workspace / "main.py")
        await asyncio.sleep(0)
        yield client


@pytest.fixture(name="chat")
async def chat_fixture(client: Client) -> FakeChat:
    """Set for the client's session."""
    chat = FakeChat(lambda prompt: "It **prints** the temperature.")
    client.server.session.chat = chat  # type: ignore[assignment]
    return chat


async def actions(
    client: Client, path: Path, where: dict[str, Any], *diagnostics: Any, **context: Any
) -> list[dict[str, Any]]:
    params = {
        "textDocument": {"uri": path.as_uri()},
        "range": where,
        "context": {"diagnostics": list(diagnostics), **context},
    }
    found: list[dict[str, Any]] = await client.request("textDocument/codeAction", params)
    return found


def titles(found: list[dict[str, Any]]) -> list[str]:
    return [action["title"].removesuffix(" with ghostfill") for action in found]


def command(client: Client, name: str, **argument: Any) -> asyncio.Future[dict[str, Any]]:
    params = {"command": f"ghostfill.{name}", "arguments": [argument]}
    return client.send("workspace/executeCommand", params)[1]


async def done(client: Client, name: str, **argument: Any) -> dict[str, Any]:
    answer = await asyncio.wait_for(command(client, name, **argument), TIMEOUT_SECONDS)
    assert "error" not in answer, answer
    result: dict[str, Any] = answer["result"]
    return result


async def refused(client: Client, name: str, **argument: Any) -> str:
    answer = await asyncio.wait_for(command(client, name, **argument), TIMEOUT_SECONDS)
    return str(answer["error"]["message"])


def edited(text: str, edit: dict[str, Any]) -> str:
    """The text after a workspace edit of one document."""
    if "changes" in edit:
        (rows,) = edit["changes"].values()
    else:
        (change,) = edit["documentChanges"]
        rows = change["edits"]
    (row,) = rows
    starts = [0]
    for line in text.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    first, last = row["range"]["start"], row["range"]["end"]
    start, end = (starts[at["line"]] + at["character"] for at in (first, last))
    return f"{text[:start]}{row['newText']}{text[end:]}"
