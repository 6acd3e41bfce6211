"""A stretch of code while it is typed, key by key, in an editor that indents and may close brackets. Pure.

The editor: Enter repeats the line's indentation, one deeper after an opener; a line left with nothing but
such indentation is emptied; Backspace and Tab work in steps inside indentation; with `auto_close` a bracket
brings its closer, which is typed over, and Enter between the two pushes the closer below. Knows no time, no
ghost text's merits and no server.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache

CLOSER_OF = {"(": ")", "[": "]", "{": "}"}
OPENER_OF = {closer: opener for opener, closer in CLOSER_OF.items()}
OPENERS_OF_LINES = (":", "(", "[", "{")
BLANKS = " \t"


class KeyKind(StrEnum):
    """What a key does."""

    CHAR = "char"
    ENTER = "enter"
    TAB = "tab"
    BACKSPACE = "backspace"
    DELETE = "delete"
    DOWN = "down"
    """Over a closer that Enter has pushed below."""


@dataclass(frozen=True, slots=True)
class Key:
    """One key."""

    kind: KeyKind
    char: str = ""


@dataclass(frozen=True, slots=True)
class Closer:
    """What the editor put behind the cursor: a bracket, perhaps below the cursor's line."""

    text: str
    at: int | None
    """Where the target has this bracket; None if nowhere."""


@dataclass(frozen=True, slots=True)
class Typing:
    """How far a stretch is typed: `before` stands left of the cursor, the closers right of it."""

    target: str
    head: str = ""
    """The line that the stretch goes on from, up to the stretch."""
    unit: str = "    "
    """One level of indentation."""
    auto_close: bool = False
    before: str = ""
    closers: tuple[Closer, ...] = ()
    has_loose_indent: bool = False
    """The cursor's line holds only what the editor put there."""

    @property
    def after(self) -> str:
        """What the editor put behind the cursor."""
        return "".join(closer.text for closer in self.closers)

    @property
    def text(self) -> str:
        """The stretch as it stands in the document."""
        return self.before + self.after

    @property
    def num_right(self) -> int:
        """How much of the target stands before the cursor."""
        if self.target.startswith(self.before):
            return len(self.before)
        return next(i for i, char in enumerate(self.before) if self.target[i : i + 1] != char)

    @property
    def rest(self) -> str | None:
        """What is still to come at the cursor; None while surplus indentation stands there."""
        right = self.num_right
        return self.target[right:] if right == len(self.before) else None

    def next_key(self) -> Key | None:
        """What somebody who knows the target presses now; None when it stands there."""
        right = self.num_right
        if right < len(self.before):
            return self._correction(right)
        if self.closers and (key := self._key_for(self.closers[0], right)) is not None:
            return key
        if right == len(self.target):
            return None
        char = self.target[right]
        if char == "\n":
            # Enter would empty this line, but the target has blanks there
            return Key(KeyKind.BACKSPACE if self.has_loose_indent else KeyKind.ENTER)
        step = self._missing_step()
        if step and self.target.startswith(step, right):
            return Key(KeyKind.TAB)
        return Key(KeyKind.CHAR, char)

    def pressed(self, key: Key) -> Typing:
        """What the editor makes of a key."""
        match key.kind:
            case KeyKind.CHAR:
                return self._with_char(key.char)
            case KeyKind.ENTER:
                return self._with_line_end()
            case KeyKind.TAB:
                return self._with_before(self.before + self._missing_step())
            case KeyKind.BACKSPACE:
                return self._with_before(self.before[: -self._back_step()])
            case KeyKind.DELETE:
                return replace(self, closers=_cut(self.closers, 1))
            case KeyKind.DOWN:
                over, *others = self.closers
                return self._with_before(self.before + over.text, tuple(others))

    def inserted(self, text: str, start: int, replaces: int) -> Typing:
        """With `text` in place of what is from `start` up to the cursor and so much behind it."""
        return self._with_before(self.before[:start] + text, _cut(self.closers, replaces))

    def is_sound(self) -> bool:
        """Everything that stands there belongs there."""
        done = len(self.before)
        closers_fit = all(closer.at is not None and closer.at >= done for closer in self.closers)
        return closers_fit and self.target.startswith(self.before)

    def num_keys_to(self, other: Typing) -> int:
        """How many keys lead from here to where `other` has come."""
        state, num = self, 0
        while len(state.before) < len(other.before) or state.rest is None:
            key = state.next_key()
            if key is None:
                break
            state, num = state.pressed(key), num + 1
        return num

    def _correction(self, right: int) -> Key:
        """The editor has put more blanks at the line's start than the target has."""
        at_line_start = right == 0 or self.before[right - 1] == "\n"
        wants_empty = at_line_start and self.target.startswith("\n", right)
        return Key(KeyKind.ENTER if wants_empty and self.has_loose_indent else KeyKind.BACKSPACE)

    def _key_for(self, closer: Closer, right: int) -> Key | None:
        """What the closer behind the cursor asks for; None if it can stay."""
        if closer.at is None:
            return Key(KeyKind.DELETE)
        blanks, gap = closer.text[:-1], self.target[right : closer.at]
        if not blanks or gap.strip(BLANKS + "\n"):
            return None
        return Key(KeyKind.DOWN if gap == blanks else KeyKind.DELETE)

    def _with_char(self, char: str) -> Typing:
        if self.closers and self.closers[0].text == char:
            return self._with_before(self.before + char, self.closers[1:])
        closers = self.closers
        if self.auto_close and char in CLOSER_OF:
            at = partners(self.target).get(len(self.before))
            closers = (Closer(CLOSER_OF[char], at), *closers)
        return self._with_before(self.before + char, closers)

    def _with_line_end(self) -> Typing:
        line = self._line
        indent = line[: len(line) - len(line.lstrip(BLANKS))]
        if self.has_loose_indent:
            before = self.before[: -len(indent)]
            return replace(self, before=f"{before}\n{indent}")
        closers, stripped = self.closers, line.rstrip(BLANKS)
        if closers and stripped == line and line[-1:] == OPENER_OF.get(closers[0].text):
            closers = (replace(closers[0], text=f"\n{indent}{closers[0].text}"), *closers[1:])
        if stripped.endswith(OPENERS_OF_LINES):
            indent += self.unit
        return replace(
            self, before=f"{self.before}\n{indent}", closers=closers, has_loose_indent=bool(indent)
        )

    def _with_before(self, before: str, closers: tuple[Closer, ...] | None = None) -> Typing:
        kept = self.closers if closers is None else closers
        return replace(self, before=before, closers=kept, has_loose_indent=False)

    @property
    def _line(self) -> str:
        """The cursor's line up to the cursor."""
        return (self.head + self.before).rpartition("\n")[2]

    def _missing_step(self) -> str:
        """The blanks up to the next level, if the cursor stands in indentation."""
        line = self._line
        if line.strip(BLANKS):
            return ""
        return self.unit[len(line) % len(self.unit) :] if self.unit != "\t" else "\t"

    def _back_step(self) -> int:
        """How many characters Backspace takes."""
        own = self.before.rpartition("\n")[2]
        if own.strip(" ") or not own or self._line.strip(BLANKS):
            return 1
        return min(len(own), (len(own) - 1) % len(self.unit) + 1)


@lru_cache(maxsize=16)
def partners(text: str) -> dict[int, int]:
    """Where each opening bracket is closed; brackets that do not pair are left out."""
    found: dict[int, int] = {}
    open_at: list[int] = []
    for at, char in enumerate(text):
        if char in CLOSER_OF:
            open_at.append(at)
        elif open_at and OPENER_OF.get(char) == text[open_at[-1]]:
            found[open_at.pop()] = at
    return found


def _cut(closers: tuple[Closer, ...], num: int) -> tuple[Closer, ...]:
    """Without the first `num` characters."""
    kept: list[Closer] = []
    for closer in closers:
        gone = min(num, len(closer.text))
        num -= gone
        if gone < len(closer.text):
            kept.append(replace(closer, text=closer.text[gone:]))
    return tuple(kept)
