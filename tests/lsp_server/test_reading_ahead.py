"""The engine reads what will be asked about before it is asked, and is told what an answer may repeat."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from engine.api import CompletionRequest, Priority
from engine.fake import FakeBackend
from inprocess import Client, connected
from lsp_server import planner as planner_module
from lsp_server import warmer as warmer_module

OPTIONS = {"inline": {"debounceMs": 0, "speculate": False, "minConfidence": 0}}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "main.py"
    file.write_text("\n")
    (tmp_path / "other.py").write_text("def elsewhere(first, second):\n    return first\n")
    return file


@pytest.fixture
def backend() -> FakeBackend:
    return FakeBackend(lambda prompt: "one.two")


@pytest.fixture
async def client(path: Path, backend: FakeBackend) -> AsyncIterator[Client]:
    async with connected(backend, path.parent, OPTIONS) as client:
        yield client


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.005)


async def ask(client: Client, path: Path, marked: str) -> None:
    client.put(path, marked)
    await asyncio.wait_for(client.ask(path)[1], 20)


def read_last(backend: FakeBackend) -> CompletionRequest:
    return backend.read_only[-1]


async def test_an_opened_document_is_read_before_anybody_asks(
    client: Client, path: Path, backend: FakeBackend
) -> None:
    client.open(path)
    await until(lambda: bool(backend.read_only))

    assert (read_last(backend).priority, read_last(backend).max_tokens) == (Priority.AHEAD, 0)
    assert not backend.requests


async def test_where_the_cursor_rests_the_prompt_is_read(
    client: Client, path: Path, backend: FakeBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the answer took no engine: ghost text that is typed through is not in its memory yet."""
    monkeypatch.setattr(warmer_module, "REST_SECONDS", 0.01)
    client.open(path)
    await ask(client, path, "x = |")
    await ask(client, path, "x = one|")
    num_asked = len(backend.requests)
    await until(lambda: bool(backend.read_only) and "x = one" in backend.prompt_text(read_last(backend)))

    assert len(backend.requests) == num_asked == 1


async def test_what_the_repository_says_anew_is_read_in_the_pause(
    client: Client, path: Path, backend: FakeBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planner_module, "IDLE_SECONDS", 0.05)
    monkeypatch.setattr(warmer_module, "REST_SECONDS", 3600)
    session = client.server.session
    assert session is not None
    await asyncio.to_thread(session.context.wait_ready, 20)
    client.open(path)
    await until(lambda: bool(backend.read_only))
    await ask(client, path, "x = |")
    await ask(client, path, "from other import elsewhere\nx = elsewhere(|")
    assert "return first" not in backend.prompt_text(backend.requests[-1])

    await until(lambda: "return first" in backend.prompt_text(read_last(backend)))


async def test_an_answer_may_repeat_what_was_offered_before(
    client: Client, path: Path, backend: FakeBackend
) -> None:
    client.open(path)
    await ask(client, path, "x = |")
    await ask(client, path, "x = other|")

    assert backend.requests[-1].drafts == ("", "one.two")
