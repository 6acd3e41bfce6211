"""Weights on disk become a transformers model: int8 rows by the card's formula, others as they are."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import LlamaForCausalLM

from engine.errors import ModelError
from engine.model_folder import BUILTIN_FOLDER, ModelFolder
from engine.runtime.model import LoadedModel, load_model
from engine.runtime.weights import load_weights


def test_every_builtin_matrix_is_int8_times_the_scale_of_its_row(builtin: LoadedModel) -> None:
    packed = load_file(BUILTIN_FOLDER / "model.safetensors")
    names = [name for name in packed if not name.endswith(".scale")]
    weights = builtin.model.state_dict()

    for name in names:
        expected = packed[name].float()
        if packed[name].dtype == torch.int8:
            expected = expected * packed[f"{name}.scale"].unsqueeze(1)
        assert torch.equal(weights[name], expected), name
    assert set(weights) - set(names) == {"lm_head.weight"}


def test_bfloat16_weights_are_rounded_once_from_the_exact_product(builtin: LoadedModel) -> None:
    model = load_weights(ModelFolder.open("builtin"), torch.bfloat16, lambda _: None)
    exact = builtin.model.state_dict()

    assert all(torch.equal(tensor, exact[name].bfloat16()) for name, tensor in model.state_dict().items())


def test_tied_embeddings_share_memory(builtin: LoadedModel) -> None:
    model = builtin.model

    assert model.lm_head.weight.data_ptr() == model.model.embed_tokens.weight.data_ptr()
    assert builtin.num_parameters == 42_217_984  # the embedding counted once


def test_packing_a_model_and_loading_it_equals_the_model_it_came_from(
    small_folder: Path, tmp_path: Path
) -> None:
    """The oracle is transformers, given weights that int8 rows represent exactly."""
    folder = Path(shutil.copytree(small_folder, tmp_path / "packed"))
    packed, plain = {}, {}
    for name, weight in load_file(folder / "model.safetensors").items():
        plain[name] = weight
        if weight.ndim == 2:
            scale = weight.abs().amax(1) / 127
            packed[name] = (weight / scale[:, None]).round().to(torch.int8)
            packed[f"{name}.scale"] = scale
            plain[name] = packed[name].float() * scale[:, None]
        else:
            packed[name] = weight
    save_file(packed, folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "ghostfill.json").write_text('{"weights": "int8-rows"}', encoding="utf-8")
    oracle = LlamaForCausalLM.from_pretrained(small_folder, dtype=torch.float32)
    oracle.load_state_dict(plain)
    ids = torch.arange(40)[None]

    model = load_weights(ModelFolder.open(str(folder)), torch.float32, lambda _: None)

    with torch.inference_mode():
        assert torch.equal(model(ids).logits, oracle(ids).logits)


@pytest.mark.parametrize("name", ["builtin", "small"])
def test_progress_rises_to_one(name: str, small_folder: Path) -> None:
    heard: list[float] = []

    folder = ModelFolder.open("builtin" if name == "builtin" else str(small_folder))
    load_model(folder, device="cpu", dtype="float32", on_progress=heard.append)

    assert len(heard) > 10
    assert heard == sorted(heard)
    assert heard[-1] == 1.0


def test_a_missing_weight_is_an_error_and_not_a_random_number(small_folder: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(small_folder, tmp_path / "lacking"))
    weights = load_file(folder / "model.safetensors")
    del weights["model.layers.1.mlp.up_proj.weight"]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})

    with pytest.raises(ModelError, match=r"1 weights are missing .* model.layers.1.mlp.up_proj.weight"):
        load_weights(ModelFolder.open(str(folder)), torch.float32, lambda _: None)


def test_an_unknown_form_of_weights_is_refused(small_folder: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(small_folder, tmp_path / "strange"))
    (folder / "ghostfill.json").write_text('{"weights": "int3"}', encoding="utf-8")

    with pytest.raises(ModelError, match="weights 'int3' is unknown"):
        load_weights(ModelFolder.open(str(folder)), torch.float32, lambda _: None)


def test_code_that_a_checkpoint_brings_is_not_run_unasked(small_folder: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(small_folder, tmp_path / "code"))
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    own = {"AutoConfig": "own.OwnConfig", "AutoModelForCausalLM": "own.OwnModel"}
    (folder / "config.json").write_text(json.dumps(config | {"model_type": "own", "auto_map": own}))
    (folder / "own.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n", encoding="utf-8")

    with pytest.raises(ModelError, match=r"The setting is engine\.trustRemoteCode"):
        load_weights(ModelFolder.open(str(folder)), torch.float32, lambda _: None)

    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    "wrong",
    [{"model_type": "warp"}, {"num_attention_heads": 5}, {"hidden_size": "wide"}, {"vocab_size": 7}],
    ids=["unknown architecture", "impossible heads", "not a number", "not the weights' shape"],
)
def test_a_config_that_transformers_cannot_use_is_refused(
    wrong: dict[str, object], small_folder: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(small_folder, tmp_path / "wrong"))
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    (folder / "config.json").write_text(json.dumps(config | wrong), encoding="utf-8")

    with pytest.raises(ModelError, match="cannot be loaded"):
        load_weights(ModelFolder.open(str(folder)), torch.float32, lambda _: None)
