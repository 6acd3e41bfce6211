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
    """Holds the state and tells the client of changes, if it asked to be told."""

    def __init__(self, notify: Callable[[dict[str, Any]], None]) -> None:
        self._notify = notify
        self._value: StatusValue | None = None
        self._num_busy = 0
        self.is_wanted = False

    @property
    def value(self) -> StatusValue:
        """The state now."""
        return self._value or StatusValue()

    def set(self, kind: Kind, message: str = "") -> None:
        """Change kind and sentence."""
        self._change(StatusValue(kind, self._num_busy > 0, message))

    def busy(self, delta: int) -> None:
        """Something began (+1) or ended (-1)."""
        self._num_busy = max(0, self._num_busy + delta)
        self._change(StatusValue(self.value.kind, self._num_busy > 0, self.value.message))

    def _change(self, value: StatusValue) -> None:
        if value == self._value:
            return
        self._value = value
        if self.is_wanted:
            self._notify(asdict(value))
