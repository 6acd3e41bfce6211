"""Benchmarks that no one here wrote, read by path: single lines of HumanEval and of SantaCoder's set.

Each task is a file with one line missing. It is asked as an editor would: the cursor on an empty line, the
answer up to that line's end.
"""

from __future__ import annotations

import gzip
import json
import os
import random
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.builtin_model.asking import Remembered
from benchmarks.builtin_model.model import Ask
from benchmarks.builtin_model.sandbox import passes
from benchmarks.builtin_model.weights import Weights
from benchmarks.context_quality.answers import leader_of
from engine.layout import Budget, Layout
from lsp_server.hole import Hole

FOLDER = Path(__file__).parents[2].parent / "shared" / "bench"
HUMAN_EVAL = "human-eval-infilling/HumanEval-SingleLineInfilling.jsonl.gz"
SANTACODER = "santacoder-fim/santacoder-fim.jsonl.gz"
NAMES = {"py": "solution.py", "js": "solution.js", "java": "Problem.java"}
MAX_TOKENS = 96


@dataclass(frozen=True, slots=True)
class Task:
    """One line to be written."""

    name: str
    language: str
    """`py`, `js` or `java`."""
    before: str
    """Whole lines."""
    after: str
    """Whole lines."""
    line: str
    """What was taken away."""
    test: str = ""
    """Python that checks the whole."""

    @property
    def hole(self) -> Hole:
        """The cursor on an empty line."""
        return Hole(f"{self.before}\n{self.after}", len(self.before))

    def program(self, line: str) -> str:
        """With an answer, and its test."""
        return f"{self.before}{line}\n{self.after}\n{self.test}"


class NoDataError(Exception):
    """The benchmarks are not on this machine; the message says what to do."""


def human_eval(limit: int | None, seed: int) -> list[Task]:
    """So many tasks, or all; raises NoDataError."""
    return [
        Task(
            name=row["task_id"],
            language="py",
            before=row["prompt"],
            after=row["suffix"],
            line=row["canonical_solution"].removesuffix("\n"),
            test=f"{row['test']}\ncheck({row['entry_point']})\n",
        )
        for row in _some(_rows(HUMAN_EVAL), limit, seed)
    ]


def santacoder(limits: Mapping[str, int | None], seed: int) -> list[Task]:
    """So many tasks of each language, or all; raises NoDataError."""
    rows = list(_rows(SANTACODER))
    return [
        Task(
            name=row["name"],
            language=language,
            # The set leaves the line ends around the missing line out.
            before=_whole_lines(row["prompt"]),
            after=row["suffix"],
            line=row["canonical_solution"],
        )
        for language, limit in limits.items()
        for row in _some([row for row in rows if row["language"] == language], limit, seed)
    ]


def lines(tasks: Sequence[Task], weights: Weights, answers: Remembered, what: str) -> list[str]:
    """What the model writes on each line, indentation included."""
    layout = Layout(weights.tokenizer, weights.fim)
    own = Budget.split(weights.fim.context_length, MAX_TOKENS, weights.fim)
    asks = []
    for task in tasks:
        path, hole = NAMES[task.language], task.hole
        prompt = layout.prompt((), path, hole.prefix, hole.suffix, own, leader_of(path))
        asks.append(Ask(prompt.ids, hole.stop_rules("never", 1), MAX_TOKENS, prompt.heal))
    return [reply.text.split("\n", 1)[0] for reply in answers.replies(asks, f"{weights.name}: {what}")]


def passed(tasks: Sequence[Task], written: Sequence[str]) -> list[bool]:
    """Whether each program with its answer passes its test."""
    programs = [task.program(line) for task, line in zip(tasks, written, strict=True)]
    with ThreadPoolExecutor(os.cpu_count()) as threads:  # each waits for a process
        return list(threads.map(passes, programs))


def matched(tasks: Sequence[Task], written: Sequence[str]) -> list[bool]:
    """Whether each answer is the line, blanks around it aside."""
    return [line.strip() == task.line.strip() for task, line in zip(tasks, written, strict=True)]


def _rows(name: str) -> Iterator[dict[str, Any]]:
    folder = Path(os.environ.get("GHOSTFILL_BENCH") or FOLDER)
    file = folder / name
    if not file.is_file():
        raise NoDataError(f"{file} is not there: set GHOSTFILL_BENCH to the folder of {name}.")
    with gzip.open(file, "rt", encoding="utf-8") as rows:
        yield from map(json.loads, rows)


def _some(
    rows: Iterator[dict[str, Any]] | list[dict[str, Any]], limit: int | None, seed: int
) -> list[dict[str, Any]]:
    """A fair sample in the set's own order; the same rows for the same seed."""
    known = list(rows)
    if limit is None or limit >= len(known):
        return known
    chosen = random.Random(seed).sample(range(len(known)), limit)  # noqa: S311 - must be repeatable
    return [known[index] for index in sorted(chosen)]


def _whole_lines(text: str) -> str:
    return text + "\n" if text else ""
