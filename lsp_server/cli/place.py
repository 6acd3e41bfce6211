"""A place in a file as people write it, FILE:LINE:COL, and the text around it. Knows no models."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from engine.errors import GhostfillError
from lsp_server.line_index import LineIndex

MAX_BYTES = 20_000_000
_PLACE = re.compile(r"(?P<file>.+?):(?P<line>\d+):(?P<column>\d+)")


class PlaceError(GhostfillError):
    """There is no such place, or no text there."""


@dataclass(frozen=True, slots=True)
class Place:
    """A file, and a 1-based line and column in code points."""

    file: Path
    line: int
    column: int

    def offset_in(self, text: str) -> int:
        """The offset of this place in the file's text; raises PlaceError."""
        index = LineIndex.of(text)
        if not 1 <= self.line <= len(index):
            raise PlaceError(f"{self.file} has {len(index)} lines: there is no line {self.line}.")
        start = index.start(self.line - 1)
        end = index.start(self.line) if self.line < len(index) else len(text)
        num_columns = len(text[start:end].rstrip("\r\n")) + 1
        if not 1 <= self.column <= num_columns:
            raise PlaceError(
                f"line {self.line} of {self.file} has columns 1 to {num_columns} "
                f"(the last one is its end): there is no column {self.column}."
            )
        return start + self.column - 1


def parse_place(written: str, cwd: Path) -> Place:
    """FILE:LINE:COL; raises ValueError if it is not that."""
    match = _PLACE.fullmatch(written)
    if match is None:
        raise ValueError(f"{written!r} is not FILE:LINE:COL")
    file = cwd / Path(match["file"]).expanduser()
    return Place(file, int(match["line"]), int(match["column"]))


def read_text(file: Path) -> str:
    """A source file's text as an editor shows it, bytes that are not UTF-8 replaced; raises PlaceError."""
    try:
        if not file.is_file():
            raise PlaceError(f"{file} is not a file." if file.exists() else f"{file} does not exist.")
        if file.stat().st_size > MAX_BYTES:
            raise PlaceError(f"{file} is larger than {MAX_BYTES // 1_000_000} MB.")
        data = file.read_bytes()
    except OSError as error:
        raise PlaceError(f"{file} cannot be read: {error.strerror}.") from error
    if b"\0" in data:
        raise PlaceError(f"{file} is a binary file: there is nothing to complete.")
    return data.decode("utf-8-sig", errors="replace")
