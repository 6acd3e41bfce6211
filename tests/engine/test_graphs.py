"""Replayed passes equal computed ones, over every size, place and length, or give way to them."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch

from engine.runtime import graphs
from engine.runtime.decode import Decoder, Step
from engine.runtime.draft import Drafter
from engine.runtime.graphs import GraphedForward, Result
from engine.runtime.kv_cache import Slot
from engine.runtime.llama import LlamaForward
from engine.runtime.model import LoadedModel

CLOSE = 1e-4


class FakeRecorder:
    """CUDA's on a CPU: a replay runs the recorded work again and fills the tensors of the first run.

    Like a real one it knows nothing that the host knew only while recording, so stale places would show.
    """

    def __init__(self, *, fails_at: int | None = None) -> None:
        self.num_records = self.num_replays = 0
        self._fails_at = fails_at

    def record(self, work: Callable[[], Result]) -> tuple[Callable[[], None], Result]:
        self.num_records += 1
        if self.num_records == self._fails_at:
            raise RuntimeError("operation not permitted when stream is capturing")
        kept = work()

        def replay() -> None:
            self.num_replays += 1
            for old, new in zip(kept, work(), strict=True):
                old.copy_(new)

        return replay, kept


@pytest.fixture
def forward(small: LoadedModel, monkeypatch: pytest.MonkeyPatch) -> LlamaForward:
    """The small model's pass; recordings read multiples of 64 keys, so that slots go through several."""
    monkeypatch.setattr(graphs, "_READ_TOKENS", 64)
    assert isinstance(small.forward, LlamaForward)
    return small.forward


def filled(small: LoadedModel, num: int, *, room: int = 512) -> Slot:
    torch.manual_seed(num)
    slot = small.new_slot()
    slot.reserve(room)
    if num:
        ids = torch.randint(2, 320, (num,)).tolist()
        small.forward(slot, ids)
        slot.commit(ids)
    return slot


def greedy(forward: LlamaForward, slot: Slot, token_id: int, num: int, forbidden: list[int]) -> list[Any]:
    steps, length = [], len(slot)
    for _ in range(num):
        row = forward(slot, [token_id])[0].clone()
        row[forbidden] = -torch.inf
        slot.commit([token_id])
        token_id = int(row.argmax())
        steps.append((token_id, float(row.max() - row.logsumexp(0))))
    slot.rewind(length)
    return steps


@pytest.mark.parametrize("seed", range(4))
def test_replayed_logits_equal_computed_ones_over_random_rewinds_and_lengths(
    seed: int, small: LoadedModel, forward: LlamaForward
) -> None:
    chance, recorder = random.Random(seed), FakeRecorder()
    graphed = GraphedForward(forward, recorder)
    slots = [small.new_slot() for _ in range(2)]
    for _ in range(120):
        slot = chance.choice(slots)
        if len(slot) > 300 or chance.random() < 0.15:
            slot.rewind(chance.randrange(len(slot) + 1))
        if chance.random() < 0.02:
            slot.evict()
        ids = [chance.randrange(320) for _ in range(chance.choice([1, 1, 2, 3, 4, 7, 8, 11, 16, 17, 60]))]
        num_logits = chance.randint(1, len(ids))

        replayed = graphed(slot, ids, num_logits)

        assert (replayed - forward(slot, ids, num_logits)).abs().max() < CLOSE
        slot.commit(ids)
    assert recorder.num_records < recorder.num_replays < 120


def test_a_shape_is_recorded_once_until_the_buffers_move(small: LoadedModel, forward: LlamaForward) -> None:
    recorder, slot = FakeRecorder(), filled(small, 10)
    graphed = GraphedForward(forward, recorder)

    for ids in ([1], [2], [3, 4, 5], [6, 7, 8, 9], [1]):
        graphed(slot, ids)
    assert recorder.num_records == 2  # one token, and four, to which three are padded

    slot.reserve(1000)
    graphed(slot, [1])
    assert recorder.num_records == 2  # room is made when it is needed
    graphed(filled(small, 10), [1])
    assert recorder.num_records == 3  # another slot
    slot.evict()
    graphed(slot, [1])
    assert recorder.num_records == 4  # other buffers


def test_padding_never_writes_behind_the_buffers(small: LoadedModel, forward: LlamaForward) -> None:
    recorder, slot = FakeRecorder(), filled(small, 254, room=256)

    logits = GraphedForward(forward, recorder)(slot, [5, 6], 2)

    assert recorder.num_records == 1
    slot.rewind(253)
    assert (GraphedForward(forward, recorder)(slot, [5, 6, 7]) - forward(slot, [5, 6, 7])).abs().max() < CLOSE
    assert recorder.num_records == 1  # four would not fit
    assert logits.shape == (2, 320)


def test_logits_are_the_callers_to_keep(small: LoadedModel, forward: LlamaForward) -> None:
    graphed, slot = GraphedForward(forward, FakeRecorder()), filled(small, 10)

    first = graphed(slot, [1])
    kept = first.clone()
    graphed(slot, [2])

    assert torch.equal(first, kept)


@pytest.mark.parametrize("num", [1, 2, 40, 150])
def test_steps_that_feed_each_other_equal_greedy_ones(
    num: int, small: LoadedModel, forward: LlamaForward
) -> None:
    """Through several recordings, and with ids that are forbidden."""
    slot = filled(small, 50)
    unbound = [token_id for token_id, _ in greedy(forward, slot, 7, num, [])]
    forbidden = sorted({unbound[0], 319})
    graphed = GraphedForward(forward, FakeRecorder())
    graphed.forbid(forbidden)

    steps = graphed.decode(slot, 7, num)

    assert steps is not None
    found, expected = list(steps), greedy(forward, slot, 7, num, forbidden)
    assert [step[0] for step in found] == [step[0] for step in expected]
    assert [step[1] for step in found] == pytest.approx([step[1] for step in expected], abs=1e-4)
    assert len(slot) == 50


def test_the_next_step_is_under_way_before_one_is_read(small: LoadedModel, forward: LlamaForward) -> None:
    recorder = FakeRecorder()
    steps = GraphedForward(forward, recorder).decode(filled(small, 50), 7, 10)
    assert steps is not None

    for num_read in range(1, 10):
        next(steps)
        assert recorder.num_replays == num_read + 1

    next(steps)
    assert recorder.num_replays == 10


def test_stopping_early_leaves_a_slot_that_goes_on_exactly(small: LoadedModel, forward: LlamaForward) -> None:
    slot = filled(small, 50)
    expected = greedy(forward, slot, 7, 6, [])
    graphed = GraphedForward(forward, FakeRecorder())
    steps = graphed.decode(slot, 7, 100)
    assert steps is not None

    taken = [next(steps)[0] for _ in range(3)]
    del steps
    slot.commit([7, *taken[:2]])

    going_on = greedy(forward, slot, taken[2], 3, [])
    assert [token_id for token_id, _ in going_on] == [token_id for token_id, _ in expected[3:]]


@pytest.mark.parametrize("drafted", ["nothing", "what comes", "what comes in part"])
def test_answers_of_a_decoder_are_the_same_and_take_the_steps_that_feed_each_other(
    drafted: str, small: LoadedModel, forward: LlamaForward
) -> None:
    recorder = FakeRecorder()
    plain = Decoder(small, num_valid_ids=300, banned_ids=[9])
    replayed = Decoder(
        replace(small, forward=GraphedForward(forward, recorder)), num_valid_ids=300, banned_ids=[9]
    )
    prompt = [(7 * i) % 300 for i in range(50)]

    def answer(decoder: Decoder, drafter: Drafter | None) -> list[Step]:
        slot = small.new_slot()
        logits = decoder.prefill(slot, prompt, lambda: None)
        steps = list(decoder.decode(slot, logits, max_tokens=40, poll=lambda: None, drafter=drafter))
        assert slot.token_ids == [*prompt, *(step.token_id for step in steps[:-1])]
        return steps

    expected = answer(plain, None)
    ids = [step.token_id for step in expected]
    drafts = {"nothing": [], "what comes": ids, "what comes in part": [*ids[:9], 1, 1, *ids[20:]]}
    found = answer(replayed, Drafter([], [drafts[drafted]]) if drafts[drafted] else None)

    assert [step.token_id for step in found] == ids
    assert [s.logprob for s in found] == pytest.approx([s.logprob for s in expected], abs=1e-4)
    if drafted == "nothing":
        assert recorder.num_replays == len(ids) - 1  # the prompt gave the first


@pytest.mark.parametrize("fails_at", [1, 2])
def test_what_cannot_be_recorded_runs_unrecorded_and_says_so_once(
    fails_at: int, small: LoadedModel, forward: LlamaForward, caplog: pytest.LogCaptureFixture
) -> None:
    graphed, slot = GraphedForward(forward, FakeRecorder(fails_at=fails_at)), filled(small, 10)

    for ids in ([1], [2, 3], [4], [5, 6, 7]):
        assert (graphed(slot, ids) - forward(slot, ids)).abs().max() < CLOSE

    assert graphed.decode(slot, 7, 10) is None
    assert [record.message for record in caplog.records] == [
        "CUDA graphs do not work here; going on without them"
    ]


def test_many_tokens_are_never_recorded(small: LoadedModel, forward: LlamaForward) -> None:
    recorder = FakeRecorder()

    GraphedForward(forward, recorder)(filled(small, 10), list(range(17)))

    assert recorder.num_records == 0
