"""Drafts make an answer faster and never another one: equal to plain greedy, step by step, slot by slot."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import pytest

from engine.api import FinishReason
from engine.runtime import reference
from engine.runtime.decode import Decoder, Step
from engine.runtime.draft import Drafter
from engine.runtime.kv_cache import Slot
from engine.runtime.model import LoadedModel
from engine_jobs import prompt

MAX_DIFFERENCE = 1e-4
LENGTH = 24


@pytest.fixture(scope="module")
def endless(small: LoadedModel) -> LoadedModel:
    """The same without an end of sequence."""
    return replace(small, eos_ids=frozenset())


def go_on() -> None:
    """A poll that never ends anything."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a caller sees of a decoding at each step, and at its end."""

    steps: list[Step]
    slots: list[list[int]]
    reason: FinishReason | None
    end: Step | None


class Forced(Decoder):
    """Drafts a fixed number of ids, whatever it would cost."""

    def __init__(self, loaded: LoadedModel, num_drafted: int) -> None:
        super().__init__(loaded, chunk_tokens=64)
        self.draft_length.choose = lambda draft: min(num_drafted, len(draft.ids))  # type: ignore[method-assign]


def seen(
    decoder: Decoder,
    ids: list[int],
    drafter: Drafter | None,
    *,
    max_tokens: int = LENGTH,
    poll: Callable[[], FinishReason | None] = go_on,
    stop_at: int | None = None,
    num_runners_up: int = 0,
) -> tuple[Seen, Slot]:
    slot = decoder.loaded.new_slot()
    logits = decoder.prefill(slot, ids, go_on)
    decoding = decoder.decode(
        slot, logits, max_tokens=max_tokens, poll=poll, num_runners_up=num_runners_up, drafter=drafter
    )
    steps: list[Step] = []
    slots: list[list[int]] = []
    for step in decoding:
        steps.append(step)
        slots.append(slot.token_ids.copy())
        if len(steps) == stop_at:
            decoding.stop()
    assert decoding.num_passes == decoder.counters.decode_steps
    assert 0 <= decoding.num_accepted <= decoding.num_drafted
    return Seen(steps, slots, decoding.finish_reason, decoding.end), slot


def plain_answer(loaded: LoadedModel, ids: list[int]) -> list[int]:
    return [step.token_id for step in seen(Decoder(loaded), ids, None)[0].steps]


def assert_same(ours: Seen, plain: Seen) -> None:
    assert (ours.slots, ours.reason) == (plain.slots, plain.reason)
    for one, other in zip(
        [*ours.steps, *filter(None, [ours.end])], [*plain.steps, *filter(None, [plain.end])], strict=True
    ):
        assert one.token_id == other.token_id
        assert one.logprob == pytest.approx(other.logprob, abs=MAX_DIFFERENCE)
        assert [each.token_id for each in one.runners_up] == [each.token_id for each in other.runners_up]


def spoiled(chance: random.Random, ids: Sequence[int], share: float) -> list[int]:
    """Some of the ids wrong, some left out."""
    kept = [i for i in ids if chance.random() > share / 3]
    return [chance.randrange(320) if chance.random() < share else i for i in kept]


def with_an_end(endless: LoadedModel, ids: list[int], at: int) -> tuple[LoadedModel, list[int]]:
    """A model whose answer ends at that token or before, and what it would say if it went on."""
    answer = plain_answer(endless, ids)
    return replace(endless, eos_ids=frozenset([answer[at]])), answer


@pytest.mark.parametrize("share", [0.0, 0.2, 1.0])
@pytest.mark.parametrize("num_drafted", [0, 1, 3, 15])
def test_right_and_wrong_drafts_change_nothing(endless: LoadedModel, num_drafted: int, share: float) -> None:
    chance = random.Random(num_drafted)
    ids = prompt(num_drafted)
    plain, _ = seen(Decoder(endless), ids, None)
    answer = [step.token_id for step in plain.steps]

    drafter = Drafter(ids, [spoiled(chance, answer, share), spoiled(chance, answer, 0.1)])
    ours, slot = seen(Forced(endless, num_drafted), ids, drafter)

    assert answer == reference.generate(endless, ids, LENGTH)
    assert_same(ours, plain)
    # The keys that wrong drafts wrote are overwritten, not used.
    slot.rewind(len(ids) + len(answer) - 1)
    more = Decoder(endless).extend(slot, [answer[-1]])
    assert (more - reference.logits(endless, [*ids, *answer])[-1]).abs().max() < MAX_DIFFERENCE


@pytest.mark.parametrize("at", [0, 1, 7, 16, 20])
def test_the_end_of_sequence_inside_a_draft_ends_it(endless: LoadedModel, at: int) -> None:
    ids = prompt(at)
    loaded, answer = with_an_end(endless, ids, at)
    plain, _ = seen(Decoder(loaded), ids, None)

    ours, _ = seen(Forced(loaded, 15), ids, Drafter(ids, [answer]))

    assert ours.reason is FinishReason.EOS
    assert_same(ours, plain)


@pytest.mark.parametrize("max_tokens", [0, 1, 2, 5, 17, 18])
def test_the_budget_inside_a_draft_ends_it(endless: LoadedModel, max_tokens: int) -> None:
    ids = prompt(1)
    answer = plain_answer(endless, ids)
    plain, _ = seen(Decoder(endless), ids, None, max_tokens=max_tokens)

    decoder = Forced(endless, 15)
    ours, slot = seen(decoder, ids, Drafter(ids, [answer]), max_tokens=max_tokens)

    assert_same(ours, plain)
    assert len(ours.steps) == max_tokens
    assert slot.capacity <= 256, "no draft is written behind the budget"


@pytest.mark.parametrize("stop_at", [1, 2, 6, 16, 17])
def test_a_stop_in_the_middle_of_an_accepted_run_leaves_the_slot_as_plain_decoding_does(
    endless: LoadedModel, stop_at: int
) -> None:
    ids = prompt(2)
    answer = plain_answer(endless, ids)
    plain, plain_slot = seen(Decoder(endless), ids, None, stop_at=stop_at)

    ours, slot = seen(Forced(endless, 15), ids, Drafter(ids, [answer]), stop_at=stop_at)

    assert_same(ours, plain)
    assert slot.token_ids == plain_slot.token_ids == [*ids, *answer[: stop_at - 1]]


@pytest.mark.parametrize("num_polls", [0, 1, 4, 20])
def test_a_cancel_is_noticed_at_the_same_token(endless: LoadedModel, num_polls: int) -> None:
    ids = prompt(3)
    answer = plain_answer(endless, ids)

    def after() -> Callable[[], FinishReason | None]:
        left = iter([None] * num_polls)
        return lambda: next(left, FinishReason.CANCELLED)

    plain, _ = seen(Decoder(endless), ids, None, poll=after())
    ours, _ = seen(Forced(endless, 7), ids, Drafter(ids, [answer]), poll=after())

    assert_same(ours, plain)
    assert (len(ours.steps), ours.reason) == (num_polls, FinishReason.CANCELLED)


def test_runners_up_are_those_of_plain_decoding(endless: LoadedModel) -> None:
    ids = prompt(4)
    answer = plain_answer(endless, ids)
    plain, _ = seen(Decoder(endless), ids, None, num_runners_up=3)

    ours, _ = seen(Forced(endless, 4), ids, Drafter(ids, [answer]), num_runners_up=3)

    assert all(len(step.runners_up) == 3 for step in ours.steps)
    assert_same(ours, plain)


def test_banned_ids_in_a_draft_are_never_said(endless: LoadedModel) -> None:
    ids = prompt(5)
    first = reference.generate(endless, ids, 1)
    plain, _ = seen(Decoder(endless, banned_ids=first), ids, None)
    decoder = Decoder(endless, banned_ids=first)

    ours, _ = seen(decoder, ids, Drafter(ids, [[*first, *first, *first]]))

    assert_same(ours, plain)


def test_a_right_draft_takes_a_fraction_of_the_passes_and_is_counted(endless: LoadedModel) -> None:
    ids = prompt(6)
    answer = plain_answer(endless, ids)
    decoder, slot = Forced(endless, 3), endless.new_slot()
    logits = decoder.prefill(slot, ids, go_on)

    decoding = decoder.decode(slot, logits, max_tokens=LENGTH, poll=go_on, drafter=Drafter(ids, [answer]))
    num_steps = len(list(decoding))

    assert num_steps == LENGTH
    assert decoding.num_passes == decoder.counters.decode_steps == -(-(LENGTH - 1) // 4)
    assert decoding.num_accepted == decoding.num_drafted == LENGTH - 1 - decoding.num_passes


def test_wrong_drafts_cost_no_more_passes_than_none(endless: LoadedModel) -> None:
    ids = prompt(7)
    decoder, slot = Decoder(endless), endless.new_slot()
    logits = decoder.prefill(slot, ids, go_on)
    nonsense = [random.Random(0).randrange(320) for _ in range(LENGTH)]

    decoding = decoder.decode(slot, logits, max_tokens=LENGTH, poll=go_on, drafter=Drafter(ids, [nonsense]))

    assert len(list(decoding)) == LENGTH
    assert decoding.num_passes <= LENGTH - 1


@pytest.mark.parametrize("num_begun", [1, 5])
def test_an_answer_that_was_begun_goes_on_as_if_it_had_not_been_interrupted(
    endless: LoadedModel, num_begun: int
) -> None:
    ids = prompt(8)
    answer = plain_answer(endless, ids)
    begun = answer[:num_begun]
    decoder, slot = Forced(endless, 5), endless.new_slot()
    logits = decoder.prefill(slot, [*ids, *begun], go_on)

    drafter = Drafter(ids, [answer])
    decoding = decoder.decode(slot, logits, max_tokens=LENGTH, poll=go_on, drafter=drafter, begun=begun)

    assert [*begun, *(step.token_id for step in decoding)] == answer
    assert decoding.num_accepted == decoding.num_drafted > 0
