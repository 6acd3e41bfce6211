"""Attention of new tokens over a slot: causal, aligned to the end of the keys. Knows no cache and no model.

Registered with transformers under a name of its own, so that any model that takes its attention from there
runs on it. Queries are (1, heads, new, head_dim); keys and values (1, kv_heads, all, head_dim), maybe in
another dtype.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.nn.attention.bias import causal_lower_right
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import causal_mask_function, sdpa_mask

NAME = "ghostfill"

_READ_TOKENS = 256
"""A window's length is a multiple of this: a CPU's bfloat16 kernels are made anew for every other shape."""

_CACHED_SCORES = 2**18
"""So many stay in the processor's cache."""

_BLOCK_QUERIES = 64
"""Scores of so many queries at a time stay in the processor's cache and small beside the keys."""


def register() -> None:
    """Make `attn_implementation="ghostfill"` known to transformers."""
    AttentionInterface.register(NAME, slot_attention)
    AttentionMaskInterface.register(NAME, slot_mask)


def slot_mask(
    *,
    mask_function: Callable[..., Any] = causal_mask_function,
    attention_mask: torch.Tensor | None = None,
    **kwargs: Any,
) -> torch.Tensor | None:
    """None for plain causal attention; a mask for models with anything else (sliding windows)."""
    if attention_mask is None and mask_function is causal_mask_function:
        return None
    return sdpa_mask(mask_function=mask_function, attention_mask=attention_mask, **kwargs)


def slot_attention(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float | None = None,
    **kwargs: Any,
) -> tuple[torch.Tensor, None]:
    """The function that a transformers model calls; returns (1, new, heads, head_dim)."""
    if attention_mask is not None or kwargs.get("softcap") or kwargs.get("position_bias") is not None:
        output, _ = sdpa_attention_forward(
            module, query.to(key.dtype), key, value, attention_mask, scaling=scaling, **kwargs
        )
        return output.to(query.dtype), None
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    return causal_attention(query, key, value, scale).transpose(1, 2).contiguous(), None


def causal_attention(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, scale: float
) -> torch.Tensor:
    """Attention of the last tokens over all keys; returns (1, heads, new, head_dim) in the queries' dtype."""
    num_new, num_keys = query.shape[2], key.shape[2]
    if num_new == 1:
        return _single_query(query, key, value, scale)
    if query.device.type != "cpu":
        bias = causal_lower_right(num_new, num_keys)
        return scaled_dot_product_attention(
            query.to(key.dtype), key, value, attn_mask=bias, scale=scale, enable_gqa=True
        ).to(query.dtype)
    if query.dtype == torch.bfloat16:
        return _in_blocks(query, key.to(query.dtype), value.to(query.dtype), scale)
    mask = torch.ones(num_new, num_keys, dtype=torch.bool).tril_(num_keys - num_new)
    output = scaled_dot_product_attention(
        query.to(key.dtype), key, value, attn_mask=mask, scale=scale, enable_gqa=True
    )
    return output.to(query.dtype)


def read_length(length: int, capacity: int) -> int:
    """How many keys a pass over a window reads: few different lengths, since kernels are made for each."""
    return min(-(-length // _READ_TOKENS) * _READ_TOKENS, capacity)


def window_mask(positions: torch.Tensor, start: int, read: int, dtype: torch.dtype) -> torch.Tensor:
    """What to add to the scores of the keys from `start` to `read`, (tokens, read - start)."""
    keys = torch.arange(start, read, device=positions.device)
    mask = torch.zeros(len(positions), read - start, dtype=dtype, device=positions.device)
    return mask.masked_fill_(keys > positions[:, None], -torch.inf)


def window_attention(
    query: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, mask: torch.Tensor
) -> torch.Tensor:
    """By matrix products over a window that is longer than the sequence: the mask hides the rest.

    Queries are (tokens, heads, head_dim), scaled; keys and values (kv_heads, read, head_dim) of their dtype;
    the mask is added to the scores of the last keys. Returns (tokens, heads * head_dim).
    """
    num_new, heads, dim = query.shape
    kv_heads = keys.shape[0]
    # The heads that share a key head become its rows, (kv_heads, tokens * group, head_dim).
    grouped = query.view(num_new, kv_heads, -1, dim).transpose(0, 1).reshape(kv_heads, -1, dim)
    if keys.device.type == "cpu":
        output = _head_by_head(grouped, keys, values, mask)
    else:
        scores = torch.bmm(grouped, keys.transpose(1, 2))
        _hide(scores, mask)
        output = torch.bmm(scores.softmax(-1), values)
    return output.view(kv_heads, num_new, -1, dim).transpose(0, 1).reshape(num_new, heads * dim)


def _head_by_head(
    query: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, mask: torch.Tensor
) -> torch.Tensor:
    """A CPU's batched bfloat16 product copies a transposed factor first; single ones do not.

    Scores that fit the cache are made for all heads before the softmax, larger ones a head at a time.
    """
    kv_heads, num_rows, _ = query.shape
    at_once = kv_heads if query.shape[0] * num_rows * keys.shape[1] <= _CACHED_SCORES else 1
    scores, output = query.new_empty(at_once, num_rows, keys.shape[1]), torch.empty_like(query)
    for start in range(0, kv_heads, at_once):
        some = slice(start, start + at_once)
        for each, head, out in zip(query[some], keys[some], scores, strict=True):
            torch.mm(each, head.T, out=out)
        _hide(scores, mask)
        torch.softmax(scores, -1, out=scores)
        torch.bmm(scores, values[some], out=output[some])
    return output


def _hide(scores: torch.Tensor, mask: torch.Tensor) -> None:
    """Add the mask to the last columns of (heads, tokens * group, read)."""
    num_new, num_last = mask.shape
    scores.view(len(scores), num_new, -1, scores.shape[-1])[..., -num_last:].add_(mask[:, None])


def _single_query(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, scale: float) -> torch.Tensor:
    """One query sees all keys; the heads that share a key head become its queries, so nothing is repeated."""
    heads, kv_heads = query.shape[1], key.shape[1]
    grouped = query.reshape(1, kv_heads, heads // kv_heads, query.shape[-1]).to(key.dtype)
    output = scaled_dot_product_attention(grouped, key, value, scale=scale)
    return output.reshape(1, heads, 1, value.shape[-1]).to(query.dtype)


def _in_blocks(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, scale: float) -> torch.Tensor:
    num_new, past = query.shape[2], key.shape[2] - query.shape[2]
    blocks = []
    for start in range(0, num_new, _BLOCK_QUERIES):
        end = min(start + _BLOCK_QUERIES, num_new)
        seen = slice(0, past + end)
        blocks.append(_by_matrix_products(query[:, :, start:end], key[:, :, seen], value[:, :, seen], scale))
    return torch.cat(blocks, dim=2)


def _by_matrix_products(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, scale: float
) -> torch.Tensor:
    """On a CPU bfloat16 products are several times faster than the fused kernel, which works in float32."""
    heads, num_new, head_dim = query.shape[1:]
    kv_heads, num_keys = key.shape[1:3]
    groups = heads // kv_heads
    scores = (query.reshape(1, kv_heads, groups * num_new, head_dim) * scale) @ key.transpose(-1, -2)
    future = torch.ones(num_new, num_new, dtype=torch.bool).triu_(1)
    scores.view(1, kv_heads, groups, num_new, num_keys)[..., num_keys - num_new :].masked_fill_(
        future, -torch.inf
    )
    return (scores.softmax(-1) @ value).reshape(1, heads, num_new, value.shape[-1])
