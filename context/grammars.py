"""The grammars that rows of `languages` name, loaded when first asked for. Knows no file and no text.

tree-sitter and the grammar's wheel are imported then, not at start-up.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

from context.languages import Grammar

if TYPE_CHECKING:
    import tree_sitter


@cache
def tree_sitter_language(grammar: Grammar) -> tree_sitter.Language:
    """What queries and parsers of a grammar are made from."""
    import tree_sitter

    return tree_sitter.Language(getattr(import_module(grammar.module), grammar.function)())


@cache
def parser_of(grammar: Grammar) -> tree_sitter.Parser:
    """One parser per grammar and process; only one thread may use it."""
    import tree_sitter

    return tree_sitter.Parser(tree_sitter_language(grammar))
