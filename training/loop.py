"""The loop of every training run: passes, a step, a row of figures, now and then a check and a checkpoint.

Knows neither where weights come from nor what becomes of them.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import torch

from training.batches import Batches, split_passes
from training.figures import Figures
from training.network import Network
from training.optimisers import Optimisers
from training.pack import RoleWeights, loss_weight, pack_samples
from training.run_folder import RunFolder
from training.samples.sample import Sample, SampleFolder
from training.schedule import Clock, Schedule
from training.validation import evaluate, first

_HALVINGS = 2
"""Of a pass, before memory that does not suffice ends the run."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How much at once, and how often."""

    step_tokens: int
    pass_tokens: int
    log_steps: int
    save_minutes: float
    validate_minutes: float
    validate_samples: int
    """Of each folder; 0 for all."""


@dataclass(slots=True)
class Phase:
    """From a part of the run on, these samples."""

    start: float
    batches: Batches


class Loop:
    """A run, from wherever it is to its end."""

    def __init__(
        self,
        network: Network,
        optimisers: Optimisers,
        phases: Sequence[Phase],
        schedule: Schedule,
        folder: RunFolder,
        *,
        role_weights: RoleWeights,
        pace: Pace,
        validation: Mapping[str, SampleFolder],
        average: float,
        device: torch.device,
    ) -> None:
        """`average` is how much of the running mean of weights a step leaves; 0 for none."""
        self._network, self._optimisers, self._phases = network, optimisers, phases
        self._schedule, self._folder, self._role_weights = schedule, folder, role_weights
        self._pace, self._validation, self._device = pace, validation, device
        self._average_share = average
        self._average = (
            {name: weight.detach().clone() for name, weight in network.weights.items()} if average else {}
        )
        self._pass_tokens, self._halvings = pace.pass_tokens, 0
        self._steps = self._tokens = 0
        self._clock = Clock()
        self._figures = Figures(device)
        self._asked_to_stop = False

    def run(self) -> bool:
        """Whether the end was reached; if not, the checkpoint is there to go on from."""
        with self._stoppable():
            if not self._steps:
                self._validate()
            checked = saved = self._clock.seconds()
            while (done := self._done()) < 1 and not self._asked_to_stop:
                self._step(done)
                if self._steps % self._pace.log_steps == 0:
                    self._log(done)
                now = self._clock.seconds()
                if now - checked > self._pace.validate_minutes * 60:
                    self._validate()
                    checked = self._clock.seconds()
                if now - saved > self._pace.save_minutes * 60:
                    self.save()
                    saved = self._clock.seconds()
            if self._figures.steps:
                self._log(done)
            self.save()
            if self._asked_to_stop:
                return False
            self._finish()
        return True

    def save(self) -> None:
        """The checkpoint; raises ArithmeticError, and keeps the last one, if learning went astray."""
        if not self._figures.are_finite():
            raise ArithmeticError(
                f"The gradient is no number at step {self._steps}. The last checkpoint is kept (--resume), "
                "but a new run with lower rates may be better."
            )
        self._folder.save_checkpoint(
            {
                "weights": {name: weight.detach() for name, weight in self._network.weights.items()},
                "average": self._average,
                "optimisers": self._optimisers.state(),
                "batches": [phase.batches.state() for phase in self._phases],
                "steps": self._steps,
                "tokens": self._tokens,
                "seconds": self._clock.seconds(),
                "pass_tokens": self._pass_tokens,
            }
        )
        self._folder.draw()

    @torch.no_grad()
    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on where `state` was saved."""
        for name, weight in self._network.weights.items():
            weight.copy_(state["weights"][name])
        for name, weight in self._average.items():
            weight.copy_(state["average"][name])
        self._optimisers.restore(state["optimisers"])
        for phase, positions in zip(self._phases, state["batches"], strict=True):
            phase.batches.restore(positions)
        self._steps, self._tokens = state["steps"], state["tokens"]
        self._clock = Clock(state["seconds"])
        self._figures = Figures(self._device, self._tokens, state["seconds"])
        self._pass_tokens = state["pass_tokens"]
        self._folder.cut_tables(self._steps)

    def _done(self) -> float:
        return self._schedule.done(self._steps, self._tokens, self._clock.seconds())

    def _step(self, done: float) -> None:
        phase = [phase for phase in self._phases if phase.start <= done][-1]
        samples = phase.batches.step(self._pace.step_tokens)
        self._learn(samples)
        scale = self._schedule.scale(done, self._steps)
        self._figures.end_step(self._optimisers.step(scale))
        self._steps += 1
        self._tokens += sum(len(sample.ids) for sample in samples)
        if self._average:
            self._move_average()

    def _learn(self, samples: Sequence[Sample]) -> None:
        """Gradients of the samples' mean loss; with smaller passes if memory does not suffice."""
        figures = self._figures.copy()
        while True:
            try:
                self._passes(samples, figures)
            except torch.OutOfMemoryError:
                self._optimisers.drop_gradients()
                figures = self._figures.copy()
            else:
                self._figures = figures
                return
            self._make_room(max(len(sample.ids) for sample in samples))

    def _passes(self, samples: Sequence[Sample], figures: Figures) -> None:
        on_cuda = self._device.type == "cuda"
        groups = split_passes(samples, self._pass_tokens)
        total = sum(loss_weight(sample, self._role_weights) for sample in samples)
        for group in groups:
            pad_to = self._pass_tokens if on_cuda else 0
            pack = pack_samples(group, self._role_weights, self._device, pad_to=pad_to)
            hidden = self._network.hidden(pack.ids, pack.positions, pack.attention, pack.at)
            losses = self._network.losses(hidden, pack.targets)
            ((losses * pack.weights).sum() / max(total, 1e-9)).backward()
            figures.add(pack.roles, losses.detach(), pack.weights)

    def _make_room(self, longest: int) -> None:
        """Halve the passes, or end the run with a sentence."""
        if self._device.type == "cuda":
            torch.cuda.empty_cache()
        if self._halvings == _HALVINGS or self._pass_tokens // 2 < longest:
            raise MemoryError(no_memory(self._pass_tokens))
        self._pass_tokens //= 2
        self._halvings += 1
        print(f"out of memory: going on with --pass-tokens {self._pass_tokens}", flush=True)

    @torch.no_grad()
    def _move_average(self) -> None:
        share = min(self._average_share, (1 + self._steps) / (10 + self._steps))
        weights = [weight.detach() for weight in self._network.weights.values()]
        torch._foreach_lerp_(list(self._average.values()), weights, 1 - share)

    def _log(self, done: float) -> None:
        seconds = self._clock.seconds()
        row = self._figures.row()
        speed = self._figures.speed(self._tokens, seconds)
        rate = self._schedule.scale(done, self._steps - 1)
        row = {"tokens": self._tokens, "seconds": seconds, **row, "rate": rate, "tokens_per_second": speed}
        self._folder.add_row("loss", row, steps=self._steps)
        rounds = max(phase.batches.rounds for phase in self._phases)
        print(
            f"{done:6.1%}  step {self._steps}  {seconds / 60:.1f} min  loss {row['loss']:.4f}  "
            f"middle {row['loss_middle']:.3f}  told {row['loss_told']:.3f}  rate {rate:.3f}  "
            f"gradient {row['gradient']:.2f}  {speed:.0f} tokens/s  {self._tokens / 1e6:.2f} M  "
            f"round {rounds:.2f}",
            flush=True,
        )
        self._figures = Figures(self._device, self._tokens, seconds)

    def _validate(self, name: str = "") -> None:
        for label, samples in self._validation.items():
            scores = evaluate(
                self._network,
                first(samples, self._pace.validate_samples),
                self._device,
                pass_tokens=self._pass_tokens,
                pad=self._device.type == "cuda",
            )
            for group, score in scores.items():
                row = {"tokens": self._tokens, "folder": label + name, "group": group, **asdict(score)}
                self._folder.add_row("validation", row, steps=self._steps)
                print(f"        {label}{name}, {group}: {score}", flush=True)
        self._figures.rest(self._tokens, self._clock.seconds())

    def _finish(self) -> None:
        """Check and keep the weights, and their average if there is one."""
        self._validate()
        self._folder.save_model(self._network.weights)
        if self._average:
            with torch.no_grad():
                for name, weight in self._network.weights.items():
                    weight.copy_(self._average[name])
            self._validate(" (averaged)")
            self._folder.save_model(self._average, "averaged")
        self._folder.draw()

    @contextmanager
    def _stoppable(self) -> Iterator[None]:
        """Ctrl-C and SIGTERM end the run after the step; asked again, at once."""

        def stop(number: int, _frame: object) -> None:
            self._asked_to_stop = True
            signal.signal(number, before[signal.Signals(number)])
            print("stopping after this step ...", flush=True)

        before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
        for number in before:
            signal.signal(number, stop)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def no_memory(pass_tokens: int) -> str:
    """What to do about it."""
    return (
        f"The device's memory does not suffice for passes of {pass_tokens} tokens: "
        "choose fewer with --pass-tokens, or --recompute."
    )
