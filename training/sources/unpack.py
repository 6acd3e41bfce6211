"""A source's archives as a package, read in memory: nothing is written or run, no link is followed."""

from __future__ import annotations

import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path, PurePosixPath

from training.sources import metadata
from training.sources.errors import ArchiveError
from training.sources.package import Package, decoded, is_built, is_licence_file, limit_of, source_files
from training.sources.table import Registry, Source

TOTAL_BYTES = 2 << 30
"""An archive that unpacks to more is refused."""
MEMBERS = 200_000
_BROKEN = (
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    NotImplementedError,
    OSError,
)

Wanted = Callable[[str], int]
"""The most bytes to read of a path; 0 leaves it."""


def unpacked(archive: Path, source: Source) -> Package:
    """What the folder `archive`, as `downloaded` made it, holds; raises ArchiveError."""
    parts = sorted(path for path in archive.iterdir() if path.is_file())
    try:
        if source.registry is Registry.PYPI:
            return _of_wheel(parts, source)
        return _of_npm(parts, source) if source.registry is Registry.NPM else _of_debian(parts, source)
    except _BROKEN as error:
        raise ArchiveError(
            f"{archive} cannot be unpacked ({error}): delete that folder and run the same command again."
        ) from error


def members(path: Path, wanted: Wanted) -> Iterator[tuple[str, bytes]]:
    """The wanted regular files of a zip or tar archive; ArchiveError for one that leads out or a bomb."""
    total = 0
    kind = _zip_members if zipfile.is_zipfile(path) else _tar_members
    for number, (name, size, read) in enumerate(kind(path)):
        total += size
        if total > TOTAL_BYTES or number > MEMBERS:
            raise ArchiveError(f"{path.name} unpacks to more than any package here needs: take its row out.")
        if name.startswith("/") or "\\" in name or ".." in name.split("/"):
            raise ArchiveError(f"{path.name} holds a path that leads out of it ({name!r}): take its row out.")
        limit = wanted(name)
        if 0 < size <= limit:
            content = read(limit + 1)  # a header may lie about the size
            if len(content) <= limit:
                yield name, content


def _zip_members(path: Path) -> Iterator[tuple[str, int, Callable[[int], bytes]]]:
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            is_link = info.external_attr >> 28 == 0o12
            if not info.is_dir() and not is_link:
                yield info.filename, info.file_size, partial(_read, archive, info)


def _read(archive: zipfile.ZipFile, info: zipfile.ZipInfo, limit: int) -> bytes:
    with archive.open(info) as file:
        return file.read(limit)


def _tar_members(path: Path) -> Iterator[tuple[str, int, Callable[[int], bytes]]]:
    with tarfile.open(path, "r|*") as archive:
        for info in archive:
            if info.isreg():
                file = archive.extractfile(info)
                assert file is not None
                yield info.name.removeprefix("./"), info.size, file.read


def _texts(path: Path, wanted: Wanted) -> dict[str, str]:
    found = ((name, decoded(content)) for name, content in members(path, wanted))
    return {name: text for name, text in found if text is not None}


def _of_wheel(parts: Iterable[Path], source: Source) -> Package:
    """Its Python: what else a wheel holds of source was mostly built."""

    wheel = _only((path for path in parts if path.suffix == ".whl"), source)

    def wanted(name: str) -> int:
        return metadata.LIMIT if metadata.dist_info(name) == "METADATA" else limit_of(name, source.language)

    texts = _texts(wheel, wanted)
    head = next((text for name, text in texts.items() if metadata.dist_info(name) == "METADATA"), "")
    licences = {metadata.repository_path(name): text for name, text in texts.items() if is_licence_file(name)}
    python = ((name, text) for name, text in texts.items() if name.endswith(".py"))
    return Package(metadata.of_wheel(head), _sorted(licences), source_files(python, source.language))


def _of_npm(parts: Iterable[Path], source: Source) -> Package:
    """Its sources: a package written in TypeScript holds its JavaScript as built from it."""

    def wanted(name: str) -> int:
        return (
            metadata.LIMIT if PurePosixPath(name).name == "package.json" else limit_of(name, source.language)
        )

    texts = _tar_texts(_only(parts, source), wanted)
    own = ((path, text) for path, text in texts.items() if not is_built(path))
    files = source_files(own, source.language)
    if source.language == "typescript":
        files = tuple(file for file in files if file.language == "typescript")
    return Package(metadata.of_npm(texts.get("package.json", "")), _licences(texts), files)


def _of_debian(parts: Iterable[Path], source: Source) -> Package:
    """Upstream's files, without Debian's folder beside them; its `copyright` tells the licences."""
    tars = [path for path in parts if ".tar." in path.name and ".orig-" not in path.name]
    packaging = [path for path in tars if ".debian.tar." in path.name]
    upstream = _only((path for path in tars if path not in packaging), source)
    texts = _tar_texts(upstream, lambda name: limit_of(name, source.language))
    copyrights = _texts(_only(packaging, source), _wanted_copyright) if packaging else texts
    main, declared = metadata.of_debian(copyrights.get("debian/copyright", ""))
    ours = {name: text for name, text in texts.items() if not name.startswith("debian/")}
    return Package(main, _licences(ours), source_files(ours.items(), source.language), declared)


def _wanted_copyright(name: str) -> int:
    return metadata.LIMIT if name == "debian/copyright" else 0


def _only(paths: Iterable[Path], source: Source) -> Path:
    found = list(paths)
    if len(found) != 1:
        names = ", ".join(path.name for path in found) or "nothing"
        raise ArchiveError(f"{source.name} {source.version}: one archive was expected, there is {names}.")
    return found[0]


def _tar_texts(path: Path, wanted: Wanted) -> dict[str, str]:
    """The wanted texts, without the one folder that everything lies in (`package/`, `foo-1.2/`)."""
    tops: set[str] = set()

    def noted(name: str) -> int:
        top, slash, _ = name.partition("/")
        tops.add(top if slash else "")
        return wanted(name)

    texts = _texts(path, noted)
    if len(tops) != 1 or "" in tops:
        return texts
    return {name.partition("/")[2]: text for name, text in texts.items()}


def _licences(texts: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return _sorted({name: text for name, text in texts.items() if is_licence_file(name)})


def _sorted(texts: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(texts.items()))
