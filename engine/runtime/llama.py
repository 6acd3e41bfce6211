"""Llama and its kin (DeepSeek-Coder, Mistral, Qwen2) over a slot, in as few operations as torch allows.

Tensors in, tensors out: ids (tokens,), logits (tokens, vocabulary). Knows slots; knows no prompts.
The weights are those of the transformers model, which goes on working: its matrices become views of ours.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch.nn.functional import embedding, silu
from transformers import LlamaForCausalLM, MistralForCausalLM, PreTrainedModel, Qwen2ForCausalLM

from engine.runtime.attention import causal_attention, read_length, window_attention, window_mask
from engine.runtime.kv_cache import Slot
from engine.runtime.linear import FloatLinear, Int8Linear, Linear, Rows, expand_rows, fuse

Pack = Callable[[str, torch.Tensor], Rows]
"""The int8 rows of a matrix, by its name in the checkpoint and its float weights."""

_CLASSES = (LlamaForCausalLM, MistralForCausalLM, Qwen2ForCausalLM)
_FIXED_ROPES = {"default", "linear", "llama3"}
"""Kinds of RoPE whose frequencies do not change with the length of the text."""

_TOKENS = (1, 2, 4, 8, 16, 24, 32, 48, 64, 96, 128, 160, 192)
"""A CPU's bfloat16 kernels are made when a shape first comes, which takes milliseconds: so few shapes."""


def is_llama(model: PreTrainedModel) -> bool:
    """Whether `LlamaForward` computes exactly what this model does, by class and config, never by name."""
    config: Any = model.config
    if type(model) not in _CLASSES or config.hidden_act != "silu":
        return False
    has_window = getattr(config, "sliding_window", None) is not None
    return (
        not has_window
        and set(getattr(config, "layer_types", None) or ["full_attention"]) == {"full_attention"}
        and config.rope_parameters["rope_type"] in _FIXED_ROPES
        and all(
            type(module) is torch.nn.Linear for module in model.modules() if hasattr(module, "in_features")
        )
    )


class Layer(NamedTuple):
    """One decoder layer's weights."""

    attention_norm: torch.Tensor
    qkv: Linear
    output: Linear
    mlp_norm: torch.Tensor
    gate_up: Linear
    down: Linear


Buffers = Sequence[tuple[torch.Tensor, torch.Tensor]]


class Window(NamedTuple):
    """Where a pass writes and what it sees of a slot."""

    buffers: Buffers
    """Each layer's keys and values, (kv_heads, capacity, head_dim)."""
    positions: torch.Tensor
    """(tokens,), int64: where the tokens stand, on the model's device."""
    rows: slice | None
    """The same as a slice, where the host knows it; without, the pass can be recorded and replayed."""
    read: int
    """How many keys are read: at least as many as there are then."""
    mask: torch.Tensor | None
    """(tokens, any): added to the scores of the last keys read; None is causal, over no key too many."""

    def write(self, buffer: torch.Tensor, new: torch.Tensor) -> None:
        """`new` is (tokens, kv_heads, head_dim)."""
        rows = new.transpose(0, 1)
        if self.rows is None:
            buffer.index_copy_(1, self.positions, rows.to(buffer.dtype))
        else:
            buffer[:, self.rows] = rows


class LlamaForward:
    """One model's weights and its pass over new tokens."""

    def __init__(self, model: PreTrainedModel, *, pack: Pack | None = None, keep_floats: bool = True) -> None:
        """`pack` makes the matrices int8 rows; floats stay beside them for long passes if asked to."""
        config: Any = model.config
        inner: Any = model.model
        weight = inner.embed_tokens.weight.data
        self.device, self.dtype = weight.device, weight.dtype
        self.heads, self.kv_heads = config.num_attention_heads, config.num_key_value_heads
        self.inner = config.intermediate_size
        self.head_dim = inner.layers[0].self_attn.head_dim
        self.eps = config.rms_norm_eps
        self.frequencies = inner.rotary_emb.inv_freq.to(self.device, torch.float32)
        # On a CPU sums between layers stay in float32, which costs nothing there and rounds less.
        self._sums = torch.float32 if self.device.type == "cpu" else self.dtype
        self.is_packed = pack is not None
        make = _Maker(pack, keep_floats)
        self.layers = [
            Layer(
                layer.input_layernorm.weight.to(self._sums),
                make(f"model.layers.{index}.self_attn", layer.self_attn, "q_proj", "k_proj", "v_proj"),
                make(f"model.layers.{index}.self_attn", layer.self_attn, "o_proj"),
                layer.post_attention_layernorm.weight.to(self._sums),
                make(f"model.layers.{index}.mlp", layer.mlp, "gate_proj", "up_proj"),
                make(f"model.layers.{index}.mlp", layer.mlp, "down_proj"),
            )
            for index, layer in enumerate(inner.layers)
        ]
        self.embedding = weight
        self.vocab_size = config.vocab_size
        self.norm_weight = inner.norm.weight.to(self._sums)
        self.head = make.head(model)

    @property
    def matrices(self) -> list[Linear]:
        """In the order in which a pass reads them."""
        inner = [each for layer in self.layers for each in layer if not isinstance(each, torch.Tensor)]
        return [*inner, self.head]

    @property
    def step_bytes(self) -> int:
        """Bytes of weights that one decode step reads."""
        return sum(each.step_bytes for each in self.matrices)

    @property
    def packed_bytes(self) -> int:
        """Bytes of int8 rows, which are not parameters of the transformers model."""
        return self.step_bytes if self.is_packed else 0

    @torch.inference_mode()
    def __call__(self, slot: Slot, ids: Sequence[int], num_logits: int = 1) -> torch.Tensor:
        """See Forward. Tokens are padded up to few shapes; what padding writes lies behind the sequence."""
        window, padded = self._window(slot, len(ids))
        tokens = torch.tensor([*ids, *[0] * (padded - len(ids))], device=self.device)
        hidden = self.hidden(tokens, window)
        if self.device.type == "cuda" and len(ids) > 1:
            # Kernels are queued far ahead otherwise, and a cancelled prompt would still occupy the device.
            torch.cuda.current_stream(self.device).synchronize()
        return self.logits(hidden[len(ids) - num_logits : len(ids)])

    def hidden(self, ids: torch.Tensor, window: Window) -> torch.Tensor:
        """(tokens,) -> (tokens, hidden size); writes the tokens' keys and values into the window."""
        angles = window.positions[:, None].float() * self.frequencies
        cos, sin = angles.cos()[:, None, None], angles.sin()[:, None]
        turn = cos, torch.stack((-sin, sin), dim=2)
        x = embedding(ids, self.embedding).to(self._sums)
        for layer, buffers in zip(self.layers, window.buffers, strict=True):
            attended = self._attend(layer, self._norm(x, layer.attention_norm), turn, window, buffers)
            x = x + layer.output(attended)
            gate, up = layer.gate_up(self._norm(x, layer.mlp_norm)).chunk(2, dim=-1)
            x = x + layer.down(silu(gate).mul_(up))
        return x

    def logits(self, hidden: torch.Tensor) -> torch.Tensor:
        """(tokens, hidden size) -> (tokens, vocabulary), float32."""
        return self.head(self._norm(hidden, self.norm_weight)).float()

    def buffers(self, slot: Slot, num_tokens: int) -> list[tuple[torch.Tensor, torch.Tensor]]:
        """The slot's, with room for `num_tokens`."""
        return slot.buffers((self.kv_heads, self.head_dim), num_tokens, self.device)

    def static_window(self, buffers: Buffers, start: torch.Tensor, num_tokens: int, read: int) -> Window:
        """A window whose place is on the device: shapes and addresses are the same wherever it is."""
        positions = start + torch.arange(num_tokens, device=self.device)
        return Window(buffers, positions, None, read, window_mask(positions, 0, read, buffers[0][0].dtype))

    def _window(self, slot: Slot, num_tokens: int) -> tuple[Window, int]:
        """Where `num_tokens` behind the slot's sequence go, and up to how many they are padded."""
        start = len(slot)
        is_cpu = self.device.type == "cpu"
        padded = next((each for each in _TOKENS if each >= num_tokens), num_tokens) if is_cpu else num_tokens
        if start + padded > slot.capacity:
            padded = num_tokens
        end = start + padded
        buffers = self.buffers(slot, end)
        positions = torch.arange(start, end, device=self.device)
        if not is_cpu and num_tokens > 1:
            return Window(buffers, positions, slice(start, end), end, None), padded
        read = read_length(end, buffers[0][0].shape[1])
        mask = window_mask(positions, start, read, buffers[0][0].dtype)
        return Window(buffers, positions, slice(start, end), read, mask), padded

    def _attend(
        self,
        layer: Layer,
        x: torch.Tensor,
        turn: tuple[torch.Tensor, torch.Tensor],
        window: Window,
        buffers: tuple[torch.Tensor, torch.Tensor],
    ) -> torch.Tensor:
        """(tokens, hidden size) -> (tokens, heads * head_dim)."""
        keys, values = buffers
        num_turned = self.heads + self.kv_heads
        qkv = layer.qkv(x).view(len(x), -1, self.head_dim)
        turned = self._turn(qkv[:, :num_turned], *turn)
        window.write(keys, turned[:, self.heads :])
        window.write(values, qkv[:, num_turned:])
        query = turned[:, : self.heads].mul_(self.head_dim**-0.5).to(keys.dtype)
        seen = keys[:, : window.read], values[:, : window.read]
        if window.mask is None:
            output = causal_attention(query.transpose(0, 1)[None], seen[0][None], seen[1][None], 1.0)
            return output[0].transpose(0, 1).reshape(len(x), -1).to(self.dtype)
        return window_attention(query, *seen, window.mask).to(self.dtype)

    def _turn(self, x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
        """RoPE of (tokens, heads, head_dim), in float32: each half of a head and the other one, exchanged."""
        halves = x.float().view(len(x), -1, 2, self.head_dim // 2)
        return torch.addcmul(halves * cos, halves.flip(2), sin).flatten(-2)

    def _norm(self, x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        return torch.rms_norm(x, weight.shape, weight, self.eps).to(self.dtype)


class _Maker:
    """Takes matrices out of a transformers model."""

    def __init__(self, pack: Pack | None, keep_floats: bool) -> None:
        self._pack = pack
        self._keep_floats = keep_floats

    def __call__(self, path: str, parent: torch.nn.Module, *names: str) -> Linear:
        """One product of the parent's modules of these names."""
        return self._made([f"{path}.{name}.weight" for name in names], [getattr(parent, n) for n in names])

    def head(self, model: Any) -> Linear:
        """The vocabulary's, which may be the embedding."""
        is_tied = model.lm_head.weight is model.model.embed_tokens.weight
        name = "model.embed_tokens.weight" if is_tied else "lm_head.weight"
        return self._made([name], [model.lm_head], is_shared=is_tied)

    def _made(self, names: list[str], modules: list[torch.nn.Linear], *, is_shared: bool = False) -> Linear:
        biases = [each.bias.data for each in modules if each.bias is not None]
        bias = torch.cat(biases) if biases else None
        if self._pack is None:
            return FloatLinear(fuse(modules), bias)
        parts = [self._pack(name, each.weight.data) for name, each in zip(names, modules, strict=True)]
        rows = Rows(torch.cat([part.values for part in parts]), torch.cat([part.scale for part in parts]))
        if is_shared:
            return Int8Linear(rows, bias=bias)
        if self._keep_floats:
            # They become what the rows stand for: passes of all lengths must be the same model's.
            expanded = fuse(modules)
            return Int8Linear(rows, bias=bias, expanded=expanded.copy_(expand_rows(rows, expanded.dtype)))
        for module in modules:
            module.weight.data = module.weight.data.new_empty(0)
        return Int8Linear(rows, bias=bias)
