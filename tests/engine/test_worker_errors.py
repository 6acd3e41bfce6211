"""Whatever goes wrong in a job is an outcome with a sentence to show, and the next answer is exact."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from engine.api import CompletionRequest, FinishReason
from engine.runtime import reference
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


@pytest.mark.parametrize(
    ("raised", "said"),
    [
        (torch.OutOfMemoryError("CUDA out of memory"), "ran out of memory: lower context.budgetTokens"),
        (RuntimeError("kernel broke"), "RuntimeError: kernel broke"),
    ],
    ids=["out of memory", "anything else"],
)
def test_a_failure_in_the_model_is_an_outcome_and_the_next_answer_is_exact(
    raised: Exception, said: str, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = prompt(14)
    assert_exact(worker, ids)
    with monkeypatch.context() as broken:

        def fail(*_args: Any, **_kwargs: Any) -> None:
            raise raised

        broken.setattr(worker.loaded.model.model.layers[1], "forward", fail)
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
