"""The held-out packages' own texts, at pinned versions: what the corpus is compared with.

The versions that benchmarks measure are among them. A held-out package without a row here is kept out by its
name alone: one that only continues or repackages another, or whose versions do not stay in the archive.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from training.corpus.known_text import KnownText
from training.corpus.licence_header import without_licence_header
from training.corpus.verdicts import MAX_PACKAGES
from training.sources.errors import ClientMissingError
from training.sources.package import Package
from training.sources.registry import downloaded
from training.sources.table import HeldOut, Registry, Source, read_held_out
from training.sources.unpack import unpacked

PINNED = Path(__file__).with_name("held_out_versions.tsv")


@dataclass(frozen=True, slots=True)
class HeldOutTexts:
    """What was read, and what is known by name only."""

    known: KnownText
    compared: tuple[str, ...]
    by_name_only: tuple[str, ...]


def pinned(path: Path = PINNED) -> tuple[Source, ...]:
    """The rows; their licences do not matter here, nothing of them is trained on."""
    rows = (line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()[1:])
    return tuple(
        Source(language, Registry(registry), name, version, "") for language, registry, name, version in rows
    )


def kept_texts(work: Path) -> HeldOutTexts:
    """Of our own tables, with downloads in `work/held_out`; raises SourceError, OSError."""
    folder = work / "held_out"
    folder.mkdir(parents=True, exist_ok=True)
    return held_out_texts(read_held_out(), pinned(), folder)


def held_out_texts(named: tuple[HeldOut, ...], sources: tuple[Source, ...], folder: Path) -> HeldOutTexts:
    """Downloads what is not there; raises SourceError, because without the texts nothing can be compared.

    Only where a registry's own client is not installed, its packages are kept out by name.
    """
    packages: dict[str, Package] = {}
    for source in sources:
        with suppress(ClientMissingError):
            packages[source.name] = unpacked(downloaded(source, folder), source)
    known = KnownText.of(
        (
            (name, without_licence_header(file.text, file.language))
            for name, package in packages.items()
            for file in package.files
        ),
        max_owners=MAX_PACKAGES,
    )
    return HeldOutTexts(known, tuple(packages), tuple(row.name for row in named if row.name not in packages))
