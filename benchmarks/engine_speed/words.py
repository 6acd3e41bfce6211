"""The words of this benchmark: what is asked for at a key, what it cost, what a pass must read."""

from __future__ import annotations

from dataclasses import dataclass

ANSWER_TOKENS = 16
"""Written at each key."""
MAIN_TOKENS = 4096
"""The length that the figures speak of: prompt and answer."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One key's cost."""

    ms: float
    """From the key to the whole answer, without the pipe to a peer's process."""
    prefilled: int
    decoded: int
    passes: int
    """Of the model behind the prompt."""
    decode_ms: float
    """For those passes."""
    text: str = ""
    drafted: int = 0
    """Tokens that those passes tried beside the one they had to."""


@dataclass(frozen=True, slots=True)
class Burden:
    """What one pass must read at least."""

    weight_bytes: int
    kv_bytes_per_token: int

    def floor_ms(self, num_tokens: int, gb_per_s: float) -> float:
        """Of a decode step behind so many tokens, at a copy bandwidth that counts reads and writes."""
        return (self.weight_bytes + num_tokens * self.kv_bytes_per_token) / gb_per_s / 1e6
