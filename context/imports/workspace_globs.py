"""Which folders a monorepo's manifest lists as its members: npm, yarn, pnpm, lerna, uv. Knows no packages."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Any

from context.imports.jsonc import read_object, texts_of
from context.paths import name_of

MAX_GLOBS = 100

_ITEM = re.compile(r"\s+-\s+(.*)|-\s+(.*)")
_QUOTED_OR_BARE = re.compile(r"""'([^']*)'|"([^"]*)"|([^\s,'"#\[\]][^\s,#\]]*)""")


def member_globs(key: str, text: str) -> tuple[str, ...]:
    """The globs of a package.json, lerna.json or pnpm-workspace.yaml."""
    name = name_of(key)
    if name == "pnpm-workspace.yaml":
        return tuple(_yaml_list(text, "packages"))[:MAX_GLOBS]
    found = read_object(text)
    return globs_of_lerna(found) if name == "lerna.json" else globs_of_package(found)


def globs_of_package(manifest: dict[str, Any]) -> tuple[str, ...]:
    """`workspaces` of a package.json: a list, or yarn's object with one."""
    listed = manifest.get("workspaces")
    return tuple(texts_of(listed.get("packages") if isinstance(listed, dict) else listed))[:MAX_GLOBS]


def globs_of_lerna(manifest: dict[str, Any]) -> tuple[str, ...]:
    """`packages` of a lerna.json, or what Lerna assumes."""
    return tuple(texts_of(manifest.get("packages", "packages/*")))[:MAX_GLOBS]


def is_member(folder: str, globs: Sequence[str]) -> bool:
    """Whether a folder, relative to the manifest's, is listed; a glob with `!` takes away."""
    parts = folder.split("/")
    wanted = [glob for glob in globs if not glob.startswith("!")]
    unwanted = [glob[1:] for glob in globs if glob.startswith("!")]
    return any(_matches(parts, glob) for glob in wanted) and not any(
        _matches(parts, glob) for glob in unwanted
    )


def _matches(parts: Sequence[str], glob: str) -> bool:
    """By the positions of the glob that are reached, so that many `**` cost no more than few."""
    steps = [step for step in glob.split("/") if step not in ("", ".")]
    reached = _past_stars({0}, steps)
    for part in parts:
        stepped = set()
        for position in reached:
            if position < len(steps) and steps[position] == "**":
                stepped.add(position)
            elif position < len(steps) and fnmatchcase(part, steps[position]):
                stepped.add(position + 1)
        reached = _past_stars(stepped, steps)
    return len(steps) in reached


def _past_stars(positions: set[int], steps: Sequence[str]) -> set[int]:
    waiting = list(positions)
    while waiting:
        position = waiting.pop()
        if position < len(steps) and steps[position] == "**" and position + 1 not in positions:
            positions.add(position + 1)
            waiting.append(position + 1)
    return positions


def _yaml_list(text: str, key: str) -> list[str]:
    """A list of texts at the top of a YAML file, written in lines or in brackets."""
    found: list[str] = []
    is_inside = False
    for line in text.splitlines():
        if line.startswith(f"{key}:"):
            is_inside = True
            found += _scalars(line.partition(":")[2])
        elif is_inside and (item := _ITEM.fullmatch(line)):
            found += _scalars(item[1] or item[2] or "")[:1]
        elif is_inside and line.startswith((" ", "]", "\t")):
            found += _scalars(line)
        elif line.strip() and not line.startswith("#"):
            is_inside = False
    return found


def _scalars(line: str) -> list[str]:
    without_comment = re.sub(r"(?:^|\s)#.*", "", line)
    found = (groups.groups() for groups in _QUOTED_OR_BARE.finditer(without_comment))
    return [next(text for text in texts if text is not None) for texts in found]
