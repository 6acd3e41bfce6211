"""training.attention against a mask written out, token by token."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn.attention.flex_attention import create_block_mask, flex_attention

from training import attention
from training.attention import Dense, Flex, Pieces
from training.pack import _pieces
from training.samples.sample import Sample
from training_samples import random_sample

SAMPLES = [(5,), (7, 3, 9, 1), (1, 1, 1), (0, 4, 6), (40, 30, 20), (3, 0, 5)]
"""Stems and branches: none, several, of one token, without a stem, longer than a block, one of them empty."""


def slow_attention(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, samples: list[Sample]) -> torch.Tensor:
    """Query by query."""
    group = q.size(1) // k.size(1)
    out = torch.zeros_like(q)
    start = 0
    for sample in samples:
        for query in range(len(sample.ids)):
            branch = sample.branches[query]
            seen = [start + key for key in range(query + 1) if sample.branches[key] in (0, branch)]
            for head in range(q.size(1)):
                shares = torch.softmax(k[seen, head // group] @ q[start + query, head], 0)
                out[start + query, head] = shares @ v[seen, head // group]
        start += len(sample.ids)
    return out


def case() -> tuple[list[torch.Tensor], list[Sample]]:
    generator = np.random.default_rng(0)
    samples = [random_sample(generator, *lengths) for lengths in SAMPLES]
    num = sum(len(sample.ids) for sample in samples)
    torch.manual_seed(0)
    return [torch.randn(num, heads, 8, requires_grad=True) for heads in (4, 2, 2)], samples


def ids_of(samples: list[Sample]) -> tuple[torch.Tensor, torch.Tensor]:
    lengths = [len(sample.ids) for sample in samples]
    branches = np.concatenate([sample.branches for sample in samples]).astype(np.int64)
    return torch.arange(len(samples)).repeat_interleave(torch.tensor(lengths)), torch.from_numpy(branches)


def pieces_of(samples: list[Sample]) -> Pieces:
    starts = np.cumsum([0, *(len(sample.ids) for sample in samples)])[:-1]
    return Pieces(_pieces(samples, starts))


@pytest.mark.parametrize("block", [4, 256])
def test_pieces_equal_the_slow_way_forward_and_backward(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attention, "_BLOCK", block)
    inputs, samples = case()
    expected = slow_attention(*inputs, samples)
    told = torch.randn_like(expected)
    gradients = torch.autograd.grad(expected, inputs, told)
    found = pieces_of(samples)(*inputs)
    torch.testing.assert_close(found, expected)
    for gradient, right in zip(torch.autograd.grad(found, inputs, told), gradients, strict=True):
        torch.testing.assert_close(gradient, right)


def test_dense_equals_the_slow_way() -> None:
    inputs, samples = case()
    torch.testing.assert_close(Dense(*ids_of(samples))(*inputs), slow_attention(*inputs, samples))


def test_flex_equals_the_slow_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its kernel needs CUDA; its mask does not."""
    monkeypatch.setattr(attention, "_flex", lambda: (create_block_mask, flex_attention))
    inputs, samples = case()
    with pytest.warns(UserWarning, match="flex_attention"):
        found = Flex(*ids_of(samples))(*(x.detach() for x in inputs))
    torch.testing.assert_close(found, slow_attention(*inputs, samples))


def test_in_bfloat16_pieces_stay_near() -> None:
    inputs, samples = case()
    expected = slow_attention(*inputs, samples)
    found = pieces_of(samples)(*(x.bfloat16() for x in inputs))
    torch.testing.assert_close(found.float(), expected, atol=0.03, rtol=0.03)


@pytest.mark.parametrize("is_broken", [True, False], ids=["it fails", "it says something else"])
def test_a_kernel_that_does_not_work_gives_way_to_masks(
    is_broken: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def attend(q: Tensor, k: Tensor, v: Tensor, **_: object) -> Tensor:
        if is_broken:
            raise RuntimeError("no such instruction")
        return q * k.mean() * v.mean()

    monkeypatch.setattr(attention, "find_spec", lambda _: object())
    monkeypatch.setattr(attention, "_flex", lambda: (lambda *_: None, attend))
    attention._can_flex.cache_clear()
    places = torch.arange(8)

    chosen = attention.best_attention(places // 8, places // 4)

    attention._can_flex.cache_clear()
    assert isinstance(chosen, Dense)
    assert "masks are slower" in capsys.readouterr().err
