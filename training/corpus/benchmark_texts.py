"""The problems and solutions of the benchmarks beside the checkout. Runs and scores nothing."""

from __future__ import annotations

import gzip
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from engine.errors import GhostfillError

FOLDERS = ("human-eval-infilling", "santacoder-fim")
_PROBLEM = re.compile(r"HumanEval[_/](\d+)")


class BenchmarksMissingError(GhostfillError):
    """Without them nothing can be kept apart from them."""


def benchmarks_folder() -> Path:
    """`GHOSTFILL_BENCH`, else `../shared/bench` beside the checkout."""
    named = os.environ.get("GHOSTFILL_BENCH")
    return Path(named) if named else Path(__file__).parents[3] / "shared" / "bench"


def benchmark_texts(folder: Path) -> Iterator[tuple[str, str]]:
    """(problem, text) of every task; one problem has many. Raises BenchmarksMissingError."""
    for name in FOLDERS:
        paths = sorted((folder / name).glob("*.jsonl.gz"))
        if not paths:
            raise BenchmarksMissingError(
                f"{folder / name} holds no tasks: a corpus must be kept apart from them; set GHOSTFILL_BENCH "
                "to the folder that has human-eval-infilling and santacoder-fim."
            )
        for path in paths:
            yield from _texts(path)


def _texts(path: Path) -> Iterator[tuple[str, str]]:
    try:
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                task = json.loads(line)
                owner = _owner(task)
                yield owner, task["prompt"] + task["canonical_solution"] + task["suffix"]
                yield owner, task.get("test") or task.get("tests") or ""
    except (OSError, EOFError, ValueError, KeyError) as error:
        raise BenchmarksMissingError(f"{path} cannot be read ({error}): fetch it again.") from error


def _owner(task: dict[str, Any]) -> str:
    name = str(task.get("task_id") or task["name"])
    found = _PROBLEM.search(name)
    return f"HumanEval/{found[1]}" if found else name
