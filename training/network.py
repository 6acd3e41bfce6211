"""The decoder that learns: float32 weights, products in bfloat16, logits only where a loss is asked for.

Knows Llama's architecture with tied embeddings and nothing of files, optimisers or what tokens mean.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self

import torch
from torch import Tensor
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from training.attention import Attention

Block = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Shape:
    """What a model folder's config.json says, as far as it is ours."""

    layers: int
    hidden: int
    inner: int
    heads: int
    kv_heads: int
    head_size: int
    vocabulary: int
    positions: int
    theta: float
    epsilon: float

    @classmethod
    def read(cls, config: Mapping[str, Any]) -> Self:
        """Raises ValueError for an architecture that is not ours."""
        rope = config.get("rope_parameters") or {}
        ours = (
            config.get("model_type") == "llama"
            and config.get("tie_word_embeddings") is True
            and not config.get("attention_bias")
            and not config.get("mlp_bias")
            and rope.get("rope_type", "default") == "default"
            and not config.get("rope_scaling")
        )
        if not ours:
            raise ValueError("training knows Llama with tied embeddings, plain RoPE and no biases.")
        heads = config["num_attention_heads"]
        return cls(
            layers=config["num_hidden_layers"],
            hidden=config["hidden_size"],
            inner=config["intermediate_size"],
            heads=heads,
            kv_heads=config.get("num_key_value_heads", heads),
            head_size=config.get("head_dim") or config["hidden_size"] // heads,
            vocabulary=config["vocab_size"],
            positions=config["max_position_embeddings"],
            theta=float(rope.get("rope_theta") or config.get("rope_theta", 10_000.0)),
            epsilon=config["rms_norm_eps"],
        )

    def sizes(self) -> dict[str, tuple[int, ...]]:
        """Every weight's name in a checkpoint, and its size."""
        sizes: dict[str, tuple[int, ...]] = {"model.embed_tokens.weight": (self.vocabulary, self.hidden)}
        queries, keys = self.heads * self.head_size, self.kv_heads * self.head_size
        for layer in range(self.layers):
            at = f"model.layers.{layer}."
            sizes |= {
                at + "input_layernorm.weight": (self.hidden,),
                at + "self_attn.q_proj.weight": (queries, self.hidden),
                at + "self_attn.k_proj.weight": (keys, self.hidden),
                at + "self_attn.v_proj.weight": (keys, self.hidden),
                at + "self_attn.o_proj.weight": (self.hidden, queries),
                at + "post_attention_layernorm.weight": (self.hidden,),
                at + "mlp.gate_proj.weight": (self.inner, self.hidden),
                at + "mlp.up_proj.weight": (self.inner, self.hidden),
                at + "mlp.down_proj.weight": (self.hidden, self.inner),
            }
        return sizes | {"model.norm.weight": (self.hidden,)}

    def random_weights(self, seed: int = 0) -> dict[str, Tensor]:
        """To begin with: smaller where a layer writes into the stream that all layers share."""
        generator = torch.Generator().manual_seed(seed)
        return {name: self._random(name, size, generator) for name, size in self.sizes().items()}

    def _random(self, name: str, size: tuple[int, ...], generator: torch.Generator) -> Tensor:
        if len(size) == 1:
            return torch.ones(size)
        spread = 0.02 if "embed" in name else 0.7 / math.sqrt(size[1])
        if name.endswith(("o_proj.weight", "down_proj.weight")):
            spread /= math.sqrt(2 * self.layers)
        return torch.randn(size, generator=generator) * spread


class Network:
    """Weights by their names in a checkpoint, and the pass over tokens laid end to end."""

    def __init__(
        self,
        shape: Shape,
        weights: Mapping[str, Tensor],
        device: torch.device | str = "cpu",
        *,
        dtype: torch.dtype = torch.bfloat16,
        compiled: bool = False,
        recompute: bool = False,
    ) -> None:
        """`recompute` keeps less of the forward pass and computes it again in the backward pass."""
        if {name: tuple(weight.shape) for name, weight in weights.items()} != shape.sizes():
            raise ValueError("The weights are not those that config.json describes.")
        self.shape = shape
        self.weights = {
            name: weight.detach().to(device, torch.float32, copy=True).requires_grad_()
            for name, weight in weights.items()
        }
        self._dtype = dtype
        self._recompute = recompute
        # Passes on a CPU differ in length; on another device they are padded to one.
        dynamic = True if torch.device(device).type == "cpu" else None
        blocks: list[Block] = [_before, _after, _losses]
        self._before, self._after, self._losses = (
            torch.compile(block, dynamic=dynamic) if compiled else block for block in blocks
        )
        half = torch.arange(0, shape.head_size, 2, device=device).float() / shape.head_size
        angles = torch.outer(torch.arange(shape.positions, device=device).float(), shape.theta**-half)
        self._cos, self._sin = angles.cos().to(dtype), angles.sin().to(dtype)

    def hidden(self, ids: Tensor, positions: Tensor, attention: Attention, at: Tensor) -> Tensor:
        """The last layer's output for the tokens `at`, normed: (len(at), hidden)."""
        x = functional.embedding(ids, self.weights["model.embed_tokens.weight"]).to(self._dtype)
        cos, sin = self._cos[positions][:, None], self._sin[positions][:, None]
        for layer in range(self.shape.layers):
            is_last = layer == self.shape.layers - 1
            if self._recompute and torch.is_grad_enabled():
                x = checkpoint(
                    self._layer, layer, x, cos, sin, attention, at if is_last else None, use_reentrant=False
                )
            else:
                x = self._layer(layer, x, cos, sin, attention, at if is_last else None)
        return _norm(x, self._cast("model.norm.weight"), self.shape.epsilon)

    def losses(self, hidden: Tensor, targets: Tensor) -> Tensor:
        """Cross entropy of each target, float32."""
        losses: Tensor = self._losses(hidden, self._cast("model.embed_tokens.weight"), targets)
        return losses

    def logits(self, hidden: Tensor) -> Tensor:
        """(tokens, vocabulary)."""
        return functional.linear(hidden, self._cast("model.embed_tokens.weight"))

    def _layer(
        self, layer: int, x: Tensor, cos: Tensor, sin: Tensor, attention: Attention, at: Tensor | None
    ) -> Tensor:
        name = f"model.layers.{layer}."
        epsilon = self.shape.epsilon
        qkv = [name + f"self_attn.{part}_proj.weight" for part in "qkv"]
        weights = self._cast(name + "input_layernorm.weight"), self._cast(*qkv)
        q, k, v = self._before(x, *weights, cos, sin, epsilon, self.shape.heads, self.shape.kv_heads)
        y = attention(q, k, v)
        if at is not None:  # what no loss asks for needs the last layer's keys and values, and no more
            x, y = x[at], y[at]
        out: Tensor = self._after(
            x,
            y,
            self._cast(name + "self_attn.o_proj.weight"),
            self._cast(name + "post_attention_layernorm.weight"),
            self._cast(name + "mlp.gate_proj.weight", name + "mlp.up_proj.weight"),
            self._cast(name + "mlp.down_proj.weight"),
            epsilon,
        )
        return out

    def _cast(self, *names: str) -> Tensor:
        weights = [self.weights[name].to(self._dtype) for name in names]
        return torch.cat(weights) if len(weights) > 1 else weights[0]


def _norm(x: Tensor, weight: Tensor, epsilon: float) -> Tensor:
    wide = x.float()
    return (wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + epsilon)).to(x.dtype) * weight


def _before(
    x: Tensor,
    norm: Tensor,
    qkv: Tensor,
    cos: Tensor,
    sin: Tensor,
    epsilon: float,
    heads: int,
    kv_heads: int,
) -> tuple[Tensor, Tensor, Tensor]:
    """What comes before attention; queries come scaled."""
    out = functional.linear(_norm(x, norm, epsilon), qkv).unflatten(-1, (heads + 2 * kv_heads, -1))
    turning, v = out[:, : heads + kv_heads], out[:, heads + kv_heads :]
    first, second = turning.chunk(2, -1)
    turned = torch.cat((first * cos - second * sin, second * cos + first * sin), -1)
    q, k = turned[:, :heads], turned[:, heads:]
    return (q * q.size(-1) ** -0.5).contiguous(), k.contiguous(), v.contiguous()


def _after(
    x: Tensor, y: Tensor, output: Tensor, norm: Tensor, gate_up: Tensor, down: Tensor, epsilon: float
) -> Tensor:
    """What comes after attention."""
    x = x + functional.linear(y.flatten(1), output)
    gate, up = functional.linear(_norm(x, norm, epsilon), gate_up).chunk(2, -1)
    return x + functional.linear(functional.silu(gate) * up, down)


def _losses(hidden: Tensor, embedding: Tensor, targets: Tensor) -> Tensor:
    logits = functional.linear(hidden, embedding).float()
    return functional.cross_entropy(logits, targets, reduction="none")
