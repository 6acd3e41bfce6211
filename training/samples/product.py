"""Samples in the product's own prompt form: its plans, its layout, at cursor sites an editor would ask for.

Several sites of one file share one plan, as they do while somebody types; the plan is made of the file
without what is to be written at any of them. A file is never its own context: `RepoContext` hides it and its
copies. Knows no disk beyond a workspace's folder.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from engine.api import Segment
from engine.fim import Order
from engine.layout import Budget
from training.corpus.repository import Repository, SourceFile
from training.samples.branches import Branch, Brancher, Cursor, joined
from training.samples.contexts import Contexts
from training.samples.encoder import Encoder
from training.samples.evidence import Evidence
from training.samples.mix import ContextKind, ProductMix
from training.samples.names import RepositoryNames, Use
from training.samples.sample import Sample
from training.samples.sites import CursorSite, FileSites
from training.samples.unwritten import leaks
from training.samples.workspace import workspace

MIN_FILES = 3
MAX_FILE_CHARS = 90_000
LINES_PER_VISIT = 120
"""A file gives a sample for each so many of its lines, if the repository may give so many."""
CANDIDATES = 16
"""Sites laid out for one sample; those that the context tells something of are kept first."""
MIN_KEPT = 2
TOLD_SHARE = 0.75
MAX_MIDDLE_TOKENS = 256
MAX_DEFINITION_BUDGET = 1024

_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class Made:
    """A sample and what it is."""

    sample: Sample
    language: str
    kind: ContextKind
    order: Order
    num_told: int
    """Branches with a name that only the context tells."""
    twin: Sample | None = None
    """The same branches without context; what the context would tell has its role there too."""


class Product:
    """Makes the samples of one repository after the other."""

    def __init__(self, encoder: Encoder, mix: ProductMix) -> None:
        self._mix = mix
        self._branchers = {order: Brancher(encoder, order) for order in (Order.SPM, Order.PSM)}

    def samples(
        self, repository: Repository, seed: int, languages: frozenset[str] = frozenset()
    ) -> Iterator[Made]:
        """At most `max_samples`, of files in some languages, or in all if none is named.

        None of a repository with less than three files. Raises SamplesError.
        """
        rng = random.Random(f"{seed} {repository.key}")  # noqa: S311 - must be repeatable
        targets = _targets(repository, languages, rng)
        if len(repository.files) < MIN_FILES or not targets:
            return
        names = RepositoryNames(repository)
        made: list[Made] = []
        brancher = self._branchers[Order.SPM]
        with workspace(repository) as (root, context):
            contexts = Contexts(
                root, context, Evidence(repository, brancher.cost), brancher.layout.tokenizer.count
            )
            uses: dict[str, list[Use]] = {}
            for file in targets:
                if file.path not in uses:
                    uses[file.path] = names.uses(file.path)
                made += self._of_file(file, uses[file.path], contexts, Counter(m.kind for m in made), rng)
                if len(made) >= self._mix.max_samples:
                    break
        yield from made

    def _of_file(
        self,
        file: SourceFile,
        uses: Sequence[Use],
        contexts: Contexts,
        made: Counter[ContextKind],
        rng: random.Random,
    ) -> list[Made]:
        """One sample of a file, of the kind that is most behind its share if the file gives one; or none."""
        sites = FileSites(file.path, file.text, uses, rng)
        if not sites.has_code:
            return []
        for kind in self._most_wanted(made):
            if (found := self._sample(file, sites, uses, contexts, kind, rng)) is not None:
                return [found]
        return []

    def _most_wanted(self, made: Counter[ContextKind]) -> list[ContextKind]:
        kinds = [kind for kind, _ in self._mix.kinds if kind is not ContextKind.NONE or not self._mix.twins]
        shares = dict(self._mix.kinds)
        return sorted(kinds, key=lambda kind: made[kind] - shares[kind] * (made.total() + 1))

    def _sample(
        self,
        file: SourceFile,
        sites: FileSites,
        uses: Sequence[Use],
        contexts: Contexts,
        kind: ContextKind,
        rng: random.Random,
    ) -> Made | None:
        mix = self._mix
        candidates = sites.near_one_another(CANDIDATES, mix.elsewhere)
        count = rng.randint(mix.min_branches, mix.max_branches)
        tokens = _drawn(mix.context, rng)
        segments: Sequence[Segment] = ()
        if kind is ContextKind.PLAN and candidates:
            segments = contexts.planned(file, candidates, tokens)
        elif kind is ContextKind.DEFINITION:
            at_uses = [site for site in candidates if site.use is not None][: count + 2]
            segments = contexts.defined(file, at_uses, uses, min(tokens, MAX_DEFINITION_BUDGET), rng)
        if not candidates or (not segments and kind is not ContextKind.NONE):
            return None
        order = Order.SPM if rng.random() < mix.spm else Order.PSM
        frame = _Frame(
            self._branchers[order],
            file,
            sites.words,
            segments,
            Budget(tokens, _drawn(mix.prefix, rng), _drawn(mix.suffix, rng), MAX_MIDDLE_TOKENS),
        )
        laid = [(site, frame.branch(site)) for site in candidates if not leaks(file.text, site, segments)]
        laid = [pair for pair in laid if pair[1].num_answer <= MAX_MIDDLE_TOKENS]
        kept = sorted(_kept(laid, count, rng), key=lambda pair: pair[0].start)
        if len(kept) < MIN_KEPT:
            return None
        num_told = sum(branch.is_told for _, branch in kept)
        twin = joined([frame.bare(site, branch) for site, branch in kept]) if mix.twins else None
        return Made(joined([branch for _, branch in kept]), file.language, kind, order, num_told, twin)


@dataclass(frozen=True, slots=True)
class _Frame:
    """What the branches of one sample share."""

    brancher: Brancher
    file: SourceFile
    words: Container[int]
    segments: Sequence[Segment]
    budget: Budget

    def branch(self, site: CursorSite) -> Branch:
        """A site with the context."""
        return self.brancher.branch(self._cursor(site), self.segments, self.budget)

    def bare(self, site: CursorSite, told_by: Branch) -> Branch:
        """The same without context."""
        return self.brancher.branch(self._cursor(site), (), self.budget, told_by.shown)

    def _cursor(self, site: CursorSite) -> Cursor:
        return Cursor(self.file.path, self.file.text, site.start, site.end, self.words)


def _kept(
    laid: Sequence[tuple[CursorSite, Branch]], count: int, rng: random.Random
) -> list[tuple[CursorSite, Branch]]:
    """So many branches, a share of them such that the context tells a name."""
    told = [pair for pair in laid if pair[1].is_told][: round(count * TOLD_SHARE)]
    others = [pair for pair in laid if pair not in told]
    return told + rng.sample(others, min(len(others), count - len(told)))


def _targets(repository: Repository, languages: frozenset[str], rng: random.Random) -> list[SourceFile]:
    """Files in random order, long ones several times; each once before any comes again."""
    found: list[tuple[int, float, SourceFile]] = []
    for file in repository.files:
        if (not languages or file.language in languages) and len(file.text) <= MAX_FILE_CHARS:
            visits = 1 + file.text.count("\n") // LINES_PER_VISIT
            found += [(visit, rng.random(), file) for visit in range(visits)]
    return [file for *_, file in sorted(found, key=lambda row: row[:2])]


def _drawn(weights: Sequence[tuple[_Value, float]], rng: random.Random) -> _Value:
    return rng.choices([value for value, _ in weights], [weight for _, weight in weights])[0]
