"""Whole runs of training.tune and training.pretrain with a tiny model, on the CPU."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from training import loop, pretrain, tune
from training.run_folder import RunFolder
from training.samples.sample import Sample, SampleFolder
from training.weights import read_weights
from training_samples import counting_sample, model_folder, random_sample

ROOT = Path(__file__).parents[2]
QUICK = [
    "--random",
    "--device",
    "cpu",
    "--eager",
    "--log-steps",
    "1",
    "--step-tokens",
    "200",
    "--pass-tokens",
    "96",
]


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return model_folder(tmp_path / "start")


def write(folder: Path, seed: int, num: int = 40) -> Path:
    generator = np.random.default_rng(seed)
    SampleFolder.write(
        folder, [counting_sample(generator, int(generator.integers(10, 40))) for _ in range(num)], {}
    )
    return folder


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write(tmp_path / "data", 0)


def rows(file: Path) -> list[dict[str, str]]:
    with file.open(newline="") as stream:
        return list(csv.DictReader(stream, delimiter="\t"))


def arguments(run: Path, model: Path, data: Path, *more: str) -> list[str]:
    return ["--run", str(run), "--model", str(model), "--data", str(data), *QUICK, *more]


def test_what_can_be_learnt_is_learnt(tmp_path: Path, model: Path, data: Path) -> None:
    run, check = tmp_path / "run", write(tmp_path / "check", 1, 8)
    more = ["--steps", "60", "--muon", "0.02", "--adamw", "0.01", "--validate", str(check)]
    assert tune.main(arguments(run, model, data, *more)) == 0
    found = [row for row in rows(run / "validation.tsv") if row["group"] == "middle"]
    assert [row["step"] for row in found] == ["0", "60"]
    assert float(found[0]["loss"]) > 4
    assert float(found[-1]["loss"]) < 1
    assert float(found[-1]["accuracy"]) > 0.8
    table = rows(run / "loss.tsv")
    assert [int(row["step"]) for row in table] == list(range(1, 61))
    assert float(table[0]["rate"]) == pytest.approx(0.1)
    assert float(table[-1]["rate"]) == pytest.approx(1 / 60, rel=1e-4)
    assert table[0]["loss_told"] == "nan"
    assert "<svg" in (run / "loss.svg").read_text()


def test_the_model_of_a_run_is_a_model_folder(tmp_path: Path, model: Path, data: Path) -> None:
    run = tmp_path / "run"
    assert pretrain.main(arguments(run, model, data, "--steps", "2")) == 0
    assert RunFolder(run).load_checkpoint()["weights"].keys() == read_weights(run / "model").keys()
    again = tmp_path / "again"
    quick = [word for word in QUICK if word != "--random"]
    begin = ["--run", str(again), "--model", str(run / "model"), "--data", str(data), *quick]
    assert tune.main([*begin, "--steps", "1"]) == 0


@pytest.mark.parametrize("more", [[], ["--average", "0.9"]])
def test_a_resumed_run_ends_with_the_very_weights_of_one_that_was_not_stopped(
    more: list[str], tmp_path: Path, model: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = write(tmp_path / "other", 5)
    more = [*more, "--data", f"{other}:0.5", "--later", "0.5", str(other), "--steps", "9"]
    whole, halved = tmp_path / "whole", tmp_path / "halved"
    assert tune.main(arguments(whole, model, data, *more)) == 0

    step = loop.Loop._step

    def step_and_stop(self: loop.Loop, done: float) -> None:
        step(self, done)
        if self._steps == 3:
            os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(loop.Loop, "_step", step_and_stop)
    before = signal.getsignal(signal.SIGTERM)
    assert tune.main(arguments(halved, model, data, *more)) == 130
    assert signal.getsignal(signal.SIGTERM) is before
    assert [int(row["step"]) for row in rows(halved / "loss.tsv")] == [1, 2, 3]
    assert not (halved / "model" / "model.safetensors").exists()
    monkeypatch.undo()
    assert tune.main(["--resume", str(halved)]) == 0
    for name in ["model", "averaged"][: 1 + ("--average" in more)]:
        expected, found = read_weights(whole / name), read_weights(halved / name)
        assert all(torch.equal(found[key], expected[key]) for key in expected)
    figures = [(row["step"], row["tokens"], row["loss"]) for row in rows(whole / "loss.tsv")]
    assert [(row["step"], row["tokens"], row["loss"]) for row in rows(halved / "loss.tsv")] == figures


def test_a_stopped_run_says_how_to_go_on(
    tmp_path: Path,
    model: Path,
    data: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    step = loop.Loop._step
    monkeypatch.setattr(
        loop.Loop, "_step", lambda self, done: (step(self, done), os.kill(os.getpid(), signal.SIGINT))
    )
    assert tune.main(arguments(tmp_path / "run", model, data, "--minutes", "5")) == 130
    assert f"training.tune --resume {tmp_path / 'run'}" in capsys.readouterr().out


def test_memory_that_does_not_suffice_halves_the_passes_and_learns_the_same(
    tmp_path: Path,
    model: Path,
    data: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    smaller, halved = tmp_path / "smaller", tmp_path / "halved"
    more = ["--steps", "2", "--pass-tokens"]
    assert tune.main(arguments(smaller, model, data, *more, "100")) == 0
    pack = loop.pack_samples

    def limited(samples: list[Sample], *args: object, **kwargs: object) -> object:
        if sum(len(sample.ids) for sample in samples) > 100:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return pack(samples, *args, **kwargs)

    monkeypatch.setattr(loop, "pack_samples", limited)
    assert tune.main(arguments(halved, model, data, *more, "200")) == 0
    assert "--pass-tokens 100" in capsys.readouterr().out
    expected, found = read_weights(smaller / "model"), read_weights(halved / "model")
    assert all(torch.equal(found[key], expected[key]) for key in expected)
    assert rows(halved / "loss.tsv")[0]["loss"] == rows(smaller / "loss.tsv")[0]["loss"]


def test_memory_that_never_suffices_ends_in_one_sentence(
    tmp_path: Path,
    model: Path,
    data: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def out_of_memory(*_args: object, **_kwargs: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory.")

    monkeypatch.setattr(loop, "pack_samples", out_of_memory)
    assert tune.main(arguments(tmp_path / "run", model, data, "--steps", "2")) == 1
    message = capsys.readouterr().err.strip()
    assert "--pass-tokens" in message
    assert "\n" not in message


def test_weights_that_went_astray_are_not_kept(
    tmp_path: Path,
    model: Path,
    data: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    step = loop.Loop._step

    def step_astray(self: loop.Loop, done: float) -> None:
        if self._steps == 3:
            self._network.weights["model.norm.weight"].data.fill_(float("nan"))
        step(self, done)

    monkeypatch.setattr(loop.Loop, "_step", step_astray)
    words = arguments(tmp_path / "run", model, data, "--steps", "5", "--save-minutes", "0")
    words[words.index("--log-steps") + 1] = "50"
    assert tune.main(words) == 1
    assert "lower rates" in capsys.readouterr().err
    kept = RunFolder(tmp_path / "run").load_checkpoint()
    assert kept["steps"] == 3
    assert all(weight.isfinite().all() for weight in kept["weights"].values())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda words, _: [*words, "--data", "nowhere"], "training.samples"),
        (lambda words, data: [*words, "--data", f"{data}:0"], "above zero"),
        (lambda words, data: ["--resume", str(data)], "no run"),
        (lambda words, _: [word for word in words if word != "--random"], "weights"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    change, message: str, tmp_path: Path, model: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = arguments(tmp_path / "run", model, data, "--steps", "1")
    assert tune.main(change(words, data)) == 1
    said = capsys.readouterr().err.strip()
    assert message in said
    assert "\n" not in said


def test_a_run_is_not_written_over(
    tmp_path: Path, model: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = arguments(tmp_path / "run", model, data, "--steps", "1")
    assert tune.main(words) == 0
    assert tune.main(words) == 1
    assert "--resume" in capsys.readouterr().err


def test_compiled_blocks_learn_what_eager_ones_do(tmp_path: Path, model: Path) -> None:
    """In bfloat16 they round at other places: near, not equal. In processes of their own, as the compiler
    imports distutils, and fails where other tests imported setuptools before.
    """
    generator = np.random.default_rng(0)
    data = tmp_path / "data"
    SampleFolder.write(data, [random_sample(generator, 30, 9, 14) for _ in range(6)], {})
    losses = []
    for name in ("eager", "compiled"):
        words = arguments(tmp_path / name, model, data, "--steps", "2")
        if name == "compiled":
            words.remove("--eager")
        command = [sys.executable, "-m", "training.tune", *words]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        losses.append([float(row["loss"]) for row in rows(tmp_path / name / "loss.tsv")])
    assert losses[1] == pytest.approx(losses[0], rel=0.01)
