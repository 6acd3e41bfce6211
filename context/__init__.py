"""Repository text for a cursor: which files and definitions, packed into a token budget. Knows no LSP, no
model.
"""

from context.plan import Plan
from context.repo_context import RepoContext

__all__ = ["Plan", "RepoContext"]
