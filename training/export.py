"""Make the package's model of a trained one: int8 rows, bfloat16 vectors, and what goes beside them.

    python -m training.export RUN OUT [--blend OTHER:SHARE] [--validate SAMPLES] [--report FILE]

RUN is a run's folder (its checkpoint serves if it was stopped), a checkpoint or a model folder. OUT is
changed only when all is known to be well.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from torch import Tensor

from engine.errors import ModelError
from engine.model_folder import read_json
from training.batches import Source
from training.machine import choose_device
from training.network import Network, Shape
from training.run_folder import CHECKPOINT, copy_model_files
from training.samples.sample import SampleFolder
from training.validation import Score, evaluate, first
from training.weights import INT8_ROWS, pack_rows, read_weights, unpack_rows, write_weights

MAX_BYTES = 48_000_000
"""Of the whole folder: it travels inside the package."""

_PASS_TOKENS = 6_144


def main(argv: list[str] | None = None) -> int:
    """The command; its exit status."""
    settings = _parser().parse_args(argv)
    try:
        report = export(settings.source, settings.out, settings.blend, settings.validate, settings.samples)
    except (ValueError, ModelError, OSError) as error:
        print(f"training.export: {error}", file=sys.stderr)
        return 1
    text = json.dumps({"figures": report}, indent=1)
    print(text)
    if settings.report:
        settings.report.write_text(text + "\n", encoding="utf-8")
    return 0


def export(
    source: Path, out: Path, blend: list[str], validate: list[Path], num_samples: int = 0
) -> dict[str, Any]:
    """Write the model and say what its rounding costs; raises ValueError, also for a folder too large."""
    weights = blended(read_trained(source), [Source.parse(other) for other in blend])
    files = files_beside(source)
    shape = Shape.read(read_json(files / "config.json"))
    if {name: tuple(weight.shape) for name, weight in weights.items()} != shape.sizes():
        raise ValueError(f"{source}: the weights are not those that {files / 'config.json'} describes.")
    packed = pack_rows(weights)
    report: dict[str, Any] = {"largest_relative_error": largest_error(weights, unpack_rows(packed))}
    forms = {"bf16": weights, "int8": unpack_rows(packed)}
    for folder in validate:
        for form, tensors in forms.items():
            for group, score in _scores(shape, tensors, SampleFolder(folder), num_samples).items():
                for figure in ("loss", "accuracy", "exact"):
                    report[f"{folder.name}_{group}_{figure}_{form}"] = getattr(score, figure)
    report["bytes"] = _write(files, packed, out)
    return report


def _scores(shape: Shape, weights: Mapping[str, Tensor], samples: SampleFolder, num: int) -> dict[str, Score]:
    device = choose_device("auto")
    network = Network(shape, weights, device, compiled=False)
    is_cuda = device.type == "cuda"
    return evaluate(network, first(samples, num), device, pass_tokens=_PASS_TOKENS, pad=is_cuda)


def read_trained(source: Path) -> dict[str, Tensor]:
    """The weights of a run, a checkpoint or a model folder; raises ValueError."""
    for folder in (source / "model", source):
        if any(folder.glob("*.safetensors")):
            return read_weights(folder)
    file = source / CHECKPOINT if source.is_dir() else source
    if not file.is_file():
        raise ValueError(f"{source} is neither a run, nor a checkpoint, nor a model folder.")
    weights: dict[str, Tensor] = torch.load(file, map_location="cpu", weights_only=True)["weights"]
    return weights


def files_beside(source: Path) -> Path:
    """The folder of the configuration and the tokenizer that belong to a trained model; raises ValueError."""
    folders = [source / "model", source] if source.is_dir() else [source.parent / "model", source.parent]
    for folder in folders:
        if (folder / "config.json").is_file():
            return folder
    raise ValueError(f"{source}: no config.json is beside the weights.")


def blended(weights: dict[str, Tensor], others: list[Source]) -> dict[str, Tensor]:
    """The mean of models of one shape: each other one has its share, these weights have what is left."""
    left = 1.0 - sum(other.share for other in others)
    if left < 0:
        raise ValueError("The shares of --blend are more than 1 together.")
    mean = {name: weight * left for name, weight in weights.items()}
    for other in others:
        for name, weight in read_trained(other.folder).items():
            if name not in mean or mean[name].shape != weight.shape:
                raise ValueError(f"{other.folder} is of another shape and cannot be blended in.")
            mean[name] += weight * other.share
    return mean


def largest_error(weights: Mapping[str, Tensor], rounded: Mapping[str, Tensor]) -> float:
    """Of all matrices: how far the rounded one is from the true one, against its size."""
    return max(
        float((rounded[name] - weight).norm() / weight.norm())
        for name, weight in weights.items()
        if weight.ndim == 2
    )


def _write(files: Path, packed: Mapping[str, Tensor], out: Path) -> int:
    """All or nothing; how many bytes it is."""
    out.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=out.parent, prefix=f".{out.name}-") as partly:
        made = Path(partly)
        copy_model_files(files, made)
        settings = read_json(made / "ghostfill.json", {}) | {"weights": INT8_ROWS}
        (made / "ghostfill.json").write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")
        write_weights(made / "model.safetensors", packed, INT8_ROWS)
        size = sum(file.stat().st_size for file in made.iterdir())
        if size > MAX_BYTES:
            raise ValueError(f"The model is {size / 1e6:.1f} MB; the package holds {MAX_BYTES / 1e6:.0f} MB.")
        out.mkdir(exist_ok=True)
        for file in made.iterdir():
            file.replace(out / file.name)
    return size


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="training.export", description="Make the package's model of a run.")
    add = parser.add_argument
    add("source", type=Path, metavar="RUN", help="a run's folder, a checkpoint or a model folder")
    add("out", type=Path, metavar="OUT", help="the folder to write, as engine/builtin")
    add("--blend", action="append", default=[], metavar="OTHER:SHARE", help="mix another model's weights in")
    add(
        "--validate",
        type=Path,
        action="append",
        default=[],
        metavar="DIR",
        help="compare bf16 with int8 on these",
    )
    add("--samples", type=int, default=0, help="of each of them; 0 for all")
    add("--report", type=Path, metavar="FILE", help="the figures, as JSON")
    return parser


if __name__ == "__main__":
    sys.exit(main())
