"""Our attention is the textbook's in every shape it treats differently, and a model's own over a cache."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from transformers import DynamicCache, MistralForCausalLM

from engine.model_folder import ModelFolder
from engine.runtime import attention, reference
from engine.runtime.attention import causal_attention, read_length, window_attention, window_mask
from engine.runtime.decode import Decoder
from engine.runtime.forward import TransformersForward
from engine.runtime.model import LoadedModel, load_model
from engine_checkpoints import make_llama, make_sliding_mistral

HEADS = [(4, 4), (8, 2), (8, 1)]
SHAPES = [(1, 1), (1, 300), (2, 300), (7, 7), (64, 64), (65, 65), (150, 300)]


def textbook(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, scale: float) -> torch.Tensor:
    """Head by head, query by query, in float64."""
    _, heads, num_new, _ = query.shape
    groups, num_keys = heads // key.shape[1], key.shape[2]
    output = torch.empty(1, heads, num_new, value.shape[-1], dtype=torch.float64)
    for head in range(heads):
        keys, values = key[0, head // groups].double(), value[0, head // groups].double()
        for place in range(num_new):
            visible = num_keys - num_new + place + 1
            scores = keys[:visible] @ query[0, head, place].double() * scale
            output[0, head, place] = scores.softmax(0) @ values[:visible]
    return output


@pytest.mark.parametrize("heads", HEADS, ids=["every head", "grouped", "one key head"])
@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: f"{shape[0]} over {shape[1]}")
@pytest.mark.parametrize(
    ("dtype", "kv_dtype", "tolerance"),
    [
        (torch.float32, torch.float32, 1e-5),
        (torch.bfloat16, torch.float32, 0.04),
        (torch.bfloat16, torch.bfloat16, 0.04),
    ],
    ids=["fp32", "bf16 over fp32", "bf16"],
)
def test_attention_equals_the_textbook(
    heads: tuple[int, int],
    shape: tuple[int, int],
    dtype: torch.dtype,
    kv_dtype: torch.dtype,
    tolerance: float,
) -> None:
    torch.manual_seed(0)
    query = torch.randn(1, shape[0], heads[0], 32).transpose(1, 2).to(dtype)
    buffers = torch.randn(2, 1, heads[1], shape[1] + 50, 32).to(kv_dtype)
    key, value = buffers[0][:, :, : shape[1]], buffers[1][:, :, : shape[1]]

    output = causal_attention(query, key, value, 0.2)

    assert output.dtype == dtype
    assert (output.double() - textbook(query, key, value, 0.2)).abs().max() < tolerance


@pytest.mark.parametrize("heads", HEADS, ids=["every head", "grouped", "one key head"])
@pytest.mark.parametrize("shape", [*SHAPES, (128, 4000)], ids=lambda shape: f"{shape[0]} over {shape[1]}")
@pytest.mark.parametrize(
    ("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.bfloat16, 0.04)], ids=["fp32", "bf16"]
)
def test_attention_over_a_window_equals_the_textbook_over_the_sequence(
    heads: tuple[int, int], shape: tuple[int, int], dtype: torch.dtype, tolerance: float
) -> None:
    """What stands behind the sequence in the buffer is as large as anything and must not be seen."""
    torch.manual_seed(0)
    num_new, end = shape
    read = read_length(end, 4096)
    query = torch.randn(num_new, heads[0], 32).to(dtype)
    buffers = torch.randn(2, heads[1], 4096, 32).to(dtype)
    buffers[:, :, end:] *= 1000
    mask = window_mask(torch.arange(end - num_new, end), end - num_new, read, dtype)

    output = window_attention(query * 0.25, buffers[0, :, :read], buffers[1, :, :read], mask)

    expected = textbook(
        query.transpose(0, 1)[None], buffers[None, 0, :, :end], buffers[None, 1, :, :end], 0.25
    )
    assert output.dtype == dtype
    assert (output.double() - expected[0].transpose(0, 1).reshape(num_new, -1)).abs().max() < tolerance


@pytest.mark.parametrize(("length", "read"), [(1, 256), (256, 256), (257, 512), (1000, 1000)])
def test_few_lengths_are_read_and_never_more_than_there_is(length: int, read: int) -> None:
    assert read_length(length, 1000) == read


@pytest.mark.parametrize("own", ["eager", "sdpa"])
def test_a_model_on_our_attention_equals_itself_on_its_own(own: str, small: LoadedModel) -> None:
    """New tokens over a filled cache, where masks go wrong."""
    decoder = Decoder(replace(small, forward=TransformersForward(small.model, small.device)))
    slot, cache = small.new_slot(), DynamicCache()
    ids = torch.randint(2, 320, (60,)).tolist()

    ours = [decoder.extend(slot, part) for part in (ids[:30], ids[30:50], ids[50:51], ids[51:])]

    small.model.set_attn_implementation(own)
    try:
        with torch.inference_mode():
            theirs = [
                small.model(torch.tensor([part]), past_key_values=cache).logits[0, -1]
                for part in (ids[:30], ids[30:50], ids[50:51], ids[51:])
            ]
    finally:
        small.model.set_attn_implementation(attention.NAME)
    assert (torch.stack(ours) - torch.stack(theirs)).abs().max() < 1e-4


def test_a_sliding_window_keeps_its_mask(tmp_path: Path) -> None:
    """A model with more than plain causal attention must not lose it on ours."""
    make_sliding_mistral(tmp_path)
    oracle = MistralForCausalLM.from_pretrained(tmp_path, dtype=torch.float32, attn_implementation="eager")
    ids = torch.randint(0, 100, (40,)).tolist()
    loaded = load_model(ModelFolder.open(str(tmp_path)), device="cpu", dtype="float32")
    decoder, slot = Decoder(loaded), loaded.new_slot()

    ours = [decoder.extend(slot, part) for part in (ids[:20], ids[20:30], ids[30:31], ids[31:])]

    with torch.inference_mode():
        rows = oracle(torch.tensor([ids]), use_cache=False).logits[0, [19, 29, 30, 39]]
    assert (torch.stack(ours) - rows).abs().max() < 1e-4
    assert (reference.logits(loaded, ids)[[19, 29, 30, 39]] - rows).abs().max() < 1e-4


def test_bfloat16_on_a_cpu_stays_close_to_float32(tmp_path: Path) -> None:
    folder = ModelFolder.open(str(make_llama(tmp_path / "model", initializer_range=0.05)))
    ids = torch.randint(2, 320, (300,)).tolist()

    exact = reference.logits(load_model(folder, device="cpu", dtype="float32"), ids)
    rounded = load_model(folder, device="cpu", dtype="bfloat16")
    close = Decoder(rounded, chunk_tokens=50).prefill(rounded.new_slot(), ids, lambda: None)

    assert (close - exact[-1]).norm() / exact[-1].norm() < 0.05
