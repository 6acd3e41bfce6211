"""Cuts the comments at a file's top that speak of copyright. Knows comment signs, no grammar.

A model that reads thousands of the same headers learns to write them. A docstring stays: it says what the
file does, whatever else it says.
"""

from __future__ import annotations

import re

_SPEAKS = re.compile(
    r"(?i)copyright|\(c\)\s*\d{4}|©|licen[cs]ed?\b|SPDX-|all rights reserved|permission is hereby granted"
    r"|redistribution and use|without (?:any )?warranty|disclaims? all"
)
_FIRST_LINES = re.compile(r"\ufeff?(?:#!(?!\[)[^\n]*\n)?(?:[ \t]*#[^\n]*?coding[:=][^\n]*\n)?")
_BLANK = re.compile(r"[ \t\n\f]*")
_BLOCK = re.compile(r"[ \t]*/\*.*?\*/[ \t]*(?:\n|\Z)", re.DOTALL)
_SLASHES = re.compile(r"(?:[ \t]*//[^\n]*(?:\n|\Z))+")
_HASHES = re.compile(r"(?:[ \t]*#[^\n]*(?:\n|\Z))+")


def without_licence_header(text: str, language: str) -> str:
    """The text without them; shebang, coding line and other comments stay."""
    first = _FIRST_LINES.match(text)
    at = first.end() if first else 0
    kept = [text[:at]]
    patterns = (_HASHES,) if language == "python" else (_BLOCK, _SLASHES)
    while True:
        start = _end(_BLANK, text, at)
        comment = next((found for pattern in patterns if (found := pattern.match(text, start))), None)
        if comment is None:
            break
        if not _SPEAKS.search(comment.group()):
            kept.append(text[at : comment.end()])
        at = comment.end()
    left = "".join(kept) + text[at:]
    return left if left == text else left.lstrip("\n")


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    return found.end() if found else at
