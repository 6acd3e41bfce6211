"""Which recent edits say something to the cursor, and in which lines they are shown.

An edit counts if it shares a telling name with the lines around the cursor, or is very young. One whose lines
stand around the cursor already is left out: a model would only write them once more.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from context.identifiers import identifiers
from context.pack import HEADER_TOKENS
from context.recent_edits import MAX_EDIT_LINES, RecentEdit
from context.similar import MAX_LINE_CHARS, has_secret, query_of, window_at
from context.used_names import COMMON
from engine.api import Segment

YOUNG_SECONDS = 120.0
SHOWN_BEFORE, SHOWN_AFTER = 200, 60
"""So many lines before and after the cursor are in the prompt anyway, roughly."""
AROUND_LINES = (3, 1, 0)
"""An edit is shown with so many lines around it; with fewer where there is no room."""
MAX_SHOWN = 4

Covered = Mapping[str, Sequence[tuple[int, int]]]
"""First and last lines, by key of their file."""
Idfs = Callable[[Collection[str]], Mapping[str, float]]
"""How telling words are, as `WordIndex.idfs`."""


class Form(NamedTuple):
    """One way to show an edit."""

    first_line: int
    last_line: int
    text: str
    """Whole lines; ends with a newline."""


class EditExcerpt(NamedTuple):
    """An edit to be shown in the widest of its forms that there is room for."""

    edit: RecentEdit
    forms: tuple[Form, ...]


class PackedEdits(NamedTuple):
    """The edits that are shown, the best last."""

    segments: tuple[Segment, ...]
    num_tokens: int
    """With their headers."""
    covered: Covered


NO_EDITS = PackedEdits((), 0, MappingProxyType({}))


def rank_edits(
    edits: Iterable[RecentEdit], key: str, text: str, offset: int, idfs: Idfs
) -> list[EditExcerpt]:
    """The edits worth showing at `offset` of the text of `key`, the best first, then the youngest.

    `edits` come the youngest first. Nothing depends on the text of the cursor's line.
    """
    query = query_of(window_at(text, offset))
    weights = {word: query[word] * idf for word, idf in idfs(query.keys() - COMMON).items()}
    line = text.count("\n", 0, offset)
    around = window_at(text, offset, SHOWN_BEFORE, SHOWN_AFTER).text
    said = {row.strip() for row in around.split("\n")}
    rows: list[tuple[float, EditExcerpt]] = []
    for edit in edits:
        is_shown = edit.last_line >= line - SHOWN_BEFORE and edit.first_line <= line + SHOWN_AFTER
        telling = [row for row in edit.changed if identifiers(row)]
        if (edit.key == key and is_shown) or all(row.strip() in said for row in telling):
            continue
        score = sum(weights.get(word, 0.0) for word in identifiers("\n".join(telling)))
        forms = tuple(_forms(edit)) if score > 0 or edit.age_seconds < YOUNG_SECONDS else ()
        if forms:
            rows.append((round(score, 6), EditExcerpt(edit, forms)))
    rows.sort(key=lambda row: -row[0])
    return [excerpt for _, excerpt in rows]


def pack_edits(
    excerpts: Iterable[EditExcerpt],
    budget_tokens: int,
    count_tokens: Callable[[str], int],
    path_of: Callable[[str], str],
    shown: Sequence[Segment],
) -> PackedEdits:
    """As many as fit, without those whose lines the segments `shown` hold already."""
    left = budget_tokens
    chosen: list[Segment] = []
    covered: dict[str, list[tuple[int, int]]] = {}
    for edit, forms in excerpts:
        path = path_of(edit.key)
        said = "".join(segment.text for segment in shown if segment.path == path)
        if len(chosen) == MAX_SHOWN or all(line.strip() in said for line in edit.changed):
            continue
        fitting = (form for form in forms if count_tokens(form.text) + HEADER_TOKENS <= left)
        if (form := next(fitting, None)) is not None:
            num_tokens = count_tokens(form.text)
            left -= num_tokens + HEADER_TOKENS
            reason = f"changed lately, lines {edit.first_line + 1} to {edit.last_line + 1}"
            chosen.append(Segment(path, form.text, "recent_edit", reason, num_tokens))
            covered.setdefault(edit.key, []).append((form.first_line, form.last_line))
    return PackedEdits(tuple(reversed(chosen)), budget_tokens - left, covered)


def _forms(edit: RecentEdit) -> Iterator[Form]:
    """The widest first; none where the lines are no code to be shown."""
    if any("PRIVATE KEY-----" in line for line in edit.lines):
        return
    solid = [at for at in range(edit.first_line, edit.last_line + 1) if edit.lines[at].strip()]
    begin, end = solid[0], min(solid[-1], solid[0] + MAX_EDIT_LINES - 1)
    for wanted in AROUND_LINES:
        around = min(wanted, (MAX_EDIT_LINES - 1 - end + begin) // 2)
        lines = edit.lines[max(0, begin - around) : end + around + 1]
        text = "\n".join(lines).strip("\n") + "\n"
        if max(map(len, lines)) <= MAX_LINE_CHARS and not has_secret(text):
            yield Form(max(0, begin - around), end + around, text)
