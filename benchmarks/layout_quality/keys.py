"""How many tokens of a prompt are new at each key, while real functions are typed. Asks no model.

Counted by the engine's own pool of slots, with nothing in them but ids. Answers are left out, which are held
too and may turn out to be what is typed next; so is repository context, which stands first and does not
change. A new anchor is taken to be read before the next key comes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from benchmarks.context_quality.answers import leader_of
from benchmarks.context_quality.corpus import Corpus
from benchmarks.replay.stretches import Stretch, choose
from engine.anchor import Anchor
from engine.layout import Budget, Layout, Prompt
from engine.runtime.kv_cache import Slot, SlotPool

TOTAL_TOKENS, ANSWER_TOKENS = 4096, 128
NUM_SLOTS = 4
"""Half of the engine's: other documents and what is asked ahead need some too."""


class Cost(NamedTuple):
    """Tokens to read."""

    now: int
    """While the user waits."""
    ahead: int
    """Behind the answer, for a new anchor."""


class Asked(NamedTuple):
    """What one key sends."""

    prompt: Prompt
    ahead: Prompt | None
    """To be read while nobody waits."""


def stretches(corpora: Sequence[Corpus], keys_each: int, seed: int) -> list[Stretch]:
    """Functions of every Python package that take about so many keys."""
    return [
        stretch
        for corpus in corpora
        if corpus.language == "python"
        for stretch in choose(corpus, keys_each, seed)
    ]


def costs(layout: Layout, stretch: Stretch, *, heals: bool) -> Iterator[Cost]:
    """For each key after the first, the prompt tokens that no slot holds."""
    pool = _pool()
    for num, asked in enumerate(typed(layout, stretch, heals=heals)):
        now = _read(pool, asked.prompt)
        ahead = _read(pool, asked.ahead) if asked.ahead is not None else 0
        if num:
            yield Cost(now, ahead)


def typed(layout: Layout, stretch: Stretch, *, heals: bool) -> Iterator[Asked]:
    """The prompts of each key."""
    budget = Budget.split(TOTAL_TOKENS, ANSWER_TOKENS, layout.fim)
    leader = leader_of(stretch.path)
    above, below = stretch.text[: stretch.start], stretch.text[stretch.end :]

    def asked_with(anchor: Anchor | None) -> Prompt:
        prefix, suffix = above + typing.before, typing.after + below
        return layout.prompt((), stretch.path, prefix, suffix, budget, leader, anchor=anchor, heals=heals)

    typing = stretch.typing()
    anchor: Anchor | None = None
    while (key := typing.next_key()) is not None:
        typing = typing.pressed(key)
        prompt = asked_with(anchor)
        ahead = asked_with(None) if prompt.wants_new_anchor else None
        anchor = (ahead or prompt).anchor
        yield Asked(prompt, ahead)


def _pool() -> SlotPool:
    import torch

    return SlotPool(
        lambda: Slot(0, torch.float32), num_slots=NUM_SLOTS, max_tokens=NUM_SLOTS * 2 * TOTAL_TOKENS
    )


def _read(pool: SlotPool, prompt: Prompt) -> int:
    slot, reused = pool.acquire(prompt.ids)
    slot.commit(prompt.ids[reused:])
    return len(prompt.ids) - reused
