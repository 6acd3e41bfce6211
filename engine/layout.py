"""Prompt layout: repository segments and the document around the hole, as token ids within a budget.

Knows the tokenizer and the FIM format; knows no files, no LSP and no engine. What stays the same from one key
to the next stands first or moves in large steps, so that the engine's KV cache keeps its prefix.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from engine.api import Segment
from engine.errors import NoInfillError
from engine.fim import FimFormat, Order, Part, Piece, assemble
from engine.tokens import Tokenizer

MARK_TOKENS = 8
"""Kept for the marks of a prompt."""
CHARS_PER_TOKEN = 4
"""Of code, roughly; sizes the blocks of the prefix, never its budget."""
FAR_CHARS = 131_072
"""Text before the cursor is looked at in steps of this many characters."""
MAX_SUFFIX_CHARS = 16_384


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt, and where its tokens went."""

    ids: tuple[int, ...]
    segments: tuple[Segment, ...]
    context_tokens: int
    """Of the segments, with their headers."""
    prefix_tokens: int
    suffix_tokens: int


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
        self.order = order or fim.orders[0]
        self._mark_ids = {mark: tokenizer.mark_id(mark) for mark in fim.marks if mark not in fim.stops}
        self._ids_of_text: OrderedDict[str, list[int]] = OrderedDict()

    def prompt(
        self,
        segments: Sequence[Segment],
        path: str | None,
        prefix: str,
        suffix: str,
        budget: Budget,
        leader: str = "#",
    ) -> Prompt:
        """The prompt for the hole between `prefix` and `suffix` of the file at `path`.

        Raises NoInfillError if text follows the hole and the model only goes on from left to right.
        Segments that do not fit `budget.context` are left out, from the front: the most relevant stand last.
        The prefix keeps its end, the suffix its start.
        """
        if not self.fim.can_infill and suffix.strip():
            raise NoInfillError(
                "this model cannot fill in the middle: it completes only at the end of a file"
            )
        kept, context_tokens = self._fitting(segments, budget.context, leader)
        header_tokens = 0 if path is None else len(self._cached(self.fim.file_header(path, leader)))
        if header_tokens > budget.prefix // 2:
            path, header_tokens = None, 0
        prefix_ids = self._prefix_window(prefix, budget.prefix - header_tokens)
        suffix_ids = self._suffix_window(suffix, budget.suffix) if self.fim.can_infill else []
        ids: list[int] = []
        for piece in assemble(self.fim, self.order, kept, path, prefix, suffix if suffix_ids else "", leader):
            if piece.part is Part.PREFIX:
                ids += prefix_ids
            elif piece.part is Part.SUFFIX and suffix_ids:
                ids += suffix_ids
            else:
                ids += self._piece_ids(piece)
        return Prompt(tuple(ids), tuple(kept), context_tokens, len(prefix_ids), len(suffix_ids))

    def encode(self, pieces: Iterable[Piece]) -> list[int]:
        """Ids of whole pieces, without a budget."""
        return [token_id for piece in pieces for token_id in self._piece_ids(piece)]

    def _piece_ids(self, piece: Piece) -> list[int]:
        return [self._mark_ids[piece.text]] if piece.part is Part.MARK else self._cached(piece.text)

    def _fitting(self, segments: Sequence[Segment], budget: int, leader: str) -> tuple[list[Segment], int]:
        kept: list[Segment] = []
        total = 0
        for segment in reversed(segments):
            cost = len(self._cached(self.fim.segment_text(segment, leader)))
            if total + cost <= budget:
                total += cost
                kept.append(segment)
        return kept[::-1], total

    def _prefix_window(self, prefix: str, budget: int) -> list[int]:
        """The ids of as many blocks from the end of `prefix` as fit.

        Blocks are encoded one by one: all but the last come from the cache with the next key, and the
        window's start moves by whole blocks, of code about a quarter of the budget each.
        """
        ids: list[int] = []
        for num, block in enumerate(_blocks_from_end(prefix, max(1, budget // 4 * CHARS_PER_TOKEN))):
            block_ids = self._cached(block) if num else self.tokenizer.encode(block)
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
