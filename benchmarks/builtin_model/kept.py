"""Chosen sites on disk: finding them asks jedi thousands of times, and finds the same again.

Kept by what they depend on: packages, seed, numbers and the code that chooses.
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

import benchmarks.context_quality
from benchmarks.context_quality.corpus import Corpus
from benchmarks.context_quality.sites import Definition, Origin, Site
from lsp_server.hole import Hole

CHOOSERS = ("corpus.py", "measure.py", "python_names.py", "sites.py")


def file_of(
    corpora: Sequence[Corpus], limits: Mapping[Origin, int], seed: int, folder: Path | None = None
) -> Path:
    """Where they are kept, or will be."""
    home = Path(benchmarks.context_quality.__file__).parent
    code = [(home / name).read_text(encoding="utf-8") for name in CHOOSERS]
    names = [[each.root.name, len(each.files)] for each in corpora]
    tools = [version(name) for name in ("jedi", "parso")]
    digest = hashlib.sha256(json.dumps([dict(limits), seed, names, tools, code]).encode()).hexdigest()
    folder = folder or user_cache_path("ghostfill", appauthor=False) / "benchmarks" / "sites"
    return folder / f"{digest[:24]}.json"


def write(file: Path, sites: Sequence[Site]) -> None:
    """Keep them."""
    rows = [{**asdict(site), "hole": [site.hole.offset, len(site.hole.text)]} for site in sites]
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_suffix(".new")
    partial.write_text(json.dumps(rows), encoding="utf-8")
    partial.replace(file)


def read(file: Path, corpora: Sequence[Corpus]) -> list[Site] | None:
    """What is kept; None of nothing."""
    if not file.exists():
        return None
    files = {corpus.package: corpus.files for corpus in corpora}
    rows = json.loads(file.read_text(encoding="utf-8"))
    return [_site(row, files[row["package"]][row["path"]]) for row in rows]


def _site(row: Mapping[str, Any], text: str) -> Site:
    offset, num_chars = row["hole"]
    end = offset + len(text) - num_chars
    return Site(
        **{
            **row,
            "origin": Origin(row["origin"]),
            "definitions": tuple(Definition(**each) for each in row["definitions"]),
            "hole": Hole.at(text[:offset] + text[end:], offset),
        }
    )
