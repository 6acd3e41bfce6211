"""Planted faults on disk: finding them asks checkers many hundred times, and finds the same again.

Kept by what they depend on: packages, seed, numbers, the checkers' versions and the code that plants.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from platformdirs import user_cache_path

from benchmarks.context_quality.corpus import Corpus
from benchmarks.fix_quality.faults import Diagnostic, Fault, Kind, Slip

PLANTERS = ("checkers.py", "checks.py", "choose.py", "misspelling.py", "name_slips.py", "syntax_slips.py")


def kept_file(corpora: Sequence[Corpus], kind: Kind, limit: int, seed: int) -> Path:
    """Where the faults of a kind are kept, or will be."""
    planters = [(Path(__file__).parent / name).read_text(encoding="utf-8") for name in PLANTERS]
    tools = [f"{name} {version(name)}" for name in ("ruff", "mypy")]
    names = [each.root.name for each in corpora]
    digest = hashlib.sha256(json.dumps([kind, limit, seed, names, tools, planters]).encode()).hexdigest()
    return user_cache_path("ghostfill", appauthor=False) / "benchmarks" / "faults" / f"{digest[:24]}.json"


def write(file: Path, faults: Sequence[Fault], unreported: int) -> None:
    """Keep them, with how many slips no checker reported."""
    rows = [{**asdict(fault), "original": None} for fault in faults]
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_suffix(".new")
    partial.write_text(json.dumps({"faults": rows, "unreported": unreported}), encoding="utf-8")
    partial.replace(file)


def read(file: Path, corpora: Sequence[Corpus]) -> tuple[list[Fault], int] | None:
    """What is kept; None of nothing."""
    if not file.exists():
        return None
    kept = json.loads(file.read_text(encoding="utf-8"))
    files = {corpus.package: corpus.files for corpus in corpora}
    return [_fault(row, files) for row in kept["faults"]], kept["unreported"]


def _fault(row: Mapping[str, Any], files: Mapping[str, Mapping[str, str]]) -> Fault:
    said = tuple(Diagnostic(**each) for each in row["diagnostics"])
    package, path = row["package"], row["path"]
    return Fault(package, Kind(row["kind"]), path, Slip(**row["slip"]), files[package][path], said)
