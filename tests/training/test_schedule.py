"""training.schedule, training.run_folder: rates end at zero, a checkpoint is whole or the last one stays."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from training import run_folder
from training.run_folder import RunFolder
from training.schedule import Schedule


@pytest.mark.parametrize("form", ["linear", "cosine"])
@pytest.mark.parametrize("decay", [1.0, 0.4])
def test_rates_rise_stay_and_fall_to_zero(form: str, decay: float) -> None:
    schedule = Schedule(200, "steps", warm_steps=10, decay=decay, form=form)
    scales = [schedule.scale(schedule.done(step, 0, 0.0), step) for step in range(201)]
    assert scales[0] == pytest.approx(0.1, abs=0.001)
    assert scales[-1] == 0.0
    assert max(scales) == pytest.approx(1.0, abs=0.06)
    assert all(
        one > other
        for one, other in zip(
            scales[201 - int(200 * decay) + 10 :], scales[202 - int(200 * decay) + 10 :], strict=False
        )
    )
    if decay < 1:
        assert scales[10:120] == [1.0] * 110


@pytest.mark.parametrize(
    ("unit", "so_far"), [("steps", (5, 1, 1.0)), ("tokens", (1, 5, 1.0)), ("minutes", (1, 1, 300.0))]
)
def test_the_end_is_counted_in_its_unit(unit: str, so_far: tuple[int, int, float]) -> None:
    assert Schedule(10, unit).done(*so_far) == 0.5
    assert Schedule(2, unit).done(*so_far) == 1.0


def test_a_checkpoint_that_cannot_be_written_leaves_the_last_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = RunFolder(tmp_path)
    assert folder.load_checkpoint() is None
    folder.save_checkpoint({"steps": 1, "weights": {"a": torch.ones(3)}})

    def half(_state: object, file: Path) -> None:
        file.write_bytes(b"half")
        raise RuntimeError("PytorchStreamWriter failed writing file: No space left on device")

    monkeypatch.setattr(run_folder.torch, "save", half)
    with pytest.raises(OSError, match="last one is kept"):
        folder.save_checkpoint({"steps": 2})
    monkeypatch.undo()
    assert folder.load_checkpoint()["steps"] == 1
    assert [file.name for file in tmp_path.iterdir()] == ["checkpoint.pt"]


def test_rows_after_the_checkpoint_are_forgotten(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    for step in range(1, 6):
        folder.add_row("loss", {"tokens": step * 10, "loss": 0.5 / step}, steps=step)
    folder.cut_tables(3)
    lines = (tmp_path / "loss.tsv").read_text().splitlines()
    assert lines[0] == "step\ttokens\tloss"
    assert [line.split("\t")[0] for line in lines[1:]] == ["1", "2", "3"]
