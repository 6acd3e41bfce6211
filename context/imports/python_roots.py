"""pyproject.toml and setup.cfg -> the folders from which Python would import. Knows no modules.

A folder from which packages are installed counts everywhere. A project's own folder and pytest's `pythonpath`
count inside the project only: nobody else finds its `tests` or `conf.py`.
"""

from __future__ import annotations

import configparser
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Any

from context.imports.jsonc import MAX_REMEMBERED, texts_of
from context.imports.written_path import joined
from context.paths import folder_of, name_of

MAX_CHARS = 1 << 17
MAX_LINE = 2000
MAX_DOTS = 200
"""The parsers take time that grows with the square of a line's length or of a key's dots."""
MAX_PROJECTS = 1000
MAX_ROOTS = 50
"""As many are taken from one manifest."""

_HATCH_TARGETS = ("wheel", "sdist")
_WHOLE_FOLDERS = (
    "tool.setuptools.packages.find.where",
    "tool.poetry.packages.from",
    "tool.hatch.build.sources",
    "tool.hatch.build.dev-mode-dirs",
    *(f"tool.hatch.build.targets.{target}.sources" for target in _HATCH_TARGETS),
    "tool.pdm.build.package-dir",
    "tool.pdm.package-dir",
    "tool.uv.build-backend.module-root",
    "tool.maturin.python-source",
)
_PACKAGES = (
    "tool.hatch.build.packages",
    *(f"tool.hatch.build.targets.{target}.packages" for target in _HATCH_TARGETS),
)
_PYTEST = ("tool.pytest.ini_options.pythonpath", "tool.pytest.pythonpath")


@dataclass(frozen=True, slots=True)
class PythonRoots:
    """Where modules are looked for, as far as manifests say."""

    installed: tuple[str, ...]
    inside: Mapping[str, str]
    """The project's folder by the folder that counts for its importers only."""


def python_roots(manifests: Mapping[str, str]) -> PythonRoots:
    """The roots that the manifests of a workspace name, the outer projects' first.

    Every pyproject.toml makes its folder a project, with or without `[project]`: so the members of a uv
    workspace, which must have one, need no reading of its globs.
    """
    installed: dict[str, None] = {}
    inside: dict[str, str] = {}
    named = (key for key in sorted(manifests, key=_depth) if name_of(key) in ("pyproject.toml", "setup.cfg"))
    for key in islice(named, MAX_PROJECTS):
        project = folder_of(key)
        packages, python_path = _written_in(name_of(key), manifests[key])
        installed.update(dict.fromkeys([*_joined(project, packages), f"{project}/src"]))
        inside.update(dict.fromkeys([*_joined(project, python_path), project], project))
    return PythonRoots(tuple(installed), inside)


@lru_cache(maxsize=MAX_REMEMBERED)
def _written_in(name: str, text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What is installed and what pytest adds, as a manifest writes it."""
    manifest = _read(name, text)
    return tuple(islice(_installed_from(manifest), MAX_ROOTS)), tuple(
        islice(_python_path(manifest), MAX_ROOTS)
    )


def _joined(project: str, written: Iterable[str]) -> list[str]:
    return [root for path in written if (root := joined(project, path))]


def _python_path(manifest: dict[str, Any]) -> Iterator[str]:
    for dotted in _PYTEST:
        value = _value(manifest, dotted)
        yield from value.split() if isinstance(value, str) else texts_of(value)


def _depth(key: str) -> tuple[int, str]:
    return key.count("/"), key


def _installed_from(manifest: dict[str, Any]) -> Iterator[str]:
    for name, folder in _renamed(_value(manifest, "tool.setuptools.package-dir")):
        # `"" = "src"` is a root; `"name" = "lib/name"` lies in one
        if not name or name_of(folder) == name:
            yield folder if not name else folder_of(folder) or "."
    for dotted in _WHOLE_FOLDERS:
        value = _value(manifest, dotted)
        yield from texts_of(value)
        yield from (source for source, replacement in _renamed(value) if not replacement)
    for dotted in _PACKAGES:
        yield from (folder_of(package.rstrip("/")) or "." for package in texts_of(_value(manifest, dotted)))


def _renamed(value: object) -> list[tuple[str, str]]:
    rows = value.items() if isinstance(value, dict) else ()
    return [(name, folder) for name, folder in rows if isinstance(folder, str)]


def _value(manifest: object, dotted: str) -> object:
    """What stands under a dotted key; through a list, what stands under it in each item."""
    for part in dotted.split("."):
        if isinstance(manifest, list):
            manifest = [row.get(part) for row in manifest if isinstance(row, dict)]
        else:
            manifest = manifest.get(part) if isinstance(manifest, dict) else None
    return manifest


def _read(name: str, text: str) -> dict[str, Any]:
    """A manifest as pyproject.toml would say it, empty if it cannot be read."""
    if len(text) > MAX_CHARS:
        return {}
    if name == "setup.cfg":
        return _read_setup_cfg(text)
    if any(line.count(".") > MAX_DOTS for line in text.splitlines()):
        return {}
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError):
        return {}


def _read_setup_cfg(text: str) -> dict[str, Any]:
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string("\n".join(line for line in text.splitlines() if len(line) <= MAX_LINE))
    except configparser.Error:
        return {}
    package_dir = parser.get("options", "package_dir", fallback="")
    rows = (row.partition("=") for row in package_dir.replace(",", "\n").splitlines() if "=" in row)
    where = parser.get("options.packages.find", "where", fallback="")
    setuptools = {
        "package-dir": {name.strip(): folder.strip() for name, _, folder in rows},
        "packages": {"find": {"where": where.replace(",", "\n").split()}},
    }
    pythonpath = parser.get("tool:pytest", "pythonpath", fallback="")
    return {"tool": {"setuptools": setuptools, "pytest": {"pythonpath": pythonpath}}}
