"""What ruff says of a Python text before and after a change: only the ruff beside our own Python is asked.

Never raises: without it, or where it fails, there is no opinion. No configuration is read, and nothing of the
workspace: the text goes through a pipe, and our state folder is where it runs.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import sysconfig
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, Self

from engine.errors import EngineUnavailableError
from engine.runtime_dir import state_dir

SECONDS = 5.0
"""For one text; it takes a few hundredths of one."""
SYNTAX = "invalid-syntax"
_ARGUMENTS = (
    "check",
    "--isolated",
    "--no-cache",
    "--quiet",
    "--exit-zero",
    "--target-version=py313",
    "--select=F,E9",
    "--output-format=json",
)
_HARMLESS = frozenset({"F401", "F841", "F842"})
"""What is written and not used may still be what was meant."""
_LINE = re.compile(r"\bline \d+")
_QUOTED = re.compile(r"`([^`\s]+)`")
_WORD = re.compile(r"[\w.]+")


class Finding(NamedTuple):
    """Something that ruff says; where is left out, since lines move."""

    code: str
    message: str


class Verdict(NamedTuple):
    """What a change does to what ruff says; the smaller, the better."""

    num_wrong: int
    """What it brings that was not there."""
    num_unused: int
    """The same of what is merely not used."""
    num_left: int
    """Of what was there before."""


@dataclass(frozen=True, slots=True)
class RuffCheck:
    """Knows what ruff says of one document as it is; for any thread."""

    is_stub: bool
    before: Counter[Finding]
    wanted: Counter[Finding]
    """What is to go: some of it must."""

    @classmethod
    def of(cls, text: str, path: str, lines: tuple[int, int], messages: Iterable[str]) -> Self | None:
        """Asks ruff of the text; what the messages say between two lines is to go. None: no opinion."""
        is_stub = path.endswith(".pyi")
        rows = _asked(text, is_stub=is_stub)
        if rows is None:
            return None
        said = {word for message in messages for word in _WORD.findall(message)}
        wanted = [
            finding
            for line, finding in rows
            if lines[0] <= line <= lines[1] and said.issuperset(_QUOTED.findall(finding.message))
        ]
        return cls(is_stub, Counter(finding for _, finding in rows), Counter(wanted))

    @property
    def is_broken(self) -> bool:
        """Whether the document does not parse: of one that does not, nothing else is said."""
        return any(finding.code == SYNTAX for finding in self.before)

    def verdict(self, text: str) -> Verdict | None:
        """Of a changed text; None without an opinion."""
        rows = _asked(text, is_stub=self.is_stub)
        if rows is None:
            return None
        now = Counter(finding for _, finding in rows)
        new = now - self.before
        is_parsed = self.is_broken and not any(finding.code == SYNTAX for finding in now)
        unused = sum(count for finding, count in new.items() if finding.code in _HARMLESS)
        return Verdict(new.total() - unused, unused, 0 if is_parsed else (now - new).total())

    def is_cured(self, verdict: Verdict) -> bool:
        """Whether a change brings nothing new and, where ruff saw the fault, takes something away."""
        if self.is_broken:
            return verdict.num_left < self.before.total()
        is_better = not self.wanted or verdict.num_left < self.before.total()
        return is_better and not verdict.num_wrong and not verdict.num_unused


@cache
def ruff_program() -> Path | None:
    """The ruff that was installed with us; never one that is found by PATH."""
    name = "ruff.exe" if sys.platform == "win32" else "ruff"
    folder = sysconfig.get_path("scripts")
    program = Path(folder, name) if folder else None
    return program if program is not None and program.is_file() else None


def _asked(text: str, *, is_stub: bool) -> list[tuple[int, Finding]] | None:
    """What ruff says, each with its line, from zero; None if it says nothing that can be read."""
    program = ruff_program()
    if program is None:
        return None
    name = "document.pyi" if is_stub else "document.py"
    try:
        done = subprocess.run(
            [str(program), *_ARGUMENTS, f"--stdin-filename={name}", "-"],
            input=text.encode("utf-8", errors="replace"),
            capture_output=True,
            timeout=SECONDS,
            cwd=state_dir(),
            env={key: value for key, value in os.environ.items() if not key.upper().startswith("RUFF_")},
            check=True,
        )
        rows = json.loads(done.stdout)
    except (OSError, subprocess.SubprocessError, ValueError, EngineUnavailableError):
        return None
    return [found for row in rows if (found := _finding(row)) is not None] if isinstance(rows, list) else None


def _finding(row: Any) -> tuple[int, Finding] | None:
    match row:
        case {"code": str() | None as code, "message": str(message), "location": {"row": int(line)}}:
            # Lines that a message names move with those that come and go.
            return line - 1, Finding(code or SYNTAX, _LINE.sub("line", message))
    return None
