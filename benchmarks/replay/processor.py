"""Processor time: of some processes, and of all others, which disturb what is measured. 0 without /proc."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(slots=True)
class Stopwatch:
    """From its making on."""

    pids: Sequence[int]
    _begun: float = field(default_factory=time.perf_counter)
    _own: float = 0.0
    _all: float = 0.0

    def __post_init__(self) -> None:
        self._own, self._all = cpu_seconds(self.pids), _all_seconds()

    def seconds(self) -> float:
        """By the clock."""
        return time.perf_counter() - self._begun

    def own_seconds(self) -> float:
        """Of the processes and their ended children."""
        return cpu_seconds(self.pids) - self._own

    def other_seconds(self) -> float:
        """Of everything else on this machine, this process among it."""
        return max(0.0, _all_seconds() - self._all - self.own_seconds())


def cpu_seconds(pids: Sequence[int]) -> float:
    """Of all these processes together, with their ended children."""
    return sum(_of(pid) for pid in pids)


def _of(pid: int) -> float:
    # the name in parentheses may hold blanks; fields 14 to 17: user, system, and both of ended children
    fields = _read(f"/proc/{pid}/stat").rpartition(")")[2].split()
    return _seconds(fields[11:15])


def _all_seconds() -> float:
    """The first line: user, nice, system, idle, waiting, interrupts (two kinds)."""
    _, *fields = (_read("/proc/stat").partition("\n")[0] or "cpu").split()
    return _seconds(fields[:3] + fields[5:7])


def _seconds(fields: Sequence[str]) -> float:
    return sum(map(int, fields)) / os.sysconf("SC_CLK_TCK")


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
