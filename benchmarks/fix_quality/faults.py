"""A planted fault: one stretch of one file that reads otherwise than it should. Knows no checker."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    """The classes of faults, of which equal numbers are planted."""

    COLON = "missing colon"
    BRACKET = "missing bracket"
    QUOTE = "missing quote"
    INDENTATION = "wrong indentation"
    NAME = "misspelt name"
    VARIABLE = "undefined variable"
    IMPORT = "missing import"
    ATTRIBUTE = "misspelt attribute"
    ARGUMENT = "wrong argument name"
    ORDER = "wrong argument order"


SYNTAX = frozenset({Kind.COLON, Kind.BRACKET, Kind.QUOTE, Kind.INDENTATION})
"""What no parser reads."""
TYPED = frozenset({Kind.ATTRIBUTE, Kind.ARGUMENT, Kind.ORDER})
"""What only a type checker sees."""


@dataclass(frozen=True, slots=True)
class Slip:
    """`old` at `start` becomes `new`."""

    start: int
    old: str
    new: str

    def made(self, text: str) -> str:
        """The text with the fault in it."""
        return f"{text[: self.start]}{self.new}{text[self.start + len(self.old) :]}"

    def undone(self, text: str) -> str:
        """The text that it was made in."""
        return f"{text[: self.start]}{self.old}{text[self.start + len(self.new) :]}"


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """What a checker says of a place; lines and columns from 0, in code points."""

    path: str
    line: int
    column: int
    end_line: int
    end_column: int
    code: str
    message: str
    source: str


@dataclass(frozen=True, slots=True)
class Fault:
    """A slip in a file, and what its checker says of it that it did not say before."""

    package: str
    kind: Kind
    path: str
    slip: Slip
    original: str = field(repr=False)
    diagnostics: tuple[Diagnostic, ...] = field(repr=False)
    """The first is the one to fix; all that were not there before."""

    @property
    def planted(self) -> str:
        """The whole file with the fault."""
        return self.slip.made(self.original)

    def told(self) -> Iterator[Diagnostic]:
        """What an editor sends along: the first diagnostic, and all others in its lines."""
        first = self.diagnostics[0]
        for each in self.diagnostics:
            is_here = each.line <= first.end_line and first.line <= each.end_line
            if each.path == self.path and is_here:
                yield each
