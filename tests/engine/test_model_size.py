"""The size of a model on disk equals that of the model that is loaded from there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from transformers import AutoModelForCausalLM

from engine.known_models import INSTRUCT_MODELS, KNOWN_MODELS, KnownModel
from engine.model_folder import ModelFolder
from engine.model_size import size_of
from engine_checkpoints import make_deepseek_checkpoint, make_llama
from known_configs import CONFIGS


def test_the_weights_are_counted_by_the_size_of_their_files(tmp_path: Path) -> None:
    for folder in (make_deepseek_checkpoint(tmp_path / "bf16"), make_llama(tmp_path / "fp32")):
        model = AutoModelForCausalLM.from_pretrained(folder)
        count = sum(weight.numel() for weight in model.parameters())

        assert size_of(ModelFolder.open(str(folder))).parameters == pytest.approx(count, rel=0.02)


def test_int8_rows_are_a_byte_each() -> None:
    model = size_of(ModelFolder.open("builtin"))

    assert model.parameters == pytest.approx(42_500_000, rel=0.01)


def test_a_quantised_checkpoint_takes_what_its_files_take(tmp_path: Path) -> None:
    folder = make_llama(tmp_path / "model")
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    config["quantization_config"] = {"quant_method": "awq"}
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")

    size = (folder / "model.safetensors").stat().st_size
    assert size_of(ModelFolder.open(str(folder))).weight_bytes == pytest.approx(size, abs=2)


@pytest.mark.parametrize("model", KNOWN_MODELS, ids=lambda model: model.name)
def test_the_kept_bytes_of_a_token_are_those_of_the_table(model: KnownModel, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(CONFIGS[model.name][1]), encoding="utf-8")
    (tmp_path / "model.safetensors").write_bytes(b"")
    folder = ModelFolder.open(str(tmp_path), needs_weights=False)

    assert size_of(folder).kv_bytes_per_token == model.kv_bytes_per_token


def test_instruct_models_have_the_shape_of_their_base_models() -> None:
    shapes = {(model.parameters, model.layers, model.kv_numbers) for model in KNOWN_MODELS}

    assert len({model.name for model in INSTRUCT_MODELS}) == len(INSTRUCT_MODELS) == 14
    for model in INSTRUCT_MODELS:
        assert (model.parameters, model.layers, model.kv_numbers) in shapes
        assert model.fim_format == ""
