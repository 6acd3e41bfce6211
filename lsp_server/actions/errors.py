"""Why an action has no result; a sentence for the user."""

from __future__ import annotations

from engine.errors import GhostfillError


class ActionError(GhostfillError):
    """An action cannot be done here, or not now."""


class NoAnswerError(ActionError):
    """The model was asked, and none of its answers can be used."""


class ChatError(ActionError):
    """The instruct model cannot be asked, or broke off: the sentence says what to do."""
