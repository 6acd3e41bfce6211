"""The one seam to the registries: a source's archives in a folder, whole or not at all. Opens no archive."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from pathlib import Path

from training.sources import debian, npm, pypi
from training.sources.errors import ChangedError, NoSpaceError, SourceError
from training.sources.table import LOCK, Registry, Source, read_lock

FREE_BYTES = 1 << 30
"""What must be free before a download starts: more than the largest archive and what is unpacked of it."""
SCRATCH = ".partial-"
STALE_SECONDS = 6 * 3600
_FETCH: Mapping[Registry, Callable[[Source, Path, Path], None]] = {
    Registry.PYPI: pypi.fetch,
    Registry.NPM: npm.fetch,
    Registry.DEBIAN: debian.fetch,
}


def downloaded(source: Source, folder: Path, lock: Mapping[str, Mapping[str, str]] | None = None) -> Path:
    """The folder `folder/<key>` with the source's archives, brought there if it is not; raises SourceError.

    What is already there is returned at once. An archive that differs from `lock` (by default the committed
    one; a source that it does not name is not checked) is refused. Many threads and processes may ask.
    """
    place = folder / source.key
    if place.is_dir():
        return place
    try:
        _want_space(folder)
        remove_leftovers(folder)
        with tempfile.TemporaryDirectory(prefix=SCRATCH, dir=folder, ignore_cleanup_errors=True) as scratch:
            archives = Path(scratch) / "archives"
            archives.mkdir()
            _FETCH[source.registry](source, archives, folder)
            _check(source, digests(archives), read_lock() if lock is None else lock)
            _keep(archives, place)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise _no_space(folder) from error
        raise SourceError(f"{folder} cannot be written ({error}): see to its rights.") from error
    return place


def all_downloaded(
    sources: Iterable[Source], folder: Path, workers: int = 4
) -> Iterator[tuple[Source, Path | SourceError]]:
    """Each source with its archives' folder or why there is none, as they arrive; some at a time."""
    lock = read_lock()

    def answer(source: Source) -> tuple[Source, Path | SourceError]:
        try:
            return source, downloaded(source, folder, lock)
        except SourceError as error:
            return source, error

    with ThreadPoolExecutor(workers) as threads:
        waiting = [threads.submit(answer, source) for source in sources]
        try:
            for done in as_completed(waiting):
                yield done.result()
        finally:
            for each in waiting:
                each.cancel()


def digests(archives: Path) -> dict[str, str]:
    """The SHA-256 of each file of a source's folder."""
    return {path.name: _sha256(path) for path in sorted(archives.iterdir())}


def remove_leftovers(folder: Path) -> None:
    """Take away what downloads left that were killed."""
    for path in folder.glob(SCRATCH + "*"):
        with suppress(FileNotFoundError):  # another download ended meanwhile
            if path.stat().st_mtime < time.time() - STALE_SECONDS:
                shutil.rmtree(path, ignore_errors=True)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _check(source: Source, found: Mapping[str, str], lock: Mapping[str, Mapping[str, str]]) -> None:
    known = lock.get(source.key)
    if known is not None and dict(known) != dict(found):
        raise ChangedError(
            f"{source.name} {source.version}: {source.registry} gave other files than {LOCK.name} names "
            "(another archive under the same version, or a proxy in between). Nothing of it was kept."
        )


def _keep(archives: Path, place: Path) -> None:
    """Put a finished folder in its place in one step; another process may have been first."""
    try:
        os.rename(archives, place)  # noqa: PTH104 - must not move into an existing folder
    except OSError:
        if not place.is_dir():
            raise


def _want_space(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(folder).free < FREE_BYTES:
        raise _no_space(folder)


def _no_space(folder: Path) -> NoSpaceError:
    return NoSpaceError(
        f"{folder} has less than {FREE_BYTES >> 20} MB free: make room, or name a folder on another disk "
        "with --work. What was downloaded whole stays; the same command goes on from there."
    )
