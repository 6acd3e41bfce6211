"""Which packages the corpus is made of, at which versions and under which licences. Downloads nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from training.sources.errors import TableError
from training.sources.spdx import is_permissive

TABLE = Path(__file__).parent.parent / "sources.tsv"
HELD_OUT = TABLE.with_name("held_out.tsv")
LOCK = TABLE.with_name("sources.lock.tsv")
LANGUAGES = ("python", "javascript", "typescript", "c", "cpp", "go", "rust", "java")


class Registry(StrEnum):
    """Where an archive comes from."""

    PYPI = "pypi"
    NPM = "npm"
    DEBIAN = "debian"


_NAME = {
    Registry.PYPI: re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"),
    Registry.NPM: re.compile(r"(?:@[a-z0-9][a-z0-9._-]*/)?[a-z0-9][a-z0-9._-]*"),
    Registry.DEBIAN: re.compile(r"[a-z0-9][a-z0-9.+-]+"),
}
_VERSION = re.compile(r"[0-9][A-Za-z0-9.+:~!_-]*")


@dataclass(frozen=True, slots=True)
class Source:
    """One package at one version."""

    language: str
    """Its main language; the archive may hold others."""
    registry: Registry
    name: str
    version: str
    licence: str
    """An SPDX expression."""

    @property
    def key(self) -> str:
        """Names its files in a work folder: `pypi-attrs-25.3.0`, `npm-babel+core-7.0.0`."""
        name = normalised(self.registry, self.name).removeprefix("@").replace("/", "+")
        return f"{self.registry}-{name}-{self.version.replace(':', '_')}"


@dataclass(frozen=True, slots=True)
class HeldOut:
    """A package that no training may see."""

    registry: Registry
    name: str
    why: str


def normalised(registry: Registry, name: str) -> str:
    """The one spelling of a name: PyPI takes case and `-`, `_`, `.` for the same (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower() if registry is Registry.PYPI else name.lower()


def read_table(path: Path = TABLE, held_out: Path = HELD_OUT) -> tuple[Source, ...]:
    """The sources; raises TableError that names the line."""
    kept_out = {
        (each.registry, normalised(each.registry, each.name)): each for each in read_held_out(held_out)
    }
    lines: dict[tuple[Registry, str], int] = {}
    sources = []
    for number, row in _rows(path, ("language", "registry", "name", "version", "licence")):
        source = _source(row, f"{path.name}, line {number}")
        name = (source.registry, normalised(source.registry, source.name))
        if name in kept_out:
            raise TableError(
                f"{path.name}, line {number}: {source.name} is held out ({kept_out[name].why}): "
                "take the row out."
            )
        if name in lines:
            raise TableError(
                f"{path.name}, line {number}: {source.name} stands on line {lines[name]} too: "
                "keep one of them."
            )
        lines[name] = number
        sources.append(source)
    return tuple(sources)


def read_held_out(path: Path = HELD_OUT) -> tuple[HeldOut, ...]:
    """What must stay out; raises TableError that names the line."""
    found = []
    for number, (registry, name, why) in _rows(path, ("registry", "name", "why")):
        at = f"{path.name}, line {number}"
        found.append(HeldOut(_registry(registry, at), _name(Registry(registry), name, at), why))
    return tuple(found)


def read_lock(path: Path = LOCK) -> dict[str, dict[str, str]]:
    """Of each source's key, the SHA-256 of each of its archives; raises TableError that names the line."""
    lock: dict[str, dict[str, str]] = {}
    for number, (key, file, digest) in _rows(path, ("key", "file", "sha256")):
        if not re.fullmatch(r"[0-9a-f]{64}", digest):
            raise TableError(f"{path.name}, line {number}: {digest!r} is not a SHA-256 in hexadecimal.")
        lock.setdefault(key, {})[file] = digest
    return lock


def _source(row: Sequence[str], at: str) -> Source:
    language, registry, name, version, licence = row
    if language not in LANGUAGES:
        raise TableError(f"{at}: the language {language!r} is not one of {', '.join(LANGUAGES)}.")
    where = _registry(registry, at)
    _name(where, name, at)
    if not _VERSION.fullmatch(version):
        raise TableError(f"{at}: {name} needs one exact version, not {version!r}.")
    if not is_permissive(licence):
        raise TableError(
            f"{at}: the licence {licence!r} is not a permissive SPDX expression: take the row out."
        )
    return Source(language, where, name, version, licence)


def _registry(text: str, at: str) -> Registry:
    try:
        return Registry(text)
    except ValueError:
        raise TableError(f"{at}: the registry {text!r} is not one of {', '.join(Registry)}.") from None


def _name(registry: Registry, name: str, at: str) -> str:
    if not _NAME[registry].fullmatch(name):
        raise TableError(f"{at}: {name!r} is no name that {registry} knows.")
    return name


def _rows(path: Path, columns: Sequence[str]) -> Iterator[tuple[int, list[str]]]:
    """Each row below the header, with its 1-based line number."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise TableError(f"{path} cannot be read ({error}): restore it from the repository.") from error
    if not lines or tuple(lines[0].split("\t")) != tuple(columns):
        raise TableError(f"{path.name}, line 1: the header must be {' '.join(columns)}, with tabs between.")
    for number, line in enumerate(lines[1:], start=2):
        row = line.split("\t")
        if len(row) != len(columns) or not all(cell and cell == cell.strip() for cell in row):
            wanted = f"{len(columns)} cells with tabs between ({', '.join(columns)})"
            raise TableError(f"{path.name}, line {number}: a row has {wanted}, none empty: {line!r}")
        yield number, row
