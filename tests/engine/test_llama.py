"""The engine's own pass of Llama and its kin gives transformers' logits, whatever was read before and how."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import (
    AutoModelForCausalLM,
    DeepseekV2Config,
    DeepseekV2ForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
    MistralConfig,
    MistralForCausalLM,
    PreTrainedModel,
    Qwen2Config,
    Qwen2ForCausalLM,
)

from engine.model_folder import ModelFolder
from engine.runtime import reference
from engine.runtime.decode import Decoder
from engine.runtime.forward import TransformersForward
from engine.runtime.kv_cache import Slot
from engine.runtime.linear import expand_rows, quantise_rows
from engine.runtime.llama import LlamaForward, is_llama
from engine.runtime.model import LoadedModel, load_model
from engine.runtime.weights import load_rows
from engine_checkpoints import NUM_TOKENS, make_deepseek_checkpoint, make_llama, make_sliding_mistral

CLOSE = 1e-4
SMALL: dict[str, Any] = {
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "vocab_size": 320,
    "initializer_range": 0.15,
}
LLAMA3 = {
    "rope_type": "llama3",
    "rope_theta": 5e5,
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 64,
}


def small_model(kind: str) -> PreTrainedModel:
    torch.manual_seed(0)
    if kind == "mistral":
        return MistralForCausalLM(MistralConfig(**SMALL, sliding_window=None))
    if kind == "qwen2":
        return randomly_biased(Qwen2ForCausalLM(Qwen2Config(**SMALL, tie_word_embeddings=True)))
    extra: dict[str, Any] = {
        "llama": {},
        "tied": {"tie_word_embeddings": True},
        "wide heads": {"head_dim": 48},
        "biased": {"attention_bias": True, "mlp_bias": True},
        "llama3 rope": {"rope_parameters": LLAMA3},
    }[kind]
    return randomly_biased(LlamaForCausalLM(LlamaConfig(**SMALL, **extra)))


def randomly_biased(model: PreTrainedModel) -> PreTrainedModel:
    for name, parameter in model.named_parameters():
        if name.endswith("bias"):
            torch.nn.init.normal_(parameter)
    return model


def whole(model: PreTrainedModel, ids: list[int]) -> torch.Tensor:
    with torch.inference_mode():
        return model(torch.tensor([ids]), use_cache=False).logits[0].float()  # type: ignore[no-any-return]


def load(folder: Path | str, **options: Any) -> LoadedModel:
    return load_model(ModelFolder.open(str(folder)), **{"device": "cpu", "dtype": "float32"} | options)


def read_at_random(
    loaded: LoadedModel, ids: list[int], seed: int = 0
) -> tuple[Slot, dict[int, torch.Tensor]]:
    """Logits by place; ids come in parts of any size, and now and then some are forgotten and read again."""
    chance, slot, rows = random.Random(seed), loaded.new_slot(), {}
    while len(slot) < len(ids):
        start = len(slot)
        part = ids[start : start + chance.choice([1, 1, 2, 3, 5, 7, 20, 33, 128])]
        num_logits = chance.randint(1, min(len(part), 4))
        found = loaded.forward(slot, part, num_logits)
        slot.commit(part)
        rows |= {len(slot) - num_logits + index: row for index, row in enumerate(found)}
        if chance.random() < 0.2:
            slot.rewind(max(0, len(slot) - chance.randrange(40)))
    return slot, rows


def largest_difference(rows: dict[int, torch.Tensor], oracle: torch.Tensor) -> float:
    assert len(rows) > 10
    return max((row - oracle[place]).abs().max().item() for place, row in rows.items())


@pytest.mark.parametrize(
    ("heads", "kv_heads"),
    [(16, 16), (32, 32), (32, 1), (56, 8)],
    ids=["1.3b", "6.7b", "5.7bmqa", "33b"],
)
def test_deepseek_coder_equals_transformers(heads: int, kv_heads: int, tmp_path: Path) -> None:
    """Every head shape of the family, RoPE stretched by four, from a checkpoint as it is published."""
    folder = make_deepseek_checkpoint(tmp_path / "model", heads=heads, kv_heads=kv_heads)
    oracle = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager")
    ids = torch.randint(0, 32000, (400,)).tolist()

    loaded = load(folder)

    assert isinstance(loaded.forward, LlamaForward)
    rows = {place: row[:NUM_TOKENS] for place, row in read_at_random(loaded, ids)[1].items()}
    assert (
        largest_difference(rows, whole(oracle, ids)[:, :NUM_TOKENS]) < CLOSE
    )  # padding rows are 20 x larger


@pytest.mark.parametrize("kind", ["llama", "tied", "wide heads", "biased", "llama3 rope", "mistral", "qwen2"])
def test_llama_and_its_kin_equal_transformers(kind: str, tmp_path: Path) -> None:
    oracle = small_model(kind).eval()
    oracle.save_pretrained(tmp_path)
    ids = torch.randint(0, 320, (300,)).tolist()

    loaded = load(tmp_path)

    assert isinstance(loaded.forward, LlamaForward)
    assert largest_difference(read_at_random(loaded, ids)[1], whole(oracle, ids)) < CLOSE


def test_the_builtin_model_equals_transformers(builtin: LoadedModel) -> None:
    ids = torch.randint(7, 16000, (600,)).tolist()

    assert isinstance(builtin.forward, LlamaForward)
    assert largest_difference(read_at_random(builtin, ids)[1], whole(builtin.model, ids)) < CLOSE


def test_int8_rows_as_they_are_equal_the_float32_model_they_stand_for(builtin: LoadedModel) -> None:
    """Within what bfloat16 activations round, which is the same with float weights."""
    ids = torch.randint(7, 16000, (300,)).tolist()
    exact = whole(builtin.model, ids)

    def error(loaded: LoadedModel) -> float:
        rows = read_at_random(loaded, ids)[1]
        errors = [(row - exact[place]).norm() / exact[place].norm() for place, row in rows.items()]
        return float(sum(errors) / len(errors))

    rounded = error(load("builtin", dtype="bfloat16"))
    native = error(load("builtin", dtype="auto"))

    assert native < max(0.02, 1.5 * rounded)


@pytest.mark.parametrize("kept", [0, 2**29], ids=["floats freed", "floats kept"])
def test_a_quantised_model_equals_one_with_the_dequantised_weights(
    kept: int, small_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.runtime.model.KEPT_FLOAT_BYTES", kept)
    oracle = AutoModelForCausalLM.from_pretrained(small_folder, dtype=torch.float32)
    for name, parameter in oracle.named_parameters():
        if parameter.ndim == 2 and "embed" not in name:
            parameter.data = expand_rows(quantise_rows(parameter.data), torch.float32)
    ids = torch.randint(0, 320, (200,)).tolist()
    exact = whole(oracle, ids)

    rows = read_at_random(load(small_folder, quantize="int8"), ids)[1]

    assert all((row - exact[place]).norm() / exact[place].norm() < 0.03 for place, row in rows.items())


def test_the_rows_of_the_package_are_used_as_they_are() -> None:
    rows = load_rows(ModelFolder.open("builtin"))
    loaded = load("builtin", quantize="int8")

    assert len(rows) == 12 * 7 + 1
    assert loaded.model.lm_head.weight.data_ptr() == loaded.model.model.embed_tokens.weight.data_ptr()
    embedding = expand_rows(rows["model.embed_tokens.weight"], torch.float32)
    assert torch.equal(loaded.model.lm_head.weight.data, embedding)


def test_bfloat16_chooses_like_float32_except_between_near_ties(tmp_path: Path) -> None:
    folder = make_llama(tmp_path / "model", initializer_range=0.1)
    ids = torch.randint(2, 320, (300,)).tolist()
    exact = whole(load(folder).model, ids)

    rows = read_at_random(load(folder, dtype="bfloat16"), ids)[1]

    spread = exact.std().item()
    for place, row in rows.items():
        lost = exact[place].max() - exact[place][row.argmax()]
        assert lost < 0.1 * spread


def test_a_rewound_slot_gives_what_a_fresh_one_gives(small: LoadedModel) -> None:
    ids = torch.randint(2, 320, (300,)).tolist()
    used, fresh = small.new_slot(), small.new_slot()
    for part in (ids[:200], ids[100:180]):
        small.forward(used, part)
        used.commit(part)
    used.rewind(150)
    tail = ids[30:60]

    small.forward(fresh, used.token_ids)
    fresh.commit(used.token_ids)

    difference = small.forward(used, tail, 30) - small.forward(fresh, tail, 30)

    assert difference.abs().max() < CLOSE


def test_a_copied_slot_reads_nothing_that_was_not_copied(small: LoadedModel) -> None:
    """The copy's buffers are new: behind the sequence there must be numbers, not what memory held."""
    ids = torch.randint(2, 320, (40,)).tolist()
    slot, copy = small.new_slot(), small.new_slot()
    small.forward(slot, ids)
    slot.commit(ids)
    torch.full((4, 2**16), torch.nan)  # freed at once: the next buffers may lie there

    copy.copy_from(slot, 30)
    found = small.forward(copy, ids[30:])

    assert (found[0] - whole(small.model, ids)[-1]).abs().max() < CLOSE


def test_a_pass_changes_nothing_until_it_is_committed(small: LoadedModel) -> None:
    ids = torch.randint(2, 320, (100,)).tolist()
    slot = small.new_slot()
    small.forward(slot, ids)
    slot.commit(ids)

    before = small.forward(slot, [5])
    small.forward(slot, [9, 9, 9])

    assert len(slot) == 100
    assert torch.equal(small.forward(slot, [5]), before)


def test_the_transformers_model_goes_on_working_beside_it(small_folder: Path) -> None:
    """Its matrices are views of the fused ones: no second copy, and the oracle stays one."""
    fresh = AutoModelForCausalLM.from_pretrained(small_folder, dtype=torch.float32)
    ids = torch.randint(2, 320, (50,)).tolist()

    loaded = load(small_folder)

    assert (reference.logits(loaded, ids) - whole(fresh, ids)).abs().max() < CLOSE
    attention = loaded.model.model.layers[0].self_attn
    storages = {each.weight.untyped_storage().data_ptr() for each in (attention.q_proj, attention.v_proj)}
    assert len(storages) == 1


def llama_with(**config: Any) -> PreTrainedModel:
    return LlamaForCausalLM(LlamaConfig(**SMALL, **config))


def adapted() -> PreTrainedModel:
    class Adapted(torch.nn.Linear):
        """A projection that is not plain, as quantisers and adapters install."""

    model = llama_with()
    model.model.layers[1].mlp.down_proj = Adapted(96, 64, bias=False)
    return model


@pytest.mark.parametrize(
    "model",
    [
        llama_with(hidden_act="gelu"),
        llama_with(rope_parameters={"rope_type": "dynamic", "factor": 2.0, "rope_theta": 1e4}),
        MistralForCausalLM(MistralConfig(**SMALL, sliding_window=8)),
        Qwen2ForCausalLM(
            Qwen2Config(**SMALL, use_sliding_window=True, sliding_window=8, max_window_layers=1)
        ),
        type("Strange", (LlamaForCausalLM,), {})(LlamaConfig(**SMALL)),
        adapted(),
    ],
    ids=["gelu", "dynamic rope", "sliding window", "some sliding layers", "a subclass", "adapted"],
)
def test_anything_unusual_stays_with_transformers(model: PreTrainedModel) -> None:
    assert not is_llama(model)


def test_a_sliding_window_is_run_by_transformers(tmp_path: Path) -> None:
    assert isinstance(load(make_sliding_mistral(tmp_path)).forward, TransformersForward)


@pytest.mark.parametrize("q_lora_rank", [None, 24], ids=["lite", "with query latents"])
def test_deepseek_v2_with_its_latent_cache_equals_transformers(
    q_lora_rank: int | None, tmp_path: Path
) -> None:
    torch.manual_seed(0)
    config = DeepseekV2Config(
        hidden_size=64,
        intermediate_size=96,
        moe_intermediate_size=32,
        num_hidden_layers=3,
        first_k_dense_replace=1,
        n_routed_experts=8,
        n_shared_experts=2,
        num_experts_per_tok=3,
        num_attention_heads=4,
        num_key_value_heads=4,
        kv_lora_rank=32,
        q_lora_rank=q_lora_rank,
        qk_nope_head_dim=16,
        qk_rope_head_dim=8,
        v_head_dim=16,
        vocab_size=320,
        initializer_range=0.15,
        eos_token_id=1,
    )
    oracle = DeepseekV2ForCausalLM(config).eval()
    oracle.save_pretrained(tmp_path)
    ids = torch.randint(2, 320, (150,)).tolist()

    loaded = load(tmp_path)
    slot, rows = read_at_random(loaded, ids)

    assert isinstance(loaded.forward, TransformersForward)
    assert largest_difference(rows, whole(oracle, ids)) < CLOSE
    slot.rewind(140)
    decoder = Decoder(loaded)
    logits = decoder.prefill(slot, ids[140:], lambda: None)
    steps = decoder.decode(slot, logits, max_tokens=8, poll=lambda: None)
    assert [step.token_id for step in steps] == reference.generate(loaded, ids, 8)
    held = sum(layer.keys[:, :, :1].nbytes + layer.values[:, :, :1].nbytes for layer in slot.cache.layers)
    assert held == loaded.kv_bytes_per_token
