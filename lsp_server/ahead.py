"""Where the user will be once the ghost text is accepted, so that the next completion can be there before
them. Pure.
"""

from __future__ import annotations

import re

from lsp_server.engine_work import Asked
from lsp_server.hole import Hole, ends_in_opener, margin_of
from lsp_server.typed_through import Offer

INDENT_UNIT = "    "
SURE = 0.7
"""So sure the model must be that its line is whole before the next one is shown behind it; else it is for who
presses Enter."""
_LEAVES_BLOCK = re.compile(r"\s*(return|pass|break|continue|raise)\b")
"""What comes after such a line stands further left, and nobody knows how far."""


def accepted(offer: Offer) -> Hole:
    """The place behind an offer that was accepted whole."""
    text, offset = offer.hole.text, offer.hole.offset
    after = text[:offset] + offer.text + text[offset + offer.replaces :]
    return Hole(after, offset + len(offer.text))


def after_acceptance(offer: Offer) -> Asked | None:
    """The place behind the whole of an offer and, where that ends its line, a line end and indentation.

    None where the user must decide first what comes next.
    """
    hole, text = accepted(offer), offer.hole.text
    line = hole.line_prefix
    if not line.strip() or hole.line_suffix.strip() or _LEAVES_BLOCK.match(line):
        return None
    step = _unit(text) if ends_in_opener(line) else ""
    asked = Asked(hole, "\n" + margin_of(line) + step)
    return asked if offer.end_probability >= SURE else Asked(asked.beyond)


def _unit(text: str) -> str:
    """One level of the file's indentation."""
    first = re.search(r"^([ \t]+)\S", text, re.MULTILINE)
    if first is None:
        return INDENT_UNIT
    return "\t" if "\t" in first[1] else first[1] if len(first[1]) <= len(INDENT_UNIT) else INDENT_UNIT
