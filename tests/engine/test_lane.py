"""Two models behind one mailbox: each job runs on its own, and what goes first does so whichever it asks."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.api import FinishReason, Priority
from engine.model_folder import ModelFolder
from engine.runtime import reference
from engine.runtime.kv_cache import BLOCK_TOKENS
from engine.runtime.lane import Lane
from engine.runtime.model import LoadedModel, load_model
from engine.runtime.worker import Worker
from engine_checkpoints import make_llama
from engine_jobs import CHUNK, PATIENCE_S, Ask, assert_exact, named, prompt, run

CHAT = Priority.CHAT
KV_BYTES = 2**24
LONG = 30


@pytest.fixture(scope="module")
def other_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Other weights, layers and heads than the worker's own model."""
    return make_llama(
        tmp_path_factory.mktemp("other") / "model", seed=7, num_hidden_layers=2, num_key_value_heads=4
    )


def load_other(folder: Path) -> LoadedModel:
    return load_model(ModelFolder.open(str(folder)), device="cpu", dtype="float32")


@pytest.fixture(scope="module")
def other(other_folder: Path) -> LoadedModel:
    return load_other(other_folder)


@pytest.fixture
def lane(other: LoadedModel, worker: Worker) -> Iterator[Lane]:
    return Lane(other, chunk_tokens=CHUNK, num_slots=2, kv_bytes=KV_BYTES, counters=worker.counters)


def on(lane: Lane, ask: Ask, chunk_tokens: int | None = None) -> Ask:
    """The same ask for that lane."""
    ask.job = replace(ask.job, lane=lane, chunk_tokens=chunk_tokens)
    return ask


def assert_said(loaded: LoadedModel, ask: Ask) -> None:
    assert ask.tokens == reference.generate(loaded, ask.ids, ask.job.request.max_tokens)


class Passes:
    """Which model each pass ran, in order; `before` is called ahead of each with its number."""

    def __init__(self, patch: pytest.MonkeyPatch, **lanes: Lane) -> None:
        self.order: list[str] = []
        self.sizes: list[int] = []
        self.before: Callable[[int], None] = lambda number: None
        for name, lane in lanes.items():
            patch.setattr(lane.decoder, "read", self._spy(name, lane.decoder.read))

    def _spy(self, name: str, read: Any) -> Any:
        def spied(slot: Any, ids: Sequence[int], *rest: Any) -> Any:
            self.before(len(self.order))
            self.order.append(name)
            self.sizes.append(len(ids))
            return read(slot, ids, *rest)

        return spied


@pytest.fixture
def passes(worker: Worker, lane: Lane, monkeypatch: pytest.MonkeyPatch) -> Passes:
    return Passes(monkeypatch, own=worker.lane, chat=lane)


def test_each_job_is_answered_by_the_model_of_its_lane(worker: Worker, lane: Lane) -> None:
    for number in range(3):
        chat = on(lane, Ask(named(50 + number), max_tokens=8, priority=CHAT))
        outcome = run(worker, chat)
        assert outcome.error is None
        assert_said(lane.loaded, chat)
        assert_exact(worker, named(50 + number))

    assert reference.generate(lane.loaded, named(50), 8) != reference.generate(worker.loaded, named(50), 8)
    assert (lane.held()["slots_in_use"], worker.held()["slots_in_use"]) == (2, 3)


def test_a_lane_finds_its_own_slots_again(worker: Worker, lane: Lane) -> None:
    ids = prompt(1)
    run(worker, on(lane, Ask(ids, max_tokens=4)))

    again = run(worker, on(lane, Ask([*ids, 7, 8], max_tokens=4)))

    assert again.timings.reused_tokens == 100
    assert (worker.cached_tokens(ids), lane.cached_tokens(ids)) == (0, 100)


@pytest.mark.parametrize("at_pass", [1, 3, 7, 8, 12, 20])
def test_a_completion_runs_after_at_most_one_more_pass_of_chat_and_chat_says_the_same(
    worker: Worker, lane: Lane, passes: Passes, at_pass: int
) -> None:
    """While its prompt of 100 tokens is read, in 7 chunks, as well as while it answers."""
    completion = Ask(named(31), max_tokens=6, document="file:///a.py")
    passes.before = lambda number: worker.submit(completion.job) if number == at_pass - 1 else None
    chat = on(lane, Ask(named(50), max_tokens=LONG, priority=CHAT))

    outcome = run(worker, chat)

    assert passes.order[:at_pass] == ["chat"] * at_pass
    assert passes.order[at_pass] == "own", "the pass under way was the last before it"
    end = len(passes.order) - passes.order[::-1].index("own")
    assert set(passes.order[at_pass:end]) == {"own"}, "and it ran to its end"
    assert_said(worker.loaded, completion)
    assert_said(lane.loaded, chat)
    assert outcome.finish_reason is FinishReason.BUDGET
    assert outcome.timings.prefilled_tokens <= 100 + 1, "nothing is read twice"


def test_so_it_is_for_every_completion_of_many(worker: Worker, lane: Lane, passes: Passes) -> None:
    completions = [Ask(named(30 + n), max_tokens=2) for n in range(6)]
    submitted: list[int] = []

    def submit(number: int) -> None:
        if number % 9 == 4 and len(submitted) < len(completions):
            worker.submit(completions[len(submitted)].job)
            submitted.append(number)

    passes.before = submit
    chat = on(lane, Ask(named(50), max_tokens=LONG, priority=CHAT))

    run(worker, chat)

    assert [passes.order[number + 1] for number in submitted] == ["own"] * len(completions)
    for completion in completions:
        assert_said(worker.loaded, completion)
    assert_said(lane.loaded, chat)


@pytest.mark.parametrize("chunk_tokens", [1, 3, 64])
def test_a_job_may_read_its_prompt_in_smaller_passes(
    worker: Worker, lane: Lane, passes: Passes, chunk_tokens: int
) -> None:
    chat = on(lane, Ask(named(50), max_tokens=4), chunk_tokens)

    run(worker, chat)

    assert max(passes.sizes[: -(-100 // chunk_tokens)]) == chunk_tokens
    assert sum(passes.sizes[: -(-100 // chunk_tokens)]) == 100
    assert_said(lane.loaded, chat)


# Release


def test_a_job_for_a_lane_that_was_released_is_told_so(worker: Worker, lane: Lane) -> None:
    run(worker, on(lane, Ask(named(50), max_tokens=4)))
    lane.release()

    outcome = run(worker, on(lane, Ask(named(50), max_tokens=4)))

    assert outcome.error == "The model was unloaded before this request could run: ask once more."
    assert lane.held()["kv_tokens_reserved"] == 0
    assert_exact(worker, prompt(3))


def test_a_release_waits_for_the_pass_and_what_would_go_on_is_told_so(worker: Worker, lane: Lane) -> None:
    """A chat that is interrupted by a completion, during which its model is released."""
    completing, go_on = threading.Event(), threading.Event()

    def hold(_num: int) -> bool:
        completing.set()
        return not go_on.wait(PATIENCE_S)

    completion = Ask(named(31), on_token=hold, max_tokens=2)

    def interrupt(num: int) -> bool:
        if num == 3:
            worker.submit(completion.job)
        return False

    chat = on(lane, Ask(named(50), on_token=interrupt, max_tokens=LONG, priority=CHAT))
    worker.submit(chat.job)
    assert completing.wait(PATIENCE_S)

    lane.release()  # not held by the completion, which runs on another lane
    go_on.set()

    assert completion.outcome().error is None
    outcome = chat.outcome()
    assert outcome.error is not None
    assert "unloaded" in outcome.error
    assert len(chat.tokens) == 3


def test_a_released_model_is_gone_from_memory(worker: Worker, other_folder: Path) -> None:
    """Also while the worker waits for its next job."""
    lane = Lane(load_other(other_folder), kv_bytes=KV_BYTES)
    chat = on(lane, Ask(named(50), max_tokens=4))
    run(worker, chat)
    ended = Ask(named(31), max_tokens=0)
    run(worker, ended)  # by now the thread has left the chat's turn
    weights = weakref.ref(lane.loaded.model.lm_head.weight)
    assert weights() is not None

    lane.release()
    del chat, lane
    gc.collect()

    assert weights() is None


# Memory


def test_a_tighter_bound_evicts_the_longest_unused_at_once(worker: Worker) -> None:
    first, second = named(31), named(32)
    assert_exact(worker, first)
    assert_exact(worker, second)

    worker.lane.limit(int(BLOCK_TOKENS * worker.lane.bytes_per_token) + 1)

    assert worker.held()["kv_tokens_reserved"] == BLOCK_TOKENS
    assert (worker.cached_tokens(first), worker.cached_tokens(second)) == (0, 100)
    assert worker.lane.longest == BLOCK_TOKENS
    assert_exact(worker, first)
    worker.lane.limit(2**30)
    assert worker.lane.longest == 512
    assert_exact(worker, second)


def test_without_memory_for_a_completion_the_chats_slots_go_too(
    worker: Worker, lane: Lane, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(worker, on(lane, Ask(named(50), max_tokens=4)))
    read, failures = worker.lane.decoder.read, [MemoryError()]

    def fails_once(*args: Any) -> Any:
        if failures:
            raise failures.pop()
        return read(*args)

    monkeypatch.setattr(worker.lane.decoder, "read", fails_once)

    assert_exact(worker, prompt(4))
    assert lane.held()["kv_tokens_reserved"] == 0
