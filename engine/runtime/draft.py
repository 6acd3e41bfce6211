"""Drafts: ids that the model will probably say next, to be verified several at once. Knows ids, no text.

A draft makes an answer faster, never another one: what the model does not choose itself is dropped.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

MAX_DRAFTED = 15
"""A pass over the last token and so many more fills the largest size that passes are prepared for."""

LONGEST_NGRAM = 3
_ALIGNED = "aligned"
CPU_COSTS = (1.0, 1.2, 1.7, 2.1, 2.6, 3.0, 3.5, 4.0)
"""Of a pass over 1 to 8 tokens, in passes over one: measured with the built-in model on one core, between 1K
and 4K tokens. The compiled pass waits for memory with one or two; from three on arithmetic counts. More take
another way, several times as long, and are never drafted."""
DEVICE_COSTS = tuple(1 + 0.01 * size for size in range(MAX_DRAFTED + 1))
"""Elsewhere a pass waits for the weights, however few tokens read them."""
_PRIOR_RATES = {"1": 0.5, "2": 0.8, "3": 0.9, "d": 0.8}
"""By the last letter of the source: the size of the match, or `aligned`. Measured on real completions."""
_PRIOR_TRIALS = 8.0
_MEMORY = 0.98
"""Each new trial leaves so much of the older ones' weight: about the last fifty count."""


class Draft(NamedTuple):
    """Ids proposed."""

    ids: list[int]
    source: str
    """How they were found: what is found alike is about equally often right. Empty if not to be counted."""


_NONE = Draft([], "")


class Drafter:
    """Proposes what follows, for one answer.

    The first draft, which holds what is healed too, is taken from its start as long as the answer agrees with
    it. Otherwise what was said last is looked for in the drafts, then in the prompt and the answer: the
    longest match first, the latest of equals. An empty first draft agrees with nothing.
    """

    def __init__(self, prompt_ids: Sequence[int], drafts: Sequence[Sequence[int]] = ()) -> None:
        # Ids as characters: a string is searched at the speed of memory and needs no index to be built.
        self._said = _as_text(prompt_ids)
        self._drafts = [_as_text(draft) for draft in drafts if draft]
        self._num_agreed = 0 if drafts and drafts[0] else -1
        """How far the answer agrees with the first draft; -1 once it does not."""

    def add(self, token_id: int) -> None:
        """The answer goes on with this."""
        said = chr(token_id)
        self._said += said
        if self._num_agreed >= 0:
            agrees = self._drafts[0].startswith(said, self._num_agreed)
            self._num_agreed = self._num_agreed + 1 if agrees else -1

    def propose(self, limit: int = MAX_DRAFTED) -> Draft:
        """At most `limit` ids that may follow; none if nothing is known."""
        limit = min(limit, MAX_DRAFTED)
        if limit <= 0:
            return _NONE
        if 0 <= self._num_agreed < len(self._drafts[0]):
            return Draft(_as_ids(self._drafts[0][self._num_agreed :][:limit]), _ALIGNED)
        for size in range(min(LONGEST_NGRAM, len(self._said)), 0, -1):
            last = self._said[-size:]
            for name, text in self._places():
                at = text.rfind(last, 0, len(text) - 1)
                if at >= 0:
                    return Draft(_as_ids(text[at + size : at + size + limit]), f"{name}{size}")
        return _NONE

    def _places(self) -> Iterable[tuple[str, str]]:
        yield from (("draft", draft) for draft in self._drafts)
        yield "prompt", self._said


class DraftLength:
    """How many drafted ids are worth a longer pass, by how often those of a source were right so far.

    Counts what was accepted, never the clock: the same requests in the same order run the same passes.
    """

    def __init__(self, costs: Sequence[float]) -> None:
        """`costs` of passes over one token, two, and so on, in any unit."""
        self._costs = costs
        self._accepted: dict[str, float] = {}
        self._trials: dict[str, float] = {}

    def choose(self, draft: Draft) -> int:
        """How many of the draft's ids give the most tokens for what the pass costs."""
        rate = self.rate(draft.source)
        best, best_gain, expected = 0, 1 / self._costs[0], 1.0
        for size in range(1, min(len(draft.ids), len(self._costs) - 1) + 1):
            expected += rate**size
            gain = expected / self._costs[size]
            if gain > best_gain:
                best, best_gain = size, gain
        return best

    def rate(self, source: str) -> float:
        """How likely one more drafted id is right, if those before it were."""
        prior = _PRIOR_RATES.get(source[-1:], 0.5)
        trials = self._trials.get(source, 0.0)
        return (self._accepted.get(source, 0.0) + prior * _PRIOR_TRIALS) / (trials + _PRIOR_TRIALS)

    def observe(self, source: str, num_accepted: int, num_drafted: int) -> None:
        """So many of those drafted were right. The first wrong one is a trial, what follows is none."""
        num_trials = num_accepted + (num_accepted < num_drafted)
        fade = _MEMORY**num_trials
        self._accepted[source] = fade * self._accepted.get(source, 0.0) + num_accepted
        self._trials[source] = fade * self._trials.get(source, 0.0) + num_trials


def _as_text(ids: Sequence[int]) -> str:
    return "".join(map(chr, ids))


def _as_ids(text: str) -> list[int]:
    return [ord(char) for char in text]
