"""From packages to rows: sites, the context of every condition, the model's answers. Prints progress only."""

from __future__ import annotations

import random
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from benchmarks.context_quality.answers import Answerer
from benchmarks.context_quality.conditions.base import Condition, Maker
from benchmarks.context_quality.conditions.bm25 import Bm25Windows
from benchmarks.context_quality.conditions.ghostfill import Ghostfill
from benchmarks.context_quality.conditions.imports import ImportedFiles
from benchmarks.context_quality.conditions.open_tabs import OpenTabs
from benchmarks.context_quality.conditions.oracle import Oracle
from benchmarks.context_quality.conditions.ring import Ring
from benchmarks.context_quality.corpus import Corpus
from benchmarks.context_quality.packages import Package
from benchmarks.context_quality.score import Row, score
from benchmarks.context_quality.selfcheck import check_context, check_scores, check_sources
from benchmarks.context_quality.sites import Origin, Site, choose, names_of
from engine.api import Segment

NONE, SHUFFLED = "none", "shuffled"
GHOSTFILL = "ghostfill"
"""As the product does: of the budget no more than the model reads well (`FimFormat.max_context_tokens`)."""
GHOSTFILL_FULL = "ghostfill_full"
"""The whole budget, whatever the model makes of it."""
BASELINES: dict[str, Maker] = {
    "open_tabs": OpenTabs,
    "bm25": Bm25Windows,
    "ring": Ring,
    "imports": ImportedFiles,
    "oracle": Oracle,
}
CONDITIONS = (NONE, *BASELINES, SHUFFLED, GHOSTFILL_FULL, GHOSTFILL)
TELL_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be measured."""

    packages: Sequence[Package]
    budgets: Sequence[int]
    conditions: Sequence[str]
    num_sites: Mapping[Origin, int]
    """At most, of each class in all packages together."""
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Question:
    """A site and the segments of one condition at one budget."""

    site: Site
    condition: str
    budget_tokens: int
    segments: Sequence[Segment] = field(repr=False)


_Contexts = dict[tuple[Site, str, int], Sequence[Segment]]


async def measure(order: Order, answerer: Answerer) -> list[Row]:
    """Every site under every condition and budget; raises SelfCheckError before anything is asked."""
    corpora = {package.name: read(package) for package in order.packages}
    sites = chosen_sites(list(corpora.values()), order.num_sites, order.seed)
    tell(f"{len(sites)} sites: {dict(Counter(f'{site.language} {site.origin}' for site in sites))}")
    check_scores(sites)
    check_context(answerer.info.tokenizer.count, sorted({site.language for site in sites}))
    questions = list(_questions(order, sites, _contexts(order, corpora, sites, answerer)))
    rows: list[Row] = []
    begun = last = time.monotonic()
    for num, question in enumerate(questions):
        site, budget = question.site, question.budget_tokens
        answer, taken = await answerer.answer(site, question.segments, budget)
        rows.append(Row(site, question.condition, budget, taken, answer, score(site, answer)))
        if time.monotonic() - last > TELL_SECONDS:
            last = time.monotonic()
            tell(f"{num + 1} of {len(questions)} answers, {answerer.num_asked} new, {last - begun:.0f} s")
    return rows


def chosen_sites(corpora: Sequence[Corpus], limits: Mapping[Origin, int], seed: int) -> list[Site]:
    """At most so many sites of each class, one of each package in turn until it has no more.

    The sites of one class do not depend on which other classes are asked for.
    """
    return [site for origin in limits for site in _of_class(corpora, origin, limits[origin], seed)]


def _of_class(corpora: Sequence[Corpus], origin: Origin, limit: int, seed: int) -> Iterator[Site]:
    queues = [choose(corpus, names_of(corpus), frozenset({origin}), seed) for corpus in corpora]
    while queues and limit:
        turn = [(queue, next(queue, None)) for queue in queues]
        found = [site for _, site in turn if site is not None][:limit]
        yield from found
        limit -= len(found)
        queues = [queue for queue, site in turn if site is not None]


def read(package: Package) -> Corpus:
    """Unpack and read; raises RuntimeError if it cannot be downloaded."""
    return Corpus.read(package.name, package.language, package.unpacked())


def tell(line: str) -> None:
    """Progress, beside the result."""
    print(f"context_quality: {line}", file=sys.stderr, flush=True)


def _contexts(
    order: Order, corpora: Mapping[str, Corpus], sites: Sequence[Site], answerer: Answerer
) -> _Contexts:
    """What each condition sends at each site and budget; the shuffled repository borrows ours."""
    found: _Contexts = {}
    for name, corpus in corpora.items():
        here = [site for site in sites if site.package == name]
        tell(f"{name}: {len(corpus.files)} files, {len(here)} sites")
        for condition in [name for name in BASELINES if name in order.conditions] if here else ():
            _add(found, condition, BASELINES[condition](corpus, answerer.cost), here, order.budgets)
        if here and {GHOSTFILL, GHOSTFILL_FULL, SHUFFLED} & {*order.conditions}:
            ours = Ghostfill(corpus.root, answerer.info.tokenizer.count)
            most = answerer.info.layout.fim.max_context_tokens
            try:
                _add(found, GHOSTFILL_FULL, ours, here, order.budgets)
                _add(found, GHOSTFILL, ours, here, order.budgets, most)
            finally:
                ours.close()
    return found


def _add(
    found: _Contexts,
    name: str,
    condition: Condition,
    sites: Sequence[Site],
    budgets: Sequence[int],
    most: int | None = None,
) -> None:
    for site in sites:
        for budget in budgets if site.origin is Origin.CROSS_FILE else budgets[:1]:
            found[site, name, budget] = condition.segments(site, min(budget, most or budget))
            check_sources(site, found[site, name, budget])


def _questions(order: Order, sites: Sequence[Site], contexts: _Contexts) -> Iterator[Question]:
    """Site by site. Without context there is one question for all budgets, whose budget is 0."""
    for site in sites:
        for condition in order.conditions:
            if condition == NONE:
                yield Question(site, NONE, 0, ())
                continue
            source = _donor(site, sites, order.seed) if condition == SHUFFLED else site
            name = GHOSTFILL if condition == SHUFFLED else condition
            # the other classes are there to see harm: one budget tells
            for budget in order.budgets if site.origin is Origin.CROSS_FILE else order.budgets[:1]:
                yield Question(site, condition, budget, contexts[source, name, budget])


def _donor(site: Site, sites: Sequence[Site], seed: int) -> Site:
    """A site of another package in the same language."""
    strangers = [
        other
        for other in sites
        if other.package != site.package
        and other.language == site.language
        and other.origin is Origin.CROSS_FILE
    ]
    if not strangers:
        raise RuntimeError(f"shuffled needs a second {site.language} package beside {site.package}")
    chance = random.Random(f"{seed} {site.package} {site.path} {site.hole.offset}")  # noqa: S311 - repeatable
    return chance.choice(strangers)
