"""The oracle: the model with no cache at all, the whole sequence again for every token. Slow and obvious."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import torch

from engine.runtime.model import LoadedModel


@torch.inference_mode()
def logits(loaded: LoadedModel, ids: Sequence[int]) -> torch.Tensor:
    """Logits (tokens, vocabulary) of the whole sequence, float32."""
    input_ids = torch.tensor([list(ids)], dtype=torch.long, device=loaded.device)
    return loaded.model(input_ids=input_ids, use_cache=False).logits[0].float()  # type: ignore[no-any-return]


@torch.inference_mode()
def generate(
    loaded: LoadedModel, ids: Sequence[int], max_tokens: int, *, forbidden: Collection[int] = ()
) -> list[int]:
    """The greedy continuation without the end-of-sequence token; `forbidden` ids are never chosen."""
    sequence = list(ids)
    for _ in range(max_tokens):
        row = logits(loaded, sequence)[-1]
        row[list(forbidden)] = -torch.inf
        token_id = int(row.argmax())
        if token_id in loaded.eos_ids:
            break
        sequence.append(token_id)
    return sequence[len(ids) :]
