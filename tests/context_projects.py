"""Projects made of texts, without a disk."""

from __future__ import annotations

from collections.abc import Mapping

from context.extract import extract
from context.graph import dependency_order
from context.languages import language_of
from context.project import Entry, Project
from context.symbols import FileFacts


def facts_of(path: str, text: str) -> FileFacts | None:
    """What the file's language says of its text."""
    row = language_of(path)
    return extract(text, row) if row else None


def project_of(files: Mapping[str, str]) -> Project:
    """A settled project below `/w`."""
    project = Project(("/w",))
    for path, text in files.items():
        project.put(f"/w/{path}", Entry(path, None, facts_of(path, text)))
    order_again(project)
    return project


def order_again(project: Project) -> None:
    """What `Files.refresh` does, in one go."""
    project.graph.settle()
    edges = project.graph.edges_to_order()
    project.graph.take_order(edges, dependency_order(edges, edges))
