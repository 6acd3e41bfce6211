"""Whether a file parses, by tree-sitter. Runs nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from context.grammars import parser_of
from context.languages import Grammar, language_of
from training.corpus.repository import SourceFile

if TYPE_CHECKING:
    from tree_sitter import Node

GRAMMARS = {
    "c": Grammar("tree_sitter_c"),
    "cpp": Grammar("tree_sitter_cpp"),
    "go": Grammar("tree_sitter_go"),
    "java": Grammar("tree_sitter_java"),
    "rust": Grammar("tree_sitter_rust"),
}
"""Of the languages that `context` does not parse."""
MAX_BROKEN = {"c": 0.1, "cpp": 0.1, "typescript": 0.05}
"""The share of a file's bytes that may lie in errors; elsewhere none.

Macros confuse the grammars of C and C++; that of TypeScript is behind the language (`export type *`, `const`
type parameters) and finds errors in half of the files of some sound packages, most of them small.
"""


def has_syntax_error(file: SourceFile) -> str | None:
    """More of the text is broken than its language may have."""
    share = min(broken_share(file.text, grammar) for grammar in _grammars(file))
    return "syntax error" if share > MAX_BROKEN.get(file.language, 0.0) else None


def broken_share(text: str, grammar: Grammar) -> float:
    """The share of bytes in the outermost errors; a missing token counts as one byte."""
    data = text.encode(errors="replace")
    tree = parser_of(grammar).parse(data)
    return _num_broken(tree.root_node) / max(1, len(data))


def _grammars(file: SourceFile) -> list[Grammar]:
    """A `.h` may be C++ too."""
    row = language_of(file.path)
    if row is not None and row.grammar is not None:
        return [row.grammar]
    found = [GRAMMARS[file.language]]
    return [*found, GRAMMARS["cpp"]] if file.path.endswith(".h") else found


def _num_broken(root: Node) -> int:
    broken = 0
    stack = [root]
    while stack:
        node = stack.pop()
        if node.is_error or node.is_missing:
            broken += max(1, node.end_byte - node.start_byte)
        elif node.has_error:
            stack += node.children
    return broken
