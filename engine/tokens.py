"""Text to token ids and back, over `tokenizer.json` alone; marks are ids, never text.

Knows no prompts and no models. transformers is not used: with DeepSeek's tokenizers its version 5 drops every
space (transformers #45488, #46489), and it adds a BOS or not by rules of its own.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from engine.errors import TokenizerError
from engine.sentencepiece import SPACE, SPACE_BYTES, without_dummy_space, writes_spaces
from engine.token_bytes import byte_level, is_byte_level, letters_of_bytes, sentence_piece

if TYPE_CHECKING:
    from tokenizers import Tokenizer as RawTokenizer

SELF_TEST = (
    "def f(a):\n    if a:\n        return a  # two  spaces\n",
    "\tfor (;;) {\n\t\tx++;\n\t}\n",
    "a\r\nb\r\n\r\n  c\r",
    " s = '😋 naïve für 日本語 — ok'  \n\n\n",
    "<｜fim▁hole｜> <|EOT|> <pad>\n",
)
MAX_HEAL_CHARS = 64
"""A longer word or run of white space is not grown again."""
_HEALING_WINDOW_CHARS = 2 * MAX_HEAL_CHARS
_CONTINUATIONS = (
    "\n",
    "\r",
    " ",
    "\t",
    "x",
    "É",
    "漢",
    "0",
    "٣",
    "(",
    ".",
    "'",
    "'s",
    "=",
    "_",
    "\u0301",
    "😋",
)
"""One of each kind of character that pre-tokenizers tell apart."""
_LAST_WHITE_SPACE = re.compile(r"\s+\S*\Z")
_HTML_TAG = re.compile(
    "</?(table|caption|thead|tbody|tfoot|tr|th|td|h[1-6]|blockquote|strong|em|b|i|u|s|sub|sup|code)>"
)
"""Gemma's vocabulary has these as added tokens; they are text."""
_ADVICE = "download the model again, with its tokenizer files."


class Tokenizer:
    """A byte-level or byte-fallback tokenizer whose text side cannot produce marks.

    Marks are the added tokens that are special or written in angle or square brackets. The same characters
    in a user's file are encoded as plain text; the marks' ids come from `mark_id`.
    """

    def __init__(
        self,
        raw: RawTokenizer,
        mark_ids: dict[str, int],
        literals: dict[int, str],
        source: str,
        space_ids: tuple[int, ...] = (),
    ) -> None:
        self._raw = raw
        self._mark_ids = mark_ids
        # DeepSeek's letters "ü", "õ"... are added tokens that the byte-level decoder would read as a broken
        # byte (DeepSeek-Coder #88), so the text of an added token is looked up here.
        self._literals = literals | dict.fromkeys(mark_ids.values(), "")
        # Where a space is written "▁", one that a text itself holds can only be written in bytes.
        self._space_ids = space_ids
        self.source = source
        """The text of tokenizer.json."""
        self.digest = hashlib.blake2b(source.encode(), digest_size=12).hexdigest()
        """Tells two tokenizers apart."""
        self._closed: dict[str, bool] = {}
        # Not so with SentencePiece's vocabularies: there the whole text is one word.
        self._splits_words = len(self._word_starts("a b")) > 1
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
            if has_spaces_written := writes_spaces(spec):
                spec = without_dummy_space(spec)
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
        space_ids: tuple[int, ...] = ()
        if has_spaces_written:
            literals = {token_id: content.replace(SPACE, " ") for token_id, content in literals.items()}
            found = [raw.token_to_id(token) for token in SPACE_BYTES]
            space_ids = tuple(token_id for token_id in found if token_id is not None)
        tokenizer = cls(raw, marks, literals, source, space_ids)
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
        clean = _clean(text)
        if self._space_ids and SPACE in clean:
            first, *others = clean.split(SPACE)
            runs = [self._encode_run(first), *((*self._space_ids, *self._encode_run(run)) for run in others)]
            return [token_id for run in runs for token_id in run]
        return self._encode_run(clean)

    def _encode_run(self, text: str) -> list[int]:
        ids: list[int] = self._raw.encode(text, add_special_tokens=False).ids
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

    def token_bytes(self) -> list[bytes]:
        """The bytes of every id below `num_ids`; none for marks and ids without text."""
        letters = letters_of_bytes() if is_byte_level(json.loads(self.source).get("decoder")) else None
        found = [b""] * self.num_ids
        for entry, token_id in self._raw.get_vocab(with_added_tokens=True).items():
            literal = self._literals.get(token_id)
            if literal is not None:
                found[token_id] = literal.encode("utf-8")
            else:
                found[token_id] = byte_level(entry, letters) if letters else sentence_piece(entry)
        return found

    def count(self, text: str) -> int:
        """Number of tokens of plain text."""
        return len(self.encode(text))

    def healing_start(self, text: str) -> int:
        """Offset of the last boundary in `text` that no later token can cross, whatever follows the text.

        With every continuation, the ids of both together begin with those of `text` up to here: the start of
        the last pre-token, or of the white space at the end. `len(text)` if the end is such a boundary, or if
        more than MAX_HEAL_CHARS would have to be grown again.
        """
        # Where the window begins does not matter: words split alike from the next character class on.
        window = text[-_HEALING_WINDOW_CHARS:]
        if not window or self._is_closed(window[-1]):
            return len(text)
        num_chars = len(window) - self._last_boundary(window)
        return len(text) - num_chars if num_chars <= MAX_HEAL_CHARS else len(text)

    def _is_closed(self, end: str) -> bool:
        """No token holds `end` and more behind it: a digit or line end, where each is a word of its own."""
        if end not in "\n0123456789":
            return False
        if (is_closed := self._closed.get(end)) is None:
            is_closed = all(len(end) in self._word_starts(end + more) for more in _CONTINUATIONS)
            self._closed[end] = is_closed
        return is_closed

    def _last_boundary(self, text: str) -> int:
        if not self._splits_words:
            run = _LAST_WHITE_SPACE.search(text)
            return run.start() if run else 0
        starts = self._word_starts(text)
        if text[-1].isspace():
            # White space belongs to the line end, or in part to the word, that may follow it.
            last = max(_below(starts, len(text.rstrip())), default=0)
            stay = self._word_starts(text[last:] + "\n") & self._word_starts(text[last:] + "x")
            starts = {start for start in starts if start <= last or start - last in stay}
        elif text[-2:-1] == "'":
            starts.discard(len(text) - 1)  # `'l` may become the contraction `'ll`
        for start in sorted(starts, reverse=True):
            # White space at the end may be one word, and two where a word follows it.
            if not text[:start][-1:].isspace() or self._word_starts(text[:start]) == _below(starts, start):
                return start
        return 0

    def _word_starts(self, text: str) -> set[int]:
        """Offsets at which the pre-tokenizer begins a word; merges never cross them."""
        encoding = self._raw.encode(_clean(text), add_special_tokens=False)
        starts: dict[int | None, int] = {}
        for word, (start, _) in zip(encoding.word_ids, encoding.offsets, strict=True):
            starts.setdefault(word, start)
        return set(starts.values())

    @property
    def marks(self) -> frozenset[str]:
        """The texts of all its marks."""
        return frozenset(self._mark_ids)

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


def _clean(text: str) -> str:
    """A lone surrogate cannot be UTF-8; editors send them when a file is broken."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def _below(starts: set[int], end: int) -> set[int]:
    return {start for start in starts if start < end}


def _is_mark(token: dict[str, Any]) -> bool:
    content = str(token["content"]).lstrip(SPACE)
    if _HTML_TAG.fullmatch(content):
        return bool(token.get("special"))
    is_bracketed = (content[:1], content[-1:]) in {("<", ">"), ("[", "]")} and len(content) > 2
    return bool(token.get("special")) or is_bracketed
