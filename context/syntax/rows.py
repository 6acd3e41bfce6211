"""What questions about syntax must know of a language: node types, tokens, a few texts; a row per family.

Knows no tree. One more language is a row here and its grammar in `languages`. Types of several grammars may
stand in one row: those that a grammar lacks do no harm.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple


class Quote(NamedTuple):
    """A string or comment that has two ends."""

    opening: str
    closing: str
    is_one_line: bool = False


class Filler(NamedTuple):
    """What a text cut short may lack at its end."""

    before: str = ""
    """Stands before the closing brackets that are missing; a line end keeps the last line's indentation."""
    after: str = ""
    """Stands after the first of them."""
    last: str = ""
    """Stands after them all."""


@dataclass(frozen=True, slots=True)
class SyntaxRow:
    """A family's row."""

    comments: frozenset[str]
    strings: frozenset[str]
    string_code: frozenset[str]
    """Code inside strings."""
    quotes: tuple[Quote, ...]
    """The longer before those that they begin with."""
    code_in_string: str
    """What code in a string begins with."""
    openers: frozenset[tuple[str, str]]
    """Tokens that open a block of statements or members, each with its parent's type."""
    bodies: frozenset[str]
    """Nodes whose children are statements or members."""
    fillers: tuple[Filler, ...]
    is_indented: bool = False
    """Blocks are told by indentation, and a string alone at a block's start is its docstring."""
    opener_words: frozenset[str] = field(default_factory=frozenset)
    """Where a header is in a statement that is broken, it begins with one of these."""
    ending_words: frozenset[str] = field(default_factory=frozenset)
    """Statements of one word."""
    late_clause: str = ""
    """What may still follow a statement that is not whole without it, as far left as that."""


_PYTHON_HEADERS = (
    "case_clause",
    "class_definition",
    "elif_clause",
    "else_clause",
    "except_clause",
    "except_group_clause",
    "finally_clause",
    "for_statement",
    "function_definition",
    "if_statement",
    "match_statement",
    "try_statement",
    "while_statement",
    "with_statement",
)
_PYTHON_WORDS = "case class def elif else except except* finally for if match try while with"
_BRACE_BODIES = (
    "class_body",
    "class_static_block",
    "enum_body",
    "interface_body",
    "statement_block",
    "switch_body",
)

ROWS = {
    "python": SyntaxRow(
        comments=frozenset({"comment"}),
        strings=frozenset({"string"}),
        string_code=frozenset({"interpolation"}),
        quotes=(Quote('"""', '"""'), Quote("'''", "'''"), Quote('"', '"', True), Quote("'", "'", True)),
        code_in_string="{",
        openers=frozenset((":", header) for header in _PYTHON_HEADERS),
        bodies=frozenset({"block"}),
        opener_words=frozenset(_PYTHON_WORDS.split()),
        ending_words=frozenset({"break", "continue", "pass"}),
        fillers=(
            Filler(),
            Filler(" x"),
            Filler(after=":"),
            Filler(" x", ":"),
            Filler(": x"),
            Filler(","),
            Filler(" in x:"),
            Filler("\ndef x(): pass"),
            Filler(after=" in x:"),
        ),
        is_indented=True,
        late_clause="finally: pass",
    ),
    "javascript": SyntaxRow(
        comments=frozenset({"comment", "hash_bang_line", "html_comment"}),
        strings=frozenset({"string", "template_literal_type", "template_string"}),
        string_code=frozenset({"template_substitution", "template_type"}),
        quotes=(Quote("/*", "*/"), Quote("`", "`"), Quote('"', '"', True), Quote("'", "'", True)),
        code_in_string="${",
        openers=frozenset(("{", body) for body in _BRACE_BODIES),
        bodies=frozenset(_BRACE_BODIES),
        ending_words=frozenset({"break", "continue", "debugger"}),
        fillers=(
            Filler(),
            Filler(" x"),
            Filler("{}"),
            Filler(after="{}"),
            Filler(" x() {}"),
            Filler(": x"),
            Filler(" />"),
            Filler(last=","),
            Filler(after=": x"),
            Filler(after=" finally {}"),
            Filler(after=" => x"),
            Filler(after=" from 'x'"),
        ),
    ),
}
"""By `Language.family`."""
