"""training.export: what is written is what the engine loads, within the bound of int8 rows."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from engine.model_folder import ModelFolder
from engine.runtime.weights import load_weights
from training import export
from training.network import Shape
from training.samples.sample import SampleFolder
from training.weights import pack_rows, read_weights, unpack_rows, write_weights
from training_samples import CONFIG, counting_sample, model_folder

BUILTIN = Path(__file__).parents[2] / "engine" / "builtin"


def trained(folder: Path, seed: int = 1) -> Path:
    model_folder(folder)
    write_weights(folder / "model.safetensors", Shape.read(CONFIG).random_weights(seed), "float32")
    settings = {"fim": "builtin", "order": "spm"}
    (folder / "ghostfill.json").write_text(json.dumps(settings))
    return folder


def test_the_engine_loads_what_was_exported_and_no_weight_is_off_by_more_than_half_a_step(
    tmp_path: Path,
) -> None:
    run, out = tmp_path / "run", tmp_path / "out"
    trained(run / "model")
    assert export.main([str(run), str(out)]) == 0
    true = read_weights(run / "model")
    loaded = load_weights(ModelFolder.open(str(out)), torch.float32, lambda _: None).state_dict()
    for name, weight in true.items():
        if weight.ndim == 2:
            half_a_step = weight.abs().amax(1, keepdim=True) / 127 / 2
            assert ((loaded[name] - weight).abs() <= half_a_step * 1.001).all()
        else:
            torch.testing.assert_close(loaded[name], weight.bfloat16().float())
    assert json.loads((out / "ghostfill.json").read_text()) == {
        "fim": "builtin",
        "order": "spm",
        "weights": "int8-rows",
    }
    assert sorted(file.name for file in tmp_path.iterdir()) == ["out", "run"]


def test_rows_come_back_as_they_were_packed() -> None:
    weights = {"m": torch.tensor([[127.0, -63.0], [0.0, 0.0], [-0.5, 0.25]]), "v": torch.tensor([1.5, 2.0])}
    packed = pack_rows(weights)
    assert packed["m"].dtype == torch.int8
    assert packed["v"].dtype == torch.bfloat16
    found = unpack_rows(packed)
    assert found.keys() == weights.keys()
    torch.testing.assert_close(found["m"][:2], weights["m"][:2])
    torch.testing.assert_close(found["m"][2], weights["m"][2], atol=0.5 / 254, rtol=0)


def test_the_built_in_weights_export_to_themselves(tmp_path: Path) -> None:
    """Their int8 values come out as they went in; the package's folder stays below its bound."""
    report = export.export(BUILTIN, tmp_path / "out", [], [])
    assert report["bytes"] < export.MAX_BYTES
    assert report["largest_relative_error"] < 1e-6
    found, expected = read_weights(tmp_path / "out"), read_weights(BUILTIN)
    for name in expected:
        torch.testing.assert_close(found[name], expected[name])


def test_a_model_too_large_is_refused_and_nothing_is_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    trained(tmp_path / "model")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "model.safetensors").write_bytes(b"before")
    monkeypatch.setattr(export, "MAX_BYTES", 20_000)
    assert export.main([str(tmp_path / "model"), str(tmp_path / "out")]) == 1
    assert "MB" in capsys.readouterr().err
    assert [file.read_bytes() for file in (tmp_path / "out").iterdir()] == [b"before"]
    assert sorted(file.name for file in tmp_path.iterdir()) == ["model", "out"]


def test_a_stopped_run_is_exported_from_its_checkpoint(tmp_path: Path) -> None:
    run = tmp_path / "run"
    weights = read_weights(trained(run / "model"))
    (run / "model" / "model.safetensors").unlink()
    torch.save({"weights": weights}, run / "checkpoint.pt")
    for source in (run, run / "checkpoint.pt"):
        out = tmp_path / "out"
        assert export.main([str(source), str(out)]) == 0
        found = read_weights(out)
        torch.testing.assert_close(found["model.norm.weight"], weights["model.norm.weight"])
        shutil.rmtree(out)


def test_a_blend_is_the_weighted_mean(tmp_path: Path) -> None:
    one, other = trained(tmp_path / "one", 1), trained(tmp_path / "other", 2)
    weights, others = read_weights(one), read_weights(other)
    mean = export.blended(dict(weights), [export.Source.parse(f"{other}:0.25")])
    for name in weights:
        torch.testing.assert_close(mean[name], 0.75 * weights[name] + 0.25 * others[name])
    assert export.main([str(one), str(tmp_path / "out"), "--blend", f"{other}:0.25"]) == 0


def test_the_report_compares_both_forms(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    SampleFolder.write(tmp_path / "check", [counting_sample(generator, 30) for _ in range(5)], {})
    model = trained(tmp_path / "model")
    words = [str(model), str(tmp_path / "out"), "--validate", str(tmp_path / "check")]
    assert export.main([*words, "--report", str(tmp_path / "report.json")]) == 0
    figures = json.loads((tmp_path / "report.json").read_text())["figures"]
    assert figures["check_middle_loss_int8"] == pytest.approx(figures["check_middle_loss_bf16"], rel=0.02)
    assert 0 <= figures["check_middle_exact_int8"] <= figures["check_middle_accuracy_int8"] <= 1
    assert 0 < figures["largest_relative_error"] < 0.02


@pytest.mark.parametrize("what", ["nothing", "no config", "other shape", "too much blended"])
def test_what_is_no_model_is_refused_in_one_sentence(
    what: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model, words = trained(tmp_path / "model"), []
    if what == "nothing":
        model = tmp_path / "nothing"
    elif what == "no config":
        (model / "config.json").unlink()
    elif what == "other shape":
        (model / "config.json").write_text(json.dumps(CONFIG | {"num_hidden_layers": 2}))
    else:
        words = ["--blend", f"{model}:0.7", "--blend", f"{model}:0.7"]
    assert export.main([str(model), str(tmp_path / "out"), *words]) == 1
    assert len(capsys.readouterr().err.strip().splitlines()) == 1
    assert not (tmp_path / "out").exists()
