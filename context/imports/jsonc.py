"""JSON with comments and trailing commas, as tsconfig.json is written. Never raises."""

from __future__ import annotations

import json
import re
from typing import Any

MAX_CHARS = 1 << 18
"""A longer manifest is generated or hostile."""
MAX_REMEMBERED = 2048
"""As many manifests stay read: modules are made anew with every file that comes or goes."""

# possessive and open-ended, so that an unclosed string or comment costs one pass and not one per quote
_STRING_OR_COMMENT = re.compile(r'"(?:[^"\\]|\\.)*+\\?(?:"|\Z)|//[^\n]*+|/\*.*?(?:\*/|\Z)', re.DOTALL)
_STRING_OR_LAST_COMMA = re.compile(r'"(?:[^"\\]|\\.)*+\\?(?:"|\Z)|,(?=\s*+[}\]])', re.DOTALL)


def read_object(text: str) -> dict[str, Any]:
    """The object that a text holds, empty if it holds none."""
    if len(text) > MAX_CHARS:
        return {}
    text = text.removeprefix("\ufeff")
    try:
        try:
            found = json.loads(text)
        except ValueError:
            found = json.loads(_strict(text))
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def texts_of(value: object) -> list[str]:
    """The texts of a value that may be one, a list of them, or something else by mistake."""
    if isinstance(value, str):
        return [value]
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _strict(text: str) -> str:
    text = _STRING_OR_COMMENT.sub(lambda found: found[0] if found[0].startswith('"') else " ", text)
    return _STRING_OR_LAST_COMMA.sub(lambda found: found[0] if found[0].startswith('"') else "", text)
