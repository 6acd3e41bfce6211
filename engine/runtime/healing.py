"""Token healing: which ids may come while typed text is spelled again. Knows bytes, no text.

An id may come if its bytes begin what is left to spell, or begin with all of it.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import lru_cache

import torch

from engine.errors import ModelError

_NUM_KEPT = 128
"""So many answers to `allowed` are kept: a user types the same beginnings again and again."""


class Healer:
    """The bytes of one vocabulary's ids, sorted, so that those of a prefix lie together."""

    def __init__(
        self, token_bytes: Sequence[bytes], forbidden: Collection[int], device: torch.device
    ) -> None:
        """Ids without bytes and `forbidden` ones never heal."""
        self._bytes = token_bytes
        self._device = device
        pairs = sorted((text, i) for i, text in enumerate(token_bytes) if text and i not in forbidden)
        self._words = [text for text, _ in pairs]
        self._ids = [i for _, i in pairs]
        self._longest = max(map(len, self._words), default=0)
        self.allowed = lru_cache(_NUM_KEPT)(self._allowed)

    def after(self, left: bytes, ids: Iterable[int]) -> tuple[bytes, int]:
        """What is left to spell behind those tokens, and how many of them lie wholly inside `left`."""
        num_inside = 0
        for token_id in ids:
            size = len(self._bytes[token_id])
            num_inside += 0 < size <= len(left)
            left = left[size:]
        return left, num_inside

    def fits(self, left: bytes, token_id: int) -> bool:
        """Whether that token goes on with what is left to spell, and says something."""
        text = self._bytes[token_id]
        return bool(text) and (left.startswith(text) or text.startswith(left))

    def completes(self, left: bytes, token_id: int) -> bool:
        """Whether nothing is left to spell behind that token."""
        return len(self._bytes[token_id]) >= len(left)

    def _allowed(self, left: bytes) -> torch.Tensor:
        """The ids that may come while `left` is to be spelled; raises ModelError if there is none."""
        found = [self._ids[place] for part in self._parts(left) for place in part]
        if not found:
            raise ModelError(
                f"The model's vocabulary cannot spell {left!r}: ask for this completion without healing, or "
                "use a model whose tokenizer has a token for every byte."
            )
        return torch.tensor(found, dtype=torch.long, device=self._device)

    def _parts(self, left: bytes) -> Iterator[range]:
        """Places of what begins with `left`, then of what `left` begins with, longest first."""
        low = bisect_left(self._words, left)
        yield range(low, bisect_right(self._words, left, low, key=lambda word: word[: len(left)]))
        for size in range(min(len(left) - 1, self._longest), 0, -1):
            yield self._places(left[:size])

    def _places(self, word: bytes) -> range:
        """Several ids may have the same bytes."""
        low = bisect_left(self._words, word)
        return range(low, bisect_right(self._words, word, low))

    def spelling(self, left: bytes) -> list[int]:
        """A likely way to spell `left`: the longest token each time, or the only one that goes further."""
        ids: list[int] = []
        while left:
            sizes = range(min(len(left), self._longest), 0, -1)
            places = next(filter(None, (self._places(left[:size]) for size in sizes)), None)
            if places is None:
                places = next(self._parts(left))
                if len(places) != 1:
                    break
            ids.append(self._ids[places[0]])
            left, _ = self.after(left, ids[-1:])
        return ids
