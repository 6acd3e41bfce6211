"""A FIM format: what one model family's prompts are made of, and how a prompt is put together from it.

Pure text: knows no token ids, no budget, no engine and no particular family (those are in `fim_formats`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from engine.api import Segment
from engine.errors import ModelError

REPOSITORY = "project"
"""Stands for every repository's name.

Families with a mark for it saw a name before every repository they read, so the mark is not left out; which
name it is tells the model little, and a folder's name need not be known, nor sent anywhere.
"""


class Order(StrEnum):
    """Which part of the document stands first in the prompt."""

    PSM = "psm"
    SPM = "spm"
    ANCHORED = "anchored"
    """PSM, but what was typed since the anchor stands behind the end mark: all before it stays as it was."""


class Part(StrEnum):
    """What a piece of a prompt is."""

    MARK = "mark"
    REPOSITORY = "repository"
    CONTEXT = "context"
    HEADER = "header"
    PREFIX = "prefix"
    SUFFIX = "suffix"
    TAIL = "tail"


class Piece(NamedTuple):
    """A run of the prompt that is tokenised on its own."""

    text: str
    part: Part


@dataclass(frozen=True, slots=True)
class FimFormat:
    """One model family's way to be asked for the middle."""

    name: str
    orders: tuple[Order, ...]
    """The orders the family was trained on, the best first."""
    bos: str
    begin: str
    hole: str
    end: str
    stops: tuple[str, ...]
    """Marks that end a middle."""
    header: str
    """Written before each file's text; `{leader}` is the language's comment leader, `{path}` the path."""
    gap: str
    """Written between two files, after the line end of the first."""
    empty_suffix: str
    """Stands in for an empty suffix, which training hardly ever saw."""
    context_length: int
    """Tokens the family was trained to read, prompt and answer together."""
    max_context_tokens: int
    max_prefix_tokens: int
    max_suffix_tokens: int
    psm: str = ""
    """What follows bos and repository, in words: the marks `begin`, `hole`, `end` and `file` (the file mark
    of the current file), the texts `context` (other files, each behind its file mark), `header`, `prefix` and
    `suffix`."""
    spm: str = ""
    file_mark: str = ""
    """Stands before every file where the family has a mark for it."""
    marks_first_file: bool = True
    """False where the mark stands between files."""
    repo_mark: str = ""
    """Stands before the name of the repository, in front of all files."""
    repo_name: str = ""
    """How the name is written; `{repository}` is the name."""
    lead: str = ""
    """Written before the first text: SentencePiece's space, where the family put one in front of a prefix."""
    heals: bool = True
    """Prompts leave out the token that the cursor may stand in, and the answer begins with it."""
    hides_closers: bool = False
    """Closing brackets and quotes alone behind the cursor on its line are left out: the model says them."""

    @property
    def order(self) -> Order:
        """The order of our prompts unless a setting names another: the one that costs a token per key.

        A family trained on PSM reads the typed part of a line as the begin of its middle, with healing as
        well as before the hole or better (benchmarks/README.md, layout_quality).
        """
        first = self.orders[0]
        return Order.ANCHORED if first is Order.PSM and self.can_infill else first

    def allows(self, order: Order) -> bool:
        """The family was trained on it; anchored prompts are PSM with an empty or a begun middle."""
        return order in self.orders or (
            order is Order.ANCHORED and Order.PSM in self.orders and self.can_infill
        )

    @property
    def can_infill(self) -> bool:
        """False for the plain format, which only goes on from left to right."""
        return bool(self.hole)

    @property
    def prompt_marks(self) -> tuple[str, ...]:
        """Every mark that may stand in a prompt, each once."""
        marks = (self.bos, self.repo_mark, self.file_mark, self.begin, self.hole, self.end)
        return tuple(dict.fromkeys(mark for mark in marks if mark))

    @property
    def marks(self) -> tuple[str, ...]:
        """Every mark that occurs in a prompt or ends an answer, each once."""
        return tuple(dict.fromkeys((*self.prompt_marks, *self.stops)))

    def file_header(self, path: str, leader: str = "#") -> str:
        """The line that names a file, with its line end."""
        return self.header.format(leader=leader, path=path)

    def segment_text(self, segment: Segment, leader: str = "#") -> str:
        """A segment as it stands in a prompt, behind the file mark if there is one."""
        return self.file_header(segment.path, leader) + segment.text + self.gap

    def words(self, order: Order) -> list[str]:
        """The words of `psm` or `spm`; raises ModelError for an order the family was not trained on."""
        if not self.allows(order):
            raise ModelError(f"{self.name} was not trained on the order {order}; use {self.order}.")
        return (self.spm if order is Order.SPM else self.psm).split()


def assemble(
    fim: FimFormat,
    order: Order,
    segments: Sequence[Segment],
    path: str | None,
    prefix: str,
    suffix: str,
    leader: str = "#",
    tail: str = "",
    repository: str = REPOSITORY,
) -> list[Piece]:
    """The prompt in pieces: marks, one per segment, header (none without a path), prefix, suffix and tail.

    A prompt without segments and path is the family's file-level format; with either, its repository-level
    one. The pieces joined are the prompt byte for byte; empty ones are left out. Marks that occur inside the
    texts are not marks: only pieces whose part is MARK may become control tokens. The tail is what was typed
    behind `prefix` since the anchor; orders without an anchor have none.
    """
    texts = [fim.segment_text(segment, leader) for segment in segments]
    texts.append("" if path is None else fim.file_header(path, leader))
    texts[0] = fim.lead + texts[0]
    file_marks = [Piece(fim.file_mark, Part.MARK)] * len(texts)
    if not fim.marks_first_file or (path is None and not segments):
        file_marks[0] = Piece("", Part.MARK)
    contexts = [Piece(text, Part.CONTEXT) for text in texts[:-1]]
    pieces = {
        "context": [piece for pair in zip(file_marks, contexts, strict=False) for piece in pair],
        "file": file_marks[-1:],
        "header": [Piece(texts[-1], Part.HEADER)],
        "prefix": [Piece(prefix, Part.PREFIX)],
        "suffix": [Piece(suffix or fim.empty_suffix, Part.SUFFIX)],
    }
    marks = {"begin": fim.begin, "hole": fim.hole, "end": fim.end}
    pieces |= {word: [Piece(mark, Part.MARK)] for word, mark in marks.items()}
    start = [Piece(fim.bos, Part.MARK)]
    if fim.repo_mark and repository and (segments or path is not None):
        name = fim.repo_name.format(repository=repository)
        start += [Piece(fim.repo_mark, Part.MARK), Piece(name, Part.REPOSITORY)]
    parts = [*start, *(piece for word in fim.words(order) for piece in pieces[word])]
    return [piece for piece in (*parts, Piece(tail, Part.TAIL)) if piece.text]
