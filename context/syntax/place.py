"""What syntax says of a cursor. Pure; knows a tree and the row of its family, no document and no editor.

Text that is being typed is broken where the cursor is. So the questions are put to the tree of the text as it
would be if what is open at the cursor were closed there: a quote, or brackets.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from context.syntax.blocks import is_open_block, token_opens
from context.syntax.brackets import OpenBrackets, open_brackets
from context.syntax.errors import is_broken
from context.syntax.quotes import end_quote, is_in_comment, is_in_string
from context.syntax.rows import SyntaxRow
from context.syntax.tree import SyntaxTree

if TYPE_CHECKING:
    from tree_sitter import Node

_SAYS_MORE = re.compile(r"[^\s)\]}\"'`;,:]")
_ENDING = re.compile(r"[)\]};\"'`]$")
_LAST_WORD = re.compile(r"\w+$")
_STATEMENT = re.compile(r"(?:statement|declaration|definition|decorator|clause)$")
_SEPARATORS = (";", "{", "}", ":", "")


@dataclass(frozen=True, slots=True)
class Place:
    """What syntax says of a cursor."""

    in_comment: bool = False
    in_string: bool = False
    """Inside a string literal, docstrings too; code inside a string is not."""
    opens_block: bool = False
    """A block begins here: after its opener at the line's end, or in a body blank but for a docstring."""
    is_empty_part: bool = False
    """A blank part of the file: all of it, or a line outside of everything, blank lines above and below."""
    ends_statement: bool = False
    """A whole statement ends here, on its line: only a line end could follow without changing it."""
    is_line_whole: bool = False
    """More than punctuation follows on the line, a comment not counted, and the line has no error."""
    closers: str | None = None
    """As `engine.api.StopRules.closers`; None if unknown, and inside comments and strings."""


class Answer(NamedTuple):
    """A place, and the tree that it was read from: near to the text, for the next question."""

    place: Place
    tree: SyntaxTree


def place_at(near: SyntaxTree, text: str, offset: int, row: SyntaxRow) -> Answer:
    """The place of an offset; `near` is the tree of any similar text."""
    ended = end_quote(near, text, offset, row)
    tree, ending = ended or (near.updated(text), "")
    at = tree.position(offset)
    return Answer(_place(tree, at, _is_line_whole(tree, at + len(ending), row), row), tree)


def _place(tree: SyntaxTree, at: int, is_line_whole: bool, row: SyntaxRow) -> Place:
    if is_in_comment(tree, at, row):
        return Place(in_comment=True, is_line_whole=is_line_whole)
    if is_in_string(tree, at, row):
        return Place(in_string=True, is_line_whole=is_line_whole)
    brackets = open_brackets(tree, at)
    if brackets is None:
        return Place(is_line_whole=is_line_whole)
    closed = _with_closed(tree, at, brackets)
    opens_block = is_open_block(closed, at, row)
    return Place(
        opens_block=opens_block,
        is_empty_part=not opens_block and not brackets.opened and _is_empty_part(tree, at),
        ends_statement=_ends_statement(closed, at, brackets, row),
        is_line_whole=is_line_whole,
        closers=brackets.closers,
    )


def _with_closed(tree: SyntaxTree, at: int, brackets: OpenBrackets) -> SyntaxTree:
    """The tree with every bracket closed that is open at a position and that nothing closes."""
    endings = "".join(brackets.endings)
    start, end = tree.offset(at), tree.offset(brackets.behind)
    return tree if endings == tree.text[start:end] else tree.replaced(start, end, endings)


def _is_line_whole(tree: SyntaxTree, at: int, row: SyntaxRow) -> bool:
    end = tree.line_end(at)
    rest = tree.data[at:end].decode("utf-8", errors="replace")
    return _SAYS_MORE.search(rest) is not None and (
        _SAYS_MORE.search(_without_comment(tree, at, end, row)) is not None
        and not is_broken(tree.root, tree.line_start(at), end)
    )


def _without_comment(tree: SyntaxTree, at: int, end: int, row: SyntaxRow) -> str:
    """What follows on the line, up to a comment that begins there."""
    for match in re.finditer(rb"#|//|/\*|<!--", tree.data[at:end]):
        leaf = tree.leaf_at(at + match.start())
        if leaf is not None and leaf.type in row.comments and leaf.start_byte >= at:
            end = leaf.start_byte
            break
    return tree.data[at:end].decode("utf-8", errors="replace")


def _is_empty_part(tree: SyntaxTree, at: int) -> bool:
    text, offset = tree.text, tree.offset(at)
    if not text.strip():
        return True
    above, _, before = text[:offset].rpartition("\n")
    after, _, below = text[offset:].partition("\n")
    is_blank_above = not above.rpartition("\n")[2].strip()
    is_blank_below = not below.partition("\n")[0].strip()
    if before or after.strip() or not is_blank_above or not is_blank_below:
        return False
    around = tree.node_around(at)
    is_outside = around.parent is None or (around.is_error and around.parent.parent is None)
    return is_outside and not re.match(r"\s*\n[ \t]+\S", below)


def _ends_statement(tree: SyntaxTree, at: int, brackets: OpenBrackets, row: SyntaxRow) -> bool:
    """Told only behind what seldom goes on: a closing bracket or quote, `;`, a word like `pass`."""
    line = tree.data[tree.line_start(at) : at].decode("utf-8", errors="replace").rstrip()
    word = _LAST_WORD.search(line)
    if not _ENDING.search(line) and not (word and word[0] in row.ending_words):
        return False
    if brackets.opened and not _is_block(tree, brackets.opened[-1].position, row):
        return False
    leaf = tree.token_before(at)
    if leaf is None:
        return False
    if leaf.type == ";":
        return leaf.parent is None or leaf.parent.type != "for_statement"
    closes_block = leaf.type == "}" and leaf.parent is not None and ("{", leaf.parent.type) in row.openers
    node: Node | None = leaf
    while node is not None and node.end_byte == leaf.end_byte:
        is_whole = not node.is_error and (closes_block or not node.has_error)
        if is_whole and _STATEMENT.search(node.type) and _starts_afresh(tree, node):
            return True
        node = node.parent
    return False


def _is_block(tree: SyntaxTree, position: int, row: SyntaxRow) -> bool:
    leaf = tree.leaf_at(position)
    return leaf is not None and token_opens(leaf, row)


def _starts_afresh(tree: SyntaxTree, node: Node) -> bool:
    """A statement found in the middle of a line may be half of one that is broken."""
    before = tree.data[tree.line_start(node.start_byte) : node.start_byte].decode("utf-8", errors="replace")
    return before.strip()[-1:] in _SEPARATORS
