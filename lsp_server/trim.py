"""What of a generated text is offered: nothing that stands there already, no torn end. Pure."""

from __future__ import annotations

import re

from engine.api import FinishReason
from engine.stopping import loop_end
from lsp_server.hole import Hole

_TORN_WORD = re.compile(r"\w+$")
MIN_REPEATED_CHARS = 3


def trim(text: str, hole: Hole, finish_reason: FinishReason) -> str:
    """The text to offer at `hole`; empty if nothing of it is worth showing."""
    text = text.replace("\r\n", "\n")
    if finish_reason in (FinishReason.BUDGET, FinishReason.DEADLINE, FinishReason.CANCELLED):
        text = drop_torn_end(text)
    text = drop_loop(text)
    if hole.line_suffix.strip():
        text = drop_line_suffix(text.split("\n", 1)[0], hole.line_suffix)
    else:
        text = drop_next_lines(text, hole)
    text = text.rstrip()
    if not text.strip() or repeats_next_lines(text, hole):
        return ""
    return text


def drop_torn_end(text: str) -> str:
    """Cut a text that ended by force back to its last whole line, or else to its last whole word."""
    head, newline, last = text.rpartition("\n")
    if newline and head.strip():
        return head
    return head + newline + _TORN_WORD.sub("", last)


def drop_loop(text: str) -> str:
    """Cut the text before a line in which the model went round in a loop: it had no idea."""
    lines = text.split("\n")
    looping = next((index for index, line in enumerate(lines) if loop_end(line) is not None), len(lines))
    return "\n".join(lines[:looping])


def drop_line_suffix(line: str, line_suffix: str) -> str:
    """Cut the longest end of `line` that is a start of what already follows the cursor: `x)` before `)`."""
    after = line_suffix.rstrip()
    for size in range(min(len(line), len(after)), 0, -1):
        if line.endswith(after[:size]) and (after[:size].strip() and _is_whole(after, size)):
            return line[:-size]
    whole = line.find(after) if len(after) >= MIN_REPEATED_CHARS else -1
    return line[:whole] if whole >= 0 else line


def _is_whole(text: str, size: int) -> bool:
    """A cut at `size` does not tear a word of `text`."""
    return size == len(text) or not (text[size - 1].isalnum() and text[size].isalnum())


def drop_next_lines(text: str, hole: Hole) -> str:
    """Cut the text before lines that already stand below the cursor."""
    following = [line.rstrip() for line in hole.next_lines()]
    if not following:
        return text
    lines = text.split("\n")
    for index in range(1, len(lines)):
        ours = [line.rstrip() for line in lines[index:] if line.strip()]
        if ours and ours == following[: len(ours)]:
            return "\n".join(lines[:index])
    return text


def repeats_next_lines(text: str, hole: Hole) -> bool:
    """The cursor's line, completed, would only say what the next lines say."""
    following = [line.strip() for line in hole.next_lines()]
    completed = (hole.line_prefix + text).strip().split("\n")
    ours = [line.strip() for line in completed if line.strip()]
    if not following or not ours or len("".join(ours)) < MIN_REPEATED_CHARS:
        return False
    return ours == following[: len(ours)]
