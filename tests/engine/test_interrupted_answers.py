"""Healing, drafts and further answers, interrupted: each goes on or ends as it should."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from engine.api import FinishReason, Priority
from engine.runtime import reference
from engine.runtime.lane import Lane
from engine.runtime.mailbox import Sink
from engine.runtime.model import LoadedModel
from engine.runtime.worker import Job, Worker
from engine_jobs import CHUNK, TOKEN_BYTES, Ask, ask_at, assert_as_alone, named, run

AHEAD, CHAT = Priority.AHEAD, Priority.CHAT
LONG = 40


@pytest.fixture
def healing_worker(small: LoadedModel) -> Iterator[Worker]:
    made = Worker(Lane(small, chunk_tokens=CHUNK, memory_gb=1, token_bytes=TOKEN_BYTES))
    yield made
    made.close()


@pytest.mark.parametrize("at_token", [1, 2, 3, 5])
def test_what_is_interrupted_while_it_heals_goes_on_healing(healing_worker: Worker, at_token: int) -> None:
    worker, heal = healing_worker, "abcdeee"
    alone = Ask(named(50), max_tokens=8, heal=heal)
    whole = run(worker, alone)
    first = Ask(named(31), max_tokens=2)
    again = Ask(named(50), on_token=ask_at(at_token, worker, first), max_tokens=8, heal=heal, priority=CHAT)

    outcome = run(worker, again)

    assert b"".join(TOKEN_BYTES[i] for i in alone.tokens).startswith(heal.encode())
    assert (again.tokens, outcome.finish_reason) == (alone.tokens, whole.finish_reason)


@pytest.mark.parametrize("at_token", [1, 7, 20])
def test_drafts_are_followed_on_behind_an_interruption(worker: Worker, at_token: int) -> None:
    """Right ones; the answer is the same, and there are fewer passes than tokens."""
    expected = reference.generate(worker.loaded, named(50), LONG)
    first = Ask(named(31), max_tokens=2)
    long = Ask(
        named(50),
        on_token=ask_at(at_token, worker, first),
        draft_ids=(tuple(expected),),
        max_tokens=LONG,
        priority=CHAT,
    )

    timings = run(worker, long).timings

    assert long.tokens == expected
    assert 0 < timings.decode_steps < LONG / 2
    assert 0 < timings.accepted_tokens <= timings.drafted_tokens
    assert (worker.counts.drafted_tokens, worker.counts.accepted_tokens) >= (
        timings.drafted_tokens,
        timings.accepted_tokens,
    )


class ThreeMore:
    """Sinks of further answers that wants three."""

    first_line_tokens = None

    def __init__(self, on_token: Callable[[int], bool]) -> None:
        self.kept: list[list[int]] = []
        self._on_token = on_token
        self._tokens: list[int] = []

    @property
    def num_wanted(self) -> int:
        return 3 - len(self.kept)

    def begin(self) -> Sink:
        self._tokens = []
        return self._take

    def _take(self, token_id: int, _logprob: float) -> bool:
        self._tokens.append(token_id)
        return self._on_token(len(self.kept))

    def keep(self, _reason: FinishReason) -> None:
        self.kept.append(self._tokens)


def test_of_further_answers_those_found_before_the_interruption_are_kept(worker: Worker) -> None:
    first = Ask(named(31), max_tokens=2)

    is_asked = threading.Event()

    def on_token(num_kept: int) -> bool:
        if num_kept == 1 and not is_asked.is_set():
            is_asked.set()
            worker.submit(first.job)
        return False

    others = ThreeMore(on_token)
    ask = Ask(named(50), max_tokens=6, num_answers=4, priority=AHEAD)

    worker.submit(Job(ask.job.request, ask.job.sink, ask.job.done, alternatives=others))
    outcome = ask.outcome()

    assert outcome.finish_reason is FinishReason.BUDGET
    assert len(others.kept) == 1
    assert_as_alone(worker, ask)
    first.outcome()
    assert_as_alone(worker, first)
