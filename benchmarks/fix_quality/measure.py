"""From packages to rows: faults, what a server makes of each, what that is worth. Prints progress only."""

from __future__ import annotations

import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.context_quality.corpus import Corpus
from benchmarks.fix_quality.checks import Checks, Score
from benchmarks.fix_quality.choose import Chooser
from benchmarks.fix_quality.faults import Fault, Kind
from benchmarks.fix_quality.fixer import Answer, Fixer
from benchmarks.fix_quality.kept import kept_file, read, write
from benchmarks.fix_quality.selfcheck import check_fault, check_score
from benchmarks.fix_quality.useless import useless_model
from benchmarks.keystroke import Engine
from benchmarks.replay.client import Client
from benchmarks.replay.scene import staged

TELL_SECONDS = 10.0
MODEL, USELESS = "model", "no model"
"""The conditions: as the order says, and with a model of no use."""
LOADING_TRIES = 10
"""Fixes asked for until an instruct model has been loaded."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be measured."""

    corpora: Sequence[Corpus]
    per_kind: int
    kinds: Sequence[Kind] = tuple(Kind)
    chat_model: str | None = None
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Row:
    """One fault under one condition, and what came of it."""

    fault: Fault
    condition: str
    answer: Answer
    score: Score


@dataclass(frozen=True, slots=True)
class Measured:
    """All rows, and how many slips of each kind were tried that no checker reports."""

    rows: Sequence[Row]
    unreported: Mapping[Kind, int]


def measure(order: Order) -> Measured:
    """Every fault, package by package; raises SelfCheckError before anything is asked, and CheckerError."""
    with tempfile.TemporaryDirectory(prefix="gf") as folder:
        root = Path(folder).resolve()
        checks = {each.package: Checks(each.root, root / each.package) for each in order.corpora}
        faults, unreported = _planted(order, checks)
        rows: list[Row] = []
        with useless_model() as options:
            rows += _fixed(order.corpora, faults, checks, USELESS, options, root / "useless")
        options = {"chat": {"model": order.chat_model}} if order.chat_model else {}
        rows += _fixed(order.corpora, faults, checks, MODEL, options, root / "run")
    return Measured(rows, unreported)


def tell(line: str) -> None:
    """Progress, beside the result."""
    print(f"fix_quality: {line}", file=sys.stderr, flush=True)


def _planted(order: Order, checks: Mapping[str, Checks]) -> tuple[list[Fault], Counter[Kind]]:
    chooser = Chooser(order.corpora, checks, order.seed)
    faults: list[Fault] = []
    unreported: Counter[Kind] = Counter()
    for kind in order.kinds:
        file = kept_file(order.corpora, kind, order.per_kind, order.seed)
        kept = read(file, order.corpora)
        found = kept[0] if kept else chooser.choose(kind, order.per_kind)
        unreported[kind] = kept[1] if kept else chooser.unreported[kind]
        for fault in found:
            check_fault(fault)
            if not kept:
                check_score(fault, checks[fault.package])
        write(file, found, unreported[kind])
        how = "kept from another run" if kept else "planted and checked"
        tell(f"{kind}: {len(found)} {how}, {unreported[kind]} that no checker reports")
        faults += found
    return faults, unreported


def _fixed(
    corpora: Sequence[Corpus],
    faults: Sequence[Fault],
    checks: Mapping[str, Checks],
    condition: str,
    options: Mapping[str, Any],
    runtime: Path,
) -> list[Row]:
    """One engine serves all packages, and is ended."""
    runtime.mkdir(mode=0o700)
    rows: list[Row] = []
    begun = last = time.monotonic()
    try:
        for corpus in corpora:
            here = [fault for fault in faults if fault.package == corpus.package]
            with _server(corpus.root, options, runtime) as fixer:
                _warm_up(fixer, here, is_loading="chat" in options)
                for fault in here:
                    answer = fixer.fix(fault)
                    score = checks[fault.package].score(fault, answer.text)
                    rows.append(Row(fault, condition, answer, score))
                    if time.monotonic() - last > TELL_SECONDS or len(rows) == len(faults):
                        last = time.monotonic()
                        gone = sum(row.score.is_gone for row in rows)
                        tell(f"{condition}: {len(rows)} of {len(faults)}, {gone} gone, {last - begun:.0f} s")
    finally:
        Engine(runtime).stop()
    return rows


@contextmanager
def _server(package: Path, options: Mapping[str, Any], runtime: Path) -> Iterator[Fixer]:
    """One on a copy of the package."""
    with staged(package) as scene:
        environment = scene.environment | {"GHOSTFILL_RUNTIME_DIR": str(runtime)}
        with Client(environment, scene.workspace, scene.log) as client:
            client.initialize(scene.workspace, options)
            yield Fixer(client, scene.workspace)


def _warm_up(fixer: Fixer, faults: Sequence[Fault], *, is_loading: bool) -> None:
    """Until models are loaded and the repository is read; nothing of it is counted."""
    for fault in faults[:1]:
        for _ in range(LOADING_TRIES if is_loading else 1):
            if fixer.fix(fault).text is not None:
                return
