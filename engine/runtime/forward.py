"""One pass of a model over new tokens behind a slot's sequence. Knows tensors; knows no prompts.

The form that every model in transformers can take; `engine/runtime/llama.py` is the fast one for Llama's kin.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import torch
from transformers import PreTrainedModel

from engine.runtime.kv_cache import Slot


class Forward(Protocol):
    """Reads new tokens."""

    def __call__(self, slot: Slot, ids: Sequence[int], num_logits: int = 1) -> torch.Tensor:
        """Write the keys and values of `ids` behind the slot's sequence, which stays as long as it was.

        Returns the logits (num_logits, vocabulary) of the last ids, float32. The caller commits the ids; a
        pass that failed half way has changed nothing that counts.
        """
        ...

    @property
    def step_bytes(self) -> int:
        """Bytes of weights that one decode step reads."""
        ...


class TransformersForward:
    """Any causal LM of transformers, through its own `forward`."""

    def __init__(self, model: PreTrainedModel, device: torch.device) -> None:
        self._model = model
        self._device = device

    @torch.inference_mode()
    def __call__(self, slot: Slot, ids: Sequence[int], num_logits: int = 1) -> torch.Tensor:
        """See Forward."""
        output = self._model(
            input_ids=torch.tensor([list(ids)], dtype=torch.long, device=self._device),
            past_key_values=slot.cache,
            use_cache=True,
            # Indices, not a number: a slice is not contiguous, and torch would then copy the whole head.
            logits_to_keep=torch.arange(len(ids) - num_logits, len(ids), device=self._device),
        )
        return output.logits[0].float()  # type: ignore[no-any-return]

    @property
    def step_bytes(self) -> int:
        """See Forward. The input embedding is looked up, not read, unless it is the output's as well."""
        weights = {id(each): each.nbytes for each in self._model.parameters()}
        model: Any = self._model
        embedding, head = model.get_input_embeddings(), model.get_output_embeddings()
        if head is None or embedding.weight is not head.weight:
            weights.pop(id(embedding.weight), None)
        return sum(weights.values())
