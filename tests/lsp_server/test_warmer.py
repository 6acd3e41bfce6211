"""What the user will ask about is read while they rest, and only then."""

import asyncio

import pytest

from lsp_server import warmer as warmer_module
from lsp_server.answer import Ask, Trigger
from lsp_server.documents import DocumentSnapshot
from lsp_server.warmer import Warmer


def ask(text: str = "x", uri: str = "file:///a.py") -> Ask:
    return Ask(DocumentSnapshot(uri, None, "python", 1, text), len(text), Trigger.AUTOMATIC)


class Engine:
    """Notes what it reads; may be held up, or busy."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.done: list[str] = []
        self.is_free = True
        self.gate = asyncio.Event()
        self.gate.set()

    async def read(self, asked: Ask) -> None:
        self.begun.append(asked.snapshot.text)
        await self.gate.wait()
        self.done.append(asked.snapshot.text)

    async def until(self, num_done: int) -> None:
        async with asyncio.timeout(10):
            while len(self.done) < num_done:
                await asyncio.sleep(0.001)


@pytest.fixture
def engine() -> Engine:
    return Engine()


@pytest.fixture
def warmer(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Warmer:
    monkeypatch.setattr(warmer_module, "REST_SECONDS", 0.01)
    return Warmer(engine.read, lambda uri: engine.is_free)


async def test_the_place_where_the_user_rests_is_read(engine: Engine, warmer: Warmer) -> None:
    warmer.rest(ask("one"))
    warmer.rest(ask("two"))
    await engine.until(1)

    assert engine.done == ["two"]


async def test_who_types_on_is_not_read(
    engine: Engine, warmer: Warmer, monkeypatch: pytest.MonkeyPatch
) -> None:
    warmer.rest(ask("one"))
    warmer.stir()
    warmer.now(ask("two"))
    await engine.until(1)

    assert engine.done == ["two"]


async def test_nothing_is_read_while_the_engine_works_for_the_document(
    engine: Engine, warmer: Warmer
) -> None:
    engine.is_free = False
    warmer.now(ask("one"))
    engine.is_free = True
    warmer.now(ask("two"))
    await engine.until(1)

    assert engine.begun == ["two"]


async def test_a_newer_place_takes_the_turn_of_an_older(engine: Engine, warmer: Warmer) -> None:
    engine.gate.clear()
    warmer.now(ask("one"))
    await asyncio.sleep(0)
    warmer.now(ask("two"))
    await asyncio.sleep(0)
    engine.gate.set()
    await engine.until(1)

    assert (engine.begun, engine.done) == (["one", "two"], ["two"])


async def test_typing_on_does_not_end_a_reading(engine: Engine, warmer: Warmer) -> None:
    engine.gate.clear()
    warmer.now(ask("one"))
    await asyncio.sleep(0)
    warmer.stir()
    engine.gate.set()
    await engine.until(1)

    assert engine.done == ["one"]


async def test_a_failure_is_logged_and_ends_nothing(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(asked: Ask) -> None:
        raise RuntimeError("broken")

    warmer = Warmer(fail, lambda uri: True)
    warmer.now(ask())
    async with asyncio.timeout(10):
        while not caplog.records:
            await asyncio.sleep(0.001)

    assert "reading ahead failed" in caplog.text
    warmer.close()
