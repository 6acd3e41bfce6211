"""The blanks and tabs that lines begin with: as a document writes them, and moved to another place. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from lsp_server.hole import margin_of

DEFAULT_STEP = 4


def in_style(lines: Sequence[str], document: Sequence[str]) -> list[str]:
    """The lines with tabs where the document indents with tabs, and with blanks where it does with blanks."""
    unit = unit_of(document)
    if not unit:
        return [*lines]
    if unit == "\t":
        is_other = any(line.startswith(" ") for line in lines) and not _has_tabs(lines)
        step = _step(lines)
        return [_with_tabs(line, step) for line in lines] if is_other else [*lines]
    return [_with_blanks(line, unit) for line in lines]


def unit_of(lines: Sequence[str]) -> str:
    """What one level of indentation is; empty where nothing is indented."""
    num_tabs = sum(line.startswith("\t") for line in lines)
    num_blanks = sum(line.startswith(" ") for line in lines)
    if not num_tabs and not num_blanks:
        return ""
    return "\t" if num_tabs > num_blanks else " " * _step(lines)


def moved(lines: Sequence[str], old: str, new: str) -> list[str]:
    """The lines with the margin `new` where the margin `old` was; those further left keep their distance."""
    return [_moved(line, old, new) if line.strip() else "" for line in lines]


def _moved(line: str, old: str, new: str) -> str:
    if line.startswith(old):
        return new + line[len(old) :]
    own = margin_of(line)
    return new[: max(0, len(new) - (len(old) - len(own)))] + line[len(own) :]


def _has_tabs(lines: Sequence[str]) -> bool:
    return any("\t" in margin_of(line) for line in lines)


def _step(lines: Sequence[str]) -> int:
    """By how many blanks lines mostly move to the right."""
    widths = [len(margin_of(line)) for line in lines if line.strip() and not line.startswith("\t")]
    steps = Counter(new - old for old, new in pairwise(widths) if new > old + 1)
    return min(steps, key=lambda step: (-steps[step], step), default=DEFAULT_STEP)


def _with_tabs(line: str, step: int) -> str:
    num_tabs, num_blanks = divmod(len(margin_of(line)), step)
    return "\t" * num_tabs + " " * num_blanks + line.lstrip(" \t")


def _with_blanks(line: str, unit: str) -> str:
    return margin_of(line).replace("\t", unit) + line.lstrip(" \t")
