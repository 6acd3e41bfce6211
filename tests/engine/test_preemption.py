"""What waits goes first at the next token boundary; what it interrupts goes on and says the same."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from engine.api import FinishReason, Priority
from engine.runtime.lane import Lane
from engine.runtime.model import LoadedModel
from engine.runtime.worker import Worker
from engine_jobs import CHUNK, PATIENCE_S, Ask, ask_at, assert_as_alone, named, run

VISIBLE, AHEAD, CHAT = Priority.VISIBLE, Priority.AHEAD, Priority.CHAT
LONG = 40


class Passes:
    """Whose prompt each pass of the model was over, in order; `before` is called ahead of each."""

    def __init__(self, worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
        self.order: list[int] = []
        """The first id of each prompt."""
        self.sizes: list[int] = []
        self.before: Callable[[int], None] = lambda number: None
        self._read = worker.lane.decoder.read
        monkeypatch.setattr(worker.lane.decoder, "read", self)

    def __call__(self, slot: Any, ids: Sequence[int], *rest: Any) -> Any:
        self.before(len(self.order))
        self.order.append([*slot.token_ids, *ids][0])
        self.sizes.append(len(ids))
        return self._read(slot, ids, *rest)


@pytest.fixture
def passes(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> Passes:
    return Passes(worker, monkeypatch)


@pytest.mark.parametrize(("lower", "higher"), [(CHAT, VISIBLE), (CHAT, AHEAD), (AHEAD, VISIBLE)], ids=str)
def test_a_decode_is_interrupted_before_its_next_step_and_goes_on_from_its_slot(
    worker: Worker, passes: Passes, lower: Priority, higher: Priority
) -> None:
    first = Ask(named(31), max_tokens=6, priority=higher, document="b")
    long = Ask(named(50), on_token=ask_at(5, worker, first), max_tokens=LONG, priority=lower, document="a")

    outcome = run(worker, long)

    assert first.outcomes.qsize() == 1, "it was done before"
    start = passes.order.index(31)
    assert passes.order[:start].count(50) <= -(-100 // CHUNK) + 4, "four passes decode five tokens"
    end = len(passes.order) - passes.order[::-1].index(31)
    assert set(passes.order[start:end]) == {31}, "and was never interrupted itself"
    assert_as_alone(worker, first)
    assert_as_alone(worker, long)
    assert outcome.finish_reason is FinishReason.BUDGET
    assert outcome.timings.decoded_tokens == LONG
    assert outcome.timings.prefilled_tokens == 100 + 1, "the last token told, whose keys nobody had needed"
    assert outcome.timings.queue_ms > 0


@pytest.mark.parametrize("num_chunks", [1, 3])
def test_a_prefill_is_interrupted_before_its_next_chunk_and_reads_none_twice(
    worker: Worker, passes: Passes, num_chunks: int
) -> None:
    first = Ask(named(31), max_tokens=2)
    long = Ask(named(50), max_tokens=4, priority=CHAT)
    passes.before = lambda number: worker.submit(first.job) if number == num_chunks - 1 else None

    outcome = run(worker, long)

    assert passes.order[: num_chunks + 1] == [50] * num_chunks + [31]
    assert_as_alone(worker, first)
    assert_as_alone(worker, long)
    assert (outcome.timings.prefilled_tokens, outcome.timings.reused_tokens) == (100, 0)


def test_what_only_reads_goes_on_reading(worker: Worker, passes: Passes) -> None:
    first = Ask(named(31), max_tokens=2)
    passes.before = lambda number: worker.submit(first.job) if number == 2 else None

    outcome = run(worker, Ask(named(50), max_tokens=0, priority=AHEAD))

    assert outcome.finish_reason is FinishReason.BUDGET
    assert outcome.timings.prefilled_tokens == 100
    assert worker.cached_tokens(named(50)) == 100


def test_what_lost_its_slot_meanwhile_is_read_again_and_the_answer_is_the_same(small: LoadedModel) -> None:
    worker = Worker(Lane(small, chunk_tokens=CHUNK, memory_gb=1, num_slots=1))
    first = Ask(named(31), max_tokens=6)
    long = Ask(named(50), on_token=ask_at(5, worker, first), max_tokens=LONG, priority=CHAT)

    outcome = run(worker, long)
    worker.close()

    assert_as_alone(worker, first)
    assert_as_alone(worker, long)
    assert outcome.timings.prefilled_tokens == 100 + 105


def test_chat_waits_for_both_kinds_and_is_interrupted_as_often_as_need_be(worker: Worker) -> None:
    others = [Ask(named(40 + n), max_tokens=3, priority=(VISIBLE, AHEAD)[n % 2]) for n in range(8)]

    def on_token(num_tokens: int) -> bool:
        if num_tokens % 4 == 1 and num_tokens // 4 < len(others):
            worker.submit(others[num_tokens // 4].job)
        return False

    long = Ask(named(50), on_token=on_token, max_tokens=LONG, priority=CHAT)
    outcome = run(worker, long)

    assert all(ask.outcomes.qsize() == 1 for ask in others)
    for ask in (*others, long):
        assert_as_alone(worker, ask)
    assert outcome.timings.prefilled_tokens == 100 + len(others)


def test_equals_do_not_interrupt_each_other_and_go_on_before_those_behind_them(worker: Worker) -> None:
    ended: list[str] = []
    visible = Ask(named(31), max_tokens=2)
    second = Ask(named(32), max_tokens=2, priority=CHAT)

    def on_token(num_tokens: int) -> bool:
        if num_tokens == 3:
            worker.submit(second.job)
            worker.submit(visible.job)
        if num_tokens == LONG:
            ended.append(f"{visible.outcomes.qsize()}{second.outcomes.qsize()}")
        return False

    run(worker, Ask(named(50), on_token=on_token, max_tokens=LONG, priority=CHAT))

    second.outcome()
    assert ended == ["10"], "the visible one was done, the other chat was not"


def test_a_visible_request_ends_what_is_made_ahead_for_its_document(worker: Worker) -> None:
    """Even while that waits to go on behind a visible request of another document."""
    same = Ask(named(32), max_tokens=2, document="a")
    other = Ask(named(31), on_token=ask_at(1, worker, same), max_tokens=4, document="b")
    ahead = Ask(named(50), on_token=ask_at(3, worker, other), max_tokens=LONG, priority=AHEAD, document="a")

    assert run(worker, ahead).finish_reason is FinishReason.CANCELLED
    assert len(ahead.tokens) == 3
    same.outcome()
    assert_as_alone(worker, same)
    assert ahead.outcomes.empty(), "exactly one"
    assert worker._paused == {}


def test_a_client_that_leaves_while_its_request_waits_to_go_on_costs_no_pass(
    worker: Worker, passes: Passes
) -> None:
    chat: Ask

    def leave(num_tokens: int) -> bool:
        chat.job.cancelled.set()
        return False

    first = Ask(named(31), on_token=leave, max_tokens=2)
    chat = Ask(named(50), on_token=ask_at(3, worker, first), max_tokens=LONG, priority=CHAT)

    assert run(worker, chat).finish_reason is FinishReason.CANCELLED
    assert passes.order[-1] == 31
    assert len(chat.tokens) == 3


def test_closing_answers_what_waits_to_go_on(small: LoadedModel) -> None:
    worker = Worker(Lane(small, memory_gb=1))
    decoding, go_on = threading.Event(), threading.Event()

    def hold(_num: int) -> bool:
        decoding.set()
        return not go_on.wait(PATIENCE_S)

    visible = Ask(named(31), on_token=hold)
    chat = Ask(named(50), on_token=ask_at(3, worker, visible), max_tokens=LONG, priority=CHAT)
    worker.submit(chat.job)
    assert decoding.wait(PATIENCE_S)
    closing = threading.Thread(target=worker.close)
    closing.start()

    assert chat.outcome().finish_reason is FinishReason.CANCELLED
    go_on.set()
    assert visible.outcome().finish_reason is FinishReason.CANCELLED
    closing.join(PATIENCE_S)
    assert chat.outcomes.empty()


def test_a_deadline_counts_only_the_time_a_request_runs(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Clock:
        now = 0.0

        @classmethod
        def perf_counter(cls) -> float:
            return cls.now

    monkeypatch.setattr("engine.runtime.run.time", Clock)

    def pass_time(_num: int) -> bool:
        Clock.now += 100.0
        return False

    def tick(num_tokens: int) -> bool:
        Clock.now += 0.1
        return ask_at(5, worker, slow)(num_tokens)

    slow = Ask(named(31), on_token=pass_time, max_tokens=2)
    chat = Ask(named(50), on_token=tick, max_tokens=LONG, max_ms=1950, priority=CHAT)

    assert run(worker, chat).finish_reason is FinishReason.DEADLINE
    assert len(chat.tokens) == 20, "a tenth of a second each"
