r"""Where the lines of a text start, kept right through edits without splitting the text again.

Only LSP's line ends count (\n, \r\n, \r), so `str.splitlines` is of no use here: it also splits at form
feeds, U+2028 and others. Offsets are code points. Knows nothing of documents, columns or encodings.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from itertools import accumulate
from typing import Self


class LineIndex:
    """The line starts of one text; never changes, an edit gives a new index.

    Starts before the last edit (`_head`) count from the text's begin, later ones (`_tail`, nearest to the
    edit last) from its end, so an edit moves none of them: only those between two edits are recomputed.
    """

    __slots__ = ("_head", "_num_chars", "_tail")

    def __init__(self, head: array[int], tail: array[int], num_chars: int) -> None:
        self._head = head
        self._tail = tail
        self._num_chars = num_chars

    @classmethod
    def of(cls, text: str) -> Self:
        """Index a whole text."""
        return cls(_line_starts(text), array("q"), len(text))

    def __len__(self) -> int:
        return len(self._head) + len(self._tail)

    def start(self, line: int) -> int:
        """Offset of the first character of `line`."""
        if line < len(self._head):
            return self._head[line]
        return self._num_chars - self._tail[len(self) - 1 - line]

    def line_at(self, offset: int) -> int:
        """The line that holds `offset`: the last one that starts at or before it."""
        if not self._tail or offset < self._num_chars - self._tail[-1]:
            return bisect_right(self._head, offset) - 1
        num_later = bisect_left(self._tail, self._num_chars - offset)
        return len(self) - 1 - num_later

    def edited(self, text: str, start: int, old_end: int, new_end: int) -> Self:
        """The index of `text`, which was this text until `start:old_end` became `start:new_end`."""
        # Whether a line starts at p depends on the characters p-1 and p (a \r alone, or before \n), so
        # exactly the starts in start..old_end may be gone and those in start..new_end may be new.
        first = max(1, self.line_at(start - 1) + 1)
        head = self._head_until(first)
        tail = self._tail_from(self.line_at(old_end) + 1)
        window_start = max(start - 1, 0)
        found = _line_starts(text[window_start : new_end + 1])
        head.extend(p for s in found[1:] if start <= (p := window_start + s) <= new_end)
        return type(self)(head, tail, len(text))

    def _head_until(self, line: int) -> array[int]:
        """The starts of the lines before `line`, from the begin."""
        num_head = len(self._head)
        head = self._head[:line]
        if line > num_head:
            crossed = self._tail[len(self) - line :]
            head.extend(self._num_chars - distance for distance in reversed(crossed))
        return head

    def _tail_from(self, line: int) -> array[int]:
        """The starts of `line` and of the lines after it, from the end."""
        tail = self._tail[: len(self) - line]
        if line < len(self._head):
            tail.extend(self._num_chars - start for start in reversed(self._head[line:]))
        return tail


def _line_starts(text: str) -> array[int]:
    if "\r" in text:
        # Same length, same line starts, one kind of line end.
        text = text.replace("\r\n", " \n").replace("\r", "\n")
    starts = array("q", accumulate((len(line) + 1 for line in text.split("\n")), initial=0))
    starts.pop()
    return starts
