"""Text into HTML: escaped, and with nothing in it that a reader could not see. Knows no page."""

from __future__ import annotations

import re
from html import escape

HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\ud800-\udfff]"
)
"""Control characters, what changes the direction of text, what has no width, and lone surrogates."""


def esc(text: object) -> str:
    """Safe between tags and in a quoted attribute; hidden characters appear as `⟨U+202E⟩`."""
    return HIDDEN.sub(lambda found: f"⟨U+{ord(found[0]):04X}⟩", escape(_lines(str(text))))


def esc_path(path: str) -> str:
    """A path that breaks after a folder where it must break, as a whole whatever its letters' direction."""
    return tag("bdi", esc(path).replace("/", "/<wbr>"), class_="path")


def attributes(**values: object) -> str:
    """` name="value"` for each; an underscore at the end of a name is dropped, others become hyphens."""
    return "".join(f' {name.rstrip("_").replace("_", "-")}="{esc(value)}"' for name, value in values.items())


def tag(name: str, inner: str, **values: object) -> str:
    """An element around markup."""
    return f"<{name}{attributes(**values)}>{inner}</{name}>"


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text
