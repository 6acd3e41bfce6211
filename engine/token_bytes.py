"""The bytes that a vocabulary's entries stand for. Knows the two ways they are written; knows no ids.

Byte-level vocabularies write every byte as one printable letter. SentencePiece's write text as it is, a space
as U+2581 and a byte that is in no entry as `<0x0A>`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_PRINTABLE = (*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100))
"""The bytes that byte-level vocabularies write as the letter of the same code; the others follow U+0100."""
_BYTE = re.compile(r"<0x([0-9A-Fa-f]{2})>")
_SPACE = "\u2581"


def letters_of_bytes() -> dict[str, int]:
    """The byte of each letter of byte-level vocabularies."""
    others = (byte for byte in range(256) if byte not in _PRINTABLE)
    return {chr(byte): byte for byte in _PRINTABLE} | {chr(256 + n): byte for n, byte in enumerate(others)}


def is_byte_level(decoder: Mapping[str, Any] | None) -> bool:
    """Whether tokenizer.json's decoder reads letters as bytes."""
    parts = [decoder or {}, *((decoder or {}).get("decoders") or ())]
    return any(part.get("type") == "ByteLevel" for part in parts)


def byte_level(entry: str, letters: Mapping[str, int]) -> bytes:
    """Of an entry in letters; as it stands if another letter is in it."""
    try:
        return bytes(letters[letter] for letter in entry)
    except KeyError:
        return entry.encode("utf-8")


def sentence_piece(entry: str) -> bytes:
    """Of an entry of SentencePiece's."""
    byte = _BYTE.fullmatch(entry)
    return bytes([int(byte[1], 16)]) if byte else entry.replace(_SPACE, " ").encode("utf-8")
