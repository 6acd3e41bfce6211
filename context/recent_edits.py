"""Which lines the user changed in the last minutes: ranges that move with later edits, never old text.

Told of every text that an open file takes on. Knows no disk, no budgets and no relevance.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from typing import NamedTuple

from context.source import normalize

MAX_EDITS = 16
MAX_AGE_SECONDS = 600.0
NEAR_LINES = 8
"""Changes so close to each other are one edit..."""
MAX_EDIT_LINES = 20
"""...as long as that is no longer than this: a function that grows line by line is several."""
MAX_CHARS = 256_000
"""Changes of longer files are not looked for."""
MAX_REPLACED_LINES = 200
"""Nobody replaces more in one go by hand; beyond it lines are not matched one by one either."""
MAX_REPLACED_SHARE = 0.6
"""A change of more of the file's lines than this is a reload: a checkout, a formatter."""
FEW_LINES = 20
"""A change of so few lines is no reload, however short the file."""
MAX_RUNS = 8
"""A change at more places is a tool's."""


@dataclass(frozen=True, slots=True)
class RecentEdit:
    """Lines changed lately, in their file as it is now."""

    key: str
    first_line: int
    """From zero."""
    last_line: int
    """Included."""
    lines: Sequence[str]
    """Of the whole file."""
    age_seconds: float

    @property
    def changed(self) -> Sequence[str]:
        """The lines of the edit itself."""
        return self.lines[self.first_line : self.last_line + 1]


@dataclass(frozen=True, slots=True)
class _Range:
    key: str
    first_line: int
    last_line: int
    time: float


class Run(NamedTuple):
    """Lines of an old text and those that stand for them in a new one; ends are not included."""

    old_first: int
    old_end: int
    new_first: int
    new_end: int


class RecentEdits:
    """The latest edits of one workspace. Thread-safe. Keys are what the caller names files by."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._texts: dict[str, str] = {}
        """What the ranges of a file refer to."""
        self._closed: set[str] = set()
        self._ranges: list[_Range] = []
        """The newest last."""
        self._num_noted: Counter[str] = Counter()

    def note(self, key: str, text: str) -> None:
        """The text of an open file. The first one since it was opened is no edit."""
        if len(text) > MAX_CHARS:
            self._forget(key)
            return
        text = normalize(text)
        with self._lock:
            before = self._texts.get(key)
            is_reopened = key in self._closed
            self._texts[key] = text
            self._closed.discard(key)
            if before is None or before == text:
                return
            self._num_noted[key] += 1
            mine = [row for row in self._ranges if row.key == key]
            self._ranges = [row for row in self._ranges if row.key != key]
            if not is_reopened:
                self._ranges += self._changed(key, mine, before.split("\n"), text.split("\n"))
                self._ranges.sort(key=lambda row: row.time)
                del self._ranges[:-MAX_EDITS]

    def note_closed(self, key: str) -> None:
        """Its edits stay for as long as the disk says what its buffer said."""
        with self._lock:
            if any(row.key == key for row in self._ranges):
                self._closed.add(key)
            else:
                self._texts.pop(key, None)

    def num_noted_elsewhere(self, key: str) -> int:
        """Grows with each change of a file other than this one."""
        with self._lock:
            return self._num_noted.total() - self._num_noted[key]

    def newest(self, text_of: Callable[[str], str]) -> Iterator[RecentEdit]:
        """The edits of the last minutes, the newest first, where they stand in the texts as they are now."""
        with self._lock:
            now = self._clock()
            self._ranges = [row for row in self._ranges if now - row.time < MAX_AGE_SECONDS]
            for key in self._closed - {row.key for row in self._ranges}:
                self._closed.discard(key)
                del self._texts[key]
            ranges, texts = self._ranges[::-1], dict(self._texts)
        moves: dict[str, tuple[Sequence[str], list[Run] | None]] = {}
        for row in ranges:
            if row.key not in moves:
                moves[row.key] = _lines_now(texts[row.key], text_of(row.key))
            lines, runs = moves[row.key]
            place = _moved(row, runs, lines) if runs is not None else None
            if place is not None:
                yield RecentEdit(row.key, place.first_line, place.last_line, lines, now - row.time)

    def _forget(self, key: str) -> None:
        with self._lock:
            self._texts.pop(key, None)
            self._closed.discard(key)
            self._ranges = [row for row in self._ranges if row.key != key]

    def _changed(self, key: str, rows: list[_Range], old: list[str], new: list[str]) -> list[_Range]:
        """The ranges of a file after a change; none after a reload."""
        runs = changed_runs(old, new)
        if _is_reload(runs, len(old), len(new)):
            return []
        moved = [place for row in rows if (place := _moved(row, runs, new)) is not None]
        for run in runs if len(runs) <= MAX_RUNS else ():
            edit = _Range(key, run.new_first, run.new_end - 1, self._clock())
            if any(line.strip() for line in new[run.new_first : run.new_end]):
                moved = _with_edit(moved, edit)
        return moved


def changed_runs(old: Sequence[str], new: Sequence[str]) -> list[Run]:
    """Where the lines of a text differ from those of the text before, in order."""
    limit = min(len(old), len(new))
    head = next((at for at in range(limit) if old[at] != new[at]), limit)
    limit -= head
    tail = next((at for at in range(limit) if old[~at] != new[~at]), limit)
    before, after = old[head : len(old) - tail], new[head : len(new) - tail]
    if not before and not after:
        return []
    if len(before) == len(after):
        return _pairwise(before, after, head)
    if not before or not after or max(len(before), len(after)) > MAX_REPLACED_LINES:
        return [Run(head, head + len(before), head, head + len(after))]
    return [
        Run(head + first, head + end, head + new_first, head + new_end)
        for tag, first, end, new_first, new_end in SequenceMatcher(None, before, after).get_opcodes()
        if tag != "equal"
    ]


def _pairwise(before: Sequence[str], after: Sequence[str], head: int) -> list[Run]:
    """As many lines as before: a name changed in many places is as many runs."""
    runs: list[Run] = []
    for line, (one, other) in enumerate(zip(before, after, strict=True), head):
        if one == other:
            continue
        if runs and runs[-1].new_end == line:
            runs[-1] = Run(runs[-1].old_first, line + 1, runs[-1].new_first, line + 1)
        else:
            runs.append(Run(line, line + 1, line, line + 1))
    return runs


def _is_reload(runs: Sequence[Run], num_old: int, num_new: int) -> bool:
    """Whether a change was hardly made by hand."""
    replaced = [(run.old_end - run.old_first, run.new_end - run.new_first) for run in runs]
    num_changed = max(sum(old for old, _ in replaced), sum(new for _, new in replaced))
    is_most = num_changed > max(FEW_LINES, MAX_REPLACED_SHARE * max(num_old, num_new))
    return is_most or any(min(old, new) > MAX_REPLACED_LINES for old, new in replaced)


def _with_edit(rows: list[_Range], edit: _Range) -> list[_Range]:
    """The edits of a file and a new one, which takes in those nearby and those inside it."""
    kept: list[_Range] = []
    for row in sorted(rows, key=lambda row: -row.time):
        first, last = min(row.first_line, edit.first_line), max(row.last_line, edit.last_line)
        is_inside = (first, last) == (edit.first_line, edit.last_line)
        is_near = max(row.first_line, edit.first_line) - min(row.last_line, edit.last_line) <= NEAR_LINES
        if is_inside or (is_near and last - first < MAX_EDIT_LINES):
            edit = replace(edit, first_line=first, last_line=last)
        else:
            kept.append(row)
    return [*kept, edit]


def _lines_now(noted: str, text: str) -> tuple[Sequence[str], list[Run] | None]:
    """The lines of a file and how it differs from what was noted; None: no edit of it can be found again."""
    lines = text.split("\n")
    if text == noted or len(text) > MAX_CHARS:
        return lines, [] if text == noted else None
    before = noted.split("\n")
    runs = changed_runs(before, lines)
    return lines, None if _is_reload(runs, len(before), len(lines)) else runs


def _moved(row: _Range, runs: Sequence[Run], lines: Sequence[str]) -> _Range | None:
    """A range after a change, in the new lines; None if nothing of its text is left."""
    first = _line_after(row.first_line, runs, is_last=False)
    last = _line_after(row.last_line, runs, is_last=True)
    if not any(line.strip() for line in lines[first : last + 1]):
        return None
    return replace(row, first_line=first, last_line=last)


def _line_after(line: int, runs: Sequence[Run], *, is_last: bool) -> int:
    """Where a line stands after a change; one that was replaced is the first or last of its replacement."""
    shift = 0
    for run in runs:
        if line < run.old_first:
            break
        if line < run.old_end:
            return run.new_end - 1 if is_last else run.new_first
        shift = run.new_end - run.old_end
    return line + shift
