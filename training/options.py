"""What can be asked of a training run on the command line, and the run that comes of it.

pretrain and tune differ in where weights come from and in what is usual; both are here.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from engine.errors import ModelError
from engine.model_folder import read_json
from training import loop
from training.batches import Batches, Source
from training.loop import Loop, Pace, Phase
from training.machine import can_compile, choose_device
from training.network import Network, Shape
from training.optimisers import Optimisers, Rates
from training.run_folder import RunFolder
from training.samples.sample import Role, SampleFolder
from training.schedule import UNITS, Schedule
from training.weights import read_weights

REFUSED = 1
INTERRUPTED = 130


@dataclass(frozen=True, slots=True)
class Usual:
    """What a run does unless told otherwise."""

    muon: float
    adamw: float
    weight_decay: float
    warm_steps: int
    decay: float
    step_tokens: int
    pass_tokens: int
    roles: dict[Role, float]


def run(name: str, description: str, usual: Usual, argv: list[str] | None = None) -> int:
    """Read the command line of training.NAME and train; the exit status."""
    parser = _parser(name, description, usual)
    settings = parser.parse_args(argv)
    if not settings.resume and not (settings.run and settings.data and settings.model):
        parser.error("--run, --model and --data are needed, or --resume.")
    try:
        folder = RunFolder(settings.resume or settings.run)
        if settings.resume:
            settings = parser.parse_args(folder.settings()["argv"])
        elif folder.has_begun:
            raise ValueError(
                f"{folder.path} holds a run: go on with --resume {folder.path}, or name another."
            )
        training = _loop(settings, folder)
        if not folder.has_begun:
            folder.begin(_told(settings, sys.argv[1:] if argv is None else argv), settings.model)
        if training.run():
            print(f"The model is in {folder.model}.")
            return 0
    except (ValueError, ModelError, MemoryError, ArithmeticError, OSError) as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return REFUSED
    except torch.OutOfMemoryError:
        print(f"{parser.prog}: {loop.no_memory(settings.pass_tokens)}", file=sys.stderr)
        return REFUSED
    print(f"Stopped. To go on: python -m {parser.prog} --resume {folder.path}")
    return INTERRUPTED


def _loop(settings: argparse.Namespace, folder: RunFolder) -> Loop:
    device = choose_device(settings.device)
    network = _network(settings, device)
    optimisers = Optimisers(
        network.weights, Rates(settings.muon, settings.adamw, settings.weight_decay, settings.clip)
    )
    unit = next((unit for unit in UNITS if getattr(settings, unit)), None)
    if unit is None:
        raise ValueError("Say when the run ends: --minutes, --tokens or --steps.")
    training = Loop(
        network,
        optimisers,
        _phases(settings),
        Schedule(getattr(settings, unit), unit, settings.warm_steps, settings.decay, settings.form),
        folder,
        role_weights={role: getattr(settings, role.name.lower()) for role in _LEARNT},
        pace=Pace(
            settings.step_tokens,
            settings.pass_tokens,
            settings.log_steps,
            settings.save_minutes,
            settings.validate_minutes,
            settings.validate_samples,
        ),
        validation={f"{path.parent.name}/{path.name}": SampleFolder(path) for path in settings.validate},
        average=settings.average,
        device=device,
    )
    if state := folder.load_checkpoint():
        training.restore(state)
    return training


def _network(settings: argparse.Namespace, device: torch.device) -> Network:
    shape = Shape.read(read_json(settings.model / "config.json"))
    weights = shape.random_weights(settings.seed) if settings.random else read_weights(settings.model)
    compiled = can_compile(device) and not settings.eager
    return Network(shape, weights, device, compiled=compiled, recompute=settings.recompute)


def _phases(settings: argparse.Namespace) -> list[Phase]:
    sources = [(0.0, Source.parse(text)) for text in settings.data]
    sources += [(float(start), Source.parse(text)) for start, text in settings.later]
    starts = sorted({start for start, _ in sources})
    return [
        Phase(start, Batches([source for begin, source in sources if begin == start], settings.seed))
        for start in starts
    ]


def _told(settings: argparse.Namespace, argv: list[str]) -> dict[str, Any]:
    """As JSON can hold it; `argv` is what a resumed run reads."""
    told = {name: value for name, value in vars(settings).items() if value is not None}
    return {"argv": argv, **json.loads(json.dumps(told, default=str))}


_LEARNT = [role for role in Role if role is not Role.GIVEN]


def _parser(name: str, description: str, usual: Usual) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=f"training.{name}",
        description=description,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = parser.add_argument
    add("--run", type=Path, metavar="DIR", help="a new folder for the checkpoint, the curves and the model")
    add("--resume", type=Path, metavar="DIR", help="go on with the run in this folder, as it was started")
    add("--model", type=Path, metavar="DIR", help="a model folder: its shape, its tokenizer, its weights")
    add("--random", action="store_true", help="begin with random weights, not with the model's")
    add(
        "--data",
        action="append",
        default=[],
        metavar="DIR[:SHARE]",
        help="samples to learn from (repeatable)",
    )
    add(
        "--later",
        nargs=2,
        action="append",
        default=[],
        metavar=("FROM", "DIR[:SHARE]"),
        help="samples that take the place of --data from this part of the run on, as in 0.6 DIR (repeatable)",
    )
    add("--validate", type=Path, action="append", default=[], metavar="DIR", help="samples to check with")
    add("--validate-minutes", type=float, default=10.0, help="between checks")
    add("--validate-samples", type=int, default=0, help="of each folder; 0 for all")
    end = parser.add_mutually_exclusive_group()
    for unit in UNITS:
        end.add_argument(f"--{unit}", type=float, help=f"the run's {unit}")
    add("--muon", type=float, default=usual.muon, help="learning rate of the layers' matrices")
    add("--adamw", type=float, default=usual.adamw, help="learning rate of the embedding and the norms")
    add("--weight-decay", type=float, default=usual.weight_decay, help="of the layers' matrices")
    add("--clip", type=float, default=1.0, help="longest gradient")
    add("--warm-steps", type=int, default=usual.warm_steps, help="in which the rates rise")
    add(
        "--decay",
        type=float,
        default=usual.decay,
        help="the last part of the run, in which they fall to zero",
    )
    add("--form", choices=("linear", "cosine"), default="linear", help="how they fall")
    add("--average", type=float, default=0.0, help="keep a running mean of the weights as well, as in 0.98")
    add(
        "--step-tokens", type=int, default=usual.step_tokens, help="tokens between two changes of the weights"
    )
    add("--pass-tokens", type=int, default=usual.pass_tokens, help="tokens that are in memory at once")
    add("--recompute", action="store_true", help="less memory, a third slower")
    for role in _LEARNT:
        name = role.name.lower()
        add(f"--{name}", type=float, default=usual.roles.get(role, 0.0), help=f"loss weight of {name} tokens")
    add("--save-minutes", type=float, default=5.0, help="between checkpoints")
    add("--log-steps", type=int, default=5, help="between rows of loss.tsv")
    add("--seed", type=int, default=0, help="of the order of samples and of random weights")
    add("--device", default="auto", help="cpu, cuda, or what is there")
    add("--eager", action="store_true", help="compile nothing")
    return parser
