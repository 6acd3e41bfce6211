"""Texts to token ids, many at once and with the characters of each token. Knows no prompts.

The ids are those of `engine.tokens`; what that cannot do, as the product never needs it, is done here.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Self

from tokenizers import Tokenizer as RawTokenizer

from engine.fim import FORMATS, FimFormat
from engine.tokens import Tokenizer

BUILTIN_FOLDER = Path(__file__).parents[2] / "engine" / "builtin"
FORMAT = FORMATS["builtin"]
BATCH = 1024
"""Texts encoded at once."""


class Encoded(NamedTuple):
    """A text's tokens."""

    ids: list[int]
    spans: list[tuple[int, int]]
    """The characters of each token; a character of several tokens belongs to all of them."""


class Encoder:
    """The built-in model's tokenizer and marks."""

    def __init__(self, tokenizer: Tokenizer, fim: FimFormat = FORMAT) -> None:
        spec = json.loads(tokenizer.source)
        spec["post_processor"] = None
        self._raw = RawTokenizer.from_str(json.dumps(spec))
        self._raw.encode_special_tokens = True
        self.tokenizer = tokenizer
        self.fim = fim
        self.bos = tokenizer.mark_id(fim.bos)
        self.begin = tokenizer.mark_id(fim.begin)
        self.hole = tokenizer.mark_id(fim.hole)
        self.end = tokenizer.mark_id(fim.end)
        self.eos = tokenizer.mark_id(fim.stops[0])

    @classmethod
    def from_folder(cls, folder: Path = BUILTIN_FOLDER) -> Self:
        """Of a model's folder; raises TokenizerError."""
        return cls(Tokenizer.from_folder(folder))

    def batch(self, texts: Sequence[str]) -> list[list[int]]:
        """The ids of each text on its own."""
        found: list[list[int]] = []
        for start in range(0, len(texts), BATCH):
            clean = [_clean(text) for text in texts[start : start + BATCH]]
            found += [row.ids for row in self._raw.encode_batch_fast(clean, add_special_tokens=False)]
        return found

    def encode(self, text: str) -> Encoded:
        """One text with its tokens' characters."""
        row = self._raw.encode(_clean(text), add_special_tokens=False)
        return Encoded(row.ids, row.offsets)


def _clean(text: str) -> str:
    """A lone surrogate cannot be UTF-8."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")
