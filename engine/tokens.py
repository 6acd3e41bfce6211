"""Text to token ids and back, over `tokenizer.json` alone; marks are ids, never text.

Knows no prompts and no models. transformers is not used: with DeepSeek's tokenizers its version 5 drops every
space (transformers #45488, #46489), and it adds a BOS or not by rules of its own.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from engine.errors import TokenizerError

if TYPE_CHECKING:
    from tokenizers import Tokenizer as RawTokenizer

SELF_TEST = (
    "def f(a):\n    if a:\n        return a  # two  spaces\n",
    "\tfor (;;) {\n\t\tx++;\n\t}\n",
    "a\r\nb\r\n\r\n  c\r",
    " s = '😋 naïve für 日本語 — ok'  \n\n\n",
    "<｜fim▁hole｜> <|EOT|> <pad>\n",
)
_ADVICE = "download the model again, with its tokenizer files."


class Tokenizer:
    """A byte-level tokenizer whose text side cannot produce marks.

    Marks are the added tokens that are special or written in angle or square brackets. The same characters
    in a user's file are encoded as plain text; the marks' ids come from `mark_id`.
    """

    def __init__(
        self, raw: RawTokenizer, mark_ids: dict[str, int], literals: dict[int, str], source: str
    ) -> None:
        self._raw = raw
        self._mark_ids = mark_ids
        # DeepSeek's letters "ü", "õ"... are added tokens that the byte-level decoder would read as a broken
        # byte (DeepSeek-Coder #88), so the text of an added token is looked up here.
        self._literals = literals | dict.fromkeys(mark_ids.values(), "")
        self.source = source
        """The text of tokenizer.json."""
        self.digest = hashlib.blake2b(source.encode(), digest_size=12).hexdigest()
        """Tells two tokenizers apart."""
        self.num_ids = 1 + max([*self._literals, *raw.get_vocab(with_added_tokens=True).values()])
        """Ids at and above this have no text: padding rows of the model."""

    @classmethod
    def from_folder(cls, folder: Path) -> Self:
        """Load `folder/tokenizer.json`; raises TokenizerError if it is missing, broken or lossy."""
        try:
            source = (folder / "tokenizer.json").read_text(encoding="utf-8")
        except (OSError, UnicodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
            raise TokenizerError(f"{folder} holds no readable tokenizer.json ({why}); {_ADVICE}") from error
        return cls.from_json(source)

    @classmethod
    def from_json(cls, source: str) -> Self:
        """Build from the text of a tokenizer.json and check it; raises TokenizerError."""
        from tokenizers import Tokenizer as RawTokenizer

        try:
            spec: dict[str, Any] = json.loads(source)
            added = {str(token["content"]): token for token in spec.get("added_tokens") or ()}
            for token in added.values():
                token["special"] = _is_mark(token)
            # BOS and marks are placed by the prompt layout, never by the tokenizer.
            spec["post_processor"] = None
            raw = RawTokenizer.from_str(json.dumps(spec))
            # "Encode special tokens as text": marks keep their ids but are not looked for.
            raw.encode_special_tokens = True
        except Exception as error:  # tokenizers raises bare Exception for anything it cannot read
            raise TokenizerError(f"tokenizer.json cannot be read ({error}); {_ADVICE}") from error
        ids: dict[str, Any] = {content: raw.token_to_id(content) for content in added}
        moved = [content for content, token in added.items() if ids[content] != token["id"]]
        if moved:
            raise TokenizerError(f"tokenizer.json gives {moved[0]!r} an id that it cannot have; {_ADVICE}")
        marks = {content: ids[content] for content, token in added.items() if token["special"]}
        literals = {ids[content]: content for content in added.keys() - marks.keys()}
        tokenizer = cls(raw, marks, literals, source)
        tokenizer._check()
        return tokenizer

    def _check(self) -> None:
        """Text comes back; a mark that plain text yielded would not, since marks have no text."""
        pieces = (*SELF_TEST, *self._mark_ids)
        encoded = [self.encode(piece) for piece in pieces]
        # Joined too: prompts are put together from pieces encoded on their own.
        joined = [token_id for ids in encoded for token_id in ids]
        for text, ids in zip((*pieces, "".join(pieces)), (*encoded, joined), strict=True):
            if (back := self.decode(ids)) != text:
                raise TokenizerError(
                    f"tokenizer.json does not give text back as it was: {text[:80]!r} became {back[:80]!r}. "
                    f"It is not the byte-level tokenizer this model was trained with; {_ADVICE}"
                )

    def encode(self, text: str) -> list[int]:
        """Token ids of plain text; marks written in it stay plain text."""
        # A lone surrogate cannot be UTF-8; editors send them when a file is broken.
        clean = text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")
        ids: list[int] = self._raw.encode(clean, add_special_tokens=False).ids
        return ids

    def decode(self, ids: Sequence[int]) -> str:
        """Text of ids; marks and ids without text give nothing, bytes that are no whole character U+FFFD."""
        parts: list[str] = []
        run: list[int] = []
        for token_id in ids:
            literal = self._literals.get(token_id)
            if literal is None:
                run.append(token_id)
            elif literal:
                parts += self._decode_run(run), literal
                run = []
        return "".join((*parts, self._decode_run(run)))

    def _decode_run(self, ids: list[int]) -> str:
        text: str = self._raw.decode(ids, skip_special_tokens=False)
        return text

    def count(self, text: str) -> int:
        """Number of tokens of plain text."""
        return len(self.encode(text))

    def mark_id(self, mark: str) -> int:
        """The one id of a mark; raises TokenizerError if this tokenizer has no such mark."""
        try:
            return self._mark_ids[mark]
        except KeyError:
            raise TokenizerError(
                f"the tokenizer has no single token for the mark {mark!r}; the model's FIM format and its "
                "tokenizer do not belong together: correct the setting engine.fimFormat."
            ) from None

    def known_mark_ids(self, marks: Iterable[str] | None = None) -> frozenset[int]:
        """Ids of those of `marks` that this tokenizer has; all its marks if None."""
        if marks is None:
            return frozenset(self._mark_ids.values())
        return frozenset(self._mark_ids[mark] for mark in marks if mark in self._mark_ids)


def _is_mark(token: dict[str, Any]) -> bool:
    content = str(token["content"])
    is_bracketed = (content[:1], content[-1:]) in {("<", ">"), ("[", "]")} and len(content) > 2
    return bool(token.get("special")) or is_bracketed
