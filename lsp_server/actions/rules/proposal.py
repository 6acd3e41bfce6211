"""A change that a rule proposes, and how much it doubts it. Plain values."""

from __future__ import annotations

from typing import NamedTuple

from lsp_server.actions.edit import Edit


class Proposal(NamedTuple):
    """The less doubt, the better; whole numbers apart means: not to be weighed against each other."""

    doubt: float
    edit: Edit
