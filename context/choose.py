"""Divides a token budget among what is chosen for the file, for the cursor, excerpts that look alike, and
what the user changed lately.

What stays comes first: the frozen part is chosen once and kept while its reasons stand; what follows the
cursor stands behind it, so that moving costs the engine no more than that. Knows no disk.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from context.candidate import Candidate
from context.languages import Language
from context.lookup import Lookup
from context.pack import HEADER_TOKENS, Packer
from context.paths import folder_of
from context.plan import Considered, Frozen
from context.rank import Ranking
from context.rank_edits import NO_EDITS, Covered, PackedEdits, pack_edits, rank_edits
from context.rank_plain import rank_plain
from context.recent_edits import RecentEdit
from context.repo_map import render
from context.similar import Chunk, SimilarChunks, window_at
from context.symbols import Kind
from context.uses import Uses, uses_of
from engine.api import Segment

FROZEN_SHARE = 0.5
NEAR_SHARE = 0.3
"""Of the whole budget; excerpts have the rest, and what is left over goes to the file again."""
EDIT_SHARE = 0.25
"""What the user changed lately may take so much: at the excerpts' cost, in small budgets at all others'. At
256 tokens, edits of lines that use the site's name made 52 of 202 lines right, unrelated ones 47, none 46.
"""
SMALL_BUDGET = 384
"""Tokens up to which parts would be in each other's way: what is near the cursor may have it all."""
SMALL_FILE_LINES = 80
"""A file of the same folder up to this length may be shown whole."""
MAX_WHOLE_FILES = 3
MAX_CHUNKS = 12
MAX_CHARS_PER_TOKEN = 8
"""More than code has in any tokenizer."""
MAX_TEXT_LINES = 200
"""Of a longer file without signatures the head is shown."""


@dataclass(frozen=True, slots=True)
class Site:
    """Where the cursor stands."""

    key: str
    text: str
    """The file with `\\n` line ends."""
    offset: int
    language: Language
    opened: tuple[str, ...]
    """Open files, the most recently opened first."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What was chosen."""

    segments: tuple[Segment, ...]
    num_tokens: int
    """Of all segments with their headers."""
    considered: tuple[Considered, ...]
    frozen: Frozen | None


class _Packed(NamedTuple):
    segments: tuple[Segment, ...]
    num_tokens: int
    considered: tuple[Considered, ...]
    chosen: Mapping[str, frozenset[int]]


class Chooser:
    """One choice in the making."""

    def __init__(
        self,
        lookup: Lookup,
        site: Site,
        *,
        budget_tokens: int,
        count_tokens: Callable[[str], int],
        text_of: Callable[[str], str],
        similar: SimilarChunks,
        edits: Sequence[RecentEdit] = (),
    ) -> None:
        self._lookup = lookup
        self._site = site
        self._budget = budget_tokens
        frozen, near = (0.0, 1.0) if budget_tokens <= SMALL_BUDGET else (FROZEN_SHARE, NEAR_SHARE)
        self._frozen_end = int(budget_tokens * frozen)
        self._near_end = int(budget_tokens * (frozen + near))
        """Up to where in the budget the part of the cursor goes."""
        self._count = count_tokens
        self._text_of = text_of
        self._similar = similar
        self._edits = edits
        self._edit_tokens = int(budget_tokens * EDIT_SHARE)

    def choose(self, previous: Frozen | None, is_complete: bool) -> Choice:
        """The choice; the frozen part of the last one is kept if it still holds."""
        if self._site.language.grammar is None:
            return self._by_text()
        uses = uses_of(self._site.text, self._site.offset, self._site.language)
        ranking = Ranking(self._lookup, self._site.key, uses, self._site.opened)
        reason = (self._budget, is_complete, ranking.modules, _import_rows(uses))
        is_kept = previous is not None and previous.reason == reason and self._still_says(previous)
        frozen = previous if previous is not None and is_kept else self._freeze(ranking, reason)
        near_tokens = self._near_end - frozen.num_tokens
        near = self._pack(ranking.for_cursor(), near_tokens, frozen.chosen)
        edits = self._recent((*frozen.segments, *near.segments))
        if edits.num_tokens > self._budget - frozen.num_tokens - near.num_tokens:
            near = self._pack(ranking.for_cursor(), near_tokens - edits.num_tokens, frozen.chosen)
        chosen = _joined(frozen.chosen, near.chosen)
        left = self._budget - frozen.num_tokens - near.num_tokens - edits.num_tokens
        excerpts, excerpt_tokens = self._excerpts(left, _joined_lines(self._covered(chosen), edits.covered))
        rest = self._pack(ranking.for_file(), left - excerpt_tokens, chosen)
        late = (*excerpts, *edits.segments)
        return Choice(
            (*frozen.segments, *rest.segments, *near.segments, *late),
            self._budget - left + rest.num_tokens + excerpt_tokens,
            _merged([*frozen.considered, *rest.considered, *near.considered, *map(_chosen, late)]),
            frozen,
        )

    def _by_text(self) -> Choice:
        """A language without signatures: texts of open and neighbouring files, then excerpts."""
        site, hidden = self._site, self._lookup.hidden
        candidates = rank_plain(
            self._lookup.project, site.key, site.language.id, hidden, site.opened, self._head
        )
        end = min(self._near_end, self._budget - self._edit_tokens) if self._edits else self._near_end
        packer = Packer(end, self._count, self._lookup.facts)
        packer.add_all(candidates)
        texts, num_tokens, considered = packer.finish(lambda keys, _: keys[::-1], self._path)
        edits = self._recent(texts)
        num_tokens += edits.num_tokens
        whole = {key: [(0, sys.maxsize)] for key in packer.texts()}
        excerpts, excerpt_tokens = self._excerpts(
            self._budget - num_tokens, _joined_lines(whole, edits.covered)
        )
        late = (*excerpts, *edits.segments)
        considered = _merged([*considered, *map(_chosen, late)])
        return Choice((*texts, *late), num_tokens + excerpt_tokens, considered, None)

    def _still_says(self, frozen: Frozen) -> bool:
        return all(self._render(key, indices) == frozen.texts[key] for key, indices in frozen.chosen.items())

    def _freeze(self, ranking: Ranking, reason: tuple[object, ...]) -> Frozen:
        packer = Packer(self._frozen_end, self._count, self._lookup.facts)
        if self._frozen_end:
            packer.add_all(ranking.for_file())
        siblings = [row.key for row in packer.candidates() if row.kind == "sibling"]
        self._promote(packer, siblings, self._frozen_end)
        segments, num_tokens, considered = packer.finish(self._lookup.project.graph.arrange, self._path)
        chosen = packer.chosen()
        texts = {key: self._render(key, indices) for key, indices in chosen.items()}
        return Frozen(reason, segments, num_tokens, considered, chosen, texts)

    def _pack(
        self, candidates: Iterable[Candidate], budget: int, taken: Mapping[str, Collection[int]]
    ) -> _Packed:
        packer = Packer(budget, self._count, self._lookup.facts, taken)
        if not packer.is_full:
            packer.add_all(candidates)
        return _Packed(*packer.finish(self._lookup.project.graph.arrange, self._path), packer.chosen())

    def _covered(self, chosen: Mapping[str, Collection[int]]) -> dict[str, list[tuple[int, int]]]:
        """Lines that stand in the prompt as they stand in their file, bodies included."""
        covered: dict[str, list[tuple[int, int]]] = {}
        for key, indices in chosen.items():
            facts = self._lookup.facts(key)
            for row in (facts.definitions[index] for index in indices) if facts else ():
                num_lines = row.signature.count("\n")
                if row.body or num_lines > row.last_line - row.first_line:
                    covered.setdefault(key, []).append((row.first_line, row.last_line))
                elif row.kind in (Kind.CLASS, Kind.TYPE):
                    covered.setdefault(key, []).append((row.first_line, row.first_line + num_lines - 1))
        return covered

    def _excerpts(self, budget: int, covered: Covered) -> tuple[tuple[Segment, ...], int]:
        """The best excerpt last, nearest to the file itself."""
        chosen: list[Segment] = []
        used = 0
        for chunk in self._similar_chunks(covered) if budget > 2 * HEADER_TOKENS else ():
            if used + HEADER_TOKENS + len(chunk.text) // MAX_CHARS_PER_TOKEN > budget:
                continue  # counting is dear
            num_tokens = self._count(chunk.text)
            if used + num_tokens + HEADER_TOKENS <= budget:
                used += num_tokens + HEADER_TOKENS
                reason = f"similar code, lines {chunk.first_line + 1} to {chunk.last_line + 1}"
                chosen.append(Segment(self._path(chunk.key), chunk.text, "similar", reason, num_tokens))
        return tuple(reversed(chosen)), used

    def _recent(self, shown: Sequence[Segment]) -> PackedEdits:
        """What the user changed lately and is not shown yet."""
        if not self._edits:
            return NO_EDITS
        site, project, hidden = self._site, self._lookup.project, self._lookup.hidden

        def may_be_seen(key: str) -> bool:
            return key in project.entries and (key == site.key or key not in hidden)

        ranked = rank_edits(
            [edit for edit in self._edits if may_be_seen(edit.key)],
            site.key,
            site.text,
            site.offset,
            lambda words: project.words.idfs(words, hidden),
        )
        return pack_edits(ranked, self._edit_tokens, self._count, self._path, shown)

    def _similar_chunks(self, covered: Covered) -> Sequence[Chunk]:
        site = self._site
        near = (*site.opened, *self._lookup.project.in_folder(folder_of(site.key)))
        window = window_at(site.text, site.offset)
        skip = self._lookup.hidden
        return self._similar.find(window, skip=skip, near=near, limit=MAX_CHUNKS, covered=covered)

    def _promote(self, packer: Packer, keys: Sequence[str], budget: int) -> None:
        """Where half of the budget is left, small files of the same folder are shown whole."""
        for key in keys[:MAX_WHOLE_FILES]:
            if packer.free_tokens * 2 < budget:
                return
            text = self._text_of(key)
            if 0 < text.count("\n") <= SMALL_FILE_LINES:
                packer.promote(key, text.rstrip("\n") + "\n")

    def _render(self, key: str, indices: Collection[int]) -> str:
        facts = self._lookup.facts(key)
        if facts is None or any(index >= len(facts.definitions) for index in indices):
            return ""
        return render(facts, dict.fromkeys(indices, True))

    def _head(self, key: str) -> str:
        lines = self._text_of(key).split("\n", MAX_TEXT_LINES)[:MAX_TEXT_LINES]
        text = "\n".join(lines).rstrip("\n")
        return text + "\n" if text else ""

    def _path(self, key: str) -> str:
        return self._lookup.project.entries[key].path


def _joined(*parts: Mapping[str, frozenset[int]]) -> dict[str, frozenset[int]]:
    keys = {key for part in parts for key in part}
    return {key: frozenset().union(*(part.get(key, ()) for part in parts)) for key in keys}


def _joined_lines(*parts: Covered) -> dict[str, list[tuple[int, int]]]:
    keys = {key for part in parts for key in part}
    return {key: [row for part in parts for row in part.get(key, ())] for key in keys}


def _chosen(segment: Segment) -> Considered:
    return Considered(segment.path, segment.reason, segment.num_tokens, chosen=True)


def _merged(rows: Sequence[Considered]) -> tuple[Considered, ...]:
    """One row per file: where any part of the prompt holds it, what it takes in all of them."""
    found: dict[str, Considered] = {}
    for row in rows:
        before = found.get(row.path)
        if before is None or (row.chosen and not before.chosen):
            found[row.path] = row
        elif row.chosen:
            reason = f"{before.reason}; {row.reason}"
            found[row.path] = Considered(row.path, reason, before.num_tokens + row.num_tokens, chosen=True)
    return tuple(found.values())


def _import_rows(uses: Uses) -> tuple[tuple[object, ...], ...]:
    return tuple((row.module, row.level, row.names, row.alias) for row in uses.facts.imports)
