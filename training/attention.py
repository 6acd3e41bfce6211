"""Attention over samples laid end to end: a token sees its own sample's stem and its own branch.

No token sees a later one. Queries come scaled. Three ways of one meaning: `Pieces` for a
CPU, `Flex` for CUDA, `Dense` where neither works, and to test the others. Knows no weights and no samples,
only where their parts lie.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention


class Piece(NamedTuple):
    """A stem, or a branch and the stem that it sees: where they lie among all tokens."""

    start: int
    length: int
    stem_start: int
    stem_length: int
    """0 for a stem."""


class Attention(Protocol):
    """Made once for a pass, used by every layer."""

    def __call__(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """(tokens, heads, size), (tokens, kv heads, size) twice -> (tokens, heads, size)."""
        ...


class Dense:
    """A mask of tokens x tokens."""

    def __init__(self, samples: Tensor, branches: Tensor) -> None:
        """Both (tokens,): which sample a token belongs to, and which of its branches; 0 is the stem."""
        order = torch.arange(len(samples), device=samples.device)
        self._mask = _sees(samples, branches)(order, order, order[:, None], order[None, :])

    def __call__(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """See Attention."""
        q, k, v = (x.transpose(0, 1)[None] for x in (q, k, v))
        y = scaled_dot_product_attention(q, k, v, attn_mask=self._mask, scale=1.0, enable_gqa=True)
        return y[0].transpose(0, 1)


class Flex:
    """A kernel that leaves out the blocks in which nobody sees anybody."""

    def __init__(self, samples: Tensor, branches: Tensor) -> None:
        """See Dense."""
        make_mask, self._attend = _flex()
        num = len(samples)
        self._mask = make_mask(_sees(samples, branches), None, None, num, num, samples.device)

    def __call__(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """See Attention."""
        q, k, v = (x.transpose(0, 1)[None] for x in (q, k, v))
        y: Tensor = self._attend(q, k, v, block_mask=self._mask, scale=1.0, enable_gqa=True)
        return y[0].transpose(0, 1)


class Pieces:
    """Piece after piece, queries in blocks: on a CPU twice as fast as the kernel of torch."""

    def __init__(self, pieces: list[Piece]) -> None:
        self._pieces = pieces

    def __call__(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """See Attention."""
        y: Tensor = _Piecewise.apply(q, k, v, self._pieces)  # type: ignore[no-untyped-call]
        return y


def best_attention(samples: Tensor, branches: Tensor) -> Attention:
    """For a device that is not the CPU."""
    return Flex(samples, branches) if _can_flex(samples.device) else Dense(samples, branches)


def _sees(samples: Tensor, branches: Tensor) -> Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]:
    """Of a batch, a head, a query and a key; the first two do not matter."""

    def sees(_batch: Tensor, _head: Tensor, query: Tensor, key: Tensor) -> Tensor:
        same_branch = (branches[key] == 0) | (branches[key] == branches[query])
        return (key <= query) & (samples[key] == samples[query]) & same_branch

    return sees


@cache
def _flex() -> tuple[Callable[..., Any], Callable[..., Any]]:
    from torch.nn.attention.flex_attention import create_block_mask, flex_attention

    return torch.compile(create_block_mask), torch.compile(flex_attention)


@cache
def _can_flex(device: torch.device) -> bool:
    """Whether the kernel compiles here and says what the mask says, forwards and backwards."""
    if find_spec("triton") is None:
        return False
    try:
        for kernel, mask in zip(_probed(Flex, device), _probed(Dense, device), strict=True):
            torch.testing.assert_close(kernel, mask, rtol=0.05, atol=0.05)
    except Exception as error:  # noqa: BLE001 - compilers' errors have no type in common, and masks always work
        print(f"flex_attention does not work here, masks are slower: {error}", file=sys.stderr)
        return False
    return True


def _probed(kind: type[Flex | Dense], device: torch.device) -> tuple[Tensor, ...]:
    """What two samples with two branches each come to, and the gradients."""
    places = torch.arange(512, device=device)
    torch.manual_seed(0)
    q, k, v = (
        torch.randn(512, heads, 64, device=device, dtype=torch.bfloat16, requires_grad=True)
        for heads in (8, 2, 2)
    )
    y = kind(places // 256, places % 256 // 96)(q * 0.125, k, v)
    y.float().square().sum().backward()
    return tuple(x for x in (y, q.grad, k.grad, v.grad) if x is not None)


_BLOCK = 256
"""Queries that are multiplied at once: more is fewer calls, and more products that the mask throws away."""


@cache
def _future(num: int, group: int, dtype: torch.dtype) -> Tensor:
    """To be added to scores of `num` tokens with themselves, `group` heads a token."""
    mask = torch.full((num, num), float("-inf"), dtype=dtype).triu(1)
    return mask.repeat_interleave(group, 0)


class _Piecewise(torch.autograd.Function):
    """Inside, arrays are (kv heads, tokens x heads of a group, size): every block is a view."""

    @staticmethod
    def forward(ctx: Any, q: Tensor, k: Tensor, v: Tensor, pieces: list[Piece]) -> Tensor:
        num, heads, _ = q.shape
        kv_heads = k.size(1)
        group = heads // kv_heads
        grouped, keys, values = _grouped(q, kv_heads), k.transpose(0, 1), v.transpose(0, 1)
        y = torch.empty_like(grouped)
        shares: list[Tensor] = []
        for piece in pieces:
            own_keys, own_values = _seen(keys, piece).transpose(1, 2), _seen(values, piece)
            for start, end in _blocks(piece):
                rows = slice((piece.start + start) * group, (piece.start + end) * group)
                seen = piece.stem_length + end
                scores = torch.bmm(grouped[:, rows], own_keys[:, :, :seen])
                scores[:, :, piece.stem_length + start :] += _future(end - start, group, q.dtype)
                share = torch.softmax(scores, -1)
                y[:, rows] = torch.bmm(share, own_values[:, :seen])
                shares.append(share)
        ctx.save_for_backward(grouped, k, v, *shares)
        ctx.pieces = pieces
        return _ungrouped(y, num)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        grouped, k, v, *shares = ctx.saved_tensors
        num, kv_heads, size = k.shape
        group = grouped.size(1) // num
        dy = _grouped(grads[0], kv_heads)
        keys, values = k.transpose(0, 1), v.transpose(0, 1)
        dq = torch.empty_like(grouped)
        dk, dv = (torch.zeros(kv_heads, num, size, device=k.device) for _ in range(2))
        left = iter(shares)
        for piece in ctx.pieces:
            own_keys, own_values = _seen(keys, piece), _seen(values, piece).transpose(1, 2)
            own_dk, own_dv = (torch.zeros_like(own_keys, dtype=torch.float32) for _ in range(2))
            for start, end in _blocks(piece):
                rows = slice((piece.start + start) * group, (piece.start + end) * group)
                seen = piece.stem_length + end
                share = next(left)
                own_dv[:, :seen] += torch.bmm(share.transpose(1, 2), dy[:, rows])
                dshare = torch.bmm(dy[:, rows], own_values[:, :, :seen])
                dscores = torch._softmax_backward_data(dshare, share, -1, share.dtype)
                dq[:, rows] = torch.bmm(dscores, own_keys[:, :seen])
                own_dk[:, :seen] += torch.bmm(dscores.transpose(1, 2), grouped[:, rows])
            for whole, own in ((dk, own_dk), (dv, own_dv)):
                stem = slice(piece.stem_start, piece.stem_start + piece.stem_length)
                whole[:, stem] += own[:, : piece.stem_length]
                whole[:, piece.start : piece.start + piece.length] += own[:, piece.stem_length :]
        dk, dv = (x.transpose(0, 1).to(k.dtype) for x in (dk, dv))
        return _ungrouped(dq, num), dk, dv, None


def _grouped(q: Tensor, kv_heads: int) -> Tensor:
    num, heads, size = q.shape
    return q.reshape(num, kv_heads, heads // kv_heads, size).transpose(0, 1).reshape(kv_heads, -1, size)


def _ungrouped(y: Tensor, num: int) -> Tensor:
    kv_heads, rows, size = y.shape
    return y.view(kv_heads, num, rows // num, size).transpose(0, 1).reshape(num, -1, size)


def _blocks(piece: Piece) -> list[tuple[int, int]]:
    starts = range(0, piece.length, _BLOCK)
    return [(start, min(start + _BLOCK, piece.length)) for start in starts]


def _seen(x: Tensor, piece: Piece) -> Tensor:
    """Of the stem and the piece itself."""
    own = x[:, piece.start : piece.start + piece.length]
    if not piece.stem_length:
        return own
    return torch.cat((x[:, piece.stem_start : piece.stem_start + piece.stem_length], own), 1)
