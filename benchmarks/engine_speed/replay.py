"""Typing at every peer, key by key: each key goes to all of them before the next one. Knows no models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from benchmarks.engine_speed.peer import Peer
from benchmarks.engine_speed.scene import Scene
from benchmarks.engine_speed.words import ANSWER_TOKENS, Answer, Burden


@dataclass(frozen=True, slots=True)
class Run:
    """What one scene cost one peer."""

    peer: str
    tokens: int
    """The length asked for: prompt and answer."""
    prompt_tokens: int
    """Of the first prompt."""
    burden: Burden
    cold: Answer
    """To the first key, of whose prompt nothing was read before."""
    keys: Mapping[int, Answer]
    """By the number of characters typed, without those at which some peer had less to say; all of them for a
    peer that keeps nothing."""
    num_left_out: int
    peak_mib: int | None


@dataclass(slots=True)
class _Book:
    """Answers of one peer while they come."""

    peer: Peer
    every: int
    answers: dict[int, Answer] = field(default_factory=dict)


def replay(
    peers: Sequence[Peer], scene: Scene, tokens: int, every: Mapping[str, int] | None = None
) -> list[Run]:
    """Type the scene; a peer named in `every` is asked at each so-manieth key only (it keeps nothing)."""
    books = [_Book(peer, (every or {}).get(peer.name, 1)) for peer in peers]
    for num_keys in range(len(scene.typed) + 1):
        first = num_keys % len(books)
        for book in (*books[first:], *books[:first]):
            if num_keys % book.every == 0:
                book.answers[num_keys] = book.peer.ask(scene, num_keys)
    return _runs(books, tokens)


def _runs(books: Sequence[_Book], tokens: int) -> list[Run]:
    # A model that has filled the hole says so and stops; peers that are told to go on would do more.
    short = {key for book in books for key, each in book.answers.items() if each.decoded < ANSWER_TOKENS}
    return [
        Run(
            peer=book.peer.name,
            tokens=tokens,
            prompt_tokens=book.answers[0].prefilled,
            burden=book.peer.burden,
            cold=book.answers[0],
            keys=_counted(book, short),
            num_left_out=len(short & book.answers.keys() - {0}),
            peak_mib=book.peer.peak_mib(),
        )
        for book in books
    ]


def _counted(book: _Book, short: set[int]) -> dict[int, Answer]:
    if book.every > 1:
        return book.answers
    return {key: each for key, each in book.answers.items() if key and key not in short}
