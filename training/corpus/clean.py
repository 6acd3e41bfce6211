"""One repository's files -> those worth learning from, in dependency order. Knows no disk."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from training.corpus.filters import BEFORE_CUTS, first_reason, is_too_small
from training.corpus.known_text import KnownText
from training.corpus.licence_header import without_licence_header
from training.corpus.near_duplicates import NUM_HASHES, signature_of
from training.corpus.order import in_dependency_order
from training.corpus.record import Dropped
from training.corpus.repository import SourceFile
from training.corpus.secrets import without_secrets
from training.corpus.syntax import has_syntax_error
from training.corpus.verdicts import answers, copied_from
from training.corpus.words import Hashes, word_hashes

AFTER_CUTS = (is_too_small, has_syntax_error)


@dataclass(frozen=True, slots=True)
class Unseen:
    """What no training may see."""

    benchmarks: KnownText
    packages: KnownText


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What stays of a repository, and what does not."""

    files: tuple[SourceFile, ...]
    signatures: npt.NDArray[np.uint32]
    """One row per file."""
    dropped: tuple[Dropped, ...]


def cleaned(
    files: Iterable[SourceFile],
    unseen: Unseen,
    refused: Mapping[str, str] | None = None,
) -> Cleaned:
    """The rules in their order; `refused` gives, by path, why a file may not be used at all.

    The order is made before small files go, because many are an `__init__` through which others are imported.
    """
    dropped: list[Dropped] = []
    sound: list[SourceFile] = []
    for file in files:
        if refused and file.path in refused:
            dropped.append(_dropped(file, "licence", refused[file.path]))
        elif reason := first_reason(file, BEFORE_CUTS):
            dropped.append(_dropped(file, reason))
        else:
            sound.append(file)
    kept: list[SourceFile] = []
    signatures = []
    for file in in_dependency_order(sound):
        cut = _cut(file)
        if cut is None:
            dropped.append(_dropped(file, "private key"))
            continue
        words = word_hashes(cut.text)
        verdict = _verdict(cut, words, unseen)
        if verdict is not None:
            dropped.append(_dropped(cut, *verdict))
        else:
            kept.append(cut)
            signatures.append(signature_of(words))
    stacked = np.array(signatures, np.uint32).reshape(len(kept), NUM_HASHES)
    return Cleaned(tuple(kept), stacked, tuple(dropped))


def _cut(file: SourceFile) -> SourceFile | None:
    text = without_secrets(without_licence_header(file.text, file.language))
    return None if text is None else replace(file, text=text)


def _verdict(file: SourceFile, words: Hashes, unseen: Unseen) -> tuple[str, str] | None:
    """Why a file that was cut is dropped, and what it repeats."""
    if reason := first_reason(file, AFTER_CUTS):
        return reason, ""
    if answer := answers(unseen.benchmarks, words):
        return "benchmark", f"{answer.owner}, {answer.num_words} words"
    if copy := copied_from(unseen.packages, words):
        return "held out", f"{copy.owner}, {copy.num_words} words, {copy.share:.0%}"
    return None


def _dropped(file: SourceFile, reason: str, detail: str = "") -> Dropped:
    return Dropped(file.path, file.language, len(file.text), reason, detail)
