"""`python -m training.sources`: checks every row of the table against its registry, and writes the lock."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from platformdirs import user_cache_path
from rich.progress import track

from training.sources.errors import NoSpaceError, SourceError
from training.sources.licence import checked_licence, refused_files
from training.sources.registry import all_downloaded, digests
from training.sources.table import LANGUAGES, LOCK, Source, read_table
from training.sources.unpack import unpacked


def main(arguments: Sequence[str] | None = None) -> int:
    """0 where every row holds, 1 where one does not."""
    parser = argparse.ArgumentParser(prog="python -m training.sources", description=__doc__)
    work = user_cache_path("ghostfill", appauthor=False) / "training"
    parser.add_argument("--work", type=Path, default=work, help="the folder that keeps the archives")
    parser.add_argument("--only", help=f"languages, with commas: {','.join(LANGUAGES)}")
    parser.add_argument("--lock", action="store_true", help="write the archives' digests to sources.lock.tsv")
    flags = parser.parse_args(arguments)
    try:
        return _check(
            flags.work / "archives", set((flags.only or ",".join(LANGUAGES)).split(",")), flags.lock
        )
    except SourceError as error:
        print(error, file=sys.stderr)
        return 1


def _check(archives: Path, languages: set[str], is_to_lock: bool) -> int:
    sources = read_table()
    chosen = [source for source in sources if source.language in languages]
    found: dict[str, dict[str, str]] = {}
    wrong = []
    for source, place in track(all_downloaded(chosen, archives), "packages", total=len(chosen)):
        if isinstance(place, NoSpaceError):
            raise place
        error = place if isinstance(place, SourceError) else _error(source, place)
        if error is not None:
            wrong.append(str(error))
        elif not isinstance(place, SourceError):
            found[source.key] = digests(place)
    if is_to_lock:
        write_lock([source for source in sources if source.key in found], found, LOCK)
    for line in sorted(wrong):
        print(line, file=sys.stderr)
    counts = Counter(source.language for source in chosen if source.key in found)
    print(
        f"{len(found)} of {len(chosen)} rows hold:",
        ", ".join(f"{n} {language}" for language, n in counts.items()),
    )
    return 1 if wrong else 0


def write_lock(sources: Sequence[Source], found: dict[str, dict[str, str]], path: Path) -> None:
    """Keep the digests in the table's order, whole or not at all; raises OSError."""
    rows = [
        f"{source.key}\t{file}\t{digest}\n"
        for source in sources
        for file, digest in found[source.key].items()
    ]
    partial = path.with_suffix(".partial")
    partial.write_text("key\tfile\tsha256\n" + "".join(rows), encoding="utf-8")
    partial.replace(path)


def _error(source: Source, place: Path) -> SourceError | None:
    """Why a row does not hold, if it does not."""
    try:
        package = unpacked(place, source)
        checked_licence(source, package)
    except SourceError as error:
        return error
    kept = {file.path for file in package.files if file.language == source.language} - set(
        refused_files(package)
    )
    return (
        None
        if kept
        else SourceError(f"{source.name} {source.version} holds no {source.language}: take it out.")
    )


if __name__ == "__main__":
    raise SystemExit(main())
