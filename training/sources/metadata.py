"""What a package's metadata say of its licence, word for word. Judges nothing and knows no SPDX."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from email.parser import HeaderParser

LIMIT = 4 << 20
"""The most bytes that are read of a file with metadata."""


def of_wheel(text: str) -> tuple[str, ...]:
    """From METADATA: the expression, then the classifiers together, then the free text."""
    head = HeaderParser().parsestr(text)
    classifiers = [
        each.rpartition(" :: ")[2]
        for each in head.get_all("Classifier", [])
        if each.startswith("License :: ")
    ]
    named = " AND ".join(sorted({each for each in classifiers if each != "OSI Approved"}))
    return tuple(
        each for each in (head.get("License-Expression", ""), named, head.get("License", "")) if each
    )


def dist_info(path: str) -> str | None:
    """What of a path lies within a wheel's metadata folder; None for all others."""
    folder, _, rest = path.partition("/")
    return rest if folder.endswith(".dist-info") else None


def repository_path(path: str) -> str:
    """Where a licence file of a wheel's metadata lay in the repository."""
    inside = dist_info(path)
    return path if inside is None else inside.removeprefix("licenses/").removeprefix("src/")


def of_npm(text: str) -> tuple[str, ...]:
    """From package.json, today's spelling and the old ones."""
    try:
        head = json.loads(text or "{}")
    except ValueError:
        return ()
    if not isinstance(head, dict):
        return ()
    said = head.get("license", head.get("licenses", ()))
    options = [_npm_type(each) for each in (said if isinstance(said, list) else [said])]
    known = [each for each in options if each]
    return (" OR ".join(f"({each})" if len(known) > 1 else each for each in known),) if known else ()


def of_pyproject(text: str) -> tuple[str, ...]:
    """From pyproject.toml: the expression or the text of `project.license`, then the classifiers."""
    try:
        project = tomllib.loads(text).get("project", {})
    except tomllib.TOMLDecodeError:
        return ()
    said = project.get("license", "")
    text = said.get("text", "") if isinstance(said, dict) else str(said)
    classifiers = [str(each) for each in project.get("classifiers", [])]
    named = sorted(
        {each.rpartition(" :: ")[2] for each in classifiers if each.startswith("License :: OSI Approved :: ")}
    )
    return tuple(each for each in (text, " AND ".join(named)) if each)


def of_debian(text: str) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...]]:
    """From debian/copyright (DEP-5): the licence of `*`, and (pattern, licence) of each part."""
    paragraphs = list(_paragraphs(text))
    if not paragraphs or "format" not in paragraphs[0]:
        return (), ()
    parts = [
        (pattern, each["license"].partition("\n")[0].strip())
        for each in paragraphs
        if "files" in each and "license" in each
        for pattern in each["files"].split()
    ]
    main = [licence for pattern, licence in parts if pattern == "*"]
    declared = tuple(part for part in parts if part[0] != "*" and not part[0].startswith("debian/"))
    return tuple(main[-1:]), declared


def _npm_type(said: object) -> str:
    if isinstance(said, Mapping):
        said = said.get("type", "")
    return said if isinstance(said, str) else ""


def _paragraphs(text: str) -> Iterator[dict[str, str]]:
    """The paragraphs of a Debian control file; names in lower case, continued lines joined by line ends."""
    for block in re.split(r"\n\s*\n", text):
        fields: dict[str, str] = {}
        name = ""
        for line in block.splitlines():
            if line.startswith("#"):
                continue
            if line[:1].isspace():
                fields[name] = fields.get(name, "") + "\n" + line.strip()
            elif ":" in line:
                name, _, value = line.partition(":")
                name = name.strip().lower()
                fields[name] = value.strip()
        if fields:
            yield fields
