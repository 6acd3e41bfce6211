"""Small wheels in a work folder, as a registry would have brought them, and what they are compared with."""

from __future__ import annotations

import gzip
import json
import random
import zipfile
from collections.abc import Mapping
from pathlib import Path

from training.corpus.benchmark_texts import benchmark_texts
from training.corpus.clean import Unseen
from training.corpus.known_text import KnownText
from training.corpus.unseen import Gathered
from training.corpus.verdicts import MAX_PACKAGES, MAX_PROBLEMS, MIN_PROBLEM_DISTINCT_WORDS
from training.sources.table import Registry, Source

PROBLEM = {
    "task_id": "SingleLineInfilling/HumanEval/7/L0",
    "prompt": 'def longest(all):\n    """Give the name of the river that flows farthest to the sea."""\n',
    "canonical_solution": "    lengths = {river.name: sum(each.length for each in river) for river in all}\n",
    "suffix": "    return max(lengths, key=lengths.get)\n",
    "test": "def check(candidate):\n    assert candidate([]) is None\n",
}


def code(seed: int, num_functions: int = 12) -> str:
    """A module that resembles no other."""
    source = random.Random(seed)

    def name() -> str:
        return "".join(source.choices("abcdefghij", k=6))

    return "\n\n".join(
        f"def {name()}({name()}, {name()}):\n    {name()} = {name()}.{name()}({name()})\n    return {name()}"
        for _ in range(num_functions)
    )


def source_of(name: str, language: str = "python", licence: str = "MIT") -> Source:
    return Source(language, Registry.PYPI, name, "1.0", licence)


def put_wheel(work: Path, source: Source, files: Mapping[str, str], licence: str = "MIT") -> None:
    folder = work / "archives" / source.key
    folder.mkdir(parents=True)
    with zipfile.ZipFile(folder / f"{source.name}-1.0-py3-none-any.whl", "w") as wheel:
        for path, text in files.items():
            wheel.writestr(path, text)
        head = f"Metadata-Version: 2.4\nName: {source.name}\nVersion: 1.0\nLicense-Expression: {licence}\n"
        wheel.writestr(f"{source.name}-1.0.dist-info/METADATA", head)


def put_benchmarks(folder: Path) -> None:
    for name in ("human-eval-infilling", "santacoder-fim"):
        (folder / name).mkdir(parents=True)
        with gzip.open(folder / name / "tasks.jsonl.gz", "wt", encoding="utf-8") as lines:
            lines.write(json.dumps(PROBLEM) + "\n")


def gathered_from(folder: Path, held_out: Mapping[str, str]) -> Gathered:
    """The one benchmark problem, and held-out packages by name."""
    put_benchmarks(folder)
    problems = KnownText.of(
        benchmark_texts(folder), max_owners=MAX_PROBLEMS, min_distinct=MIN_PROBLEM_DISTINCT_WORDS
    )
    packages = KnownText.of(held_out.items(), max_owners=MAX_PACKAGES)
    return Gathered(Unseen(problems, packages), tuple(held_out), ())
