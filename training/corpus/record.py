"""What became of one package's files: kept, or dropped and why. Values and their JSON."""

from __future__ import annotations

import json
import os
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple, Self


class Kept(NamedTuple):
    """A file that stays."""

    path: str
    language: str
    num_chars: int


class Dropped(NamedTuple):
    """A file that does not."""

    path: str
    language: str
    num_chars: int
    reason: str
    detail: str = ""
    """What it resembles or repeats, or what its licence says."""


@dataclass(frozen=True, slots=True)
class Record:
    """One package."""

    key: str
    language: str
    """The table's; the files may have others."""
    licence: str
    fingerprint: str
    """Of the pipeline and of what the package was compared with: a record with another one is out of date."""
    kept: tuple[Kept, ...]
    dropped: tuple[Dropped, ...]
    is_listed: bool = True
    """Whether it comes from the table, and goes when it leaves the table."""

    def without(self, dropped: dict[str, Dropped]) -> Record:
        """After more files, by path, have been dropped."""
        return Record(
            self.key,
            self.language,
            self.licence,
            self.fingerprint,
            tuple(kept for kept in self.kept if kept.path not in dropped),
            (*self.dropped, *dropped.values()),
            self.is_listed,
        )

    def chars_by_language(self) -> Counter[str]:
        """Of what is kept."""
        counts: Counter[str] = Counter()
        for kept in self.kept:
            counts[kept.language] += kept.num_chars
        return counts

    def write(self, path: Path) -> None:
        """Whole or not at all; raises OSError."""
        partial = path.with_suffix(f".{os.getpid()}.partial")
        try:
            partial.write_text(json.dumps(asdict(self), ensure_ascii=False), encoding="utf-8")
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)

    @classmethod
    def read(cls, path: Path) -> Self | None:
        """None if there is none, or none that can be read."""
        try:
            row = json.loads(path.read_text(encoding="utf-8"))
            row["kept"] = tuple(Kept(*kept) for kept in row["kept"])
            row["dropped"] = tuple(Dropped(*dropped) for dropped in row["dropped"])
            return cls(**row)
        except (OSError, ValueError, TypeError, KeyError):
            return None
