"""Everything the demo computes, as values. Prints nothing and judges by comparing texts alone."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from engine.backends.base import EngineInfo, OnProgress
from lsp_server.cli.demo_sites import Cut
from lsp_server.cli.workbench import Workbench, Worked

_NAME = re.compile(r"[^\W\d]\w*")


class Verdict(StrEnum):
    """How an offered text compares with the author's."""

    EXACT = "exact"
    RIGHT_NAME = "right name"
    """Begins with the same name, then goes another way."""
    DIFFERENT = "different"
    NOTHING = "nothing offered"


def judge(offered: str, author: str) -> Verdict:
    """Compare; white space at the end does not count."""
    if not offered.strip():
        return Verdict.NOTHING
    if offered.rstrip() == author.rstrip():
        return Verdict.EXACT
    names = [match[0] if (match := _NAME.search(text)) else None for text in (offered, author)]
    return Verdict.RIGHT_NAME if names[0] is not None and names[0] == names[1] else Verdict.DIFFERENT


@dataclass(frozen=True, slots=True)
class Attempt:
    """One completion at a site."""

    worked: Worked
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Comparison:
    """A site, completed without and with repository context."""

    cut: Cut
    without_context: Attempt
    with_context: Attempt


@dataclass(frozen=True, slots=True)
class Start:
    """How the engine came up."""

    info: EngineInfo
    seconds: float
    was_loaded_now: bool
    """False if it was found ready."""
    index_ms: float


async def start(bench: Workbench, on_progress: OnProgress) -> Start:
    """Bring the engine up and wait for the index."""
    was_loaded_now = False

    def note(fraction: float, message: str) -> None:
        nonlocal was_loaded_now
        was_loaded_now = True
        on_progress(fraction, message)

    index_ms = await bench.indexed()
    started = time.perf_counter()
    info = await bench.ready(note)
    return Start(info, time.perf_counter() - started, was_loaded_now, index_ms)


async def compare(bench: Workbench, path: Path, cuts: list[Cut]) -> AsyncIterator[Comparison]:
    """Each site in turn; the first request with context is the first of all, so its figures are cold ones."""
    for cut in cuts:
        with_context = await _attempt(bench, path, cut, with_context=True)
        without_context = await _attempt(bench, path, cut, with_context=False)
        yield Comparison(cut, without_context, with_context)


async def _attempt(bench: Workbench, path: Path, cut: Cut, *, with_context: bool) -> Attempt:
    worked = await bench.complete(path, cut.text, cut.offset, with_context=with_context)
    return Attempt(worked, judge(worked.text, cut.author))
