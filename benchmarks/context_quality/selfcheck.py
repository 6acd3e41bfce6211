"""Checks of the benchmark itself, run before every measurement: a broken instrument stops the run.

Gold scores 1 and nothing scores 0; an answer planted in another file reaches our context; the answer in the
target file on disk does not. A planted workspace is written to a temporary folder.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.context_quality.conditions.ghostfill import Ghostfill
from benchmarks.context_quality.score import score
from benchmarks.context_quality.sites import Definition, Origin, Site
from engine.api import Segment
from lsp_server.hole import Hole

BUDGET_TOKENS = 1024
PLANTED = "resolve_quokka_ledger"
ANSWER = f"{PLANTED}(book, strict=True)"
_DEFINING = {
    "python": f"def {PLANTED}(book, strict):\n    return book if strict else None\n",
    "javascript": f"export function {PLANTED}(book, strict) {{\n  return strict ? book : null;\n}}\n",
}
_TARGET = {
    "python": ("from ledger import *\n\n\ndef close(book):\n    return ", "\n"),
    "javascript": (
        "import { open } from './ledger.js';\n\nexport function close(book) {\n  return ",
        "\n}\n",
    ),
}
_NAMES = {"python": ("ledger.py", "closing.py"), "javascript": ("ledger.js", "closing.js")}
_OTHER = {
    "python": "def open(book):\n    return book\n",
    "javascript": "export function open(book) {\n  return book;\n}\n",
}


class SelfCheckError(Exception):
    """The benchmark would not measure what it says."""


def check_scores(sites: Sequence[Site]) -> None:
    """The true answer of every site is right, no answer and a longer one are wrong; raises SelfCheckError."""
    for site in sites:
        gold, empty, longer = score(site, site.answer), score(site, ""), score(site, site.answer + ")")
        if not (gold.is_exact and gold.is_name_right and gold.similarity == 1.0):
            raise SelfCheckError(f"the answer itself is scored wrong: {site.path}: {site.answer!r}")
        if empty.is_exact or empty.is_name_right or empty.similarity or longer.is_exact:
            raise SelfCheckError(f"a wrong answer is scored right: {site.path}: {site.answer!r}")
        if site.hole.prefix + site.answer not in site.hole.prefix + site.answer + site.hole.suffix:
            raise SelfCheckError(f"{site.path} does not come back from its parts")


def check_context(count_tokens: Callable[[str], int], languages: Sequence[str]) -> None:
    """A planted definition is found, the target on disk is not; raises SelfCheckError."""
    for language in languages:
        if PLANTED not in planted_context(language, count_tokens, elsewhere=True):
            raise SelfCheckError(
                f"{language}: a definition planted in an imported file is not in our context"
            )
        if PLANTED in planted_context(language, count_tokens, elsewhere=False):
            raise SelfCheckError(f"{language}: our context holds the answer of the target file on disk")


def check_sources(site: Site, segments: Sequence[Segment]) -> None:
    """No condition shows the target file; raises SelfCheckError."""
    if any(segment.path == site.path for segment in segments):
        raise SelfCheckError(f"{site.path} is its own context")


def planted_context(language: str, count_tokens: Callable[[str], int], *, elsewhere: bool) -> str:
    """What we send where the answer stands in the target on disk and is defined in another file or not."""
    defining, target = _NAMES[language]
    before, after = _TARGET[language]
    with tempfile.TemporaryDirectory(prefix="planted") as folder:
        root = Path(folder)
        used = _OTHER[language] + (f"\n\n{_DEFINING[language]}" if elsewhere else "")
        (root / defining).write_text(used, encoding="utf-8")
        (root / target).write_text(before + ANSWER + after, encoding="utf-8")
        hole = Hole.at(before + after, len(before))
        places = (Definition(defining, 0, PLANTED),)
        site = Site("planted", language, target, PLANTED, Origin.CROSS_FILE, places, ANSWER, hole)
        context = Ghostfill(root, count_tokens)
        try:
            return "\n".join(segment.text for segment in context.segments(site, BUDGET_TOKENS))
        finally:
            context.close()
