"""The oracles of word_index and similar: BM25 as it is written in the books, over everything, every time.

Nothing outside the tests imports this file.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping

from context.similar import MAX_COVERED, MAX_LIKE_CURSOR, MAX_LIKE_EACH_OTHER, MIN_SCORE, Chunk, CursorWindow

Windows = dict[tuple[int, int], list[str]]


def naive_top_files(
    files: Mapping[str, Collection[str]], query: Mapping[str, float], limit: int, skip: Collection[str] = ()
) -> list[tuple[str, float]]:
    """Every file scored against every word."""
    seen = {key: set(words) for key, words in files.items() if key not in skip}
    average = sum(map(len, seen.values())) / max(1, len(seen))
    rows = []
    for key, words in seen.items():
        total = math.fsum(query[word] * naive_idf(seen, word) for word in query if word in words)
        score = round(total * 2.2 / (1 + 1.2 * (0.25 + 0.75 * len(words) / (average or 1))), 9)
        if total > 0:
            rows.append((-score, key))
    return [(key, -score) for score, key in sorted(rows)[:limit]]


def naive_idf(files: Mapping[str, Collection[str]], word: str) -> float:
    """From the number of files and how many contain the word."""
    count = sum(word in words for words in files.values())
    return math.log(1 + (len(files) - count + 0.5) / (count + 0.5))


def naive_query(window: CursorWindow) -> dict[str, float]:
    """Each word with e to the power of minus a sixth of its distance in lines, where it is nearest."""
    lines = [(distance, line) for distance, line in enumerate(window.before.split("\n")[-2::-1], 1)]
    lines += [(distance, line) for distance, line in enumerate(window.after.split("\n"), 1)]
    words = {word for _, line in lines for word in naive_words(line)}
    return {
        word: math.exp(-min(distance for distance, line in lines if word in naive_words(line)) / 6)
        for word in words
    }


def naive_chunks(
    texts: Mapping[str, str],
    window: CursorWindow,
    skip: Collection[str] = (),
    limit: int = 12,
    covered: Mapping[str, Collection[tuple[int, int]]] | None = None,
) -> list[Chunk]:
    """Every window of every file scored; then the best one that is allowed beside those taken, and so on.

    For plain code: it knows nothing of comments, imports, secrets and long lines.
    """
    files = {key: naive_words(text) for key, text in texts.items() if key not in skip}
    query = naive_query(window)
    left: list[Chunk] = []
    for key in files:
        for (first, last), lines in naive_windows(texts[key]).items():
            words = naive_words("\n".join(lines))
            total = math.fsum(query[word] * naive_idf(files, word) for word in words & set(query))
            score = round(total * 2.2 / (1 + 1.2 * (0.25 + 0.75 * len(words) / 50)), 9)
            if total > 0:
                left.append(Chunk(key, first, last, "\n".join(lines) + "\n", score))
    taken: list[Chunk] = []
    for chunk in sorted(left, key=lambda chunk: (-chunk.score, chunk.key, chunk.first_line)):
        shown = {
            line for first, last in (covered or {}).get(chunk.key, ()) for line in range(first, last + 1)
        }
        lines_here = set(range(chunk.first_line, chunk.last_line + 1))
        is_allowed = (
            len(lines_here & shown) <= MAX_COVERED * len(lines_here)
            and naive_likeness(chunk.text, window.text) <= MAX_LIKE_CURSOR
            and all(naive_likeness(chunk.text, other.text) < MAX_LIKE_EACH_OTHER for other in taken)
            and not any(
                other.key == chunk.key and lines_here & set(range(other.first_line, other.last_line + 1))
                for other in taken
            )
        )
        if is_allowed and len(taken) < limit and chunk.score >= MIN_SCORE * (taken or [chunk])[0].score:
            taken.append(chunk)
    return taken


def naive_windows(text: str) -> Windows:
    """Twenty lines from every tenth one, without blank lines at both ends, by first and last line."""
    lines = text.split("\n")
    found: Windows = {}
    for start in range(0, max(1, len(lines) - 10), 10):
        first, last = start, min(start + 20, len(lines)) - 1
        while first <= last and not lines[first].strip():
            first += 1
        while first < last and not lines[last].strip():
            last -= 1
        if naive_words("\n".join(lines[first : last + 1])):
            found[first, last] = lines[first : last + 1]
    return found


def naive_likeness(text: str, other: str) -> float:
    """Jaccard's, of the identifiers."""
    words, others = naive_words(text), naive_words(other)
    return len(words & others) / max(1, len(words | others))


def naive_words(text: str) -> set[str]:
    """Identifiers of three letters or more."""
    return {word for word in re.split(r"\W+", text) if len(word) >= 3 and not word[0].isdigit()}
