"""Retrieval with the answer: the definitions of its names in other files, then windows most like the answer.

What a method could reach that knew what will be written; not a bound on what the model can do.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from benchmarks.context_quality.conditions.base import Cost, filled
from benchmarks.context_quality.conditions.bm25 import around_cursor, window_index
from benchmarks.context_quality.conditions.windows import Window, words_of
from benchmarks.context_quality.corpus import Corpus
from benchmarks.context_quality.sites import Site
from engine.api import Segment

DEFINITION_LINES = 20
MAX_DEFINITIONS = 3
"""Of one name: a name defined everywhere says nothing."""
_NAME = re.compile(r"[^\W\d]\w*")


class Oracle:
    """Context chosen by somebody who has read the answer."""

    def __init__(self, corpus: Corpus, cost: Cost) -> None:
        self._corpus = corpus
        self._cost = cost
        self._index = window_index(corpus)

    def segments(self, site: Site, budget_tokens: int) -> Sequence[Segment]:
        """Definitions first, then windows, as many as fit."""
        query = words_of(site.answer)
        windows = self._index.ranked(query * 2 + words_of(around_cursor(site, 3, 0)), site.path)
        pieces = [*self._definitions(site), *(window.segment("like the answer") for window in windows)]
        return filled(dict.fromkeys(pieces), budget_tokens, self._cost)

    def _definitions(self, site: Site) -> Iterator[Segment]:
        elsewhere = [place for place in site.definitions if place.path != site.path]
        for definition in elsewhere[:MAX_DEFINITIONS]:
            yield self._window(definition.path, definition.line).segment(f"defines {site.name}")
        for name in dict.fromkeys(_NAME.findall(site.answer)):
            places = self._places(name, site.path)
            if name != site.name and 0 < len(places) <= MAX_DEFINITIONS:
                for path, line in places:
                    yield self._window(path, line).segment(f"defines {name}")

    def _places(self, name: str, target: str) -> list[tuple[str, int]]:
        pattern = _defining(name)
        found: list[tuple[str, int]] = []
        for path, text in self._corpus.files.items():
            if path != target and name in text:
                found += [(path, text.count("\n", 0, match.start())) for match in pattern.finditer(text)]
        return found

    def _window(self, path: str, line: int) -> Window:
        lines = self._corpus.files[path].split("\n")
        return Window(path, "\n".join(lines[line : line + DEFINITION_LINES]))


def _defining(name: str) -> re.Pattern[str]:
    """`def`, `class`, `function`, or an assignment at the start of a line, in Python and JavaScript alike."""
    word = re.escape(name)
    keywords = (
        rf"(?:async\s+|export\s+|default\s+|static\s+)*(?:def|class|function\*?|const|let|var)\s+{word}\b"
    )
    assigned = rf"(?:[\w.]+\.)?{word}\s*(?:=(?!=)|:[^=\n]*=)"
    method = rf"(?:async\s+|static\s+)*{word}\s*\([^)\n]*\)\s*\{{"
    return re.compile(rf"^[ \t]*(?:{keywords}|{assigned}|{method})", re.MULTILINE)
