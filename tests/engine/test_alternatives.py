"""Answers beyond the first: likeliest deviations first, each exact, none prefilled twice."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch

from engine.api import FinishReason
from engine.runtime import reference
from engine.runtime.alternatives import Alternatives, deviations
from engine.runtime.decode import Decoder, Step
from engine.runtime.kv_cache import common_length
from engine.runtime.lane import Lane
from engine.runtime.mailbox import Job, Outcome, Sink
from engine.runtime.model import LoadedModel
from engine.runtime.worker import Worker
from engine_jobs import CHUNK, Ask, SetAfter, assert_exact, prompt, run


class Tries:
    """Keeps the ids of every try; as many as are wanted count."""

    def __init__(
        self,
        num_wanted: int,
        *,
        first_line_tokens: int | None = None,
        on_token: Callable[[int, int], bool] = lambda _try, _num: False,
    ) -> None:
        self.num_wanted = num_wanted
        self.first_line_tokens = first_line_tokens
        self.tries: list[list[int]] = []
        self.reasons: list[FinishReason] = []
        self._on_token = on_token

    def begin(self) -> Sink:
        ids: list[int] = []
        self.tries.append(ids)

        def sink(token_id: int, _logprob: float) -> bool:
            ids.append(token_id)
            return self._on_token(len(self.tries), len(ids))

        return sink

    def keep(self, finish_reason: FinishReason) -> None:
        self.reasons.append(finish_reason)
        self.num_wanted -= 1


def ask_for(
    ids: list[int], tries: Tries, max_tokens: int = 6, cancelled: threading.Event | None = None
) -> Ask:
    ask = Ask(ids, max_tokens=max_tokens, num_answers=1 + tries.num_wanted, cancelled=cancelled)
    ask.job = Job(ask.job.request, ask.job.sink, ask.job.done, ask.job.cancelled, tries)
    return ask


def run_with(worker: Worker, ids: list[int], tries: Tries, max_tokens: int = 6) -> tuple[Ask, Outcome]:
    ask = ask_for(ids, tries, max_tokens)
    outcome = run(worker, ask)
    assert outcome.error is None
    return ask, outcome


def step(token_id: int, logprob: float, *others: tuple[int, float]) -> Step:
    return Step(token_id, logprob, tuple(Step(*other) for other in others))


def test_deviations_are_ranked_by_what_the_kept_steps_and_the_runner_up_cost() -> None:
    steps = [step(1, -0.5, (2, -1.0), (3, -3.0)), step(4, -0.1, (5, -2.6)), step(6, -0.0, (7, -1.0))]

    ranked = [tuple(each.token_id for each in deviation.steps) for deviation in deviations(steps)]

    assert ranked == [(2,), (1, 4, 7), (3,), (1, 5)]


@pytest.mark.parametrize("num_wanted", [1, 3])
@pytest.mark.parametrize("seed", range(5))
def test_each_is_the_greedy_answer_to_prompt_and_deviation(
    worker: Worker, seed: int, num_wanted: int
) -> None:
    """The oracle decodes from scratch, without any cache, behind the deviating token."""
    ids, tries = prompt(seed), Tries(num_wanted)

    ask, _ = run_with(worker, ids, tries)

    first = reference.generate(worker.loaded, ids, 6)
    assert ask.tokens == first
    assert len(tries.tries) == num_wanted
    for one in tries.tries:
        num_kept = common_length(one, first)
        begun = one[: num_kept + 1]
        assert one == begun + reference.generate(worker.loaded, [*ids, *begun], 6 - len(begun))
    assert len({tuple(one) for one in tries.tries}) == num_wanted


def test_the_first_deviation_is_the_likeliest_of_all(worker: Worker) -> None:
    """The oracle looks at every other token of every step."""
    ids, tries = prompt(3), Tries(1)
    first = reference.generate(worker.loaded, ids, 6)
    rows = reference.logits(worker.loaded, [*ids, *first])[len(ids) - 1 : -1].log_softmax(-1)
    costs = {}
    for num_kept in range(6):
        kept = sum(rows[place, first[place]].item() for place in range(num_kept))
        for token_id in set(range(worker.loaded.vocab_size)) - {first[num_kept]} - worker.loaded.eos_ids:
            costs[(*first[:num_kept], token_id)] = kept + rows[num_kept, token_id].item()

    run_with(worker, ids, tries)

    best = max(costs, key=lambda key: costs[key])
    assert tuple(tries.tries[0][: len(best)]) == best


def test_only_the_first_line_is_deviated_from(worker: Worker) -> None:
    tries = Tries(8, first_line_tokens=2)

    ask, _ = run_with(worker, prompt(4), tries)

    assert len(tries.tries) == 6  # three runners-up of each of its two tokens
    assert all(one[:2] != ask.tokens[:2] for one in tries.tries)


def test_they_cost_no_prefill_of_the_prompt_and_are_counted_as_decoded(worker: Worker) -> None:
    ids, tries = prompt(5), Tries(3)
    run_with(worker, ids, Tries(0))
    before = worker.counters.prefilled_tokens

    _, outcome = run_with(worker, ids, tries)

    assert (outcome.timings.reused_tokens, outcome.timings.prefilled_tokens) == (99, 1)
    most_kept = 6
    assert worker.counters.prefilled_tokens - before <= 1 + 3 * most_kept + most_kept - 1
    assert outcome.timings.decoded_tokens > 6 * 2


def test_the_slot_serves_the_next_prompt_with_the_same_reuse(worker: Worker) -> None:
    ids = prompt(6)
    _, outcome = run_with(worker, ids, Tries(3))

    again = assert_exact(worker, [*ids, 7, 8])

    assert outcome.timings.prefilled_tokens == 100
    assert (again.timings.reused_tokens, again.timings.prefilled_tokens) == (100, 2)


def test_the_first_answer_can_be_gone_on_with_at_once(worker: Worker) -> None:
    """Its keys and values are brought back when the others are done."""
    ids = prompt(6)
    ask, _ = run_with(worker, ids, Tries(3))

    again = assert_exact(worker, [*ids, *ask.tokens, 7])

    assert len(ask.tokens) == 6
    assert (again.timings.reused_tokens, again.timings.prefilled_tokens) == (105, 2)


def test_each_drafts_from_those_before_it(small: LoadedModel) -> None:
    """Where a try falls back into the first answer's words, one pass reads many of them."""
    loaded = replace(small, eos_ids=frozenset())
    decoder, slot, ids = Decoder(loaded), loaded.new_slot(), prompt(11)
    logits = decoder.prefill(slot, ids, lambda: None)
    steps = [*decoder.decode(slot, logits, max_tokens=60, poll=lambda: None, num_runners_up=3)]
    before, tries = decoder.counters.decode_steps, Tries(3)

    others = Alternatives(decoder, slot, ids, tries, max_tokens=60, poll=lambda: None)
    others.run(steps)

    assert [len(one) for one in tries.tries] == [60] * 3
    num_begun = sum(common_length(one, [step.token_id for step in steps]) + 1 for one in tries.tries)
    assert decoder.counters.decode_steps - before < 3 * 60 - num_begun


@pytest.mark.parametrize("seed", range(4))
def test_each_begins_with_what_is_healed_and_is_greedy_behind_its_deviation(
    small: LoadedModel, seed: int
) -> None:
    """The oracle heals anew behind every deviating token, from scratch."""
    vocabulary = [b""] * 4 + [bytes([byte]) for byte in range(256)]
    vocabulary += [b"se", b"sel", b"self", b"self.", b"selfish", b"elf", b"f.", b"lf.x"] * 7 + [b""] * 4
    heal, ids = b"self", prompt(seed)
    decoder = Decoder(small, banned_ids=[0, 2, 3], token_bytes=vocabulary)

    def decoding(begun: list[int]) -> list[Step]:
        slot = small.new_slot()
        logits = decoder.prefill(slot, [*ids, *begun], lambda: None)
        return [
            *decoder.decode(
                slot, logits, max_tokens=6, poll=lambda: None, num_runners_up=3, heal=heal, begun=begun
            )
        ]

    steps, slot, tries = decoding([]), small.new_slot(), Tries(4)
    decoder.prefill(slot, ids, lambda: None)

    Alternatives(decoder, slot, ids, tries, max_tokens=6, poll=lambda: None, heal=heal).run(steps)

    first = [step.token_id for step in steps]
    assert len(tries.tries) == 4
    for one in tries.tries:
        begun = one[: common_length(one, first) + 1]
        assert b"".join(vocabulary[i] for i in one).startswith(heal)
        assert one == begun + [step.token_id for step in decoding(begun)]


@pytest.mark.parametrize("at_token", [1, 3])
def test_a_try_that_its_sink_stops_is_kept(worker: Worker, at_token: int) -> None:
    tries = Tries(2, on_token=lambda _try, num: num == at_token)

    run_with(worker, prompt(7), tries)

    assert tries.reasons == [FinishReason.STOP] * 2
    assert [len(one) for one in tries.tries] == [at_token] * 2


def test_a_cancel_keeps_what_is_there_and_drops_what_is_half(worker: Worker) -> None:
    cancelled = threading.Event()

    def cancel_in_second(number: int, num_tokens: int) -> bool:
        if (number, num_tokens) == (2, 5):
            cancelled.set()
        return False

    tries = Tries(3, on_token=cancel_in_second)
    ask = ask_for(prompt(8), tries, max_tokens=8, cancelled=cancelled)

    outcome = run(worker, ask)

    assert outcome.finish_reason is FinishReason.BUDGET, "the first answer was whole"
    assert len(tries.tries) == 2
    assert tries.reasons == [FinishReason.BUDGET]
    assert_exact(worker, prompt(8))


def test_a_first_answer_that_was_cancelled_has_no_others(worker: Worker) -> None:
    tries = Tries(3)

    # One poll before a slot is looked for, one before each of the seven chunks, then one before every step.
    ask = ask_for(prompt(9), tries, max_tokens=8, cancelled=SetAfter(8 + 3))

    assert run(worker, ask).finish_reason is FinishReason.CANCELLED
    assert len(ask.tokens) == 3
    assert tries.reasons == []


def test_where_the_model_would_say_nothing_others_still_say_something(small: LoadedModel) -> None:
    """The end of sequence is a step too: its runners-up are tried."""
    ids = prompt(10)
    first = reference.generate(small, ids, 1)
    worker = Worker(Lane(replace(small, eos_ids=frozenset(first)), chunk_tokens=CHUNK, memory_gb=1))
    tries = Tries(2)
    ask, outcome = run_with(worker, ids, tries)
    worker.close()

    assert (ask.tokens, outcome.finish_reason) == ([], FinishReason.EOS)
    assert len(tries.tries) == 2
    assert all(one and one[0] != first[0] for one in tries.tries)


def test_runners_up_are_the_next_best_that_may_be_chosen_and_say_something(small: LoadedModel) -> None:
    decoder = Decoder(small, num_valid_ids=300, banned_ids=[0, 2])
    logits = torch.randn(320, generator=torch.Generator().manual_seed(0))
    logits[[1, 5, 0, 310]] = torch.tensor([8.0, 9.0, 20.0, 20.0])
    (eos_id,) = small.eos_ids
    assert eos_id == 1
    allowed = [index for index in range(300) if index not in (0, 2)]
    ranked = sorted(allowed, key=lambda index: -logits[index].item())

    chosen = decoder.choose(logits, 3)

    assert ranked[:2] == [5, 1]
    assert chosen.token_id == 5
    assert [other.token_id for other in chosen.runners_up] == ranked[2:5]
    logprobs = logits[allowed].log_softmax(0)
    for other in chosen.runners_up:
        assert other.logprob == pytest.approx(logprobs[allowed.index(other.token_id)].item(), abs=1e-5)
    assert decoder.choose(logits).runners_up == ()
