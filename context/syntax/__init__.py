"""What syntax says of a place in an open document, and of text put into it. Knows no LSP and no disk."""

from context.syntax.place import Place
from context.syntax.trees import SyntaxTrees

__all__ = ["Place", "SyntaxTrees"]
