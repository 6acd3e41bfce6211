"""Which code is typed: whole functions that use names from other files of their package. Knows no server."""

from __future__ import annotations

import ast
import random
from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.context_quality.corpus import Corpus
from benchmarks.replay.keyboard import Typing
from benchmarks.replay.user import num_keys

MIN_LINES, MAX_LINES = 8, 45
MIN_KEYS, MAX_KEYS = 120, 450
"""Of one stretch, about."""
MAX_PROSE = 0.35
"""The share of characters in docstrings and comments."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Consecutive lines of a file, from the end of the line before them to the end of the last."""

    package: str
    path: str
    """Relative to the package's folder."""
    text: str
    """The whole file."""
    start: int
    end: int
    auto_close: bool = False

    @property
    def target(self) -> str:
        """What is typed."""
        return self.text[self.start : self.end]

    @property
    def without(self) -> str:
        """The file before it is typed."""
        return self.text[: self.start] + self.text[self.end :]

    def typing(self) -> Typing:
        """Nothing is typed yet."""
        head = self.text[: self.start].rpartition("\n")[2]
        return Typing(self.target, head, auto_close=self.auto_close)


def choose(corpus: Corpus, keys: int, seed: int, *, auto_close: str = "part") -> list[Stretch]:
    """One function of a file each, until they take so many keys together; long ones are cut after a line.

    With `auto_close` `part`, brackets are closed in every second one.
    """
    paths = corpus.targets()
    chance = random.Random(f"{seed} {corpus.package}")  # noqa: S311 - must be repeatable
    chance.shuffle(paths)
    first_closes = chance.random() < 0.5
    chosen: list[Stretch] = []
    for path in paths:
        if chosen and keys < MIN_KEYS:
            break
        found = list(candidates(corpus, path))
        if not found:
            continue
        start, end = random.Random(f"{seed} {corpus.package} {path}").choice(found)  # noqa: S311 - as above
        closes = auto_close == "on" or (auto_close == "part" and len(chosen) % 2 != first_closes)
        stretch = Stretch(corpus.package, path, corpus.files[path], start, end, closes)
        stretch = _cut(stretch, min(keys, MAX_KEYS))
        chosen.append(stretch)
        keys -= num_keys(stretch.typing())
    return chosen


def candidates(corpus: Corpus, path: str) -> Iterator[tuple[int, int]]:
    """Where the functions of a file are that could be typed."""
    text = corpus.files[path]
    if "\r" in text or "\f" in text or "\t" in text:
        return
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return
    own = _names_of_package(tree, path.split("/")[0])
    starts = _line_starts(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            last = node.end_lineno or first
            used = {name.id for name in ast.walk(node) if isinstance(name, ast.Name)}
            is_fit = MIN_LINES <= last - first + 1 <= MAX_LINES and own & used
            if is_fit and first > 1 and _prose(node, text, starts) <= MAX_PROSE:
                start = len(text[: starts[first - 1]].rstrip())
                yield start, starts[last] - 1


def _names_of_package(tree: ast.Module, package: str) -> set[str]:
    """What a file imports from its own package."""
    return {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.level or (node.module or "").split(".")[0] == package)
        for alias in node.names
    }


def _prose(node: ast.FunctionDef | ast.AsyncFunctionDef, text: str, starts: list[int]) -> float:
    lines = text[starts[node.lineno - 1] : starts[node.end_lineno or node.lineno]].split("\n")
    code = sum(len(line.strip()) for line in lines)
    prose = sum(len(line.strip()) for line in lines if line.lstrip().startswith("#"))
    document = ast.get_docstring(node, clean=False)
    return (prose + len(document or "")) / max(1, code)


def _cut(stretch: Stretch, keys: int) -> Stretch:
    """At most about so many keys, in whole lines."""
    while num_keys(stretch.typing()) > keys * 1.2:
        end = len(stretch.target[: stretch.target.rstrip().rfind("\n")].rstrip())
        if stretch.target[:end].strip().count("\n") + 1 < MIN_LINES:
            break
        stretch = Stretch(
            stretch.package,
            stretch.path,
            stretch.text,
            stretch.start,
            stretch.start + end,
            stretch.auto_close,
        )
    return stretch


def _line_starts(text: str) -> list[int]:
    """Where each line begins, and where one behind the last would."""
    starts = [0]
    starts += [at + 1 for at, char in enumerate(text) if char == "\n"]
    if not text.endswith("\n"):
        starts.append(len(text) + 1)
    return starts
