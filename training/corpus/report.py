"""What a build kept and dropped, and why: report.json for programs, report.md for people. Decides nothing."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from training.corpus.crossing import Pair
from training.corpus.record import Record

OVERLAPS = ("benchmark", "held out")
NUM_SHOWN = 100
"""Rows of a long list in report.md; report.json has all."""


@dataclass(frozen=True, slots=True)
class Report:
    """One build."""

    records: Sequence[Record]
    pairs: Sequence[Pair]
    missing: Mapping[str, str]
    """By key, why a package of the table is not in the corpus."""
    refused: Mapping[str, str]
    """By key, why a checkout or installed package is not."""
    compared: Sequence[str]
    """Held-out packages whose texts were compared."""
    by_name_only: Sequence[str]
    """Held-out packages that are kept out by their name."""

    def languages(self) -> dict[str, dict[str, tuple[int, int]]]:
        """By language and reason, `kept` among them: files and characters."""
        files: dict[str, Counter[str]] = {}
        chars: dict[str, Counter[str]] = {}
        for language, reason, num_chars in self._rows():
            files.setdefault(language, Counter())[reason] += 1
            chars.setdefault(language, Counter())[reason] += num_chars
        return {
            language: {reason: (count, chars[language][reason]) for reason, count in counts.most_common()}
            for language, counts in sorted(files.items())
        }

    def chars_by_main_language(self) -> dict[str, int]:
        """Kept characters of each language that packages were listed for, whatever their files' languages."""
        chars: Counter[str] = Counter()
        for record in self.records:
            chars[record.language] += record.chars_by_language().total()
        return dict(chars)

    def write(self, folder: Path) -> None:
        """report.json and report.md, each whole or not at all; raises OSError."""
        _replace(folder / "report.json", json.dumps(self._json(), indent=1, ensure_ascii=False) + "\n")
        _replace(folder / "report.md", "\n".join(self._markdown()) + "\n")

    def _rows(self) -> Iterator[tuple[str, str, int]]:
        for record in self.records:
            for kept in record.kept:
                yield kept.language, "kept", kept.num_chars
            for dropped in record.dropped:
                yield dropped.language, dropped.reason, dropped.num_chars

    def _json(self) -> dict[str, Any]:
        return {
            "languages": {
                language: {
                    reason: {"files": files, "chars": chars} for reason, (files, chars) in reasons.items()
                }
                for language, reasons in self.languages().items()
            },
            "packages": [
                {
                    "key": record.key,
                    "language": record.language,
                    "licence": record.licence,
                    "kept": dict(record.chars_by_language()),
                    "num_kept": len(record.kept),
                    "dropped": dict(Counter(dropped.reason for dropped in record.dropped)),
                }
                for record in self.records
            ],
            "dropped": [
                {"package": record.key, **dropped._asdict()}
                for record in self.records
                for dropped in record.dropped
            ],
            "near_duplicates": [asdict(pair) for pair in self.pairs],
            "missing": dict(self.missing),
            "refused": dict(self.refused),
            "held_out": {"compared": list(self.compared), "by_name_only": list(self.by_name_only)},
        }

    def _markdown(self) -> Iterator[str]:
        yield "# The corpus\n"
        yield from self._language_tables()
        yield from _table(
            "Overlaps with what no training may see",
            ("file", "drops because of"),
            [
                (f"{record.key}:{dropped.path}", f"{dropped.reason}: {dropped.detail}")
                for record in self.records
                for dropped in record.dropped
                if dropped.reason in OVERLAPS
            ],
        )
        yield f"\nCompared with the texts of: {', '.join(self.compared) or 'none'}."
        yield f"\nKept out by name only: {', '.join(self.by_name_only) or 'none'}."
        yield from _table(
            "Near-duplicates",
            ("dropped", "kept", "similarity"),
            [(pair.dropped, pair.kept, f"{pair.similarity:.2f}") for pair in self.pairs],
        )
        yield from _table("Missing packages", ("package", "why"), list(self.missing.items()))
        yield from _table("Refused checkouts and installed packages", ("", "why"), list(self.refused.items()))
        yield from _table(
            "Packages", ("package", "licence", "files", "characters", "dropped"), self._packages(), 0
        )

    def _language_tables(self) -> Iterator[str]:
        for language, reasons in self.languages().items():
            rows = [(reason, f"{files:,}", f"{chars:,}") for reason, (files, chars) in reasons.items()]
            yield from _table(language, ("", "files", "characters"), rows, 0)

    def _packages(self) -> list[tuple[str, ...]]:
        return [
            (
                record.key,
                record.licence,
                f"{len(record.kept):,}",
                f"{record.chars_by_language().total():,}",
                ", ".join(
                    f"{reason} {n}" for reason, n in Counter(d.reason for d in record.dropped).most_common()
                ),
            )
            for record in self.records
        ]


def _table(
    title: str, head: Sequence[str], rows: Sequence[Sequence[str]], num_shown: int = NUM_SHOWN
) -> Iterator[str]:
    yield f"\n## {title}\n"
    yield f"| {' | '.join(head)} |"
    yield "| --- " * len(head) + "|"
    for row in rows[: num_shown or None]:
        yield f"| {' | '.join(cell.replace('|', '/') for cell in row)} |"
    if num_shown and len(rows) > num_shown:
        yield f"\n{len(rows) - num_shown:,} more in report.json."


def _replace(path: Path, text: str) -> None:
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        partial.write_text(text, encoding="utf-8")
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
