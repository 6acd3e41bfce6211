"""Whether a package may be used: its metadata must say so, and nothing in it may say otherwise."""

from __future__ import annotations

import re
from collections.abc import Sequence

from training.corpus.repository import SourceFile
from training.sources.errors import LicenceError
from training.sources.licence_names import VAGUE, is_usable, spdx_of
from training.sources.licence_texts import forbids, recognised, restrictive
from training.sources.package import Package
from training.sources.spdx import is_permissive, is_same, keys
from training.sources.table import Source

_RESTRICTIVE = re.compile(r"(?i)GPL|GNU |MPL|Mozilla|proprietary|commercial|CC[ -]BY")
"""In a line of metadata that is no licence's name."""
_PATTERN = re.compile(r"\\.|[^A-Za-z0-9/_]")
NAME_CHARACTERS = 200
"""A longer line of metadata is a licence's text."""
_MAIN = re.compile(
    r"(?i)(?:un)?licen[cs]e(?:[-_.](?:md|txt|rst|mit|isc|apache.*|bsd.*))?|copying(?:\.(?:md|txt|rst))?"
)
"""Names of the file that speaks for the whole package, not for what it bundles."""


def checked_licence(source: Source, package: Package) -> str:
    """The package's licence as SPDX; raises LicenceError where it is not permissive or not the table's."""
    licence = declared_licence(package, f"{source.name} {source.version}")
    if not is_same(licence, source.licence):
        raise LicenceError(
            f"{source.name} {source.version} is under {licence}, the table says {source.licence}: "
            "correct the row."
        )
    return licence


def declared_licence(package: Package, name: str) -> str:
    """The permissive licence that metadata and licence files agree on, as SPDX; raises LicenceError."""
    licence = _of_metadata(package, name)
    main = _main_texts(package)
    for path, text in main:
        families = sorted(each for each in restrictive(text) if not any(each in key for key in keys(licence)))
        if families:
            said = ", ".join(families)
            raise LicenceError(f"{name}: its metadata say {licence}, its {path} says {said}: take it out.")
    if main and not any(recognised(text) for _, text in main):
        raise LicenceError(
            f"{name}: its metadata say {licence}, its {main[0][0]} is no licence known: take it out."
        )
    return licence


def _of_metadata(package: Package, name: str) -> str:
    """What all lines of the metadata allow together."""
    said = package.metadata_licences
    readings = [_spdx(each, package) for each in said]
    quoted = " / ".join(" ".join(each.split())[:60] for each in said) or "nothing"
    if not readings or readings[0] is None:
        raise LicenceError(
            f"{name}: its metadata name no licence that SPDX knows (they say {quoted}): take it out."
        )
    for line, reading in zip(said, readings, strict=True):
        if _RESTRICTIVE.search(line) if reading is None else not is_permissive(reading):
            raise LicenceError(
                f"{name} is not under a permissive licence (its metadata say {quoted}): take it out."
            )
    exact = [each for line, each in zip(said, readings, strict=True) if each and line.lower() not in VAGUE]
    return (exact or [readings[0]])[0]


def recognised_licence(package: Package) -> str | None:
    """What the main licence files alone say, as SPDX: for a checkout without metadata."""
    found = {recognised(text) for _, text in _main_texts(package)}
    return None if None in found or not found else " OR ".join(sorted(filter(None, found)))


def refused_files(package: Package) -> dict[str, str]:
    """The files of an otherwise usable package that may not be used, and why."""
    folders = [
        (path.rpartition("/")[0] + "/", f"{path} says {', '.join(sorted(families))}")
        for path, text in package.licence_texts
        if "/" in path and (families := restrictive(text))
    ]
    declared = [
        (
            re.compile(_PATTERN.sub(_translated, pattern)),
            None if is_usable(licence) else f"declared as {licence}",
        )
        for pattern, licence in package.declared
    ]
    reasons = ((file.path, _reason(file, folders, declared)) for file in package.files)
    return {path: reason for path, reason in reasons if reason is not None}


def _reason(
    file: SourceFile,
    folders: Sequence[tuple[str, str]],
    declared: Sequence[tuple[re.Pattern[str], str | None]],
) -> str | None:
    matching = [why for pattern, why in declared if pattern.fullmatch(file.path)]
    if matching and matching[-1]:
        return matching[-1]
    return next((why for folder, why in folders if file.path.startswith(folder)), None) or forbids(file.text)


def _translated(match: re.Match[str]) -> str:
    """One wildcard or other mark of a DEP-5 pattern as a regular expression; both wildcards match a slash."""
    return {"*": ".*", "?": "."}.get(match.group(), re.escape(match.group().lstrip("\\")))


def _spdx(said: str, package: Package) -> str | None:
    """What one line of metadata means, or None where it is no name and no expression."""
    text = " ".join(said.split())
    if len(text) > NAME_CHARACTERS:
        return None if restrictive(said) else recognised(said)
    if text.lower() in VAGUE:
        found = next((recognised(each) for _, each in _main_texts(package)), None)
        return found if found in ("BSD-2-Clause", "BSD-3-Clause") else "BSD-3-Clause"
    return spdx_of(text)


def _main_texts(package: Package) -> list[tuple[str, str]]:
    return [(path, text) for path, text in package.licence_texts if _MAIN.fullmatch(path)]
