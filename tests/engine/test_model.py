"""A model in memory: RoPE, ends, limits, device and dtype as asked, for the shapes of real DeepSeek-Coder."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from huggingface_hub import constants
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM

from engine.errors import ModelError
from engine.model_folder import ModelFolder
from engine.runtime import model as model_module
from engine.runtime import reference
from engine.runtime.decode import Decoder
from engine.runtime.model import (
    LoadedModel,
    choose_device,
    choose_dtype,
    cpu_threads,
    kv_budget_bytes,
    load_model,
)
from engine_checkpoints import (
    EOS,
    EOT,
    MARK_IDS,
    NUM_TOKENS,
    VOCAB_SIZE,
    make_deepseek_checkpoint,
    make_hub_cache,
    make_sliding_mistral,
    make_tokenizer,
)

CPU = torch.device("cpu")
PADDING = range(NUM_TOKENS, VOCAB_SIZE)


def load(folder: Path, dtype: str = "float32") -> LoadedModel:
    return load_model(ModelFolder.open(str(folder)), device="cpu", dtype=dtype)


def greedy(loaded: LoadedModel, ids: list[int], num_valid_ids: int | None) -> list[int]:
    decoder = Decoder(loaded, num_valid_ids=num_valid_ids)
    slot = loaded.new_slot()
    logits = decoder.prefill(slot, ids, lambda: None)
    return [step.token_id for step in decoder.decode(slot, logits, max_tokens=8, poll=lambda: None)]


@pytest.mark.parametrize("rope", ["legacy", "new"])
def test_rope_factor_four_survives_loading(rope: str, tmp_path: Path) -> None:
    folder = make_deepseek_checkpoint(tmp_path / "model", layers=1, rope=rope)
    plain = 1.0 / 100000.0 ** (torch.arange(0, 128, 2) / 128)

    loaded = load(folder)

    assert torch.allclose(loaded.model.model.rotary_emb.inv_freq, plain / 4, rtol=1e-6)
    assert loaded.context_length == 16384


def test_legacy_and_new_rope_keys_give_the_same_logits(tmp_path: Path) -> None:
    ids = list(range(100, 400))

    old = reference.logits(load(make_deepseek_checkpoint(tmp_path / "old", rope="legacy")), ids)
    new = reference.logits(load(make_deepseek_checkpoint(tmp_path / "new", rope="new")), ids)

    assert torch.equal(old, new)


@pytest.mark.parametrize(
    ("heads", "kv_heads"),
    [(16, 16), (32, 32), (32, 1), (56, 8)],
    ids=["1.3b", "6.7b", "5.7bmqa", "33b"],
)
def test_a_checkpoint_of_the_real_shape_loads_and_never_picks_a_padding_id(
    heads: int, kv_heads: int, tmp_path: Path
) -> None:
    loaded = load(make_deepseek_checkpoint(tmp_path / "model", heads=heads, kv_heads=kv_heads))
    prompt = [MARK_IDS["<｜begin▁of▁sentence｜>"], *range(300, 340)]
    unmasked = reference.generate(loaded, prompt, 8)

    chosen = greedy(loaded, prompt, NUM_TOKENS)

    assert max(unmasked) >= NUM_TOKENS  # the checkpoint is made so: without the mask this test would fail
    assert chosen == reference.generate(loaded, prompt, 8, forbidden=PADDING)
    assert (loaded.vocab_size, loaded.num_layers) == (VOCAB_SIZE, 2)
    assert loaded.kv_bytes_per_token == 2 * 2 * kv_heads * 128 * 4


def test_a_checkpoint_gives_the_logits_that_transformers_gives(deepseek_folder: Path) -> None:
    ids = torch.arange(1000, 1300)[None]
    oracle = AutoModelForCausalLM.from_pretrained(
        deepseek_folder, dtype=torch.float32, attn_implementation="eager"
    )

    loaded = load(deepseek_folder)

    with torch.inference_mode():
        difference = (loaded.model(ids).logits - oracle(ids).logits).abs().max()
    assert difference < 1e-4


def test_a_hub_id_loads_offline_from_the_local_cache(
    tmp_path: Path, deepseek_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    snapshot = make_hub_cache(tmp_path, "deepseek-ai/deepseek-coder-1.3b-base")
    shutil.copytree(deepseek_folder, snapshot, dirs_exist_ok=True)

    folder = ModelFolder.open("deepseek-ai/deepseek-coder-1.3b-base")
    loaded = load_model(folder, device="cpu", dtype="float32")

    assert loaded.name == "deepseek-ai/deepseek-coder-1.3b-base"
    ids = list(range(500, 520))
    assert torch.equal(reference.logits(loaded, ids), reference.logits(load(deepseek_folder), ids))


def test_ends_come_from_the_config_and_the_generation_config(tmp_path: Path) -> None:
    folder = make_deepseek_checkpoint(tmp_path / "model", layers=1, instruct=True)
    assert load(folder).eos_ids == {MARK_IDS[EOT]}

    (folder / "generation_config.json").write_text(
        json.dumps({"eos_token_id": [MARK_IDS[EOS], MARK_IDS[EOT]]}), encoding="utf-8"
    )
    assert load(folder).eos_ids == {MARK_IDS[EOS], MARK_IDS[EOT]}


def test_the_tokenizer_of_these_checkpoints_has_the_real_ids(tmp_path: Path) -> None:
    make_tokenizer(tmp_path)
    tokenizer = Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    text = "def f():\n\treturn 'naïve 😋'  # two  spaces\r\n"

    assert {mark: tokenizer.token_to_id(mark) for mark in MARK_IDS} == MARK_IDS
    assert MARK_IDS[EOT] == NUM_TOKENS - 1 == 32021
    assert tokenizer.get_vocab_size() == NUM_TOKENS
    assert tokenizer.decode(tokenizer.encode(text).ids) == text
    assert tokenizer.encode("ü").ids == [32009]


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU is here")
def test_a_gpu_that_is_not_there_is_refused_in_a_clear_sentence() -> None:
    with pytest.raises(ModelError, match="no CUDA GPU here: set device to auto or cpu"):
        load_model(ModelFolder.open("builtin"), device="cuda")


@pytest.mark.parametrize("device", ["gpu", "cuda:x", "meta", ""])
def test_an_unknown_device_is_refused(device: str) -> None:
    with pytest.raises(ModelError, match="use auto, cuda, cuda:N, mps or cpu"):
        choose_device(device)


def test_an_unknown_dtype_is_refused() -> None:
    with pytest.raises(ModelError, match="dtype 'int4' is unknown"):
        choose_dtype("int4", CPU)


@pytest.mark.parametrize("faster", [torch.bfloat16, torch.float32], ids=str)
def test_auto_takes_the_dtype_that_this_cpu_multiplies_faster(
    faster: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_module, "_gemm_seconds", lambda dtype: 1.0 if dtype is faster else 2.0)

    assert choose_dtype("auto", CPU) is faster
    assert choose_dtype("auto", torch.device("cuda")) is torch.bfloat16


def test_one_core_is_left_to_the_editor_unless_asked_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1, 2, 3}, raising=False)
    assert cpu_threads() == 3

    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0}, raising=False)
    assert cpu_threads() == 1

    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    assert cpu_threads() == 2


def test_memory_for_slots_is_what_the_weights_leave(small: LoadedModel) -> None:
    weights = 4 * small.num_parameters

    assert kv_budget_bytes(small, 1.0) == 2**30 - weights
    with pytest.raises(ModelError, match=r"the weights of .* alone take"):
        kv_budget_bytes(small, weights / 2**31)


@pytest.mark.parametrize("dtype", ["bfloat16", "float32"])
def test_slots_of_a_llama_keep_the_dtype_of_its_weights(dtype: str, small_folder: Path) -> None:
    loaded = load(small_folder, dtype)

    assert loaded.kv_dtype == loaded.dtype == getattr(torch, dtype)


def test_slots_of_other_models_keep_float32_on_a_cpu(tmp_path: Path) -> None:
    loaded = load(make_sliding_mistral(tmp_path), "bfloat16")

    assert (loaded.dtype, loaded.kv_dtype) == (torch.bfloat16, torch.float32)


def test_the_builtin_model_runs_as_the_int8_rows_it_is_unless_a_dtype_is_asked_for() -> None:
    folder = ModelFolder.open("builtin")
    rows, scales = 42_205_184, 4 * 12 * (768 + 512 + 2816 + 512) + 4 * 16384

    native = load_model(folder, device="cpu")
    floats = load_model(folder, device="cpu", dtype="bfloat16")

    assert native.weight_bytes == rows + scales
    assert floats.weight_bytes == 2 * rows
    assert native.memory_bytes == floats.memory_bytes + native.weight_bytes
    assert native.num_parameters == floats.num_parameters == 42_217_984


def test_quantising_makes_an_eighth_of_float32_and_frees_the_rest(
    deepseek_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_module, "KEPT_FLOAT_BYTES", 0)
    folder = ModelFolder.open(str(deepseek_folder))
    whole = load_model(folder, device="cpu", dtype="float32")

    loaded = load_model(folder, device="cpu", dtype="float32", quantize="int8")

    assert loaded.num_parameters == whole.num_parameters
    assert loaded.weight_bytes < 0.27 * whole.weight_bytes
    embedding = loaded.model.get_input_embeddings().weight.nbytes
    assert loaded.memory_bytes - loaded.weight_bytes < 1.01 * embedding  # what stays in float32


@pytest.mark.parametrize(
    ("quantize", "said"),
    [("int4", "use 'int8' or null"), ("int8", "is a MistralForCausalLM: set it to null")],
)
def test_what_cannot_be_quantised_is_refused(quantize: str, said: str, tmp_path: Path) -> None:
    folder = ModelFolder.open(str(make_sliding_mistral(tmp_path)))

    with pytest.raises(ModelError, match=said):
        load_model(folder, device="cpu", quantize=quantize)
