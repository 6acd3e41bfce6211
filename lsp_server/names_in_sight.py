"""How far a completion agrees with the names that can be seen where it goes. Pure.

A small model finishes a begun word wrongly, and makes up names. Of 479 completions at random places of six
packages, those that finish a begun word to one that nothing in sight knows, although a known word begins like
it, were right 2 times in 58; those whose line names what nothing in sight knows, 7 times in 31 where the
model was rather sure.
"""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Iterable
from typing import NamedTuple

from context.builtin_members import BUILTIN_MEMBERS
from engine.api import Segment
from lsp_server.hole import Hole
from lsp_server.trimming.lexemes import Kind, language_at, lex

WINDOW_CHARS = 200_000
"""Names are looked for in so much text before the cursor, and as much behind it."""
UNKNOWN = 0.5
"""The trust in a line with a name that nothing in sight knows."""
_WORD = re.compile(r"\w+")
_BEGUN = re.compile(r"[^\W\d]\w*$")
_JAVASCRIPT = frozenset(  # as words: a list of them would take 60 lines
    """
    Array BigInt Boolean Date Error Function Infinity Intl JSON Map Math NaN Number Object Promise Proxy
    RangeError Reflect RegExp Set String Symbol TypeError URL WeakMap WeakSet abstract any arguments as
    async await boolean break case catch class clearTimeout console const constructor continue debugger
    declare default delete do document else enum export extends false finally for from function get global
    globalThis if implements import in infer instanceof interface is keyof let module namespace never new
    null number object of private process protected public readonly require return satisfies set setTimeout
    static string super switch symbol this throw true try type typeof undefined unknown var void while
    window with yield
    """.split()  # noqa: SIM905
)
_WORDS = {
    "python": frozenset([*keyword.kwlist, *keyword.softkwlist, *dir(builtins), "self", "cls", "annotations"]),
    "javascript": _JAVASCRIPT,
}
"""What a family of languages knows by itself."""


class Doubt(NamedTuple):
    """Something in a completion that may be made up."""

    end: int
    """Where it ends, in code points of the text; who has typed so far knows better."""
    trust: float
    """What is left of the model's own confidence."""


def doubts(
    text: str, hole: Hole, segments: Iterable[Segment], path: str, *, is_prose: bool
) -> tuple[Doubt, ...]:
    """What to doubt in the first line of `text` at a hole; prose may use any word, once it is begun right."""
    begun = match[0] if (match := _BEGUN.search(hole.line_prefix)) else ""
    known = known_words(hole, begun, segments, path)
    found: list[Doubt] = []
    if begun:
        rest = match[0] if (match := _WORD.match(text)) else ""
        word = begun + rest
        if word not in known and any(len(each) > len(begun) and each.startswith(begun) for each in known):
            found.append(Doubt(max(len(rest), 1), 0.0))
    if not is_prose and (end := _last_unknown(text, hole, known, path)):
        found.append(Doubt(end, UNKNOWN))
    return tuple(found)


def known_words(hole: Hole, begun: str, segments: Iterable[Segment], path: str) -> set[str]:
    """Every word in sight but the one that is being typed, `begun` right before the hole."""
    start = max(0, hole.offset - WINDOW_CHARS)
    known = set(_WORD.findall(hole.text[start : hole.offset - len(begun)]))
    known.update(_WORD.findall(hole.text[hole.offset : hole.offset + WINDOW_CHARS]))
    for segment in segments:
        known.update(_WORD.findall(segment.text))
        known.update(_WORD.findall(segment.path))
    family = language_at(path).family
    return known | _WORDS.get(family, frozenset()) | BUILTIN_MEMBERS.get(family, frozenset())


def _last_unknown(text: str, hole: Hole, known: set[str], path: str) -> int:
    """Where the last unknown name of the first line ends in `text`; 0 without one."""
    margin = len(text) - len(text.lstrip())
    end = text.find("\n", margin)
    line = text if end < 0 else text[:end]
    before = "" if "\n" in text[:margin] else hole.line_prefix
    names = (lexeme for lexeme in lex(before + line, path) if lexeme.kind is Kind.WORD)
    unknown = (name for name in names if _is_name(name.text) and name.text not in known)
    return max((name.end - len(before) for name in unknown), default=0)


def _is_name(word: str) -> bool:
    """More than a letter, which any loop may take; numbers are words too."""
    return len(word) > 1 and not word[0].isdigit()
