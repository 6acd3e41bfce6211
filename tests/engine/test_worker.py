"""Cancels cost at most one chunk or step, newest wins, every job is answered exactly once."""

from __future__ import annotations

import random
import threading
from types import SimpleNamespace

import pytest

from engine.api import FinishReason, Priority
from engine.runtime import reference
from engine.runtime.lane import Lane
from engine.runtime.model import LoadedModel
from engine.runtime.worker import Worker
from engine_jobs import CHUNK, PATIENCE_S, Ask, SetAfter, assert_exact, prompt, run


def test_an_answer_is_the_references_and_its_timings_add_up(worker: Worker) -> None:
    ids = prompt(0)
    ask = Ask(ids, max_tokens=6)

    outcome = run(worker, ask)

    timings = outcome.timings
    assert ask.tokens == reference.generate(worker.loaded, ids, 6)
    assert outcome.finish_reason is FinishReason.BUDGET
    assert outcome.mean_logprob == pytest.approx(sum(ask.logprobs) / 6)
    assert (timings.prompt_tokens, timings.reused_tokens) == (100, 0)
    assert (timings.prefilled_tokens, timings.decoded_tokens) == (100, 6)
    assert timings.prefill_ms > 0
    assert timings.decode_ms > 0


def test_typing_on_prefills_only_what_is_new(worker: Worker) -> None:
    ids = prompt(0)
    assert_exact(worker, ids)

    outcome = assert_exact(worker, [*ids, 7, 8])

    assert outcome.timings.prefilled_tokens == 2
    assert outcome.timings.reused_tokens == 100


def test_an_accepted_completion_is_already_in_the_slot(worker: Worker) -> None:
    ids = prompt(1)
    ask = Ask(ids, max_tokens=6)
    run(worker, ask)

    outcome = assert_exact(worker, [*ids, *ask.tokens])

    assert outcome.timings.prefilled_tokens == 1


@pytest.mark.parametrize("num_chunks", [0, 1, 3])
def test_a_cancel_during_prefill_runs_no_further_chunk_and_the_next_answer_is_exact(
    num_chunks: int, worker: Worker
) -> None:
    ids = prompt(2)

    # One poll before a slot is looked for, then one before every chunk.
    outcome = run(worker, Ask(ids, cancelled=SetAfter(num_chunks + 1)))

    assert outcome.finish_reason is FinishReason.CANCELLED
    assert worker.counters.prefill_chunks == num_chunks
    assert worker.counters.decode_steps == 0
    assert outcome.timings.prefilled_tokens == num_chunks * CHUNK
    assert assert_exact(worker, ids).timings.reused_tokens == num_chunks * CHUNK


def test_a_cancel_during_decode_runs_at_most_one_more_step_and_the_next_answer_is_exact(
    worker: Worker,
) -> None:
    ids, cancelled = prompt(3), threading.Event()
    steps_at_cancel: list[int] = []

    def cancel_at_third(num_tokens: int) -> bool:
        if num_tokens == 3:
            steps_at_cancel.append(worker.counters.decode_steps)
            cancelled.set()
        return False

    ask = Ask(ids, on_token=cancel_at_third, cancelled=cancelled, max_tokens=50)
    outcome = run(worker, ask)

    assert outcome.finish_reason is FinishReason.CANCELLED
    assert worker.counters.decode_steps <= steps_at_cancel[0] + 1
    assert len(ask.tokens) == 3
    assert_exact(worker, ids)
    assert_exact(worker, [*ids, *ask.tokens, 9])


def test_a_job_cancelled_while_it_waits_touches_no_slot(worker: Worker) -> None:
    ids, cancelled = prompt(4), threading.Event()
    assert_exact(worker, ids)
    cancelled.set()

    outcome = run(worker, Ask(ids[:50], cancelled=cancelled))

    assert outcome.finish_reason is FinishReason.CANCELLED
    assert assert_exact(worker, [*ids, 5]).timings.prefilled_tokens == 1


def test_the_sink_stops_the_decoding(worker: Worker) -> None:
    ask = Ask(prompt(5), on_token=lambda num_tokens: num_tokens == 2, max_tokens=50)

    outcome = run(worker, ask)

    assert outcome.finish_reason is FinishReason.STOP
    assert outcome.timings.decoded_tokens == 2
    assert worker.counters.decode_steps == 1


def test_a_deadline_already_spent_ends_before_the_first_chunk(worker: Worker) -> None:
    outcome = run(worker, Ask(prompt(6), max_ms=0))

    assert outcome.finish_reason is FinishReason.DEADLINE
    assert worker.counters.prefill_chunks == 0
    assert outcome.mean_logprob is None


def test_a_deadline_is_seen_between_steps(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr("engine.runtime.run.time", SimpleNamespace(perf_counter=lambda: clock[0]))

    def third_takes_long(num_tokens: int) -> bool:
        clock[0] += 1.0 if num_tokens == 3 else 0.0
        return False

    ask = Ask(prompt(7), on_token=third_takes_long, max_tokens=50, max_ms=500)

    assert run(worker, ask).finish_reason is FinishReason.DEADLINE
    assert len(ask.tokens) == 3


def test_a_newer_request_cancels_the_running_one_and_replaces_the_waiting_one(worker: Worker) -> None:
    decoding, go_on = threading.Event(), threading.Event()

    def hold(num_tokens: int) -> bool:
        decoding.set()
        return not go_on.wait(PATIENCE_S)

    running = Ask(prompt(8), document="a", on_token=hold, max_tokens=50)
    waiting = Ask(prompt(9), document="a")
    other = Ask(prompt(10), document="b", max_tokens=4)
    newest = Ask(prompt(11), document="a", max_tokens=4)
    worker.submit(running.job)
    assert decoding.wait(PATIENCE_S)

    worker.submit(waiting.job)
    worker.submit(other.job)
    worker.submit(newest.job)

    assert waiting.outcomes.get_nowait().finish_reason is FinishReason.CANCELLED  # at once
    assert running.job.cancelled.is_set()
    assert running.outcomes.empty()
    go_on.set()
    assert running.outcome().finish_reason is FinishReason.CANCELLED
    assert len(running.tokens) == 1
    assert other.outcome().finish_reason is FinishReason.BUDGET
    assert newest.outcome().finish_reason is FinishReason.BUDGET
    assert newest.tokens == reference.generate(worker.loaded, newest.ids, 4)


def test_every_job_of_a_storm_is_done_exactly_once(small: LoadedModel) -> None:
    worker = Worker(Lane(small, chunk_tokens=CHUNK, memory_gb=1, num_slots=2))
    chance = random.Random(0)
    asks = [
        Ask(
            prompt(n % 5, 60),
            document=chance.choice(["a", "b", None]),
            priority=chance.choice(list(Priority)),
            max_tokens=3,
            max_ms=chance.choice([None, 1]),
        )
        for n in range(60)
    ]

    def submit(part: list[Ask]) -> None:
        for ask in part:
            worker.submit(ask.job)
            if chance.random() < 0.2:
                ask.job.cancelled.set()

    threads = [threading.Thread(target=submit, args=(asks[n::3],)) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    outcomes = [ask.outcome() for ask in asks]
    worker.close()

    assert all(ask.outcomes.empty() for ask in asks)
    assert all(outcome.error is None for outcome in outcomes)
    counts = worker.counts
    assert counts.requests == 60
    assert (counts.finished + counts.cancelled, counts.errors) == (60, 0)
    finished = [ask for ask, outcome in zip(asks, outcomes, strict=True) if outcome.finish_reason == "budget"]
    assert finished
    assert all(ask.tokens == reference.generate(small, ask.ids, 3) for ask in finished)


def test_closing_answers_the_running_and_the_waiting_job_and_refuses_later_ones(small: LoadedModel) -> None:
    worker = Worker(Lane(small, memory_gb=1))
    decoding, go_on = threading.Event(), threading.Event()

    def hold(_num: int) -> bool:
        decoding.set()
        return not go_on.wait(PATIENCE_S)

    running, waiting, late = Ask(prompt(17), on_token=hold), Ask(prompt(18)), Ask(prompt(19))
    worker.submit(running.job)
    assert decoding.wait(PATIENCE_S)
    worker.submit(waiting.job)
    closing = threading.Thread(target=worker.close)
    closing.start()

    assert waiting.outcome().finish_reason is FinishReason.CANCELLED
    go_on.set()
    assert running.outcome().finish_reason is FinishReason.CANCELLED
    closing.join(PATIENCE_S)
    worker.submit(late.job)
    assert late.outcome().finish_reason is FinishReason.CANCELLED


def test_marks_are_never_decoded(small: LoadedModel) -> None:
    ids = prompt(20)
    free = reference.generate(small, ids, 6)
    worker = Worker(Lane(small, banned_ids=free[:2], num_valid_ids=300, memory_gb=1))
    ask = Ask(ids, max_tokens=6)

    run(worker, ask)
    worker.close()

    forbidden = {*free[:2], *range(300, 320)} - small.eos_ids
    assert ask.tokens == reference.generate(small, ids, 6, forbidden=forbidden)
