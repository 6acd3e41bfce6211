"""What a run leaves on disk: its settings, a checkpoint to go on from, its losses, and the model at the end.

Every file is written whole or not at all. Knows no network and no optimiser, only what they hand over.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from training.loss_plot import draw_losses
from training.weights import write_weights

CHECKPOINT = "checkpoint.pt"
_MODEL_FILES = (
    "config.json",
    "generation_config.json",
    "ghostfill.json",
    "tokenizer.json",
    "tokenizer_config.json",
)


class RunFolder:
    """One run's."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def model(self) -> Path:
        """The folder of the trained model."""
        return self.path / "model"

    @property
    def has_begun(self) -> bool:
        """Whether a run is here."""
        return (self.path / "settings.json").exists()

    def begin(self, settings: Mapping[str, Any], model: Path) -> None:
        """A new run that starts from the model folder `model`."""
        copy_model_files(model, self.model)
        _write(self.path / "settings.json", json.dumps(settings, indent=1) + "\n")

    def settings(self) -> dict[str, Any]:
        """Of the run that is here; raises ValueError."""
        try:
            settings: dict[str, Any] = json.loads((self.path / "settings.json").read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ValueError(f"{self.path} holds no run ({error}): start one with --run.") from None
        return settings

    def save_checkpoint(self, state: Mapping[str, Any]) -> None:
        """Instead of the one before, which stays if this one cannot be written: raises OSError."""
        partly = self.path / f".{CHECKPOINT}.partly"
        try:
            torch.save(dict(state), partly)
            partly.replace(self.path / CHECKPOINT)
        except (OSError, RuntimeError) as error:  # torch says RuntimeError when the disk is full
            partly.unlink(missing_ok=True)
            raise OSError(
                f"{self.path / CHECKPOINT} was not written, the last one is kept: {error}"
            ) from error

    def load_checkpoint(self) -> dict[str, Any] | None:
        """None if the run was ended before the first."""
        if not (self.path / CHECKPOINT).exists():
            return None
        state: dict[str, Any] = torch.load(self.path / CHECKPOINT, map_location="cpu", weights_only=True)
        return state

    def save_model(self, weights: Mapping[str, Tensor], name: str = "model") -> Path:
        """Weights in float32, beside the files that the model needs; the folder."""
        copy_model_files(self.model, self.path / name)
        settings = json.loads((self.path / name / "ghostfill.json").read_text(encoding="utf-8"))
        settings.pop("weights", None)
        _write(self.path / name / "ghostfill.json", json.dumps(settings, indent=2) + "\n")
        write_weights(self.path / name / "model.safetensors", weights, "float32")
        return self.path / name

    def add_row(self, table: str, row: Mapping[str, Any], *, steps: int) -> None:
        """To TABLE.tsv; `steps` is its first column."""
        file = self.path / f"{table}.tsv"
        if not file.exists():
            file.write_text("\t".join(["step", *row]) + "\n", encoding="utf-8")
        with file.open("a", encoding="utf-8") as stream:
            values = [f"{value:.6g}" if isinstance(value, float) else str(value) for value in row.values()]
            stream.write("\t".join([str(steps), *values]) + "\n")

    def cut_tables(self, steps: int) -> None:
        """Forget rows after the checkpoint that is gone back to."""
        for table in ("loss", "validation"):
            file = self.path / f"{table}.tsv"
            if file.exists():
                head, *rows = file.read_text(encoding="utf-8").splitlines(keepends=True)
                _write(file, "".join([head, *(row for row in rows if int(row.split("\t", 1)[0]) <= steps)]))

    def draw(self) -> None:
        """The curves, if matplotlib is installed."""
        draw_losses(self.path / "loss.tsv", self.path / "validation.tsv", self.path / "loss.svg")


def copy_model_files(source: Path, target: Path) -> None:
    """All that a model folder needs but its weights."""
    target.mkdir(parents=True, exist_ok=True)
    for name in _MODEL_FILES:
        if (source / name).exists() and source.resolve() != target.resolve():
            shutil.copyfile(source / name, target / name)


def _write(file: Path, text: str) -> None:
    partly = file.with_name(f".{file.name}.partly")
    partly.write_text(text, encoding="utf-8")
    partly.replace(file)
