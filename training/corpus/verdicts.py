"""How much a file may share with what no training may see. Reads no file.

Chosen by looking: of 16,000 files of installed Python packages, copies of twelve held-out packages (whole
or changed: pip's `_vendor/rich` and `_vendor/requests`, httpx2, uvicorn's WSGI middleware, which takes a
function from starlette) share runs of 42 to 5,000 words with them; files that owe them nothing share at most
22 words (a list of imports, a well-known recipe). Against HumanEval, 48 of 18,000 files held a run of ten
words, nearly all of them `for i in range(n): for j in range(n)` and its like, of fewer distinct words than a
sentence.
"""

from __future__ import annotations

from training.corpus.known_text import KnownText, Overlap
from training.corpus.words import Hashes

MIN_COPIED_WORDS = 30
"""A run as long as this is copied."""
MIN_SHORT_COPY_WORDS = 20
MAX_SHARE = 0.2
"""Where so much of a file stands in shared runs, a shorter one is enough."""
MAX_PACKAGES = 2
"""Held-out packages that say the same; more, and nobody's file is a copy of theirs."""
MAX_PROBLEMS = 8
"""Problems of a benchmark that say the same: its frame, such as the imports of every Java program."""
MIN_PROBLEM_DISTINCT_WORDS = 8
"""Of the ten of a benchmark's run: the least of a sentence or statement that is not a plain loop."""


def copied_from(known: KnownText, words: Hashes) -> Overlap | None:
    """What a file takes from a held-out package, if it is a copy or holds one."""
    found = known.overlap(words)
    if found is None or found.num_words >= MIN_COPIED_WORDS:
        return found
    return found if found.num_words >= MIN_SHORT_COPY_WORDS and found.share >= MAX_SHARE else None


def answers(known: KnownText, words: Hashes) -> Overlap | None:
    """What a file holds of a benchmark's problem: one run is enough (DeepSeek-Coder, section 2)."""
    return known.overlap(words)
