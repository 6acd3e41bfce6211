"""The oracle user: types a stretch, and takes ghost text that says what they would type. Pure.

At each key they look at what the server has answered for the text as it is. What stood there for less than
`SEEN_S` is not seen: neither taken nor paid for; ghost text that stays while it is typed along keeps the time
at which it appeared. Knows no server and no clock.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum

from benchmarks.replay.ghost import Ghost, Portion, Take, best_take, is_right
from benchmarks.replay.keyboard import Key, KeyKind, Typing

SEEN_S = 0.05


class FlickerKind(StrEnum):
    """What happened to ghost text that still agreed with what was typed."""

    CHANGED = "changed"
    VANISHED = "vanished"
    GROWN = "grown"
    """The same, and more behind it."""


@dataclass(frozen=True, slots=True)
class Flicker:
    """Shown text that changed without need."""

    kind: FlickerKind
    typed: str
    """The cursor's line at that moment."""
    old: str
    """What was left of the text shown before."""
    new: str


@dataclass(slots=True)
class Tally:
    """What one user has done and seen; the parts of a run are added up."""

    keys: int = 0
    """Keys that it takes without any ghost text."""
    lines: int = 0
    pressed: int = 0
    """Keys really pressed, those that accept among them."""
    shown: int = 0
    """Ghost texts that were seen."""
    accepted: int = 0
    """Of these, those of which something was taken."""
    agreed: int = 0
    """Of these, those that were right but saved no key."""
    wrong: int = 0
    """Of these, the others."""
    wrong_first_line: int = 0
    """Of all seen, those whose first line was wrong, although a word of it may have been taken."""
    flashed: int = 0
    """Shown too briefly to be seen."""
    takes: Counter[Portion] = field(default_factory=Counter)
    flickers: list[Flicker] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        """Add what happened elsewhere."""
        for name in _NUMBERS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.takes += other.takes
        self.flickers += other.flickers

    def saved(self, cost_of_wrong: int) -> float:
        """The share of keys that ghost text saved, where reading a wrong one costs so many keys."""
        return (self.keys - self.pressed - cost_of_wrong * self.wrong) / self.keys if self.keys else 0.0


_NUMBERS = (
    "keys",
    "lines",
    "pressed",
    "shown",
    "accepted",
    "agreed",
    "wrong",
    "wrong_first_line",
    "flashed",
)


@dataclass(slots=True)
class _Shown:
    """One ghost text on the screen, for as long as it stays the same."""

    ghost: Ghost
    head: str
    """The stretch up to the cursor, once it is accepted."""
    tail: str
    """The stretch behind the cursor, once it is accepted."""
    since: float
    is_right: bool
    is_read: bool = False
    is_taken: bool = False

    def rest_at(self, typing: Typing) -> str | None:
        """What is left of it; empty if all was typed; None if the user went another way."""
        if not self.head.startswith(typing.before) or not typing.after.endswith(self.tail):
            return None
        rest = self.head[len(typing.before) :]
        own = typing.after[: len(typing.after) - len(self.tail)]
        if not _is_within(own, rest):
            return None
        return "" if rest == own else rest


@dataclass(frozen=True, slots=True)
class Act:
    """What the user did at one key: took something, or pressed it."""

    typing: Typing
    """What stands there afterwards."""
    follows: bool
    """It is what the ghost text said."""
    key: Key | None = None
    take: Take | None = None


class User:
    """One stretch, from its first key to its last."""

    def __init__(self, typing: Typing, seen_s: float = SEEN_S) -> None:
        self.typing = typing
        self.tally = Tally(keys=num_keys(typing), lines=typing.target.strip().count("\n") + 1)
        self._seen_s = seen_s
        self._shown: _Shown | None = None
        self._is_answered = False

    @property
    def is_done(self) -> bool:
        """The target stands there."""
        return self.typing.next_key() is None

    def see(self, ghost: Ghost | None, now: float) -> None:
        """The answer for the text as it is; None for an empty one."""
        self._is_answered = True
        old = self._shown
        new = self._on_screen(ghost, now) if ghost is not None else None
        if old is not None and new is not None and old.head + old.tail == new.head + new.tail:
            old.ghost, old.head, old.tail = new.ghost, new.head, new.tail
            return
        if old is not None:
            self._note_flicker(old, new)
            self._end(old)
        self._shown = new

    def act(self, now: float) -> Act:
        """The next key."""
        shown = self._shown if self._is_answered else None
        if shown is not None and now - shown.since >= self._seen_s:
            shown.is_read = True
            if (take := best_take(self.typing, shown.ghost)) is not None:
                shown.is_taken = True
                self.tally.takes[take.portion] += 1
                self.tally.pressed += take.num_keys
                self._go_on(take.after)
                return Act(take.after, follows=True, take=take)
        key = self.typing.next_key()
        assert key is not None, "asked only until it is done"
        self.tally.pressed += 1
        follows = self._go_on(self.typing.pressed(key), is_moved=key.kind is KeyKind.DOWN)
        return Act(self.typing, follows, key=key)

    def finish(self) -> Tally:
        """Nothing is typed any more."""
        if self._shown is not None:
            self._end(self._shown)
            self._shown = None
        return self.tally

    def _on_screen(self, ghost: Ghost, now: float) -> _Shown:
        accepted = self.typing.inserted(ghost.text, ghost.start, ghost.replaces)
        right = is_right(self.typing.target, self.typing.before[: ghost.start], ghost.text)
        return _Shown(ghost, accepted.before, accepted.after, now, right)

    def _go_on(self, after: Typing, *, is_moved: bool = False) -> bool:
        """Returns whether what stands there now is what the ghost text said."""
        is_taken_back = len(after.before) < len(self.typing.before)
        self.typing, self._is_answered = after, False
        if self._shown is None:
            return False
        rest = None if is_moved or is_taken_back else self._shown.rest_at(after)
        if not rest:
            self._end(self._shown)
            self._shown = None
        return rest is not None

    def _note_flicker(self, old: _Shown, new: _Shown | None) -> None:
        if new is None:
            kind = FlickerKind.VANISHED
        elif new.head.startswith(old.head) and new.tail == old.tail:
            kind = FlickerKind.GROWN
        else:
            kind = FlickerKind.CHANGED
        line = (self.typing.head + self.typing.before).rpartition("\n")[2]
        rest = old.rest_at(self.typing) or ""
        self.tally.flickers.append(Flicker(kind, line, rest, new.ghost.text if new else ""))

    def _end(self, shown: _Shown) -> None:
        if not shown.is_read:
            self.tally.flashed += 1
            return
        self.tally.shown += 1
        self.tally.wrong_first_line += not shown.is_right
        if shown.is_taken:
            self.tally.accepted += 1
        elif shown.is_right:
            self.tally.agreed += 1
        else:
            self.tally.wrong += 1


def num_keys(typing: Typing) -> int:
    """How many keys the rest takes without ghost text."""
    num = 0
    while (key := typing.next_key()) is not None:
        typing, num = typing.pressed(key), num + 1
    return num


def _is_within(some: str, text: str) -> bool:
    """The characters of `some` occur in `text`, in this order."""
    chars = iter(text)
    return all(char in chars for char in some)
