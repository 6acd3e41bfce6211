"""Puts a repository's files in the order of `context`'s import graph. Parses no import of its own."""

from __future__ import annotations

from collections.abc import Iterable

from context.extract import extract
from context.graph import dependency_order
from context.import_graph import ImportGraph
from context.languages import language_of
from training.corpus.repository import SourceFile

_ROOT = "/repository"


def in_dependency_order(files: Iterable[SourceFile]) -> list[SourceFile]:
    """What a file imports stands before it; files of languages without known imports go by path."""
    by_key = {f"{_ROOT}/{file.path}": file for file in files}
    graph = ImportGraph([_ROOT])
    for key, file in by_key.items():
        row = language_of(file.path)
        is_read = row is not None and row.grammar is not None
        graph.put(key, extract(file.text, row).imports if row is not None and is_read else ())
    graph.settle()
    return [by_key[key] for key in dependency_order(by_key, graph.edges_to_order())]
