"""The npm packages of a workspace, by folder and by name. Knows what they say, not their files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property

from context.imports.package_json import Package, read_package
from context.imports.workspace_globs import is_member, member_globs
from context.imports.written_path import upwards
from context.paths import folder_of, is_within, name_of

MAX_NAMESAKES = 16
_MONOREPO_MANIFESTS = ("pnpm-workspace.yaml", "lerna.json")


class Packages:
    """Every package.json below the roots is a package. Immutable; read when the first one is asked for."""

    def __init__(self, manifests: Mapping[str, str]) -> None:
        self._texts = {
            key: text
            for key, text in manifests.items()
            if name_of(key) in ("package.json", *_MONOREPO_MANIFESTS) and "/node_modules/" not in key
        }

    def at(self, folder: str) -> Package | None:
        """The package whose folder this is."""
        return self._by_folder.get(folder)

    def around(self, folder: str) -> Package | None:
        """The innermost package that a folder belongs to."""
        found = (self._by_folder.get(outer) for outer in upwards(folder))
        return next((package for package in found if package), None)

    def named(self, name: str, folder: str) -> Package | None:
        """The package that a name means in a folder.

        Its own package, else the one that the innermost monorepo around it lists, else the nearest.
        """
        namesakes = self._by_name.get(name, ())
        if len(namesakes) < 2:
            return namesakes[0] if namesakes else None
        own = self.around(folder)
        if own in namesakes:
            return own
        for outer in upwards(folder):
            globs = self._members.get(outer)
            if globs:
                start = len(outer) + 1
                inside = (other for other in namesakes if is_within(other.folder, outer))
                listed = (other for other in inside if is_member(other.folder[start:], globs))
                member = next(listed, None)
                if member is not None:
                    return member
        return max(namesakes, key=lambda other: _shared(other.folder, folder))

    @cached_property
    def _by_folder(self) -> dict[str, Package]:
        texts = ((key, text) for key, text in self._texts.items() if name_of(key) == "package.json")
        return {folder_of(key): read_package(key, text) for key, text in texts}

    @cached_property
    def _by_name(self) -> dict[str, tuple[Package, ...]]:
        found: dict[str, list[Package]] = {}
        for package in _shallow_first(self._by_folder.values()):
            if package.name:
                found.setdefault(package.name, []).append(package)
        return {name: tuple(packages[:MAX_NAMESAKES]) for name, packages in found.items()}

    @cached_property
    def _members(self) -> dict[str, tuple[str, ...]]:
        found = {folder: package.members for folder, package in self._by_folder.items()}
        for key, text in self._texts.items():
            if name_of(key) in _MONOREPO_MANIFESTS:
                found[folder_of(key)] = (*found.get(folder_of(key), ()), *member_globs(key, text))
        return found


def _shallow_first(packages: Iterable[Package]) -> list[Package]:
    return sorted(packages, key=lambda package: (package.folder.count("/"), package.folder))


def _shared(folder: str, other: str) -> int:
    """How many folders two paths have in common."""
    count = 0
    for one, two in zip(folder.split("/"), other.split("/"), strict=False):
        if one != two:
            break
        count += 1
    return count
