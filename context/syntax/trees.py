"""What syntax says of a place in an open document and of text put into it; a parse tree for each.

Knows no LSP and no disk. For one thread, and quick enough for an event loop: a tree follows the edits of its
document, and a text that is too dear to parse has none.
"""

from __future__ import annotations

from collections import OrderedDict
from time import thread_time

from context.extract.query import is_generated
from context.grammars import parser_of
from context.languages import Language
from context.syntax.breakage import adds_fault
from context.syntax.place import Place, place_at
from context.syntax.rows import ROWS
from context.syntax.tree import SyntaxTree

MAX_CHARS = 400_000
MAX_DOCUMENTS = 16
MAX_SECONDS = 0.25
"""A document that took longer once gets no more answers until it is closed."""


class SyntaxTrees:
    """A tree for each of the documents that were asked for last; its text is near the document's."""

    def __init__(self) -> None:
        self._trees: OrderedDict[str, tuple[Language, SyntaxTree]] = OrderedDict()
        self._too_dear: set[str] = set()

    def place(self, key: str, language: Language | None, text: str, offset: int) -> Place | None:
        """What syntax says of an offset; None without a grammar, or if the text is too dear to parse."""
        start = thread_time()
        if language is None or (near := self._near(key, language, text)) is None:
            return None
        place, tree = place_at(near, text, offset, ROWS[language.family])
        self._trees[key] = language, tree
        if thread_time() - start > MAX_SECONDS:
            self._too_dear.add(key)
        return place

    def breaks(
        self, key: str, language: Language | None, text: str, start: int, end: int, new_text: str
    ) -> bool:
        """Whether `new_text` instead of `text[start:end]` adds a syntax error; False where that is unknown.

        An error that text typed after it would cure is none: a bracket not closed, a block without a body.
        """
        if language is None or (near := self._near(key, language, text)) is None:
            return False
        return adds_fault(near, text, start, end, new_text, ROWS[language.family])

    def tree(self, key: str, language: Language | None, text: str) -> SyntaxTree | None:
        """The tree of a document's text; None without a grammar, or if the text is too dear to parse."""
        if language is None or (near := self._near(key, language, text)) is None:
            return None
        tree = near.updated(text)
        self._trees[key] = language, tree
        return tree

    def forget(self, key: str) -> None:
        """The document is closed."""
        self._trees.pop(key, None)
        self._too_dear.discard(key)

    def _near(self, key: str, language: Language, text: str) -> SyntaxTree | None:
        """The tree that is kept, or one of the text."""
        if language.grammar is None or language.family not in ROWS:
            return None
        if key in self._too_dear or len(text) > MAX_CHARS or is_generated(text):
            self._trees.pop(key, None)
            return None
        known = self._trees.get(key)
        if known is None or known[0] != language:
            self._trees[key] = language, SyntaxTree.parse(parser_of(language.grammar), text)
        self._trees.move_to_end(key)
        if len(self._trees) > MAX_DOCUMENTS:
            self._trees.popitem(last=False)
        return self._trees[key][1]
