"""One package.json -> what Node.js, npm and TypeScript read of it. Knows no other file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Any

from context.imports.jsonc import MAX_REMEMBERED, read_object
from context.imports.star_map import StarMap, StarMatch
from context.imports.workspace_globs import globs_of_package
from context.paths import folder_of

ENTRY_FIELDS = ("source", "types", "typings", "main", "module")
CONDITIONS = ("types", "source", "import", "require", "default", "node")
"""The order in which targets are tried. A package's own order says which build suits a machine; we want
whichever is a file of the workspace, and the one with types first."""
MAX_VISITS = 256
"""As many parts of one value are looked at; a real one has a dozen."""


@dataclass(frozen=True, slots=True)
class Package:
    """A folder with a package.json."""

    folder: str
    name: str
    entries: tuple[str, ...]
    """Paths of what the package's bare name means, where there are no `exports`."""
    exports: StarMap | None
    """By subpath: `.`, `./sub`, `./*`."""
    imports: StarMap | None
    """By the package's private names: `#sub`, `#sub/*`."""
    members: tuple[str, ...]
    """Globs of the workspace that the package is the root of."""


@lru_cache(maxsize=MAX_REMEMBERED)
def read_package(key: str, text: str) -> Package:
    """The package of a manifest; what is not as it should be is left out."""
    manifest = read_object(text)
    name = manifest.get("name")
    return Package(
        folder=folder_of(key),
        name=name if isinstance(name, str) else "",
        entries=tuple(path for field in ENTRY_FIELDS if isinstance(path := manifest.get(field), str)),
        exports=_exports(manifest.get("exports")),
        imports=_star_map(manifest.get("imports")),
        members=globs_of_package(manifest),
    )


def targets_of(found: StarMatch) -> Iterator[str]:
    """The paths that a value of `exports` or `imports` names, the preferred first, its star filled in."""
    waiting: list[Any] = [found.value]
    for _ in range(MAX_VISITS):
        if not waiting:
            return
        value = waiting.pop()
        if isinstance(value, str):
            yield found.filled(value)
        elif isinstance(value, list):
            waiting += reversed(value[:MAX_VISITS])
        elif isinstance(value, dict):
            others = [name for name in islice(value, MAX_VISITS) if name not in CONDITIONS]
            waiting += [value[name] for name in reversed((*CONDITIONS, *others)) if name in value]


def _exports(value: Any) -> StarMap | None:
    if isinstance(value, dict) and any(name.startswith(".") for name in value):
        return _star_map(value)
    return None if value is None else StarMap({".": value})


def _star_map(value: Any) -> StarMap | None:
    return StarMap(value, shortest_star=1) if isinstance(value, dict) else None
