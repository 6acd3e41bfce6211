"""The local backend's patience: what it starts, when it tries again, what it says. No process is started."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from engine import launch
from engine.api import CompletionRequest
from engine.backends import local
from engine.backends.local import BACK_OFF_SECONDS, GRACE_SECONDS, LocalBackend
from engine.errors import EngineUnavailableError, MissingExtraError
from engine.launch import EngineSpec
from engine.runtime.resident import EngineOptions, ResidentModel
from engine_http import serving

SPEC = EngineSpec(device="cpu", dtype="float32")


class Clock:
    """A clock that only moves when told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Starts:
    """Stands in for `start_engine`: each start is counted and ends with the next status; None goes on."""

    def __init__(self, *statuses: int | None) -> None:
        self.statuses = list(statuses)
        self.count = 0
        self.on_start: Callable[[], None] = lambda: None

    def __call__(self, spec: EngineSpec) -> Any:
        self.count += 1
        self.on_start()
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        return _Process(status)


class _Process:
    def __init__(self, status: int | None) -> None:
        self._status = status

    def poll(self) -> int | None:
        return self._status


@pytest.fixture(autouse=True)
def no_waiting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GHOSTFILL_RUNTIME_DIR", str(tmp_path / "run"))
    monkeypatch.setattr(local, "POLL_SECONDS", 0)
    monkeypatch.setattr(local, "LOCKED_SECONDS", 0)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def starting(monkeypatch: pytest.MonkeyPatch, *statuses: int | None) -> Starts:
    starts = Starts(*statuses)
    monkeypatch.setattr(local, "start_engine", starts)
    return starts


async def test_an_engine_that_ends_while_starting_is_told_with_its_last_words(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    starting(monkeypatch, 1)
    SPEC.files().log.write_text("2026 INFO start\nghostfill engine: the disk is full\n", encoding="utf-8")

    with pytest.raises(EngineUnavailableError, match=r"^the engine ended while starting: the disk is full$"):
        await LocalBackend(SPEC).ready()


@pytest.mark.parametrize(("status", "words"), [(3, "exit status 3"), (-9, "killed by signal 9")])
async def test_an_engine_that_ends_without_words_is_told_by_its_status(
    monkeypatch: pytest.MonkeyPatch, status: int, words: str
) -> None:
    starting(monkeypatch, status)

    with pytest.raises(EngineUnavailableError, match=f"ended while starting: {words}$"):
        await LocalBackend(SPEC).ready()


async def test_failures_are_tried_again_ever_more_seldom(
    monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    """While backing off, `ready` fails at once with the reason and starts nothing."""
    starts = starting(monkeypatch, 1)
    backend = LocalBackend(SPEC, clock)
    for number, delay in enumerate([*BACK_OFF_SECONDS, BACK_OFF_SECONDS[-1]], start=1):
        with pytest.raises(EngineUnavailableError, match=r"ended while starting: exit status 1$"):
            await backend.ready()
        assert starts.count == number
        if delay:
            clock.now += delay - 0.5
            with pytest.raises(EngineUnavailableError, match=r"exit status 1 \(next try in 0 s\)$"):
                await backend.ready()
            assert starts.count == number
        clock.now += 0.5


async def test_forget_tries_again_at_once(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    starts = starting(monkeypatch, 1)
    backend = LocalBackend(SPEC, clock)
    for _ in range(3):
        with pytest.raises(EngineUnavailableError):
            await backend.ready()
    assert starts.count == 2, "the third was put off"

    backend.forget()
    with pytest.raises(EngineUnavailableError):
        await backend.ready()
    assert starts.count == 3


async def test_an_engine_that_finds_the_lock_taken_is_started_again(
    monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    """The holder may be just leaving. After a while the lock is named."""
    starts = starting(monkeypatch, 0)

    def on_start() -> None:
        clock.now += 10

    starts.on_start = on_start
    with pytest.raises(
        EngineUnavailableError, match=r"does not answer at .*\.sock: see .*\.log, .* holds .*\.lock"
    ):
        await LocalBackend(SPEC, clock).ready()

    assert starts.count == GRACE_SECONDS / 10 + 1


async def test_an_engine_that_never_answers_is_given_up(
    monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    starts = starting(monkeypatch, None)

    def on_start() -> None:
        clock.now += GRACE_SECONDS + 1

    starts.on_start = on_start
    with pytest.raises(EngineUnavailableError, match="does not answer"):
        await LocalBackend(SPEC, clock).ready()

    assert starts.count == 1


async def test_a_missing_extra_is_told_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launch, "LOCAL_EXTRA", ("json", "no_such_package"))

    with pytest.raises(MissingExtraError) as caught:
        await LocalBackend(SPEC).ready()

    assert str(caught.value) == (
        "no_such_package is not installed: a resident engine needs the extra 'local' "
        '(pip install "ghostfill[local]"); or point engine.url at an engine elsewhere.'
    )


async def test_a_runtime_folder_that_cannot_be_used_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GHOSTFILL_RUNTIME_DIR", str(tmp_path / ("r" * 120)))

    with pytest.raises(EngineUnavailableError, match="too long for a socket"):
        await LocalBackend(SPEC).ready()


async def test_completing_before_ready_is_refused() -> None:
    with pytest.raises(EngineUnavailableError, match="not ready"):
        await LocalBackend(SPEC).complete(CompletionRequest((1,)))


# With an engine in this process at the spec's socket


@pytest.fixture
def resident(no_waiting: None) -> Iterator[ResidentModel]:
    """Not loaded yet, and answering so."""
    resident = ResidentModel(EngineOptions(device="cpu", dtype="float32"))
    with serving(resident, SPEC.files().socket):
        yield resident
    resident.close()


async def until_told(told: list[Any]) -> None:
    async with asyncio.timeout(30):
        while not told:
            await asyncio.sleep(0.001)


async def test_an_engine_that_already_runs_is_used_and_its_load_reported(
    monkeypatch: pytest.MonkeyPatch, resident: ResidentModel
) -> None:
    starts = starting(monkeypatch, None)
    told: list[tuple[float, str]] = []
    backend = LocalBackend(SPEC)
    waiting = asyncio.create_task(backend.ready(lambda fraction, message: told.append((fraction, message))))
    await until_told(told)
    await asyncio.to_thread(resident.load)

    info = await waiting

    assert (info.model, info.layout.fim.name) == ("builtin", "builtin")
    assert told[0] == (0.0, "loading builtin")
    assert [fraction for fraction, _ in told] == sorted(fraction for fraction, _ in told)
    assert starts.count == 0
    assert await backend.ready() is info, "known from now on"
    await backend.close()


async def test_a_cancelled_ready_does_not_stop_the_load_for_others(
    monkeypatch: pytest.MonkeyPatch, resident: ResidentModel
) -> None:
    starting(monkeypatch, None)
    told: list[Any] = []
    backend = LocalBackend(SPEC)
    first = asyncio.create_task(backend.ready(lambda *args: told.append(args)))
    await until_told(told)
    second = asyncio.create_task(backend.ready())
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    await asyncio.to_thread(resident.load)

    assert (await second).model == "builtin"
    await backend.close()


async def test_a_cancelled_start_is_taken_up_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process that the first caller started is the one that the next one waits for."""
    starts = starting(monkeypatch, None)
    backend = LocalBackend(SPEC)
    first = asyncio.create_task(backend.ready())
    while backend._process is None:
        await asyncio.sleep(0.001)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    second = asyncio.create_task(backend.ready())
    for _ in range(20):
        await asyncio.sleep(0.001)
    second.cancel()
    await asyncio.gather(second, return_exceptions=True)

    assert starts.count == 1
    await backend.close()


async def test_an_engine_that_dies_on_requests_is_not_started_for_every_key(
    monkeypatch: pytest.MonkeyPatch, clock: Clock, resident: ResidentModel
) -> None:
    """It loads well each time: only a completion in between resets the back-off."""
    await asyncio.to_thread(resident.load)
    starting(monkeypatch, None)
    backend = LocalBackend(SPEC, clock)

    async def dead(*_: Any) -> Any:
        raise EngineUnavailableError("the engine is gone")

    for is_put_off in (False, True):
        await backend.ready()
        assert backend._client is not None
        with monkeypatch.context() as patch:
            patch.setattr(backend._client, "complete", dead)
            with pytest.raises(EngineUnavailableError, match="gone"):
                await backend.complete(CompletionRequest((5, 6)))
        if is_put_off:
            with pytest.raises(EngineUnavailableError, match=r"gone \(next try in 1 s\)"):
                await backend.ready()

    clock.now += 1
    await backend.ready()
    await backend.complete(CompletionRequest((5, 6), 1))
    assert backend._failures == 0
    await backend.close()
