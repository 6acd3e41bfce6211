"""Prefill and decode over slots give, token by token, what the model gives with no cache at all."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
import torch

from engine.api import FinishReason
from engine.runtime import reference
from engine.runtime.decode import Decoder, InterruptedPrefillError
from engine.runtime.kv_cache import SlotPool
from engine.runtime.model import LoadedModel

MAX_DIFFERENCE = 1e-4


def go_on() -> None:
    """A poll that never ends anything."""


def after(num_polls: int, reason: FinishReason = FinishReason.CANCELLED) -> Callable[[], FinishReason | None]:
    """A poll that lets `num_polls` chunks or steps pass."""
    left = iter([None] * num_polls)
    return lambda: next(left, reason)


def answer(
    decoder: Decoder, pool: SlotPool, ids: list[int], max_tokens: int
) -> tuple[torch.Tensor, list[int]]:
    """First logits and greedy ids, with all the reuse that the pool offers."""
    slot, reused = pool.acquire(ids, len(ids) + max_tokens)
    logits = decoder.prefill(slot, ids[reused:], go_on)
    steps = decoder.decode(slot, logits, max_tokens=max_tokens, poll=go_on)
    return logits, [step.token_id for step in steps]


def edited(chance: random.Random, ids: list[int], num_ids: int) -> list[int]:
    """An insertion, a deletion or a replacement, mostly near the end, where people type."""
    place = chance.choice(
        [len(ids), chance.randrange(1, len(ids) + 1), max(1, len(ids) - chance.randrange(9))]
    )
    new = [chance.randrange(num_ids) for _ in range(chance.choice([0, 1, 1, 2, 40]))]
    return [*ids[:place], *new, *ids[place + chance.choice([0, 0, 1, 30]) :]]


def largest_difference(
    loaded: LoadedModel, *, seed: int, num_edits: int, length: int, max_tokens: int
) -> float:
    """Several documents edited in turn; asserts equal ids, returns how far the logits were apart at most."""
    chance = random.Random(seed)
    decoder = Decoder(loaded, chunk_tokens=chance.choice([7, 32, 64]))
    pool = SlotPool(loaded.new_slot, num_slots=2, max_tokens=100_000)
    context = [chance.randrange(loaded.vocab_size) for _ in range(length)]
    documents = [[*context[: length // (n + 1)], n, *context[:n]] for n in range(3)]
    largest = 0.0
    for _ in range(num_edits):
        which = chance.randrange(len(documents))
        documents[which] = edited(chance, documents[which], loaded.vocab_size)
        ids = documents[which]
        logits, chosen = answer(decoder, pool, ids, max_tokens)
        largest = max(largest, (logits - reference.logits(loaded, ids)[-1]).abs().max().item())
        assert chosen == reference.generate(loaded, ids, max_tokens)
    assert decoder.counters.prefilled_tokens < num_edits * length  # something was reused
    return largest


@pytest.mark.parametrize("seed", range(12))
def test_random_edits_with_reuse_equal_from_scratch(seed: int, small: LoadedModel) -> None:
    assert largest_difference(small, seed=seed, num_edits=25, length=120, max_tokens=5) < MAX_DIFFERENCE


def test_random_edits_with_reuse_equal_from_scratch_on_the_builtin_model(builtin: LoadedModel) -> None:
    assert largest_difference(builtin, seed=0, num_edits=8, length=300, max_tokens=2) < MAX_DIFFERENCE


@pytest.mark.parametrize("chunk_tokens", [1, 3, 16, 1000])
def test_the_size_of_chunks_changes_nothing(chunk_tokens: int, small: LoadedModel) -> None:
    ids = torch.randint(2, 320, (100,)).tolist()
    decoder = Decoder(small, chunk_tokens=chunk_tokens)

    logits = decoder.prefill(small.new_slot(), ids, go_on)

    assert (logits - reference.logits(small, ids)[-1]).abs().max() < MAX_DIFFERENCE
    assert decoder.counters.prefill_chunks == -(-100 // chunk_tokens)
    assert decoder.counters.prefilled_tokens == 100


def test_a_prefill_that_is_interrupted_keeps_its_chunks_and_the_rest_is_exact(small: LoadedModel) -> None:
    ids = torch.randint(2, 320, (100,)).tolist()
    decoder, slot = Decoder(small, chunk_tokens=16), small.new_slot()

    with pytest.raises(InterruptedPrefillError) as interrupted:
        decoder.prefill(slot, ids, after(2))

    assert interrupted.value.reason is FinishReason.CANCELLED
    assert slot.token_ids == ids[:32]
    logits = decoder.prefill(slot, ids[32:], go_on)
    assert (logits - reference.logits(small, ids)[-1]).abs().max() < MAX_DIFFERENCE


@pytest.mark.parametrize("reason", [FinishReason.CANCELLED, FinishReason.DEADLINE])
def test_no_step_runs_after_the_poll_says_so(reason: FinishReason, small: LoadedModel) -> None:
    decoder, slot = Decoder(small), small.new_slot()
    logits = decoder.prefill(slot, [5, 6, 7], go_on)

    decoding = decoder.decode(slot, logits, max_tokens=50, poll=after(4, reason))

    assert len(list(decoding)) == 4
    assert decoding.finish_reason is reason
    assert decoder.counters.decode_steps == 3  # the first token comes from the prefill's logits


def test_a_full_budget_ends_the_answer(small: LoadedModel) -> None:
    decoder, slot = Decoder(small), small.new_slot()
    logits = decoder.prefill(slot, [5, 6, 7], go_on)

    decoding = decoder.decode(slot, logits, max_tokens=3, poll=go_on)

    assert len(list(decoding)) == 3
    assert decoding.finish_reason is FinishReason.BUDGET


def test_end_of_sequence_is_reported_and_not_yielded(small: LoadedModel) -> None:
    decoder, slot = Decoder(small), small.new_slot()
    logits = decoder.prefill(slot, [5, 6, 7], go_on).clone()
    logits[1] = 1e3

    decoding = decoder.decode(slot, logits, max_tokens=3, poll=go_on)

    assert list(decoding) == []
    assert decoding.finish_reason is FinishReason.EOS


def test_stopping_by_rule_ends_the_steps(small: LoadedModel) -> None:
    decoder, slot = Decoder(small), small.new_slot()
    decoding = decoder.decode(slot, decoder.prefill(slot, [5, 6], go_on), max_tokens=9, poll=go_on)

    next(iter(decoding))
    decoding.stop()

    assert list(decoding) == []
    assert decoding.finish_reason is FinishReason.STOP
    assert decoder.counters.decode_steps == 0


def test_banned_and_padding_ids_are_never_chosen_but_end_of_sequence_is(small: LoadedModel) -> None:
    decoder = Decoder(small, num_valid_ids=300, banned_ids=[0, 1, 2, 310])
    logits = torch.zeros(320)
    logits[[0, 2, 300, 319]] = torch.tensor([9.0, 8.0, 10.0, 11.0])
    logits[7] = 1.0
    assert decoder.choose(logits).token_id == 7

    logits[1] = 2.0
    assert decoder.choose(logits).token_id == 1


def test_a_log_probability_is_among_the_ids_that_may_be_chosen(small: LoadedModel) -> None:
    logits = torch.randn(320)
    allowed = [index for index in range(300) if index not in (0, 2)]

    step = Decoder(small, num_valid_ids=300, banned_ids=[0, 2]).choose(logits.clone())

    assert step.logprob == pytest.approx(logits[allowed].log_softmax(0).max().item(), abs=1e-5)
