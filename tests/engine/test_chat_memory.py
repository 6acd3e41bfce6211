"""What a model is said to need before it is loaded is what it takes then; free memory is what is free."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from engine.model_folder import ModelFolder
from engine.runtime.memory import MIN_CHAT_TOKENS, Need, free_bytes
from engine.runtime.model import kv_bytes_per_token, load_model, total_memory_bytes
from engine_checkpoints import make_llama

CPU = torch.device("cpu")


def both(folder: Path | str, dtype: str, quantize: str | None = None) -> tuple[Need, Need]:
    model = ModelFolder.open(str(folder))
    before = Need.before(model, CPU, dtype, quantize)
    return before, Need.of(load_model(model, device="cpu", dtype=dtype, quantize=quantize))


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Large enough for its matrices to outweigh all else, as real ones do."""
    folder = tmp_path_factory.mktemp("large") / "model"
    shape = {"hidden_size": 512, "intermediate_size": 1024, "vocab_size": 1024, "num_hidden_layers": 4}
    return make_llama(folder, num_attention_heads=8, **shape)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("quantize", [None, "int8"])
@pytest.mark.parametrize("keeps_floats", [True, False])
def test_a_checkpoint_takes_what_its_files_tell(
    large: Path, dtype: str, quantize: str | None, keeps_floats: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not keeps_floats:
        monkeypatch.setattr("engine.runtime.model.KEPT_FLOAT_BYTES", 0)
        monkeypatch.setattr("engine.runtime.memory.KEPT_FLOAT_BYTES", 0)

    before, loaded = both(large, dtype, quantize)

    assert before.weight_bytes == pytest.approx(loaded.weight_bytes, rel=0.25)
    assert before.bytes_per_token >= loaded.bytes_per_token
    assert before.context_length == loaded.context_length == 512
    parameters = (large / "model.safetensors").stat().st_size // 4
    assert before.loading_bytes == parameters * (4 if dtype == "float32" else 2)


@pytest.mark.parametrize("dtype", ["auto", "float32"])
def test_so_does_the_built_in_packages_kind(dtype: str) -> None:
    before, loaded = both("builtin", dtype)

    assert before.weight_bytes == pytest.approx(loaded.weight_bytes, rel=0.1)
    assert before.bytes_per_token >= loaded.bytes_per_token
    assert before.min_bytes >= loaded.weight_bytes + MIN_CHAT_TOKENS * loaded.bytes_per_token * 0.9


def test_a_folder_whose_config_cannot_be_read_is_left_to_who_loads_it(large: Path, tmp_path: Path) -> None:
    folder = tmp_path / "odd"
    folder.mkdir()
    (folder / "model.safetensors").symlink_to(large / "model.safetensors")
    (folder / "config.json").write_text('{"model_type": "of tomorrow"}')

    need = Need.before(ModelFolder.open(str(folder)), CPU, "float32", None)

    assert (need.bytes_per_token, need.min_bytes) == (0.0, need.loading_bytes)


def test_on_a_cpu_what_is_free_is_less_than_all() -> None:
    assert 0 < free_bytes(CPU) < total_memory_bytes()


def test_on_a_gpu_what_torch_keeps_for_later_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _device: (700, 1000))
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda _device: 200)
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda _device: 150)

    assert free_bytes(torch.device("cuda", 0)) == 750


def test_a_latent_is_kept_in_place_of_keys_and_values() -> None:
    """The shape of DeepSeek-Coder-V2-Lite: 31 kB a token in bfloat16."""
    config = SimpleNamespace(num_hidden_layers=27, kv_lora_rank=512, qk_rope_head_dim=64)

    assert kv_bytes_per_token(config, 2) == 27 * 576 * 2
