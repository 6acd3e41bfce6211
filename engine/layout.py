"""Prompt layout: repository segments and the document around the hole, as token ids within a budget.

Knows the tokenizer and the FIM format; knows no files, no LSP and no engine. What stays the same from one key
to the next stands first or moves in large steps, so that the engine's KV cache keeps its prefix.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from engine.anchor import Anchor
from engine.api import Segment
from engine.errors import NoInfillError
from engine.fim import FimFormat, Order, Part, Piece, assemble
from engine.tokens import Tokenizer

MARK_TOKENS = 8
"""Kept for the marks of a prompt."""
CHARS_PER_TOKEN = 4
"""Of code, roughly; sizes the blocks of the prefix, never its budget."""
TAIL_TOKENS = 128
"""Of the prefix's budget at most this many wait for what is typed behind an anchor."""
FAR_CHARS = 131_072
"""Text before the cursor is looked at in steps of this many characters."""
MAX_SUFFIX_CHARS = 16_384
_CLOSERS = re.compile(r"[)\]}\"'`]+[ \t]*(?=\r?\n|\Z)")


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt, and where its tokens went."""

    ids: tuple[int, ...]
    segments: tuple[Segment, ...]
    context_tokens: int
    """Of the segments, with their headers."""
    prefix_tokens: int
    """Of what stands before the cursor, the tail behind an anchor included."""
    suffix_tokens: int
    heal: str = ""
    """Text before the cursor that the prompt leaves out; the answer must begin with it."""
    anchor: Anchor | None = None
    """Where the frozen part ends; None for orders without one."""
    wants_new_anchor: bool = False
    """The tail has grown: while nobody waits, have a prompt without an anchor read (`max_tokens` 0), and pass
    its anchor from then on."""


@dataclass(frozen=True, slots=True)
class Budget:
    """How many tokens each part of a prompt may take; with the marks they sum to at most the whole."""

    context: int
    prefix: int
    """The header of the current file included."""
    suffix: int
    answer: int

    @classmethod
    def split(cls, total_tokens: int, answer_tokens: int, fim: FimFormat) -> Budget:
        """Divide `total_tokens` (prompt and answer together).

        The answer takes half at most. An eighth of the prompt goes to the suffix, five eighths of the rest to
        context, what remains to the prefix; each at most what the format reads well.
        """
        total = min(total_tokens, fim.context_length)
        answer = min(answer_tokens, total // 2)
        room = max(total - answer - MARK_TOKENS, 0)
        suffix = min(fim.max_suffix_tokens, room // 8)
        context = min(fim.max_context_tokens, (room - suffix) * 5 // 8)
        prefix = min(fim.max_prefix_tokens, room - suffix - context)
        return cls(context=context, prefix=prefix, suffix=suffix, answer=answer)


class Layout:
    """Lays out prompts for one tokenizer and format."""

    def __init__(self, tokenizer: Tokenizer, fim: FimFormat, order: Order | None = None) -> None:
        self.tokenizer = tokenizer
        self.fim = fim
        self.order = order or fim.order
        self._mark_ids = {mark: tokenizer.mark_id(mark) for mark in fim.prompt_marks}
        self._ids_of_text: OrderedDict[str, list[int]] = OrderedDict()

    def prompt(
        self,
        segments: Sequence[Segment],
        path: str | None,
        prefix: str,
        suffix: str,
        budget: Budget,
        leader: str = "#",
        *,
        anchor: Anchor | None = None,
        heals: bool | None = None,
        hides_closers: bool | None = None,
    ) -> Prompt:
        """The prompt for the hole between `prefix` and `suffix` of the file at `path`.

        Raises NoInfillError if text follows the hole and the model only goes on from left to right.
        Segments that do not fit `budget.context` are left out, from the front: the most relevant stand last.
        The prefix keeps its end, the suffix its start. `anchor` is the last prompt's of this document; one
        that no longer serves is replaced. Pass none where the segments changed: all is read again anyway.
        `heals` and `hides_closers` are what the format's row says if None.
        """
        heals = self.fim.heals if heals is None else heals
        if self.fim.hides_closers if hides_closers is None else hides_closers:
            suffix = without_closers(suffix)
        if not self.fim.can_infill and suffix.strip():
            raise NoInfillError(
                "this model cannot fill in the middle: it completes only at the end of a file"
            )
        kept, context_tokens = self._fitting(segments, budget.context, leader)
        header_tokens = 0 if path is None else len(self._cached(self.fim.file_header(path, leader)))
        if header_tokens > budget.prefix // 2:
            path, header_tokens = None, 0
        typed = self._typed(prefix, suffix, budget.prefix - header_tokens, anchor, heals)
        suffix_ids = self._suffix_window(suffix, budget.suffix) if self.fim.can_infill else []
        ids: list[int] = []
        for piece in assemble(
            self.fim, self.order, kept, path, typed.prefix, suffix if suffix_ids else "", leader, typed.tail
        ):
            if piece.part is Part.PREFIX:
                ids += typed.prefix_ids
            elif piece.part is Part.TAIL:
                ids += typed.tail_ids
            elif piece.part is Part.SUFFIX and suffix_ids:
                ids += suffix_ids
            else:
                ids += self._piece_ids(piece)
        return Prompt(
            ids=tuple(ids),
            segments=tuple(kept),
            context_tokens=context_tokens,
            prefix_tokens=len(typed.prefix_ids) + len(typed.tail_ids),
            suffix_tokens=len(suffix_ids),
            heal=typed.heal,
            anchor=typed.anchor,
            wants_new_anchor=typed.anchor is not None and typed.anchor.is_outgrown(prefix),
        )

    def encode(self, pieces: Iterable[Piece]) -> list[int]:
        """Ids of whole pieces, without a budget."""
        return [token_id for piece in pieces for token_id in self._piece_ids(piece)]

    def _piece_ids(self, piece: Piece) -> list[int]:
        return [self._mark_ids[piece.text]] if piece.part is Part.MARK else self._cached(piece.text)

    def _fitting(self, segments: Sequence[Segment], budget: int, leader: str) -> tuple[list[Segment], int]:
        kept: list[Segment] = []
        total = 0
        for segment in reversed(segments):
            cost = bool(self.fim.file_mark) + len(self._cached(self.fim.segment_text(segment, leader)))
            if total + cost <= budget:
                total += cost
                kept.append(segment)
        return kept[::-1], total

    def _typed(self, prefix: str, suffix: str, room: int, anchor: Anchor | None, heals: bool) -> _Typed:
        """What stands before the cursor, in at most `room` tokens."""
        if self.order is not Order.ANCHORED:
            kept, heal = self._split_heal(prefix, heals)
            return _Typed(kept, self._prefix_window(kept, room), heal=heal)
        # A fixed share of the room, so that the window before the anchor does not depend on the tail.
        tail_room = min(TAIL_TOKENS, room // 4)
        for each in _anchors(anchor, prefix, suffix):
            if (tail := each.tail(prefix, suffix)) is None:
                continue
            kept, heal = self._split_heal(tail, heals)
            tail_ids = self.tokenizer.encode(kept)
            if len(tail_ids) <= tail_room:
                break
        prefix_ids = self._prefix_window(each.prefix, room - tail_room, is_growing=False)
        return _Typed(each.prefix, prefix_ids, kept, tail_ids, heal, each)

    def _split_heal(self, text: str, heals: bool) -> tuple[str, str]:
        start = self.tokenizer.healing_start(text) if heals else len(text)
        return text[:start], text[start:]

    def _prefix_window(self, prefix: str, budget: int, is_growing: bool = True) -> list[int]:
        """The ids of as many blocks from the end of `prefix` as fit.

        Blocks are encoded one by one: all but the last, which `is_growing`, come from the cache with the next
        key, and the window's start moves by whole blocks, of code about a quarter of the budget each.
        """
        ids: list[int] = []
        for num, block in enumerate(_blocks_from_end(prefix, max(1, budget // 4 * CHARS_PER_TOKEN))):
            block_ids = self.tokenizer.encode(block) if is_growing and not num else self._cached(block)
            excess = len(ids) + len(block_ids) - budget
            if excess <= 0:
                ids = block_ids + ids
                continue
            if len(ids) < budget // 2:  # digits, emoji...: cut inside the block, in large steps too
                step = max(1, budget // 4)
                ids = block_ids[-(-excess // step) * step :] + ids
            break
        return ids

    def _suffix_window(self, suffix: str, budget: int) -> list[int]:
        """The ids of the longest start of `suffix` that fits, cut after a line end where there is one."""
        head = suffix[:MAX_SUFFIX_CHARS]
        ids = self._cached(head)
        if len(ids) > budget:
            head = self.tokenizer.decode(ids[:budget]).rstrip("\ufffd")
        if len(head) < len(suffix):
            head = head[: head.rfind("\n") + 1] or head
            ids = self._cached(head)
        return ids[:budget]

    def _cached(self, text: str) -> list[int]:
        """Ids of a text that comes again with the next key: a segment, a header, the suffix, an old block."""
        ids = self._ids_of_text.get(text)
        if ids is None:
            ids = self._ids_of_text[text] = self.tokenizer.encode(text)
            if len(self._ids_of_text) > 512:
                self._ids_of_text.popitem(last=False)
        else:
            self._ids_of_text.move_to_end(text)
        return ids


def _anchors(anchor: Anchor | None, prefix: str, suffix: str) -> Iterator[Anchor]:
    """Those that may serve, the best first; the last one does, as nothing stands behind it."""
    if anchor is not None:
        yield anchor
    yield Anchor.at_line(prefix, suffix)
    yield Anchor(prefix, suffix)


def without_closers(suffix: str) -> str:
    """The suffix without the rest of the cursor's line, if that is closing brackets and quotes alone.

    Editors put them there and take them away with every bracket that is typed; without them the suffix stays
    as it was, and the middle is the rest of a line, closers included.
    """
    match = _CLOSERS.match(suffix)
    return suffix[match.end() :] if match else suffix


@dataclass(frozen=True, slots=True)
class _Typed:
    """The document before the cursor, as a prompt shows it."""

    prefix: str
    prefix_ids: list[int]
    tail: str = ""
    tail_ids: Sequence[int] = ()
    heal: str = ""
    anchor: Anchor | None = None


def _blocks_from_end(text: str, block_chars: int) -> Iterator[str]:
    """The blocks of `text`, last first; where one ends does not depend on what follows much later.

    A block ends before the first line that is not blank after `block_chars` characters (a tokenizer may join
    a line end and the blank lines behind it, never what follows), or inside a line that is longer.
    """
    bounds = [max(0, len(text) - FAR_CHARS) // FAR_CHARS * FAR_CHARS]
    while bounds[-1] < len(text):
        bounds.append(min(len(text), _block_end(text, bounds[-1], block_chars)))
    for start, end in zip(bounds[-2::-1], bounds[:0:-1], strict=True):
        yield text[start:end]


def _block_end(text: str, start: int, block_chars: int) -> int:
    at, limit = start + block_chars, start + 2 * block_chars
    while (newline := text.find("\n", at, limit)) >= 0:
        at = newline + 1
        if not text[at : at + 1].isspace() or text[at:limit].split("\n", 1)[0].strip():
            return at
    return limit
