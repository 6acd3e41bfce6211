"""Quantised checkpoints and GGUF: what each is told to install or to use instead."""

from __future__ import annotations

import importlib.util
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from engine.checkpoint_kinds import PACKAGES, check_loadable, quantization_of
from engine.errors import ModelError
from engine.model_folder import ModelFolder, find_model
from engine.runtime.weights import load_weights


@pytest.fixture
def no_packages(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As if none of the optional packages were installed."""
    real = importlib.util.find_spec
    optional = {module for wanted in PACKAGES.values() for module in wanted}
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name in optional else real(name, *rest)
    )
    return


def quantised(folder: Path, **quantization: Any) -> Path:
    """The folder, marked in config.json as quantised so."""
    config = json.loads((folder / "config.json").read_text())
    config["quantization_config"] = quantization
    (folder / "config.json").write_text(json.dumps(config))
    return folder


@pytest.fixture
def folder(tmp_path: Path, small_folder: Path) -> Path:
    return Path(shutil.copytree(small_folder, tmp_path / "model"))


@pytest.mark.parametrize(
    ("method", "packages"),
    [
        ("gptq", 'pip install "ghostfill[local]" optimum gptqmodel'),
        ("awq", 'pip install "ghostfill[local]" gptqmodel accelerate'),
        ("AWQ", 'pip install "ghostfill[local]" gptqmodel accelerate'),
        ("compressed-tensors", 'pip install "ghostfill[local]" compressed-tensors'),
        ("bitsandbytes", 'pip install "ghostfill[local]" accelerate bitsandbytes'),
    ],
)
def test_a_quantised_checkpoint_names_the_packages_it_needs(
    folder: Path, no_packages: None, method: str, packages: str
) -> None:
    model = ModelFolder.open(str(quantised(folder, quant_method=method, bits=4)))

    with pytest.raises(ModelError) as caught:
        load_weights(model, torch.float32, lambda _: None)

    assert packages in str(caught.value)
    assert method.lower() in str(caught.value)


def test_only_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *_: None if name == "gptqmodel" else object()
    )

    with pytest.raises(
        ModelError, match=r"needs gptqmodel: run pip install \"ghostfill\[local\]\" gptqmodel"
    ):
        check_loadable("m", {"quantization_config": {"quant_method": "gptq"}})


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"quantization_config": None},
        {"quantization_config": {"bits": 4}},
        {"quantization_config": {"quant_method": "torchao"}},
    ],
)
def test_what_needs_none_of_the_packages_passes(config: dict[str, Any], no_packages: None) -> None:
    check_loadable("m", config)


def test_the_text_part_of_a_larger_config_counts() -> None:
    assert quantization_of({"text_config": {"quantization_config": {"quant_method": "awq"}}}) == "awq"


def test_the_packages_are_those_that_transformers_looks_for() -> None:
    """It says so itself, in the words of its own error, where it is missing one."""
    from transformers.quantizers.auto import AutoHfQuantizer, AutoQuantizationConfig

    settings: dict[str, dict[str, Any]] = {
        "gptq": {"bits": 4, "group_size": 128},
        "awq": {"bits": 4, "group_size": 128, "zero_point": True, "version": "gemm"},
        "fp8": {},
    }
    for method, values in settings.items():
        missing = [name for name in PACKAGES[method] if importlib.util.find_spec(name) is None]
        if not missing:
            continue
        config = AutoQuantizationConfig.from_dict({"quant_method": method, **values})
        with pytest.raises(ImportError) as caught:
            AutoHfQuantizer.from_config(config, pre_quantized=True).validate_environment(device_map=None)
        assert any(PACKAGES[method][name] in str(caught.value) for name in missing)


GGUF = r"GGUF model, .*llama-server .* engine\.url .* engine\.api to 'llamacpp'"


def test_a_folder_of_gguf_files_is_refused_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "model-Q4_K_M.gguf").write_bytes(b"GGUF")

    with pytest.raises(ModelError, match=GGUF):
        ModelFolder.open(str(tmp_path))
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ModelError, match=GGUF):
        ModelFolder.open(str(tmp_path))


def test_a_gguf_file_and_a_gguf_repository_are_refused_with_the_way_out(tmp_path: Path) -> None:
    file = tmp_path / "model.gguf"
    file.write_bytes(b"GGUF")

    with pytest.raises(ModelError, match=GGUF):
        find_model(str(file))
    with pytest.raises(ModelError, match=GGUF):
        find_model("Qwen/Qwen2.5-Coder-7B-GGUF")


def test_a_gguf_file_beside_whole_weights_does_no_harm(folder: Path) -> None:
    (folder / "model-Q5_K_M.gguf").write_bytes(b"GGUF")

    assert ModelFolder.open(str(folder)).path == folder
