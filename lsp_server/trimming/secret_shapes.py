"""Texts that have the shape of a credential: a table of shapes, and what makes a named value look random.

Knows no particular secret. What the document says already is no news and passes.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator

from lsp_server.hole import Hole

SHAPES = {
    "AWS access key": r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
    "GitHub token": r"\bgh[pousr]_[A-Za-z0-9]{36,}|\bgithub_pat_[A-Za-z0-9_]{22,}",
    "GitLab token": r"\bglpat-[\w-]{20,}",
    "Slack token": r"\bxox[abeoprs]-(?=[\w-]*\d)[A-Za-z0-9-]{10,}",
    "Slack webhook": r"hooks\.slack\.com/services/T\w{8,}/B\w{8,}/\w{20,}",
    "Google API key": r"\bAIza[\w-]{35}",
    "Stripe key": r"\b[rs]k_live_[A-Za-z0-9]{16,}",
    "OpenAI or Anthropic key": r"\bsk-(?=[\w-]*\d)(?=[\w-]*[A-Z])[\w-]{20,}",
    "npm token": r"\bnpm_[A-Za-z0-9]{36}\b",
    "PyPI token": r"\bpypi-AgEI[\w-]{20,}",
    "Hugging Face token": r"\bhf_[A-Za-z0-9]{30,}",
    "JSON web token": r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}",
    "private key": r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY(?: BLOCK)?-----",
}
"""By what it is, a regular expression; one line per shape."""

_SHAPE = re.compile("|".join(f"(?:{shape})" for shape in SHAPES.values()))
_NAMED = re.compile(
    r"(?i)(?:key|token(?!iz)|secret|passw(?:or)?d|pwd|passphrase|credentials?|auth)\w*['\"]?\]?\s*"
    r"(?::\s*\w+\s*)?(?:=>|:=|[=:(,])\s*[rbu]?(?P<quote>[\"'`])(?P<value>[\w+/=.~-]{16,})(?P=quote)"
)
_KEY_END = re.compile(r"-----END [A-Z ]+-----")
_UUID = re.compile(r"(?i)[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_HEX = re.compile(r"(?i)(?=.*\d)(?=.*[a-f])[0-9a-f]+")
_PARTS = re.compile(r"[_\-./~:]")
_WORD = re.compile(r"(?:[A-Za-z]{3,}\d{1,2}(?=[A-Za-z]{3}))?[A-Za-z]*\d{0,4}")
"""With a number at its end, and one inside of a longer one: `cache2`, `Zamba2HybridCache`."""
MIN_HEX_CHARS = 32
MIN_HEX_BITS = 3.0
MIN_MIXED_CHARS = 14
MIN_BITS = 3.3
"""Bits per character that a value has to have to be random."""


def drop_secrets(text: str, hole: Hole, path: str) -> str:
    """Nothing of a text with a credential that the document does not hold already."""
    if not text.strip():
        return text
    line_start = len(hole.line_prefix)
    whole = hole.line_prefix + text + hole.line_suffix
    for start, end, secret in _found(whole):
        is_new = line_start < end and start < line_start + len(text)
        if is_new and whole[slice(*secret)] not in hole.text:
            return ""
    return text


def secrets_in(text: str) -> list[tuple[int, int]]:
    """Where a text holds credentials: start and end of each, in order and apart; of a key all its lines."""
    apart: list[tuple[int, int]] = []
    for start, end in sorted(_whole(text, *secret) for _, _, secret in _found(text)):
        if apart and start < apart[-1][1]:
            apart[-1] = apart[-1][0], max(end, apart[-1][1])
        else:
            apart.append((start, end))
    return apart


def _whole(text: str, start: int, end: int) -> tuple[int, int]:
    """Of a private key, whose shape is its first line, all lines."""
    if text.startswith("-----BEGIN", start):
        last = _KEY_END.search(text, end)
        return start, last.end() if last else len(text)
    return start, end


def _found(text: str) -> Iterator[tuple[int, int, tuple[int, int]]]:
    """Start and end of each credential with its name, and where what is secret of it stands."""
    for found in _SHAPE.finditer(text):
        yield *found.span(), found.span()
    for found in _NAMED.finditer(text):
        if _is_random(found["value"]):
            yield *found.span(), found.span("value")


def _is_random(value: str) -> bool:
    """Letters and digits mixed as in no word; identifiers, versions and UUIDs are not."""
    if _UUID.fullmatch(value):
        return False
    if _HEX.fullmatch(value):
        return len(value) >= MIN_HEX_CHARS and _bits(value) >= MIN_HEX_BITS
    mixed = "".join(part for part in _PARTS.split(value) if not _WORD.fullmatch(part))
    return len(mixed) >= MIN_MIXED_CHARS and _bits(mixed) >= MIN_BITS


def _bits(value: str) -> float:
    """Shannon entropy per character."""
    counts = Counter(value).values()
    return -sum(count / len(value) * math.log2(count / len(value)) for count in counts)
