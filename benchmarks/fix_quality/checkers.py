"""What real checkers say of a file: ruff (syntax errors, F and E9), and mypy with the package in sight."""

from __future__ import annotations

import itertools
import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from benchmarks.fix_quality.faults import Diagnostic

RUFF = (
    *(sys.executable, "-m", "ruff", "check", "--isolated", "--no-cache", "--target-version", "py311"),
    *("--select", "F,E9", "--output-format", "json", "-"),
)
MYPY = (
    *(sys.executable, "-m", "mypy", "--no-site-packages", "--ignore-missing-imports", "--check-untyped-defs"),
    *("--show-column-numbers", "--show-error-end", "--no-error-summary", "--no-pretty", "--config-file="),
)
SYNTAX_ERROR = "invalid-syntax"
_MYPY_LINE = re.compile(
    r"(?P<path>[^:]+):(?P<line>\d+):(?P<column>\d+):(?P<end_line>\d+):(?P<end_column>\d+): error: "
    r"(?P<message>.*?)(?:  \[(?P<code>[\w-]+)\])?"
)
_LINE_NUMBER = re.compile(r"\bline \d+")
Counts = Counter[tuple[str, str, str]]


class CheckerError(Exception):
    """A checker did not do its work."""


def ruff(path: str, text: str) -> list[Diagnostic]:
    """In the order of the file; raises CheckerError."""
    done = subprocess.run(
        [*RUFF[:-1], "--stdin-filename", path, "-"], input=text, capture_output=True, text=True, check=False
    )
    if done.returncode not in (0, 1):
        raise CheckerError(f"ruff: {done.stderr.strip()[-300:]}")
    return [
        Diagnostic(
            path,
            each["location"]["row"] - 1,
            each["location"]["column"] - 1,
            each["end_location"]["row"] - 1,
            each["end_location"]["column"] - 1,
            each["code"] or SYNTAX_ERROR,
            each["message"],
            "Ruff",
        )
        for each in json.loads(done.stdout)
    ]


class Mypy:
    """Checks a package in a folder of its own, one changed file at a time."""

    def __init__(self, root: Path, cache: Path, names: Sequence[str]) -> None:
        self._root = root
        self._cache = cache
        self._names = names
        """Files and folders below `root` to check."""
        self._seconds = itertools.count(1)
        self.before = self._checked()

    def check(self, path: str, text: str) -> list[Diagnostic]:
        """What it says of all files when one reads so; raises CheckerError."""
        file = self._root / path
        original, status = file.read_bytes(), file.stat()
        try:
            file.write_text(text, encoding="utf-8", newline="")
            # mypy takes a file of the same size and second for the same file
            os.utime(file, (0, next(self._seconds)))
            return self._checked()
        finally:
            file.write_bytes(original)
            os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))

    def _checked(self) -> list[Diagnostic]:
        done = subprocess.run(
            [*MYPY, "--cache-dir", str(self._cache), *self._names],
            cwd=self._root,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode not in (0, 1):
            raise CheckerError(f"mypy: {(done.stderr or done.stdout).strip()[-300:]}")
        matches = (_MYPY_LINE.fullmatch(line) for line in done.stdout.splitlines())
        return [_of_mypy(match) for match in matches if match]


def counts(diagnostics: Iterable[Diagnostic]) -> Counts:
    """How often what is said of which file, wherever it stands."""
    return Counter((each.path, each.code, _LINE_NUMBER.sub("line", each.message)) for each in diagnostics)


def added(before: Sequence[Diagnostic], now: Sequence[Diagnostic]) -> list[Diagnostic]:
    """What is said more than before."""
    more = counts(now) - counts(before)
    return [each for each in now if counts([each]) & more]


def _of_mypy(match: re.Match[str]) -> Diagnostic:
    """Columns are as it says them: behind letters of several bytes they are a little off."""
    return Diagnostic(
        match["path"],
        int(match["line"]) - 1,
        int(match["column"]) - 1,
        int(match["end_line"]) - 1,
        int(match["end_column"]),
        match["code"] or "",
        match["message"],
        "mypy",
    )
