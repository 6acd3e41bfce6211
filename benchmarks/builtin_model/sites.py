"""Cursor sites of held-out packages, the contexts of each way to ask, and rows of the answers.

Sites, conditions and scores are those of `context_quality`; every prompt is laid out as the product does.
Knows no model: asks through `Remembered`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.builtin_model import kept
from benchmarks.builtin_model.asking import Remembered, tell
from benchmarks.builtin_model.model import Ask, Reply
from benchmarks.builtin_model.weights import Weights
from benchmarks.context_quality.answers import MAX_TOKENS, leader_of
from benchmarks.context_quality.conditions.base import Condition
from benchmarks.context_quality.conditions.ghostfill import Ghostfill
from benchmarks.context_quality.conditions.oracle import Oracle
from benchmarks.context_quality.corpus import Corpus
from benchmarks.context_quality.measure import chosen_sites
from benchmarks.context_quality.score import Score, score
from benchmarks.context_quality.selfcheck import check_context, check_scores, check_sources
from benchmarks.context_quality.sites import Origin, Site
from engine.api import Segment
from engine.fim import Order
from engine.layout import MARK_TOKENS, Budget, Layout, Prompt

NONE, CONTEXT, ORACLE = "none", "context", "oracle"
"""Context is the product's own; the oracle's begins with the very definition of the site's name."""
CONDITIONS = (NONE, CONTEXT, ORACLE)


@dataclass(frozen=True, slots=True)
class Way:
    """How sites are asked."""

    condition: str
    order: Order = Order.SPM
    budget_tokens: int | None = None
    """Of context; None is what the product sends."""
    max_sites: int | None = None
    """Only the first sites, which are a fair sample; None is all of them."""
    is_for_all: bool = False
    """Sites of every class are asked, not the cross-file ones alone."""

    @property
    def name(self) -> str:
        """As in the figures: `context`, `oracle_2k`, `none_psm`."""
        size = f"_{self.budget_tokens // 1024}k" if self.budget_tokens else ""
        return self.condition + size + ("" if self.order is Order.SPM else f"_{self.order}")

    @property
    def has_loss(self) -> bool:
        """The truth's likelihood is measured as well, where the product asks so."""
        return self.order is Order.SPM and self.budget_tokens is None


@dataclass(frozen=True, slots=True)
class Row:
    """One site, asked in one way."""

    site: Site
    way: Way
    context_tokens: int
    answer: str
    score: Score
    loss: float | None
    """Sum over the truth's tokens."""
    num_truth_tokens: int


Contexts = Mapping[tuple[Site, str, int], Sequence[Segment]]
"""By site, condition and room in tokens."""


def choose(corpora: Sequence[Corpus], limits: Mapping[Origin, int], seed: int) -> list[Site]:
    """Checked sites, the same for the same seed; raises SelfCheckError."""
    file = kept.file_of(corpora, limits, seed)
    sites = kept.read(file, corpora)
    if sites is None:
        tell("looking for sites")
        sites = chosen_sites(corpora, limits, seed)
        kept.write(file, sites)
    check_scores(sites)
    tell(f"{len(sites)} sites: {dict(Counter(str(site.origin) for site in sites))}")
    return sites


def contexts(
    corpora: Sequence[Corpus], sites: Sequence[Site], ways: Sequence[Way], weights: Weights
) -> dict[tuple[Site, str, int], Sequence[Segment]]:
    """What each way shows at each site that it asks; raises SelfCheckError."""
    layout, count = Layout(weights.tokenizer, weights.fim), weights.tokenizer.count
    check_context(count, sorted({site.language for site in sites}))
    found: dict[tuple[Site, str, int], Sequence[Segment]] = {}

    def cost(segment: Segment) -> int:
        return count(layout.fim.segment_text(segment, leader_of(segment.path)))

    for corpus in corpora:
        oracle, ours = Oracle(corpus, cost), Ghostfill(corpus.root, count)
        makers: dict[str, Condition] = {ORACLE: oracle, CONTEXT: ours}
        try:
            for way in ways:
                room = way.budget_tokens or weights.context_tokens
                for site in asked(sites, way) if way.condition in makers else ():
                    key = site, way.condition, room
                    if site.package == corpus.package and key not in found:
                        found[key] = makers[way.condition].segments(site, room)
                        check_sources(site, found[key])
        finally:
            ours.close()
    return found


def asked(sites: Sequence[Site], way: Way) -> list[Site]:
    """Those that a way asks."""
    crossing = [site for site in sites if site.origin is Origin.CROSS_FILE][: way.max_sites]
    others = [site for site in sites if site.origin is not Origin.CROSS_FILE] if way.is_for_all else []
    return crossing + others


def measure(
    sites: Sequence[Site], ways: Sequence[Way], shown: Contexts, weights: Weights, answers: Remembered
) -> list[Row]:
    """All rows, way by way: the first ways are whole if a run is interrupted."""
    rows: list[Row] = []
    for way in ways:
        layout = Layout(weights.tokenizer, weights.fim, way.order)
        room = way.budget_tokens or weights.context_tokens
        here = asked(sites, way)
        prompts = [
            _prompt(layout, site, shown.get((site, way.condition, room), ()), budget(weights, room))
            for site in here
        ]
        asks = [_ask(layout, *pair, has_loss=way.has_loss) for pair in zip(here, prompts, strict=True)]
        replies = answers.replies(asks, f"{weights.name}: {way.name}")
        rows += _rows(way, here, prompts, asks, replies)
    return rows


def budget(weights: Weights, context_tokens: int) -> Budget:
    """The format's own prefix and suffix beside as much context as is measured."""
    fim = weights.fim
    own = Budget.split(fim.context_length, MAX_TOKENS, fim)
    most = fim.context_length - own.prefix - own.suffix - own.answer - MARK_TOKENS
    return Budget(min(context_tokens, most), own.prefix, own.suffix, own.answer)


def _prompt(
    layout: Layout, site: Site, segments: Sequence[Segment], room: Budget, *, heals: bool | None = None
) -> Prompt:
    hole = site.hole
    return layout.prompt(
        segments, site.path, hole.prefix, hole.suffix, room, leader_of(site.path), heals=heals
    )


def _ask(layout: Layout, site: Site, prompt: Prompt, *, has_loss: bool) -> Ask:
    rules = site.hole.stop_rules("never", 1)
    if not has_loss:
        return Ask(prompt.ids, rules, MAX_TOKENS, prompt.heal)
    # In training prefix, suffix and middle were encoded apart, wherever they were cut.
    seen = (*prompt.ids, *layout.tokenizer.encode(prompt.heal))
    middle = tuple(layout.tokenizer.encode(site.answer))
    return Ask(prompt.ids, rules, MAX_TOKENS, prompt.heal, seen, middle)


def _rows(
    way: Way, sites: Iterable[Site], prompts: Iterable[Prompt], asks: Iterable[Ask], replies: Iterable[Reply]
) -> Iterator[Row]:
    for site, prompt, ask, reply in zip(sites, prompts, asks, replies, strict=True):
        answer = reply.text.split("\n", 1)[0].strip()
        right = score(site, answer)
        yield Row(site, way, prompt.context_tokens, answer, right, reply.loss, len(ask.middle))
