"""The checkers of one package: what they said before, what they say now, and what that makes of a fix."""

from __future__ import annotations

import ast
import shutil
import warnings
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from benchmarks.fix_quality.checkers import Mypy, added, counts, ruff
from benchmarks.fix_quality.faults import TYPED, Diagnostic, Fault, Kind
from benchmarks.fix_quality.meaning import is_right


@dataclass(frozen=True, slots=True)
class Score:
    """What a fix is worth; nothing of it is true where none was offered."""

    is_offered: bool
    parses: bool = False
    is_gone: bool = False
    """The checker no longer says what was to be fixed, and nothing that it said of neither file before."""
    is_right: bool = False
    """The program that the original is."""
    is_identical: bool = False
    """The original, to the letter."""


class Checks:
    """Of one package, copied to a folder of their own."""

    def __init__(self, root: Path, scratch: Path) -> None:
        self._root = scratch / "checked" / root.name
        self._cache = scratch / "mypy"
        shutil.copytree(root, self._root)
        self._before: dict[str, list[Diagnostic]] = {}

    def before(self, kind: Kind, path: str) -> list[Diagnostic]:
        """What the kind's checker says of the original; raises CheckerError."""
        if kind in TYPED:
            return self._mypy.before
        if path not in self._before:
            self._before[path] = ruff(path, (self._root / path).read_bytes().decode())
        return self._before[path]

    def now(self, kind: Kind, path: str, text: str) -> list[Diagnostic]:
        """What it says where the file reads so; raises CheckerError."""
        return self._mypy.check(path, text) if kind in TYPED else ruff(path, text)

    def added(self, kind: Kind, path: str, text: str) -> list[Diagnostic]:
        """What it did not say of the original; raises CheckerError."""
        return added(self.before(kind, path), self.now(kind, path, text))

    def is_checked(self, kind: Kind, path: str) -> bool:
        """Whether the kind's checker reads the file: beside a stub file, mypy does not."""
        return kind not in TYPED or not (self._root / f"{path}i").exists()

    def score(self, fault: Fault, result: str | None) -> Score:
        """A fix, or none, for a fault; raises CheckerError."""
        if result is None or not parses(result):
            return Score(result is not None)
        original = counts(self.before(fault.kind, fault.path))
        planted = original | counts(fault.diagnostics)
        now = counts(self.now(fault.kind, fault.path, result))
        (what,) = counts(fault.diagnostics[:1])
        return Score(
            is_offered=True,
            parses=True,
            is_gone=now[what] <= original[what] and not now - planted,
            is_right=is_right(fault, result),
            is_identical=result == fault.original,
        )

    @cached_property
    def _mypy(self) -> Mypy:
        parts = sorted(self._root.iterdir())
        names = [each.name for each in parts if each.suffix == ".py" or (each / "__init__.py").is_file()]
        return Mypy(self._root, self._cache, names)


def parses(text: str) -> bool:
    """Whether Python can read it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            ast.parse(text)
        except (SyntaxError, ValueError):
            return False
    return True
