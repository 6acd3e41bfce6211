"""A recorded editing session, step by step: what was edited when, and what was typed after each key.

Reads VS Code's workspace recordings (JSON, gzipped). Offsets in them are UTF-16 code units, as JavaScript
counts, and become code points here. Knows no server.

What came after a key is the text that stands behind the cursor at the end of the run: the run goes on while
edits fall into what was typed since the key or end right behind it, so corrections within it count as made.
"""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.replay.document import from_utf16

NAME = "vscode-recordings/session-92min.recording.json.gz"
FOLDER = "GHOSTFILL_BENCH"
"""Environment variable that names the folder of evaluation data."""
LONGEST_GAP_S = 2.0
"""Longer pauses are shortened to this, so that a run ends."""
MAX_RUN = 100
"""Edits that are looked at after a key."""


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace a range by a text; of several, all ranges are those before any is made."""

    start: int
    end: int
    text: str

    @property
    def key_end(self) -> int | None:
        """Where the cursor is if one key made this edit: a character, or a line end and its indentation."""
        is_line_end = self.text.startswith(("\n", "\r\n")) and not self.text.strip()
        is_key = self.start == self.end and (len(self.text) == 1 or is_line_end)
        return self.start + len(self.text) if is_key else None


@dataclass(slots=True)
class Step:
    """One moment of the session."""

    seconds: float
    """Since the first step, with long pauses shortened."""
    path: str
    content: str | None = None
    """The file's whole text is this; without it, `edits` are made."""
    edits: Sequence[Edit] = ()
    came: str = ""
    """Behind a key: what was typed there."""
    came_by: list[tuple[int, int]] = field(default_factory=list)
    """The keys that typed it: where in `came`, and the number of their step."""

    @property
    def key_end(self) -> int | None:
        """Where the cursor is if this step is a typed key."""
        return self.edits[0].key_end if len(self.edits) == 1 else None


def recording_path() -> Path | None:
    """Where the recording lies; None where it does not."""
    folder = os.environ.get(FOLDER)
    near = Path(__file__).resolve().parents[2].parent / "shared" / "bench"
    path = (Path(folder) if folder else near) / NAME
    return path if path.is_file() else None


def read(path: Path) -> list[Step]:
    """All steps of a recording."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return steps_of(json.load(file)["log"])


def steps_of(log: Iterable[dict[str, Any]]) -> list[Step]:
    """The steps of a log."""
    paths: dict[int, str] = {}
    texts: dict[int, str] = {}
    stored: dict[str, str] = {}
    steps: list[Step] = []
    clock = _Clock()
    for entry in log:
        number = entry.get("id", -1)
        match entry["kind"]:
            case "documentEncountered":
                paths[number] = entry["relativePath"].replace("\\", "/")
            case "setContent" | "restoreContent":
                content = entry["content"] if "content" in entry else stored[entry["contentId"]]
                texts[number] = content
                steps.append(Step(clock.seconds(entry["time"]), paths[number], content))
            case "storeContent":
                stored[entry["contentId"]] = texts[number]
            case "changed":
                edits = _edits(entry["edit"], texts[number])
                texts[number] = applied(texts[number], edits)
                steps.append(Step(clock.seconds(entry["time"]), paths[number], edits=edits))
    _look_ahead(steps)
    return steps


def applied(text: str, edits: Sequence[Edit]) -> str:
    """The text after all edits of a step."""
    for edit in reversed(edits):
        text = text[: edit.start] + edit.text + text[edit.end :]
    return text


class _Clock:
    """Recorded milliseconds become seconds without long pauses; time never goes back."""

    def __init__(self) -> None:
        self._last: float | None = None
        self._seconds = 0.0

    def seconds(self, milliseconds: float) -> float:
        if self._last is not None:
            self._seconds += min(LONGEST_GAP_S, max(0.0, (milliseconds - self._last) / 1000))
        self._last = max(milliseconds, self._last or milliseconds)
        return self._seconds


def _edits(recorded: Iterable[tuple[int, int, str]], text: str) -> list[Edit]:
    found = [_edit(text, from_utf16(text, start), from_utf16(text, end), new) for start, end, new in recorded]
    return sorted(found, key=lambda edit: edit.start)


def _edit(text: str, start: int, end: int, new: str) -> Edit:
    """A popup replaces the word that is begun by the whole word: only its rest is new."""
    old = text[start:end]
    if old and new != old and new.startswith(old):
        return Edit(end, end, new[len(old) :])
    return Edit(start, end, new)


def _look_ahead(steps: Sequence[Step]) -> None:
    """Fill in what came after each key."""
    later: dict[str, list[int]] = {}
    for number, step in enumerate(steps):
        later.setdefault(step.path, []).append(number)
    for numbers in later.values():
        for place, number in enumerate(numbers):
            if steps[number].key_end is not None:
                _follow(steps, number, numbers[place + 1 : place + 1 + MAX_RUN])


def _follow(steps: Sequence[Step], number: int, later: Sequence[int]) -> None:
    step = steps[number]
    cursor = step.key_end
    assert cursor is not None, "asked for keys only"
    came = ""
    for next_number in later:
        following = steps[next_number]
        if following.content is not None or len(following.edits) != 1:
            break
        edit = following.edits[0]
        start, end = edit.start - cursor, edit.end - cursor
        if start < 0 or start > len(came):
            break
        came = came[:start] + edit.text + came[end:]
        if edit.key_end is not None:
            step.came_by.append((start, next_number))
    step.came = came
