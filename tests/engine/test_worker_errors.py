"""Whatever goes wrong in a job is an outcome with a sentence to show, and the next answer is exact."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from engine.api import CompletionRequest, FinishReason
from engine.errors import ModelError
from engine.runtime import reference
from engine.runtime.mailbox import Sink
from engine.runtime.worker import Job, Worker
from engine_jobs import Ask, assert_exact, prompt, run


@pytest.mark.parametrize(
    ("ids", "said"),
    [
        ([], "The prompt is empty"),
        ([5] * 512, r"prompt of 512 tokens does not fit the model's context of 512"),
        ([5, 320], "outside of the model's vocabulary of 320"),
        ([-1], "outside of the model's vocabulary"),
    ],
    ids=["empty", "too long", "beyond the vocabulary", "negative"],
)
def test_a_prompt_the_model_cannot_take_is_an_error_outcome(
    ids: list[int], said: str, worker: Worker
) -> None:
    outcome = run(worker, Ask(ids))

    assert outcome.error is not None
    assert said in outcome.error
    assert worker.counts.errors == 1
    assert_exact(worker, prompt(12))


def test_an_answer_ends_where_the_context_does(worker: Worker) -> None:
    ids = prompt(13, 508)
    ask = Ask(ids, max_tokens=50)

    outcome = run(worker, ask)

    assert outcome.finish_reason is FinishReason.BUDGET
    assert ask.tokens == reference.generate(worker.loaded, ids, 4)


OUT_OF_MEMORY = [
    pytest.param(torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."), id="CUDA"),
    pytest.param(
        RuntimeError(
            "[enforce fail at alloc_cpu.cpp:118] err == 0. DefaultCPUAllocator: can't allocate memory"
        ),
        id="CPU",
    ),
    pytest.param(RuntimeError("MPS backend out of memory (MPS allocated: 9 GB)"), id="MPS"),
    pytest.param(RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling"), id="cuBLAS"),
    pytest.param(MemoryError(), id="Python"),
]


class Fails:
    """Raises in so many passes, from the n-th on."""

    def __init__(
        self, worker: Worker, patch: pytest.MonkeyPatch, error: Exception, at: int, times: int
    ) -> None:
        self.num_passes = 0
        self._error = error
        self._failing = range(at, at + times)
        self._read = worker.lane.decoder.read
        patch.setattr(worker.lane.decoder, "read", self)

    def __call__(self, *args: Any) -> Any:
        self.num_passes += 1
        if self.num_passes in self._failing:
            raise self._error
        return self._read(*args)


@pytest.mark.parametrize("error", OUT_OF_MEMORY)
@pytest.mark.parametrize("at_pass", [1, 3, 10], ids=["first chunk", "prefill", "decode"])
def test_without_memory_all_slots_are_dropped_and_the_request_goes_on_once_more(
    error: Exception, at_pass: int, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each token is told once, and the text is the one of an undisturbed run."""
    other, ids = prompt(15), prompt(16)
    assert_exact(worker, other)
    with monkeypatch.context() as patch:
        Fails(worker, patch, error, at_pass, times=1)
        ask = Ask(ids, max_tokens=10)
        outcome = run(worker, ask)

    assert (outcome.error, outcome.finish_reason) == (None, FinishReason.BUDGET)
    assert ask.tokens == reference.generate(worker.loaded, ids, 10)
    assert worker.cached_tokens(other) <= 1, "the other slots were given back"
    assert worker.counts.errors == 0
    assert assert_exact(worker, ids).timings.prefilled_tokens == 1


@pytest.mark.parametrize("error", OUT_OF_MEMORY)
@pytest.mark.parametrize("at_pass", [1, 3, 10], ids=["first chunk", "prefill", "decode"])
def test_without_memory_a_second_time_it_is_an_error_and_the_engine_lives(
    error: Exception, at_pass: int, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        Fails(worker, patch, error, at_pass, times=2)
        outcome = run(worker, Ask(prompt(16), max_tokens=10))

    assert outcome.error is not None
    assert "ran out of memory: lower context.budgetTokens or use a smaller model" in outcome.error
    assert worker.held()["kv_tokens_reserved"] == 0
    assert_exact(worker, prompt(16))


def test_without_memory_for_further_answers_the_first_is_given(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    class OneMore:
        num_wanted = 1
        first_line_tokens = None
        begun = 0

        def begin(self) -> Sink:
            self.begun += 1
            return lambda _id, _logprob: False

        def keep(self, _reason: FinishReason) -> None:
            raise AssertionError("none was whole")

    ask, sinks = Ask(prompt(16), max_tokens=4, num_answers=2), OneMore()
    Fails(worker, monkeypatch, MemoryError(), at=7 + 4, times=1)

    worker.submit(Job(ask.job.request, ask.job.sink, ask.job.done, alternatives=sinks))
    outcome = ask.outcome()

    assert sinks.begun == 1
    assert (outcome.error, outcome.finish_reason) == (None, FinishReason.BUDGET)
    assert ask.tokens == reference.generate(worker.loaded, ask.ids, 4)


@pytest.mark.parametrize(
    ("raised", "said"),
    [
        (RuntimeError("kernel broke"), "RuntimeError: kernel broke"),
        (ModelError("bend the rules"), "bend the rules"),
    ],
    ids=["an unexpected error", "one of ours"],
)
def test_a_failure_in_the_model_is_an_outcome_and_the_next_answer_is_exact(
    raised: Exception, said: str, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = prompt(14)
    assert_exact(worker, ids)
    with monkeypatch.context() as broken:

        def fail(*_args: Any, **_kwargs: Any) -> None:
            raise raised

        broken.setattr(worker.lane.decoder, "read", fail)
        outcome = run(worker, Ask([*ids, 3]))

    assert outcome.error is not None
    assert said in outcome.error
    assert assert_exact(worker, [*ids, 3]).timings.reused_tokens == 0  # the slot was dropped


def test_a_failing_sink_is_an_outcome_and_a_failing_listener_does_not_end_the_thread(worker: Worker) -> None:
    def fail(_: Any) -> bool:
        raise ValueError("broken")

    outcome = run(worker, Ask(prompt(15), on_token=fail))
    assert outcome.error is not None
    assert "broken" in outcome.error

    worker.submit(Job(CompletionRequest((5, 6), max_tokens=1), lambda _id, _logprob: False, fail))
    assert_exact(worker, prompt(16))
