"""Proves that a corpus holds no copy of what no training may see, from the corpus as it lies on disk.

The build drops copies one file at a time; this reads what it wrote, with nothing kept from the build.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from engine.errors import GhostfillError
from training.corpus.clean import Unseen
from training.corpus.known_text import Overlap
from training.corpus.repository import Repository, repositories
from training.corpus.verdicts import answers, copied_from
from training.corpus.words import word_hashes


@dataclass(frozen=True, slots=True)
class Finding:
    """A file of the corpus that holds what it must not."""

    file: str
    """Package and path."""
    overlap: Overlap


@dataclass(frozen=True, slots=True)
class OverlapReport:
    """Of all files that were read."""

    num_files: int
    findings: tuple[Finding, ...]
    """Empty in a corpus that may be trained on."""
    longest: tuple[Finding, ...]
    """The files that share the longest runs with held-out packages and still are no copies."""

    def raise_if_found(self) -> None:
        """Raises OverlapError that names the worst."""
        if self.findings:
            worst = max(self.findings, key=lambda finding: finding.overlap.num_words)
            raise OverlapError(
                f"{len(self.findings)} of {self.num_files} files hold what no training may see, most of it "
                f"{worst.file} ({worst.overlap.num_words} words of {worst.overlap.owner}): build it anew."
            )


class OverlapError(GhostfillError):
    """A corpus holds what no training may see."""


def overlap_report(folder: Path, unseen: Unseen, num_longest: int = 20) -> OverlapReport:
    """Of the repositories in a folder; raises OSError."""
    return report_on(repositories(folder), unseen, num_longest)


def report_on(found: Iterable[Repository], unseen: Unseen, num_longest: int = 20) -> OverlapReport:
    """Of any repositories."""
    num_files = 0
    findings: list[Finding] = []
    shared: list[Finding] = []
    for repository in found:
        for file in repository.files:
            num_files += 1
            name = f"{repository.key}:{file.path}"
            words = word_hashes(file.text)
            hit = answers(unseen.benchmarks, words) or copied_from(unseen.packages, words)
            if hit is not None:
                findings.append(Finding(name, hit))
            elif (overlap := unseen.packages.overlap(words)) is not None:
                shared.append(Finding(name, overlap))
    shared.sort(key=lambda finding: (-finding.overlap.num_words, finding.file))
    return OverlapReport(num_files, tuple(findings), tuple(shared[:num_longest]))
