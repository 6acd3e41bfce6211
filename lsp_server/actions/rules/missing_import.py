"""A name that is used and not imported: how the workspace imports it, or where it is defined. Asks the index.

For Python also what the standard library says of itself, which is all that is ever imported here.
"""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from context.extract import extract
from context.languages import Language
from context.providers import Provider
from context.symbols import FileFacts
from lsp_server.actions.rules.import_line import import_edit
from lsp_server.actions.rules.proposal import Proposal
from lsp_server.actions.rules.script_import import script_import_edit

if TYPE_CHECKING:
    from context import RepoContext

UNUSUAL = 0.8
"""The doubt in an import that no other file has."""
_WELL_KNOWN = (
    *("collections.abc", "typing", "dataclasses", "pathlib", "collections", "functools", "contextlib"),
    *("itertools", "enum", "abc", "datetime", "decimal", "fractions", "operator", "types", "tempfile"),
)
"""Modules whose names people use by themselves; of two that have a name, the first."""
_LEFT_ALONE = frozenset(
    {"antigravity", "idlelib", "lib2to3", "test", "this", "tkinter", "turtle", "turtledemo"}
)
"""What shows something when it is imported, or has not been installed."""
_CHAIN = re.compile(r"(?:\.[^\W\d]\w*)*")


def missing_imports(
    context: RepoContext, path: Path, language: Language, text: str, name: str, end: int
) -> list[Proposal]:
    """The changes that would import a name whose use ends at an offset, the likeliest first."""
    ways = list(context.providers(path, name))
    facts = extract(text, language)
    if language.family != "python":
        found = ((way, script_import_edit(text, facts, way)) for way in ways)
        return [Proposal(_doubt(way), edit) for way, edit in found if edit is not None]
    known = {replace(way, num_importers=0) for way in ways}
    standard = (*_standard(name, text, end), *_beside(name, facts))
    ways += [way for way in dict.fromkeys(standard) if way not in known]
    ways.sort(key=lambda way: _doubt(way) - _is_reached(way, text, end))
    parts = context.relative(path).split("/")
    own = parts[0] if parts[0] != "src" else parts[1]
    edits = ((way, import_edit(text, facts, own, way)) for way in ways)
    return [Proposal(_doubt(way), edit) for way, edit in edits if edit is not None]


def _doubt(way: Provider) -> float:
    """What many files import so, is meant; what none does, is a guess."""
    return UNUSUAL / (1 + way.num_importers)


def _is_reached(way: Provider, text: str, end: int) -> bool:
    """Whether `a.b` is used where `import a.b` is at hand."""
    is_dotted = not way.name and not way.is_aliased and "." in way.module
    return is_dotted and text.startswith(way.module.partition(".")[2], end + 1)


def _standard(name: str, text: str, end: int) -> Iterator[Provider]:
    if name in sys.stdlib_module_names and not name.startswith("_"):
        chain = _CHAIN.match(text, end)
        inner = chain[0].split(".")[1:2] if chain else []
        dotted = f"{name}.{inner[0]}" if inner else ""
        if dotted in _SUBMODULES:
            yield Provider(dotted, "", name, 0)
        yield Provider(name, "", name, 0)
    module = _well_known().get(name)
    if module is not None:
        yield Provider(module, name, name, 0)


_SUBMODULES = frozenset(
    {
        *(
            "collections.abc",
            "concurrent.futures",
            "email.message",
            "email.utils",
            "http.client",
            "http.cookies",
        ),
        *("http.server", "importlib.metadata", "importlib.resources", "importlib.util", "logging.config"),
        *("logging.handlers", "multiprocessing.pool", "unittest.mock", "urllib.error"),
        *("urllib.parse", "urllib.request", "xml.dom.minidom", "xml.etree.ElementTree"),
    }
)


def _beside(name: str, facts: FileFacts) -> Iterator[Provider]:
    """A name of a standard module from which the file imports others."""
    for module in dict.fromkeys(each.module for each in facts.imports if each.names and not each.level):
        if name in _names_of(module):
            yield Provider(module, name, name, 0)


@cache
def _names_of(module: str) -> frozenset[str]:
    """What a module of the standard library has; nothing of any other.

    Nor of one with an underscore: a file names it, and `unittest.__main__` is a program.
    """
    top, *inner = module.split(".")
    if top not in sys.stdlib_module_names or top in _LEFT_ALONE:
        return frozenset()
    if any(part.startswith("_") for part in (top, *inner)):
        return frozenset()
    try:
        return frozenset(dir(importlib.import_module(module)))
    except ImportError:
        return frozenset()


@cache
def _well_known() -> dict[str, str]:
    found: dict[str, str] = {}
    for module in _WELL_KNOWN:
        loaded = importlib.import_module(module)
        names = getattr(loaded, "__all__", None) or [
            each for each in vars(loaded) if not each.startswith("_")
        ]
        for name in names:
            if len(name) > 1:
                found.setdefault(name, module)
    return found
