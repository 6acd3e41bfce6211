"""What the user has turned off or on for now; the settings stay what they are, and rule where nobody said.

Knows neither commands nor the status: whoever shows the state sets `on_change`. Privacy is not switched here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from lsp_server.settings import Settings

MAX_SNOOZE_MINUTES = 24 * 60
SNOOZED = "Inline completion is snoozed."


class Switches:
    """One for all, one for each language, and a snooze that ends by itself. Lives on the event loop."""

    def __init__(self, now: Callable[[], float], settings: Callable[[], Settings]) -> None:
        """`now` gives seconds and only goes forward; `settings` gives those in effect."""
        self._now = now
        self._settings = settings
        self._all: bool | None = None
        self._languages: dict[str, bool] = {}
        self._snooze_end: float | None = None
        self._timer: asyncio.TimerHandle | None = None
        self.on_change: Callable[[], None] = lambda: None
        """Called whenever an answer of `is_off` may have changed."""

    def toggle(self, language: str | None) -> None:
        """Turn everything, or one language, off if it is on and on if it is off.

        Turning everything on ends a snooze; a language that is turned on waits until everything is on.
        """
        if language is not None:
            self._languages[language] = bool(self.is_off(language))
        else:
            self._all = bool(self.is_off(None))
            self._end_snooze()
        self.on_change()

    def snooze(self, minutes: float) -> None:
        """Turn everything off for a while, counted from now; 0 ends the while."""
        self._end_snooze()
        if minutes > 0:
            self._snooze_end = self._now() + minutes * 60
            self._wait_for_end()
        self.on_change()

    @property
    def seconds_left(self) -> float:
        """How long the snooze still lasts; 0 if there is none."""
        return max(0.0, self._snooze_end - self._now()) if self._snooze_end is not None else 0.0

    def is_off(self, language_id: str | None) -> str:
        """Why nothing is offered in a language, or anywhere (None), as a sentence; empty if it is on."""
        is_on = self._settings().inline.enabled if self._all is None else self._all
        if not is_on:
            return "Inline completion is off."
        if self.seconds_left:
            return SNOOZED
        if language_id is not None and not self._is_language_on(language_id):
            return f"Inline completion is off for {language_id}."
        return ""

    def close(self) -> None:
        """Nobody is to be told any more."""
        self._end_snooze()

    def _is_language_on(self, language: str) -> bool:
        return self._languages.get(language, language not in self._settings().languages.disabled)

    def _wait_for_end(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(self.seconds_left, self._on_timer)

    def _on_timer(self) -> None:
        if self.seconds_left:  # the loop's clock may run ahead of ours by its resolution
            self._wait_for_end()
        else:
            self._end_snooze()
            self.on_change()

    def _end_snooze(self) -> None:
        self._snooze_end = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
