"""What can go wrong with a model or an engine, each with a sentence that says what to do.

GhostfillError
├── ModelError              the model cannot be loaded or used as asked
│   ├── TokenizerError      tokenizer.json is missing, or does not give text back as it was
│   └── NoInfillError       the model was not trained to fill in the middle
├── MissingExtraError       the optional packages for a resident engine are not installed
└── EngineUnavailableError  no engine answers, and none could be started
    └── EngineRefusedError  the engine answered with an error
"""

from __future__ import annotations


class GhostfillError(Exception):
    """Base of all; `str(error)` is fit to show to a user."""


class ModelError(GhostfillError):
    """The model cannot be loaded or used as asked."""


class TokenizerError(ModelError):
    """tokenizer.json is missing or does not give text back as it was."""


class NoInfillError(ModelError):
    """The model was not trained to fill in the middle."""


class MissingExtraError(GhostfillError):
    """The optional packages that a resident engine needs are not installed."""

    def __init__(self, package: str = "torch") -> None:
        super().__init__(
            f"{package} is not installed: a resident engine needs the extra 'local' "
            '(pip install "ghostfill[local]"); or point engine.url at an engine elsewhere.'
        )


class EngineUnavailableError(GhostfillError):
    """No engine answers, and none could be started."""


class EngineRefusedError(EngineUnavailableError):
    """The engine answered with an error."""
