"""Products with int8 rows are those of the matrix they stand for, however many tokens come."""

from __future__ import annotations

import pytest
import torch

from engine.runtime.linear import FloatLinear, Int8Linear, Linear, expand_rows, fuse, quantise_rows

TOKENS = [1, 2, 6, 7, 40]


def relative(found: torch.Tensor, expected: torch.Tensor) -> float:
    return float((found.double() - expected).norm() / expected.norm())


@pytest.mark.parametrize("has_bias", [False, True], ids=["plain", "with bias"])
@pytest.mark.parametrize("is_kept", [False, True], ids=["expanded each time", "expanded once"])
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32], ids=str)
@pytest.mark.parametrize("num_tokens", TOKENS)
def test_int8_rows_multiply_like_their_matrix(
    num_tokens: int, dtype: torch.dtype, is_kept: bool, has_bias: bool
) -> None:
    torch.manual_seed(0)
    rows = quantise_rows(torch.randn(96, 64))
    bias = torch.randn(96).to(dtype) if has_bias else None
    x = torch.randn(num_tokens, 64).to(dtype)
    exact = x.double() @ (rows.values.double() * rows.scale.double()[:, None]).T
    if bias is not None:
        exact += bias.double()

    y = Int8Linear(rows, bias=bias, expanded=expand_rows(rows, dtype) if is_kept else None)(x)

    assert y.dtype in (dtype, torch.float32)
    assert relative(y, exact) < 0.005  # bfloat16 keeps eight bits


def test_a_quantised_matrix_is_within_half_a_step_of_itself_and_keeps_its_largest_weights() -> None:
    torch.manual_seed(0)
    weight = torch.randn(50, 80) * torch.logspace(-6, 3, 50)[:, None]
    weight[7] = 0

    rows = quantise_rows(weight)

    error = (expand_rows(rows, torch.float32) - weight).abs()
    assert (error <= rows.scale[:, None] * 0.5001).all()
    assert (rows.values.abs().amax(1)[weight.abs().amax(1) > 0] == 127).all()
    assert (rows.values[7] == 0).all()


def test_quantising_what_int8_rows_represent_changes_nothing() -> None:
    torch.manual_seed(0)
    rows = quantise_rows(torch.randn(50, 80))

    again = quantise_rows(expand_rows(rows, torch.float32))

    assert torch.equal(rows.values, again.values)


def test_fused_matrices_are_one_and_go_on_working_apart() -> None:
    torch.manual_seed(0)
    modules = [torch.nn.Linear(8, size, bias=False) for size in (4, 2, 6)]
    before = [module.weight.clone() for module in modules]
    x = torch.randn(3, 8)

    fused = fuse(modules)

    assert torch.equal(fused, torch.cat(before))
    assert all(module.weight.untyped_storage().data_ptr() == fused.data_ptr() for module in modules)
    apart = torch.cat([module(x) for module in modules], dim=1)
    assert torch.allclose(FloatLinear(fused)(x), apart, atol=1e-6)


@pytest.mark.parametrize(
    ("made", "num_bytes"),
    [
        (FloatLinear(torch.zeros(6, 5)), 6 * 5 * 4),
        (FloatLinear(torch.zeros(6, 5).bfloat16()), 6 * 5 * 2),
        (Int8Linear(quantise_rows(torch.ones(6, 5)), expanded=torch.ones(6, 5)), 6 * 5 + 6 * 4),
    ],
    ids=["fp32", "bf16", "int8"],
)
def test_a_step_reads_the_form_that_it_multiplies(made: Linear, num_bytes: int) -> None:
    assert made.step_bytes == num_bytes
