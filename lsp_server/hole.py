"""The place between prefix and suffix in a snapshot, and the shape of completion that fits it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Self

from engine.api import Shape, StopRules

if TYPE_CHECKING:
    from context.syntax import Place

NEXT_LINES = 3
_OPENERS = (":", "{", "(", "[", "=>", "->")

Multiline = Literal["auto", "never", "always"]


@dataclass(frozen=True, slots=True)
class Hole:
    """A cursor in a text; offsets are code points."""

    text: str
    offset: int

    @classmethod
    def at(cls, text: str, offset: int) -> Self:
        """A cursor in a document: lines end in \\n from here on, as models and completions have them."""
        if "\r" not in text:
            return cls(text, offset)
        prefix = with_plain_line_ends(text[:offset])
        return cls(prefix + with_plain_line_ends(text[offset:]), len(prefix))

    @property
    def prefix(self) -> str:
        """Everything before the cursor."""
        return self.text[: self.offset]

    @property
    def suffix(self) -> str:
        """Everything after the cursor."""
        return self.text[self.offset :]

    @property
    def line_prefix(self) -> str:
        """The cursor's line before the cursor."""
        return self.text[self._line_start() : self.offset]

    @property
    def line_suffix(self) -> str:
        """The cursor's line after the cursor, without its line end."""
        return self.text[self.offset : self._line_end()]

    def typed_in(self, text: str) -> str | None:
        """What was typed at the cursor to make this document `text`; None if anything else has changed."""
        num_typed = len(text) - len(self.text)
        if num_typed < 0 or text[self.offset + num_typed :] != self.text[self.offset :]:
            return None
        if text[: self.offset] != self.text[: self.offset]:
            return None
        return text[self.offset : self.offset + num_typed]

    def next_lines(self) -> tuple[str, ...]:
        """The first non-blank lines below the cursor's line."""
        found: list[str] = []
        at = self._line_end() + 1
        while at < len(self.text) and len(found) < NEXT_LINES:
            end = self.text.find("\n", at)
            end = len(self.text) if end < 0 else end
            line = self.text[at:end]
            if line.strip():
                found.append(line)
            at = end + 1
        return tuple(found)

    def stop_rules(self, multiline: Multiline, max_lines: int, place: Place | None = None) -> StopRules:
        """What the engine must know of this place to stop in time."""
        return StopRules(
            shape=self.shape(multiline, place),
            line_prefix=self.line_prefix,
            line_suffix=self.line_suffix,
            next_lines=self.next_lines(),
            max_lines=max_lines,
            grows=multiline != "never" and not self.line_suffix.strip(),
            closers=place.closers if place is not None else None,
        )

    def shape(self, multiline: Multiline, place: Place | None = None) -> Shape:
        """A block where one begins, else one line, which may still grow once it is known.

        Syntax says where a block begins; where it says nothing, a blank line and an opener at the line's end
        do.
        """
        if multiline == "never" or self.line_suffix.strip():
            return Shape.LINE
        if multiline == "always":
            return Shape.BLOCK
        if place is not None:
            return Shape.BLOCK if place.opens_block or place.is_empty_part else Shape.LINE
        before = self.line_prefix.rstrip()
        return Shape.BLOCK if not before or ends_in_opener(before) else Shape.LINE

    def is_inside_word(self) -> bool:
        """A word goes on right of the cursor: text put here would run into it."""
        return self.offset < len(self.text) and (
            self.text[self.offset].isalnum() or self.text[self.offset] == "_"
        )

    def _line_start(self) -> int:
        return self.text.rfind("\n", 0, self.offset) + 1

    def _line_end(self) -> int:
        end = self.text.find("\n", self.offset)
        return len(self.text) if end < 0 else end


def with_plain_line_ends(text: str) -> str:
    """A document's text with \\n for each line end."""
    return text.replace("\r\n", "\n")


def ends_in_opener(line: str) -> bool:
    """The line begins something that the next one goes on with."""
    return line.rstrip().endswith(_OPENERS)


def margin_of(line: str) -> str:
    """The blanks and tabs that a line begins with."""
    return line[: len(line) - len(line.lstrip(" \t"))]
