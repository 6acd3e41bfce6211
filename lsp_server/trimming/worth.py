"""Whether a text is worth the look: more than one character, or the one that ends what the user wrote.

Accepting takes a key, so one character saves none; what ends the statement at least spares a thought.
"""

from __future__ import annotations

from lsp_server.hole import Hole
from lsp_server.trimming.lexemes import Balance, Kind, lex

_STATEMENT_ENDS = frozenset(")]}\"'`:;")


def drop_trifles(text: str, hole: Hole, path: str) -> str:
    """Nothing of one visible character, unless it ends a word or a statement on the cursor's line."""
    visible = text.strip()
    if len(visible) != 1 or "\n" in text.rstrip():
        return text
    if visible.isalnum() or visible == "_":
        return text if hole.line_prefix[-1:].isalpha() and text == visible else ""
    return text if visible in _STATEMENT_ENDS and _ends_statement(text, hole, path) else ""


def _ends_statement(text: str, hole: Hole, path: str) -> bool:
    """Nothing follows on the line, and nothing that it opened is open."""
    lexemes = lex(hole.line_prefix + text, path)
    is_open = any(lexeme.kind is Kind.STRING and not lexeme.is_whole for lexeme in lexemes)
    return not hole.line_suffix.strip() and not is_open and not Balance(lexemes).unclosed
