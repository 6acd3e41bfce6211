"""A document as an editor holds it: text, version, and positions in UTF-16 code units."""

from __future__ import annotations

from pathlib import Path
from typing import Any


class Document:
    """One open file; offsets are code points."""

    def __init__(self, path: Path, language_id: str, text: str) -> None:
        self.path = path
        self.uri = path.as_uri()
        self.language_id = language_id
        self.text = text
        self.version = 0

    def item(self) -> dict[str, Any]:
        """For `didOpen`."""
        return {
            "uri": self.uri,
            "languageId": self.language_id,
            "version": self.version,
            "text": self.text,
        }

    def position(self, offset: int) -> dict[str, int]:
        """Line and UTF-16 column."""
        start = self.text.rfind("\n", 0, offset) + 1
        return {"line": self.text.count("\n", 0, start), "character": utf16(self.text[start:offset])}

    def offset(self, position: dict[str, int]) -> int:
        """The offset of a position; one behind the line's end is at its end."""
        start = 0
        for _ in range(position["line"]):
            start = self.text.find("\n", start) + 1
        end = self.text.find("\n", start)
        line = self.text[start : end if end >= 0 else len(self.text)]
        return start + from_utf16(line, position["character"])

    def replace(self, start: int, end: int, text: str) -> dict[str, Any]:
        """Change the text; returns the content change that says so."""
        where = {"start": self.position(start), "end": self.position(end)}
        self.text = self.text[:start] + text + self.text[end:]
        return {"range": where, "text": text}


def utf16(text: str) -> int:
    """Its length in UTF-16 code units."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def from_utf16(text: str, units: int) -> int:
    """How many code points make so many UTF-16 code units."""
    if text.isascii():
        return min(units, len(text))
    encoded = text.encode("utf-16-le", "surrogatepass")[: 2 * units]
    return len(encoded.decode("utf-16-le", "surrogatepass"))
