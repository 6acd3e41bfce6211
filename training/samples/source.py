"""The repositories that samples are made of: which files of a folder, which languages."""

from __future__ import annotations

import sys
import time
import zlib
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from training.corpus.repository import SUFFIX, Repository
from training.samples.errors import SamplesError

TELL_SECONDS = 0.2
BAR = 30
_Item = TypeVar("_Item")


def repository_files(folder: Path, limit: int = 0) -> list[Path]:
    """The repositories' files, `limit` of them from all over the folder if that is not 0.

    Raises SamplesError if there are none.
    """
    found = sorted(folder.glob("*" + SUFFIX))
    if not found:
        raise SamplesError(f"{folder} holds no repositories: `python -m training.corpus` makes them.")
    if not 0 < limit < len(found):
        return found
    return [found[number * len(found) // limit] for number in range(limit)]


def read(path: Path, languages: Collection[str] = ()) -> Repository:
    """A repository, of whose files only those in some languages if any are named. Raises SamplesError."""
    try:
        repository = Repository.read(path)
    except (OSError, EOFError, ValueError, TypeError, KeyError, StopIteration, zlib.error) as error:
        raise SamplesError(f"{path} is broken ({error}): delete it and make the corpus again.") from error
    if not languages:
        return repository
    return replace(repository, files=tuple(file for file in repository.files if file.language in languages))


def languages_of(only: str) -> frozenset[str]:
    """`python,javascript` as a set."""
    return frozenset(part.strip() for part in only.split(",") if part.strip())


def check_found(num_samples: int, folder: Path, languages: Collection[str]) -> None:
    """Raises SamplesError if nothing was made."""
    if not num_samples:
        what = f"no files in {', '.join(sorted(languages))}" if languages else "no files to make samples of"
        raise SamplesError(f"The repositories in {folder} hold {what}.")


def with_bar(items: Iterable[_Item], total: int, what: str) -> Iterator[_Item]:
    """The items, with a progress bar on stderr; without a terminal one line at the end."""
    is_terminal, told_at, done = sys.stderr.isatty(), 0.0, 0
    for done, item in enumerate(items, start=1):
        yield item
        if is_terminal and (time.monotonic() - told_at > TELL_SECONDS or done == total):
            told_at = time.monotonic()
            bar = "#" * (BAR * done // max(total, 1))
            print(f"\r{what} [{bar:<{BAR}}] {done}/{total}", end="", file=sys.stderr, flush=True)
    print("" if is_terminal else f"{what}: {done} of {total}", file=sys.stderr, flush=True)
