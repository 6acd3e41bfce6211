"""Every line under every layout, healed and not, at every tail: what the model says. Prints progress only."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchmarks.context_quality.answers import leader_of
from benchmarks.layout_quality.inprocess import MAX_TOKENS, Model
from benchmarks.layout_quality.lines import Line
from engine.fim import Order
from engine.layout import Budget, Layout, Prompt

BUDGET = Budget(context=0, prefix=512, suffix=256, answer=MAX_TOKENS)
"""Less than the product's, so that thousands of prompts are affordable; no repository context."""
TELL_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Variant:
    """A way to ask."""

    order: Order
    heals: bool

    @property
    def name(self) -> str:
        """As in the figures."""
        return f"{self.order}_heal" if self.heals else str(self.order)


VARIANTS = tuple(
    Variant(order, heals) for order in (Order.SPM, Order.PSM, Order.ANCHORED) for heals in (False, True)
)


@dataclass(frozen=True, slots=True)
class Row:
    """One line, asked in one way at one cursor."""

    line: Line
    variant: Variant
    tail: int
    answer: str
    is_exact: bool
    """The rest of the line, blanks at its end aside."""
    similarity: float
    """`rapidfuzz.fuzz.ratio` (Indel) as a fraction of 1."""


class Asker:
    """Makes prompts for lines, and rows of the answers."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._layouts = {
            variant.order: Layout(model.tokenizer, model.fim, variant.order) for variant in VARIANTS
        }

    def prompt(self, line: Line, variant: Variant, tail: int) -> Prompt:
        """As after typing so much of the line; an anchor stands at the line's start."""
        prefix, leader = line.prefix(tail), leader_of(line.path)
        layout = self._layouts[variant.order]
        return layout.prompt((), line.path, prefix, line.suffix, BUDGET, leader, heals=variant.heals)

    def row(self, line: Line, variant: Variant, tail: int) -> Row:
        """Ask and compare."""
        answer = self._model.line(self.prompt(line, variant, tail))
        is_exact, similarity = score(line.rest(tail), answer)
        return Row(line, variant, tail, answer, is_exact, similarity)

    def rows(self, line: Line) -> Iterator[Row]:
        """One after the other in an order in which each prompt shares most with those before."""
        for variant in VARIANTS:
            for tail in line.tails:
                yield self.row(line, variant, tail)


def measure(lines: Sequence[Line], model: Model) -> list[Row]:
    """All rows, line by line."""
    asker = Asker(model)
    rows: list[Row] = []
    begun = last = time.monotonic()
    for num, line in enumerate(lines):
        rows += asker.rows(line)
        now = time.monotonic()
        if now - last > TELL_SECONDS:
            last = now
            told = f"{num + 1} of {len(lines)} lines, {len(rows)} answers, {model.num_asked} new"
            tell(f"{told}, {model.num_prefilled} tokens read, {now - begun:.0f} s")
    return rows


def score(wanted: str, given: str) -> tuple[bool, float]:
    """Whether it is exact, and how alike the two are."""
    from rapidfuzz import fuzz

    given, wanted = given.rstrip(), wanted.rstrip()
    return given == wanted, fuzz.ratio(given, wanted) / 100


def tell(line: str) -> None:
    """Progress, beside the result."""
    print(f"layout_quality: {line}", file=sys.stderr, flush=True)
