"""Which rewritten statement is a fix: it changes something, parses at least as well, and differs least.

Pure; knows tree-sitter's trees and words, no checker, no engine and no LSP.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import NamedTuple

from context.syntax.described import Span
from context.syntax.statements import faults_between, num_faults
from context.syntax.tree import SyntaxTree, common_prefix, common_suffix
from lsp_server.actions.faults import Fault
from lsp_server.hole import Hole, with_plain_line_ends
from lsp_server.trimming.secret_shapes import drop_secrets

MAX_MORE_LINES = 2
"""A fix may be so much longer than what it fixes."""
LITTLE = 3
"""So few characters are a slip of the pen."""
_WORD = re.compile(r"[^\W\d]\w*")
_SILENCERS = re.compile(r"type:\s*ignore|noqa|pylint:|pyright:|eslint-|@ts-\w+|prettier-ignore")


Ranks = dict[str, "Rank | None"]
"""Each statement looked at, and what it is worth; None for what is no fix."""


class Rank(NamedTuple):
    """The smaller, the better."""

    num_faults: int
    misses: bool
    """Changes something else than what is wrong."""
    num_new_words: int
    """Words that nothing in sight knows."""
    difference: float


@dataclass(frozen=True, slots=True)
class Judge:
    """Knows the document as it is, and what is wrong in one statement. For the thread of its tree."""

    tree: SyntaxTree
    span: Span
    faults: tuple[Fault, ...]
    path: str
    known: Collection[str]
    """Words that may be used: the document's, the repository's, the language's."""

    def rank(self, new: str) -> Rank | None:
        """None for what is no fix."""
        old, new = (with_plain_line_ends(each) for each in (self.tree.text[slice(*self.span)], new))
        is_same = new.split("\n") == old.split("\n") or (new.split() == old.split() and not self._is_broken())
        if not new.strip() or is_same or new.count("\n") > old.count("\n") + MAX_MORE_LINES:
            return None
        if self._is_secret(new) or _is_silenced(old, new):
            return None
        num_before, num_now = num_faults(self.tree), num_faults(self.tree.updated(self.result(new)))
        if num_now > num_before or (num_now == num_before and self._is_broken()):
            return None
        return Rank(
            num_now,
            num_before == 0 and not self._touches(old, new),  # what is not closed is closed elsewhere
            len(set(_WORD.findall(new)) - {*self.known, *_WORD.findall(old)}),
            1 - difflib.SequenceMatcher(None, old, new, autojunk=False).ratio(),
        )

    def is_slip(self, new: str, rank: Rank) -> bool:
        """Whether a fix leaves so little to wish for that no other need be looked for."""
        return _num_changed(self.tree.text[slice(*self.span)], new) <= LITTLE and rank[:3] == (0, False, 0)

    def result(self, new: str) -> str:
        """The document with a new text for the span."""
        text = self.tree.text
        return f"{text[: self.span.start]}{new}{text[self.span.end :]}"

    def _is_broken(self) -> bool:
        return bool(faults_between(self.tree, *self.span))

    def _is_secret(self, new: str) -> bool:
        text = self.tree.text
        hole = Hole.at(text[: self.span.start] + text[self.span.end :], self.span.start)
        return not drop_secrets(new, hole, self.path) and bool(
            drop_secrets(text[slice(*self.span)], hole, "")
        )

    def _touches(self, old: str, new: str) -> bool:
        """Whether the change is where something is wrong."""
        start = common_prefix(old, new)
        end = len(old) - common_suffix(old, new, min(len(old), len(new)) - start)
        start, end = start + self.span.start, end + self.span.start
        return any(fault.start <= end and start <= fault.end for fault in self.faults)


def best_first(ranks: Ranks) -> list[str]:
    """The statements that are a fix as far as their syntax tells."""
    return [each for _, each in sorted((rank, each) for each, rank in ranks.items() if rank is not None)]


def _num_changed(old: str, new: str) -> int:
    """How long the part is in which two texts differ."""
    start = common_prefix(old, new)
    same = start + common_suffix(old, new, min(len(old), len(new)) - start)
    return max(len(old), len(new)) - same


def _is_silenced(old: str, new: str) -> bool:
    """Nothing but a comment was added, or one that hides what is wrong."""
    hidden = set(_SILENCERS.findall(new)) - set(_SILENCERS.findall(old))
    added = new.removeprefix(old.rstrip()).lstrip()
    return bool(hidden) or (new.startswith(old.rstrip()) and added.startswith(("#", "//", "/*")))
