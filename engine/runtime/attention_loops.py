"""Attention of few new tokens over a slot, for numba: RoPE, keys and values kept, softmax over all there are.

Knows arrays, addresses and sizes; knows no torch. What is computed in between is float32.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.runtime.compiling import AHEAD, compiled, numbers
from engine.runtime.vectors import (
    add,
    exp,
    fma,
    larger,
    load,
    load_kept,
    load_number,
    most_of_four,
    mul,
    prefetch,
    splat,
    store,
    store_eight_sums,
    store_kept,
    sub,
    sum_of_four,
)

_BLOCK = 64
"""So many keys or values at a time stay in the nearest cache while all heads use them."""
_UNSEEN = np.float32(-1e30)
_LOWEST = np.float32(-3e38)


@compiled
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
                    prefetch(key + AHEAD + 2 * i * item)
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


@compiled
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


@compiled
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
                    prefetch(values + (j * dim + i) * item + AHEAD)
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


@compiled
def turn(qkv: Any, num_turned: int, turns: Any) -> None:
    """RoPE of the first `num_turned` heads; `turns` are (tokens, 2, dim / 2): cosines and sines."""
    half = turns.shape[2]
    for token in range(len(qkv)):
        for head in range(num_turned):
            for i in range(half):
                a, b = qkv[token, 2 * head * half + i], qkv[token, (2 * head + 1) * half + i]
                cos, sin = turns[token, 0, i], turns[token, 1, i]
                qkv[token, 2 * head * half + i] = a * cos - b * sin
                qkv[token, (2 * head + 1) * half + i] = b * cos + a * sin


@compiled
def find_turns(start: int, frequencies: Any, turns: Any) -> None:
    """Cosines and sines of the tokens' places, from `start` on: (tokens, 2, dim / 2)."""
    for token in range(len(turns)):
        for i in range(len(frequencies)):
            angle = np.float32(start + token) * frequencies[i]
            turns[token, 0, i], turns[token, 1, i] = np.cos(angle), np.sin(angle)


@compiled
def _keep(source: int, to: int, dim: int, like: Any) -> None:
    """One key or value into a slot."""
    for i in range(0, dim, 16):
        store_kept(to + i * like.itemsize, load(source + 4 * i), like)


@compiled
def _hide(scores: Any, num: int, group: int, start: int) -> None:
    """No token sees a later one, nor what a buffer holds behind the sequence."""
    num_keys = scores.shape[1]
    for row in range(num * group):
        for key in range(start + row // group + 1, num_keys):
            scores[row // 4, key, row % 4] = _UNSEEN


@compiled
def _ask(qkv: int, width: int, num_rows: int, group: int, dim: int, query: int) -> None:
    """Copy one group's queries, of each token those of its heads, as rows (num_rows, dim), scaled."""
    scale = splat(np.float32(1 / np.sqrt(dim)))
    for row in range(num_rows):
        at = qkv + 4 * (row // group * width + row % group * dim)
        for i in range(0, 4 * dim, 64):
            store(query + 4 * row * dim + i, mul(load(at + i), scale))


@compiled
def _answer(mixed: int, totals: Any, num_rows: int, group: int, dim: int, attended: int, width: int) -> None:
    """The opposite of `_ask`, divided by the totals."""
    for row in range(num_rows):
        to = attended + 4 * (row // group * width + row % group * dim)
        share = splat(np.float32(1) / totals[row])
        for i in range(0, 4 * dim, 64):
            store(to + i, mul(load(mixed + 4 * row * dim + i), share))


@compiled
def _clear(at: int, num: int) -> None:
    for i in range(0, 4 * num, 64):
        store(at + i, splat(np.float32(0)))


@compiled
def attend(qkv: Any, sizes: Any, start: int, kept: Any, like: Any, attended: Any) -> None:
    """Keys and values of (tokens, rows) into the slot, and attention of its queries over all there are."""
    num, width = qkv.shape
    dim, group = sizes.dim, sizes.heads // sizes.kv_heads
    new_keys = qkv.ctypes.data + 4 * sizes.heads * dim
    new_values = new_keys + 4 * sizes.kv_heads * dim
    # Four rows, one of each query, and four keys are computed at once: buffers have room for that.
    num_rows, num_keys = (num * group + 3) // 4 * 4, (start + num + 3) // 4 * 4
    query, mixed = numbers(num_rows * dim), numbers(num_rows * dim)
    scores = numbers(num_rows * num_keys).reshape(num_rows // 4, num_keys, 4)
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
