"""One line of the doctor's report: what was looked at, how it is, what to do. Looks at nothing itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class State(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARNING = "warning"
    """Completions come, but not as good or as fast as they could."""
    PROBLEM = "problem"
    """No completions."""


@dataclass(frozen=True, slots=True)
class Check:
    """One finding."""

    name: str
    state: State
    message: str
    advice: str = ""
    """What to do; empty where nothing is to be done."""
    facts: dict[str, Any] = field(default_factory=dict)
    """For `--json`."""


def ok(name: str, message: str, **facts: Any) -> Check:
    """All is well."""
    return Check(name, State.OK, message, "", facts)


def warning(name: str, message: str, advice: str, **facts: Any) -> Check:
    """Could be better."""
    return Check(name, State.WARNING, message, advice, facts)


def problem(name: str, message: str, advice: str, **facts: Any) -> Check:
    """Stops completions."""
    return Check(name, State.PROBLEM, message, advice, facts)
