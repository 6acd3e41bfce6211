"""What some models think aloud before they answer, cut out of a text that comes in pieces. Knows no wire."""

from __future__ import annotations

import re

OPEN, CLOSE = "<think>", "</think>"
_END = re.compile(rf"^{CLOSE}[ \t]*\n\s*", re.MULTILINE)


class WithoutThinking:
    """Passes a text on without the `<think>…</think>` at its start; anywhere else the marks are text."""

    def __init__(self) -> None:
        self._held = ""
        """What cannot be told yet from a mark, or is white space before the answer."""
        self._has_opened = False
        self._has_begun = False

    @property
    def is_thinking(self) -> bool:
        """It has begun to think, and said nothing else."""
        return self._has_opened and not self._has_begun

    def feed(self, piece: str) -> str:
        """What of the text so far can be passed on now."""
        if self._has_begun:
            return piece
        self._held += piece
        if not self._has_opened:
            start = self._held.lstrip()
            if OPEN.startswith(start[: len(OPEN)]) and len(start) < len(OPEN):
                return ""
            if not start.startswith(OPEN):
                return self._begin(self._held)
            self._has_opened, self._held = True, start[len(OPEN) :]
        _, mark, answer = self._held.partition(CLOSE)
        if not mark:
            self._held = self._held[1 - len(CLOSE) :]  # the mark may end in the next piece
        elif answer := answer.lstrip():
            return self._begin(answer)
        return ""

    def end(self) -> str:
        """What was held back and is no thinking after all."""
        return "" if self._has_begun or self._has_opened else self._begin(self._held)

    def _begin(self, text: str) -> str:
        self._has_begun, self._held = True, ""
        return text


def behind_thought(text: str) -> str:
    """A whole text without the thought that the prompt itself had opened: its end alone stands in a line."""
    end = _END.search(text)
    is_thought = end is not None and OPEN not in text[: end.start()]
    return text[end.end() :] if end is not None and is_thought else text
