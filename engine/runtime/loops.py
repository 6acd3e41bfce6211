"""The loops of a Llama's pass over few tokens, for numba: int8 rows, keys and values at the speed of memory.

Knows arrays, addresses and sizes; knows no torch and no slots. What is computed in between is float32.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numba
import numpy as np

from engine.runtime.vectors import (
    add,
    div,
    exp,
    fma,
    larger,
    load,
    load_int8,
    load_kept,
    load_number,
    most_of_four,
    mul,
    prefetch,
    splat,
    store,
    store_eight_sums,
    store_kept,
    store_sums,
    sub,
    sum_of_four,
)

__all__ = ["compile_pass"]

_F = TypeVar("_F", bound=Callable[..., Any])
_OPTIONS: dict[str, Any] = {"fastmath": {"contract"}, "nogil": True, "error_model": "numpy"}
"""Contracted: a product and a sum are one instruction. Nothing else may be reordered."""
_LINE = 64
_AHEAD = 8192
"""Memory is asked for so many bytes before it is used: by itself a processor stops at the end of a page."""
_BLOCK = 64
"""So many keys or values at a time stay in the nearest cache while all heads use them."""
_UNSEEN = np.float32(-1e30)
_LOWEST = np.float32(-3e38)


def compile_pass(*, is_cached: bool) -> Callable[..., Any]:
    """`read_tokens`, compiled for the types that it is first called with, or taken from numba's cache."""
    return numba.njit(cache=is_cached, **_OPTIONS)(read_tokens)  # type: ignore[no-any-return]


def _compiled(function: _F) -> _F:
    return numba.njit(**_OPTIONS)(function)  # type: ignore[no-any-return]


@_compiled
def _numbers(num: int) -> Any:
    """Room for float32 at a multiple of 64: vectors across two cache lines take twice as long to load."""
    room = np.empty(num + 16, np.float32)
    start = (-room.ctypes.data) % 64 // 4
    return room[start : start + num]


@_compiled
def _multiply(x: int, num: int, values: int, rows: int, width: int, y: int) -> None:
    """y = x W^T of int8 rows without their scale: `num` inputs of `width`, outputs of `rows`."""
    for row in range(0, rows, 4):
        w0 = values + row * width
        w1, w2, w3 = w0 + width, w0 + 2 * width, w0 + 3 * width
        for offset in range(0, 4 * width, _LINE):
            prefetch(w0 + _AHEAD + offset)
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


@_compiled
def _score(query: int, num_rows: int, keys: int, num_keys: int, dim: int, like: Any, scores: int) -> None:
    """query (rows, dim) x keys -> scores: of each four rows (keys, 4)."""
    item = like.itemsize
    for start in range(0, num_keys, _BLOCK):
        end = min(start + _BLOCK, num_keys)
        for row in range(0, num_rows, 4):
            q0 = query + 4 * row * dim
            q1, q2, q3 = q0 + 4 * dim, q0 + 8 * dim, q0 + 12 * dim
            for j in range(start, end, 2):
                key = keys + j * dim * item
                next_key = key + dim * item
                a0 = a1 = a2 = a3 = b0 = b1 = b2 = b3 = splat(np.float32(0))
                for i in range(0, dim, 16):
                    prefetch(key + _AHEAD + 2 * i * item)
                    a, b = load_kept(key + i * item, like), load_kept(next_key + i * item, like)
                    q = load(q0 + 4 * i)
                    a0, b0 = fma(a, q, a0), fma(b, q, b0)
                    q = load(q1 + 4 * i)
                    a1, b1 = fma(a, q, a1), fma(b, q, b1)
                    q = load(q2 + 4 * i)
                    a2, b2 = fma(a, q, a2), fma(b, q, b2)
                    q = load(q3 + 4 * i)
                    a3, b3 = fma(a, q, a3), fma(b, q, b3)
                store_eight_sums(scores + 4 * (row * num_keys + 4 * j), a0, a1, a2, a3, b0, b1, b2, b3)


@_compiled
def _soften(scores: int, num_keys: int, totals: int) -> None:
    """Softmax of four rows of scores (keys, 4), but for division by `totals`: sixteen, four alike."""
    most, total = splat(_LOWEST), splat(np.float32(0))
    for j in range(0, num_keys, 4):
        most = larger(most, load(scores + 16 * j))
    most = most_of_four(most)
    for j in range(0, num_keys, 4):
        shares = exp(sub(load(scores + 16 * j), most))
        store(scores + 16 * j, shares)
        total = add(total, shares)
    store(totals, sum_of_four(total))


@_compiled
def _mix(scores: int, num_rows: int, values: int, num_keys: int, dim: int, like: Any, mixed: int) -> None:
    """mixed (rows, dim) += scores x values."""
    item = like.itemsize
    for start in range(0, num_keys, _BLOCK):
        end = min(start + _BLOCK, num_keys)
        for row in range(0, num_rows, 4):
            for i in range(0, dim, 16):
                m0 = mixed + 4 * (row * dim + i)
                m1, m2, m3 = m0 + 4 * dim, m0 + 8 * dim, m0 + 12 * dim
                a0, a1, a2, a3 = load(m0), load(m1), load(m2), load(m3)
                for j in range(start, end):
                    prefetch(values + (j * dim + i) * item + _AHEAD)
                    v = load_kept(values + (j * dim + i) * item, like)
                    share = scores + 4 * (row * num_keys + 4 * j)
                    a0 = fma(splat(load_number(share)), v, a0)
                    a1 = fma(splat(load_number(share + 4)), v, a1)
                    a2 = fma(splat(load_number(share + 8)), v, a2)
                    a3 = fma(splat(load_number(share + 12)), v, a3)
                store(m0, a0)
                store(m1, a1)
                store(m2, a2)
                store(m3, a3)


@_compiled
def _finish(y: int, num: int, rows: int, scale: int, bias: int) -> None:
    """What `_multiply` left out."""
    for i in range(0, rows, 16):
        s = load(scale + 4 * i)
        b = load(bias + 4 * i) if bias else splat(np.float32(0))
        for token in range(num):
            at = y + 4 * (token * rows + i)
            store(at, fma(load(at), s, b))


@_compiled
def _product(x: Any, matrix: Any, y: Any) -> None:
    """(tokens, in) -> (tokens, out)."""
    num, rows = y.shape
    _multiply(x.ctypes.data, num, matrix[0], rows, x.shape[1], y.ctypes.data)
    _finish(y.ctypes.data, num, rows, matrix[1], matrix[2])


@_compiled
def _add(x: Any, more: Any) -> None:
    """x += more."""
    for i in range(0, 4 * x.size, 64):
        store(x.ctypes.data + i, add(load(x.ctypes.data + i), load(more.ctypes.data + i)))


@_compiled
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


@_compiled
def _gate(gate_up: Any, y: Any) -> None:
    """y = silu(gate) * up."""
    num, width = y.shape
    one, zero = splat(np.float32(1)), splat(np.float32(0))
    for token in range(num):
        gates, to = gate_up.ctypes.data + 8 * token * width, y.ctypes.data + 4 * token * width
        for i in range(0, 4 * width, 64):
            gate = load(gates + i)
            store(to + i, div(mul(gate, load(gates + 4 * width + i)), add(one, exp(sub(zero, gate)))))


@_compiled
def _turn(qkv: Any, num_turned: int, turns: Any) -> None:
    """RoPE of the first `num_turned` heads; `turns` are (tokens, 2, dim / 2): cosines and sines."""
    half = turns.shape[2]
    for token in range(len(qkv)):
        for head in range(num_turned):
            for i in range(half):
                a, b = qkv[token, 2 * head * half + i], qkv[token, (2 * head + 1) * half + i]
                cos, sin = turns[token, 0, i], turns[token, 1, i]
                qkv[token, 2 * head * half + i] = a * cos - b * sin
                qkv[token, (2 * head + 1) * half + i] = b * cos + a * sin


@_compiled
def _find_turns(start: int, frequencies: Any, turns: Any) -> None:
    for token in range(len(turns)):
        for i in range(len(frequencies)):
            angle = np.float32(start + token) * frequencies[i]
            turns[token, 0, i], turns[token, 1, i] = np.cos(angle), np.sin(angle)


@_compiled
def _keep(source: int, to: int, dim: int, like: Any) -> None:
    """One key or value into a slot."""
    for i in range(0, dim, 16):
        store_kept(to + i * like.itemsize, load(source + 4 * i), like)


@_compiled
def _hide(scores: Any, num: int, group: int, start: int) -> None:
    """No token sees a later one, nor what a buffer holds behind the sequence."""
    num_keys = scores.shape[1]
    for row in range(num * group):
        for key in range(start + row // group + 1, num_keys):
            scores[row // 4, key, row % 4] = _UNSEEN


@_compiled
def _ask(qkv: int, width: int, num_rows: int, group: int, dim: int, query: int) -> None:
    """Copy one group's queries, of each token those of its heads, as rows (num_rows, dim), scaled."""
    scale = splat(np.float32(1 / np.sqrt(dim)))
    for row in range(num_rows):
        at = qkv + 4 * (row // group * width + row % group * dim)
        for i in range(0, 4 * dim, 64):
            store(query + 4 * row * dim + i, mul(load(at + i), scale))


@_compiled
def _answer(mixed: int, totals: Any, num_rows: int, group: int, dim: int, attended: int, width: int) -> None:
    """The opposite of `_ask`, divided by the totals."""
    for row in range(num_rows):
        to = attended + 4 * (row // group * width + row % group * dim)
        share = splat(np.float32(1) / totals[row])
        for i in range(0, 4 * dim, 64):
            store(to + i, mul(load(mixed + 4 * row * dim + i), share))


@_compiled
def _clear(at: int, num: int) -> None:
    for i in range(0, 4 * num, 64):
        store(at + i, splat(np.float32(0)))


@_compiled
def _attend(qkv: Any, sizes: Any, start: int, kept: Any, like: Any, attended: Any) -> None:
    """Keys and values of (tokens, rows) into the slot, and attention of its queries over all there are."""
    num, width = qkv.shape
    dim, group = sizes.dim, sizes.heads // sizes.kv_heads
    new_keys = qkv.ctypes.data + 4 * sizes.heads * dim
    new_values = new_keys + 4 * sizes.kv_heads * dim
    # Four rows, one of each query, and four keys are computed at once: buffers have room for that.
    num_rows, num_keys = (num * group + 3) // 4 * 4, (start + num + 3) // 4 * 4
    query, mixed = _numbers(num_rows * dim), _numbers(num_rows * dim)
    scores = _numbers(num_rows * num_keys).reshape(num_rows // 4, num_keys, 4)
    totals = np.empty(num_rows + 12, np.float32)
    for head in range(sizes.kv_heads):
        keys = kept[0] + head * kept[2] * dim * like.itemsize
        values = kept[1] + head * kept[2] * dim * like.itemsize
        for token in range(num):
            source, to = 4 * (token * width + head * dim), (start + token) * dim * like.itemsize
            _keep(new_keys + source, keys + to, dim, like)
            _keep(new_values + source, values + to, dim, like)
        _clear(query.ctypes.data, num_rows * dim)
        _clear(mixed.ctypes.data, num_rows * dim)
        _ask(qkv.ctypes.data + 4 * head * group * dim, width, num * group, group, dim, query.ctypes.data)
        _score(query.ctypes.data, num_rows, keys, num_keys, dim, like, scores.ctypes.data)
        _hide(scores, num, group, start)
        for row in range(0, num_rows, 4):
            _soften(scores.ctypes.data + 4 * row * num_keys, num_keys, totals.ctypes.data + 4 * row)
        _mix(scores.ctypes.data, num_rows, values, num_keys, dim, like, mixed.ctypes.data)
        to = attended.ctypes.data + 4 * head * group * dim
        _answer(mixed.ctypes.data, totals, num * group, group, dim, to, sizes.heads * dim)


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
    normed, more = _numbers(x.size).reshape(x.shape), _numbers(x.size).reshape(x.shape)
    qkv = _numbers(num * (width + 2 * sizes.kv_heads * sizes.dim)).reshape(
        num, width + 2 * sizes.kv_heads * sizes.dim
    )
    attended = _numbers(num * width).reshape(num, width)
    gate_up = _numbers(num * (2 * sizes.inner)).reshape(num, 2 * sizes.inner)
    gated = _numbers(num * sizes.inner).reshape(num, sizes.inner)
    turns = np.empty((num, 2, len(frequencies)), np.float32)
    _find_turns(start, frequencies, turns)
    for index in range(len(layers)):
        layer = layers[index]
        _norm(x, layer[0], eps, normed)
        _product(normed, layer[1:4], qkv)
        _turn(qkv, sizes.heads + sizes.kv_heads, turns)
        _attend(qkv, sizes, start, buffers[index], like, attended)
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
