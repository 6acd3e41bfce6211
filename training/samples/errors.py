"""What can go wrong while samples are made, each a sentence that says what to do."""

from __future__ import annotations

from engine.errors import GhostfillError


class SamplesError(GhostfillError):
    """Samples cannot be made or shown; `str(error)` is fit to show to a user."""
