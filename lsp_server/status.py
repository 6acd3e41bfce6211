"""What the user's status bar shows: a kind, busy or not, a sentence. Sent as Copilot's `didChangeStatus`."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

log = logging.getLogger(__name__)


class Kind(StrEnum):
    """How things are."""

    NORMAL = "Normal"
    WARNING = "Warning"
    ERROR = "Error"
    INACTIVE = "Inactive"


@dataclass(frozen=True, slots=True)
class StatusValue:
    """One state, as it is sent."""

    kind: Kind = Kind.NORMAL
    busy: bool = False
    message: str = ""


class Status:
    """Holds the state and tells the client of changes, if it asked to be told.

    A pause hides what is set meanwhile, and shows it when it ends.
    """

    def __init__(self, notify: Callable[[dict[str, Any]], None]) -> None:
        self._notify = notify
        self._kind = Kind.NORMAL
        self._message = ""
        self._num_busy = 0
        self._pause = ""
        self._told: StatusValue | None = None
        self.is_wanted = False

    @property
    def value(self) -> StatusValue:
        """The state now."""
        if self._pause:
            return StatusValue(Kind.INACTIVE, False, self._pause)
        return StatusValue(self._kind, self._num_busy > 0, self._message)

    def set(self, kind: Kind, message: str = "") -> None:
        """Change kind and sentence."""
        self._kind, self._message = kind, message
        self._tell()

    def busy(self, delta: int) -> None:
        """Something began (+1) or ended (-1)."""
        self._num_busy = max(0, self._num_busy + delta)
        self._tell()

    def pause(self, reason: str) -> None:
        """The user has turned things off: inactive for this reason, whatever the engine does."""
        self._pause = reason
        self._tell()

    def resume(self) -> None:
        """The user has turned things on again; nothing happens if they were on."""
        if self._pause:
            self._pause = ""
            self._tell()

    def _tell(self) -> None:
        if self.value == self._told:
            return
        self._told = self.value
        if self.is_wanted:
            self._notify(asdict(self.value))
