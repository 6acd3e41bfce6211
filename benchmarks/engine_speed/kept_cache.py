"""transformers' `generate` with a cache that is kept between prompts, and the clock that listens to it.

Ids in, costs out. Knows no text and no processes.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from benchmarks.engine_speed.words import ANSWER_TOKENS, Answer

if TYPE_CHECKING:
    import torch
    from transformers import DynamicCache, PreTrainedModel


class KeptCache:
    """transformers' own cache, cut back to what the next prompt shares with it."""

    def __init__(self, model: PreTrainedModel, num_tokens: int = ANSWER_TOKENS) -> None:
        self._model = model
        self._num_tokens = num_tokens
        self._cache: DynamicCache | None = None
        self.ids: list[int] = []
        """What the cache holds."""

    def answer(self, ids: Sequence[int]) -> Answer:
        """Generate behind `ids`."""
        import torch
        from transformers import DynamicCache

        begun = time.perf_counter()
        if self._cache is None:
            self._cache = DynamicCache(config=self._model.config)
        # `generate` needs one token to read, and appends to a longer cache without a word.
        kept = min(_common(self.ids, ids), len(ids) - 1)
        if kept < self._cache.get_seq_length():
            self._cache.crop(kept - self._cache.get_seq_length())
        clock = Clock()
        prompt = torch.tensor([list(ids)], device=self._model.device)
        model: Any = self._model
        outputs = model.generate(
            input_ids=prompt,
            attention_mask=torch.ones_like(prompt),
            past_key_values=self._cache,
            **lengths(self._model, self._num_tokens),
            streamer=clock,
        )
        self.ids = outputs[0, : self._cache.get_seq_length()].tolist()
        return clock.answer(begun, len(ids) - kept, "")


class Clock:
    """What `generate` calls a streamer: it is told the prompt, then each token as it is chosen."""

    def __init__(self) -> None:
        self._times: list[float] = []
        self._is_prompt = True

    def put(self, _ids: torch.Tensor) -> None:
        """The prompt first, then each token."""
        if not self._is_prompt:
            self._times.append(time.perf_counter())
        self._is_prompt = False

    def end(self) -> None:
        """Nothing is held back."""

    def answer(self, begun: float, prefilled: int, text: str) -> Answer:
        """Of a call that began then and ends now."""
        return Answer(
            ms=(time.perf_counter() - begun) * 1000,
            prefilled=prefilled,
            decoded=len(self._times),
            passes=len(self._times) - 1,
            decode_ms=(self._times[-1] - self._times[0]) * 1000,
            text=text,
        )


def lengths(model: PreTrainedModel, num_tokens: int) -> dict[str, Any]:
    """Greedy, and exactly as many tokens as all peers write."""
    return {
        "max_new_tokens": num_tokens,
        "min_new_tokens": num_tokens,
        "do_sample": False,
        "pad_token_id": model.config.eos_token_id,
    }


def _common(a: Sequence[int], b: Sequence[int]) -> int:
    return next((num for num, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
