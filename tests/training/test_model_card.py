"""training.model_card: its numbers are those of the files it is made of."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from training import model_card, tune
from training.samples.sample import SampleFolder
from training_samples import counting_sample, model_folder

BUILTIN = Path(__file__).parents[2] / "engine" / "builtin"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return Path(shutil.copytree(BUILTIN, tmp_path / "model"))


def test_the_card_tells_what_its_files_tell(tmp_path: Path, model: Path) -> None:
    data, run = tmp_path / "tiny-samples", tmp_path / "first-run"
    SampleFolder.write(data, [counting_sample(np.random.default_rng(0), 20)], {})
    start = model_folder(tmp_path / "start")
    words = ["--model", str(start), "--random", "--data", str(data), "--later", "0.5", str(data), "--eager"]
    assert (
        tune.main(["--run", str(run), *words, "--steps", "2", "--log-steps", "1", "--step-tokens", "20"]) == 0
    )
    figures = {
        "n": 204,
        "em_none": 0.25,
        "em_none_before": 0.2,
        "em_none_interval": [0.1, 0.3],
        "verdict": "won",
    }
    (tmp_path / "figures.json").write_text(json.dumps({"figures": figures}))
    exported = {"largest_relative_error": 0.0125, "val_middle_loss_bf16": 1.5, "val_middle_loss_int8": 1.5003}
    (tmp_path / "export.json").write_text(json.dumps({"figures": exported}))
    (tmp_path / "notes.md").write_text("A blend with v1 lost.\n")
    files = ["--figures", str(tmp_path / "figures.json"), "--export", str(tmp_path / "export.json")]
    assert (
        model_card.main([str(model), *files, "--run", str(run), "--notes", str(tmp_path / "notes.md")]) == 0
    )
    card = (model / "MODEL_CARD.md").read_text()
    for line in (
        "| n |  | 204 |",
        "| em_none | 0.2000 | 0.2500 |",
        "| val middle loss | 1.5000 | 1.5003 |",
        "| largest relative error of a matrix |  | 0.0125 |",
        "- first-run: from random weights on tiny-samples, tiny-samples from 0.5 on; 2 steps, 0.0 million",
        "A blend with v1 lost.",
        "A 42.2M-parameter decoder",
        "12 layers, hidden 512, feed-forward 1,408, 8 heads, 2 KV heads",
        "| KV cache | 6 KiB",
        r"`<\|EOT\|>` 5",
    ):
        assert line in card
    assert "$" not in card
    assert "interval" not in card
    with (model_card.HERE / "sources.tsv").open(newline="") as stream:
        languages = [row["language"] for row in csv.DictReader(stream, delimiter="\t")]
    assert f"pins {len(languages)} packages" in card
    assert f"| python | {languages.count('python')} |" in card
    assert "requests" in card.split("Never trained on")[1]


def test_a_file_that_is_missing_is_one_sentence_and_the_card_stays(
    tmp_path: Path, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (model / "MODEL_CARD.md").read_text()
    assert model_card.main([str(model), "--figures", str(tmp_path / "nothing.json")]) == 1
    assert len(capsys.readouterr().err.strip().splitlines()) == 1
    assert (model / "MODEL_CARD.md").read_text() == before
