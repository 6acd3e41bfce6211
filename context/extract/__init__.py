"""Text -> FileFacts, by one tree-sitter parse. Knows no other file.

Python has a targeted walk, which costs a tenth of what queries cost; the other languages are read by the
query files of their row.
"""

from __future__ import annotations

from context.extract import python, query
from context.identifiers import identifiers
from context.languages import Language
from context.symbols import FileFacts

__all__ = ["extract"]


def extract(text: str, language: Language) -> FileFacts:
    """The facts of a text; for a language without a grammar only its words. Broken code gives what it can."""
    if language.grammar is None:
        return FileFacts(words=" ".join(sorted(identifiers(text))))
    return python.extract(text) if language.id == "python" else query.extract(text, language)
