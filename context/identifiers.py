"""Which identifiers a text holds. Knows no language: comments and strings count too."""

from __future__ import annotations

import re

_IDENTIFIER = re.compile(r"[^\W\d]\w{2,}")


def identifiers(text: str) -> set[str]:
    """Every identifier of three letters or more."""
    return set(_IDENTIFIER.findall(text))
