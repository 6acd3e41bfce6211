"""The loops of a Llama's pass over few tokens, for numba: int8 rows, keys and values at the speed of memory.

Knows arrays, addresses and sizes; knows no torch and no slots. What is computed in between is float32.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from engine.runtime.attention_loops import attend, find_turns, turn
from engine.runtime.compiling import AHEAD, LINE, compiled, numbers
from engine.runtime.vectors import (
    add,
    div,
    exp,
    fma,
    load,
    load_int8,
    mul,
    prefetch,
    splat,
    store,
    store_sums,
    sub,
)

__all__ = ["compile_pass"]


def compile_pass(*, is_cached: bool) -> Callable[..., Any]:
    """`read_tokens`, compiled for the types that it is first called with, or taken from numba's cache."""
    return compiled(read_tokens, is_cached=is_cached)


@compiled
def _multiply(x: int, num: int, values: int, rows: int, width: int, y: int) -> None:
    """y = x W^T of int8 rows without their scale: `num` inputs of `width`, outputs of `rows`."""
    for row in range(0, rows, 4):
        w0 = values + row * width
        w1, w2, w3 = w0 + width, w0 + 2 * width, w0 + 3 * width
        for offset in range(0, 4 * width, LINE):
            prefetch(w0 + AHEAD + offset)
        token = 0
        while token + 2 <= num:
            a0 = a1 = a2 = a3 = b0 = b1 = b2 = b3 = splat(np.float32(0))
            x0 = x + 4 * token * width
            x1 = x0 + 4 * width
            for i in range(0, width, 16):
                xa, xb = load(x0 + 4 * i), load(x1 + 4 * i)
                w = load_int8(w0 + i)
                a0, b0 = fma(w, xa, a0), fma(w, xb, b0)
                w = load_int8(w1 + i)
                a1, b1 = fma(w, xa, a1), fma(w, xb, b1)
                w = load_int8(w2 + i)
                a2, b2 = fma(w, xa, a2), fma(w, xb, b2)
                w = load_int8(w3 + i)
                a3, b3 = fma(w, xa, a3), fma(w, xb, b3)
            store_sums(y + 4 * (token * rows + row), a0, a1, a2, a3)
            store_sums(y + 4 * ((token + 1) * rows + row), b0, b1, b2, b3)
            token += 2
        if token < num:
            a0 = a1 = a2 = a3 = splat(np.float32(0))
            x0 = x + 4 * token * width
            for i in range(0, width, 16):
                xa = load(x0 + 4 * i)
                a0 = fma(load_int8(w0 + i), xa, a0)
                a1 = fma(load_int8(w1 + i), xa, a1)
                a2 = fma(load_int8(w2 + i), xa, a2)
                a3 = fma(load_int8(w3 + i), xa, a3)
            store_sums(y + 4 * (token * rows + row), a0, a1, a2, a3)


@compiled
def _finish(y: int, num: int, rows: int, scale: int, bias: int) -> None:
    """What `_multiply` left out."""
    for i in range(0, rows, 16):
        s = load(scale + 4 * i)
        b = load(bias + 4 * i) if bias else splat(np.float32(0))
        for token in range(num):
            at = y + 4 * (token * rows + i)
            store(at, fma(load(at), s, b))


@compiled
def _product(x: Any, matrix: Any, y: Any) -> None:
    """(tokens, in) -> (tokens, out)."""
    num, rows = y.shape
    _multiply(x.ctypes.data, num, matrix[0], rows, x.shape[1], y.ctypes.data)
    _finish(y.ctypes.data, num, rows, matrix[1], matrix[2])


@compiled
def _add(x: Any, more: Any) -> None:
    """x += more."""
    for i in range(0, 4 * x.size, 64):
        store(x.ctypes.data + i, add(load(x.ctypes.data + i), load(more.ctypes.data + i)))


@compiled
def _norm(x: Any, weight: int, eps: float, y: Any) -> None:
    """y = x / rms(x) * weight."""
    num, width = x.shape
    sums = np.empty(4, np.float32)
    for token in range(num):
        row, to = x.ctypes.data + 4 * token * width, y.ctypes.data + 4 * token * width
        total = splat(np.float32(0))
        for i in range(0, 4 * width, 64):
            total = fma(load(row + i), load(row + i), total)
        store_sums(sums.ctypes.data, total, total, total, total)
        factor = splat(np.float32(1 / np.sqrt(sums[0] / width + eps)))
        for i in range(0, 4 * width, 64):
            store(to + i, mul(mul(load(row + i), factor), load(weight + i)))


@compiled
def _gate(gate_up: Any, y: Any) -> None:
    """y = silu(gate) * up."""
    num, width = y.shape
    one, zero = splat(np.float32(1)), splat(np.float32(0))
    for token in range(num):
        gates, to = gate_up.ctypes.data + 8 * token * width, y.ctypes.data + 4 * token * width
        for i in range(0, 4 * width, 64):
            gate = load(gates + i)
            store(to + i, div(mul(gate, load(gates + 4 * width + i)), add(one, exp(sub(zero, gate)))))


def read_tokens(
    x: Any,
    start: int,
    num_logits: int,
    layers: Any,
    head: Any,
    sizes: Any,
    eps: float,
    frequencies: Any,
    buffers: Any,
    like: Any,
) -> Any:
    """Embedded tokens (tokens, hidden) behind `start` others -> logits (num_logits, vocabulary).

    A matrix is three addresses: of int8 rows, of their float32 scales, of a float32 bias or 0. A row of
    `layers` is a norm's weight, the matrices qkv and output, a norm's weight, the matrices gate_up and down;
    `head` is a norm's weight and the vocabulary's matrix. A row of `buffers` is a layer's keys and values and
    their capacity: (kv_heads, capacity, dim), float32 or, if `like` is an array of uint16, bfloat16. `x` is
    overwritten.
    """
    num = len(x)
    width = sizes.heads * sizes.dim
    normed, more = numbers(x.size).reshape(x.shape), numbers(x.size).reshape(x.shape)
    qkv = numbers(num * (width + 2 * sizes.kv_heads * sizes.dim)).reshape(
        num, width + 2 * sizes.kv_heads * sizes.dim
    )
    attended = numbers(num * width).reshape(num, width)
    gate_up = numbers(num * (2 * sizes.inner)).reshape(num, 2 * sizes.inner)
    gated = numbers(num * sizes.inner).reshape(num, sizes.inner)
    turns = np.empty((num, 2, len(frequencies)), np.float32)
    find_turns(start, frequencies, turns)
    for index in range(len(layers)):
        layer = layers[index]
        _norm(x, layer[0], eps, normed)
        _product(normed, layer[1:4], qkv)
        turn(qkv, sizes.heads + sizes.kv_heads, turns)
        attend(qkv, sizes, start, buffers[index], like, attended)
        _product(attended, layer[4:7], more)
        _add(x, more)
        _norm(x, layer[7], eps, normed)
        _product(normed, layer[8:11], gate_up)
        _gate(gate_up, gated)
        _product(gated, layer[11:14], more)
        _add(x, more)
    last = x[num - num_logits :]
    _norm(last, head[0], eps, normed[:num_logits])
    logits = np.empty((num_logits, sizes.vocab), np.float32)
    _product(normed[:num_logits], head[1:4], logits)
    return logits
