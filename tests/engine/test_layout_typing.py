"""What a key costs: tokens that no earlier prompt begins with, while real code is typed as in an editor."""

from __future__ import annotations

import ast
import functools
import itertools
import re
import statistics
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from engine.api import Segment
from engine.fim import FORMATS, Order
from engine.layout import TAIL_TOKENS, Budget, Layout, Prompt
from engine.model_folder import BUILTIN_FOLDER
from engine.runtime.kv_cache import common_length
from engine.tokens import Tokenizer

REAL_FILE = Path(ast.__file__).read_text(encoding="utf-8")
SEGMENTS = (Segment("tokens.py", REAL_FILE[:900], "definition", "test"),)
PROMPTS_HELD = 4
NUM_MARKS = 2
"""Of an anchored prompt, around the suffix."""
CLOSER_OF = dict(zip("([{'\"", ")]}'\"", strict=True))
NEXT_LINE = re.compile(r"\n *")


class Key(NamedTuple):
    """The document once a key is pressed."""

    prefix: str
    suffix: str
    is_jump: bool
    """The first key at another place."""


def keys() -> Iterator[Key]:
    """Three functions of a real file are typed anew, one after the other."""
    starts = [match.end() for match in re.finditer(r"\n(?=    def visit_)", REAL_FILE)]
    for number in (4, 25, 12):
        end = REAL_FILE.index("\n", starts[number] + 350)
        yield from typed(REAL_FILE, starts[number], end)


def typed(text: str, start: int, end: int) -> Iterator[Key]:
    """`text[start:end]` is typed: the editor closes brackets and indents lines, every 20th key is wrong."""
    prefix, closers, below, at = text[:start], "", text[end:], start
    for number in range(end - start):
        if at >= end:
            return
        closer = CLOSER_OF.get(text[at], "")
        size = 1
        if text[at] == closers[:1]:
            closers = closers[1:]
        elif closer and closer in text[at + 1 : text.index("\n", at)]:
            closers = closer + closers
        elif indent := NEXT_LINE.match(text, at):
            size = len(indent.group())
        prefix, at = prefix + text[at : at + size], at + size
        wrong = ("x", "xq", "x", "") if number % 20 == 19 else ()
        for more in ("", *wrong):
            yield Key(prefix + more, closers + below, is_jump=at == start + size)


class Cost(NamedTuple):
    """Of one key."""

    tokens: int
    prompt: Prompt
    key: Key


@functools.cache
def costs(order: Order, total_tokens: int, *, hides_closers: bool) -> list[Cost]:
    """An anchor that is outgrown is moved and read before the next key."""
    layout = Layout(Tokenizer.from_folder(BUILTIN_FOLDER), FORMATS["builtin"], order)
    budget = Budget.split(total_tokens, 128, layout.fim)
    held: deque[list[int]] = deque(maxlen=PROMPTS_HELD)

    def read(prompt: Prompt) -> int:
        ids = [*prompt.ids]
        known = max((common_length(ids, other) for other in held), default=0)
        held.append(ids)
        return len(ids) - known

    found: list[Cost] = []
    anchor = None
    for key in keys():
        shown = (SEGMENTS, "ast.py", key.prefix, key.suffix, budget)
        prompt = layout.prompt(*shown, anchor=anchor, hides_closers=hides_closers)
        found.append(Cost(read(prompt), prompt, key))
        anchor = prompt.anchor
        if prompt.wants_new_anchor:
            ahead = layout.prompt(*shown, hides_closers=hides_closers)
            read(ahead)
            anchor = ahead.anchor
    return found


@pytest.mark.parametrize("total_tokens", [2048, 4096, 8192])
@pytest.mark.parametrize("order", [Order.SPM, Order.ANCHORED])
def test_a_key_costs_three_tokens_at_most(
    order: Order, total_tokens: int, record_property: pytest.RecordProperty
) -> None:
    """Nine of ten do, however large the context is."""
    tokens = [cost.tokens for cost in costs(order, total_tokens, hides_closers=False) if not cost.key.is_jump]

    record_property("median tokens", statistics.median(tokens))
    record_property("mean tokens", round(statistics.mean(tokens), 1))
    record_property("most tokens", max(tokens))
    assert len(tokens) > 600
    assert statistics.quantiles(tokens, n=10)[-1] <= 3


@pytest.mark.parametrize("total_tokens", [2048, 4096, 8192])
def test_behind_an_anchor_a_key_costs_suffix_and_tail_at_most(total_tokens: int) -> None:
    """And that only where the suffix changed: the window before the anchor moves while nobody waits."""
    for old, new in itertools.pairwise(costs(Order.ANCHORED, total_tokens, hides_closers=False)):
        if not new.key.is_jump:
            is_same = new.key.suffix == old.key.suffix
            assert new.tokens <= (8 if is_same else new.prompt.suffix_tokens + NUM_MARKS + TAIL_TOKENS)


@pytest.mark.parametrize("order", [Order.SPM, Order.ANCHORED])
def test_brackets_closed_by_the_editor_cost_nothing_where_they_are_hidden(order: Order) -> None:
    """What remains is the window before the cursor, which seldom moves."""
    shown, hidden = (costs(order, 4096, hides_closers=hides) for hides in (False, True))
    moves = 0
    for old, new in itertools.pairwise(hidden):
        if not new.key.is_jump and new.prompt.prefix_tokens >= old.prompt.prefix_tokens - 100:
            assert new.tokens <= 8
        moves += not new.key.is_jump and new.tokens > 8

    assert len([cost for cost in shown if cost.tokens > 100]) > 20
    assert moves <= (2 if order is Order.SPM else 0)
