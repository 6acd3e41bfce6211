"""A package's source files as the corpus keeps them, one gzipped file of JSON lines each. No filters."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

SUFFIX = ".jsonl.gz"


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file."""

    path: str
    """Relative to the repository's root, with forward slashes."""
    language: str
    text: str


@dataclass(frozen=True, slots=True)
class Repository:
    """One package at one version."""

    key: str
    """`pypi-attrs-25.3.0`: registry, name and version; also its file's name."""
    licence: str
    """An SPDX expression."""
    files: tuple[SourceFile, ...]
    """In the corpus: what a file imports stands before it."""

    def write(self, folder: Path) -> Path:
        """Keep it in `folder`, whole or not at all; raises OSError."""
        path = folder / (self.key + SUFFIX)
        partial = path.with_suffix(f".{os.getpid()}.partial")
        try:
            with gzip.open(partial, "wt", encoding="utf-8", compresslevel=6) as lines:
                lines.write(json.dumps({"key": self.key, "licence": self.licence}) + "\n")
                lines.writelines(json.dumps(asdict(file), ensure_ascii=False) + "\n" for file in self.files)
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
        return path

    @classmethod
    def read(cls, path: Path) -> Repository:
        """Raises OSError."""
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            head = json.loads(next(lines))
            return cls(head["key"], head["licence"], tuple(SourceFile(**json.loads(line)) for line in lines))


def repositories(folder: Path) -> Iterator[Repository]:
    """All that a folder keeps, by key."""
    for path in sorted(folder.glob("*" + SUFFIX)):
        yield Repository.read(path)
