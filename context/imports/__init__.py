"""One resolver per family of languages: import statements -> workspace files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from context.imports.javascript import JavaScriptModules
from context.imports.modules import Binding, Module, Modules
from context.imports.python import PythonModules

__all__ = ["Binding", "Module", "Modules", "resolver"]


def resolver(
    family: str, files: Iterable[str], roots: Iterable[str], manifests: Mapping[str, str]
) -> Modules | None:
    """The modules of a family's files, or None for a family whose imports nobody resolves yet."""
    if family == "python":
        return PythonModules(files, roots, manifests)
    if family == "javascript":
        return JavaScriptModules(files, roots, manifests)
    return None
