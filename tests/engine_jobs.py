"""Jobs that keep their tokens and outcomes for a test, and a cancel that comes at a known moment."""

from __future__ import annotations

import queue
import random
import threading
from collections.abc import Callable
from typing import Any

from engine.api import CompletionRequest
from engine.runtime import reference
from engine.runtime.worker import Job, Outcome, Worker

PATIENCE_S = 60
CHUNK = 16
TOKEN_BYTES = [b"", b"", *(bytes([97 + i % 26]) * (1 + i % 3) for i in range(2, 320))]
"""What the small model's ids may be said to spell."""


class Ask:
    """A job whose tokens and outcomes are kept for the test."""

    def __init__(
        self,
        ids: list[int],
        *,
        on_token: Callable[[int], bool] = lambda _num: False,
        cancelled: threading.Event | None = None,
        draft_ids: tuple[tuple[int, ...], ...] = (),
        **request: Any,
    ) -> None:
        self.ids = ids
        self.tokens: list[int] = []
        self.logprobs: list[float] = []
        self.outcomes: queue.Queue[Outcome] = queue.Queue()
        self._on_token = on_token
        wanted = CompletionRequest(tuple(ids), **request)
        self.job = Job(
            wanted, self._sink, self.outcomes.put, cancelled or threading.Event(), draft_ids=draft_ids
        )

    def _sink(self, token_id: int, logprob: float) -> bool:
        self.tokens.append(token_id)
        self.logprobs.append(logprob)
        return self._on_token(len(self.tokens))

    def outcome(self) -> Outcome:
        return self.outcomes.get(timeout=PATIENCE_S)


class SetAfter(threading.Event):
    """A cancel that comes while the n-th chunk or step runs: seen by every poll after the n-th."""

    def __init__(self, num_polls: int) -> None:
        super().__init__()
        self._left = num_polls

    def is_set(self) -> bool:
        if super().is_set():
            return True
        self._left -= 1
        return self._left < 0


def run(worker: Worker, ask: Ask) -> Outcome:
    worker.submit(ask.job)
    return ask.outcome()


def prompt(seed: int, length: int = 100) -> list[int]:
    chance = random.Random(seed)
    return [chance.randrange(2, 320) for _ in range(length)]


def assert_exact(worker: Worker, ids: list[int]) -> Outcome:
    ask = Ask(ids, max_tokens=6)
    outcome = run(worker, ask)
    assert outcome.error is None
    assert ask.tokens == reference.generate(worker.loaded, ids, 6)
    return outcome


def named(number: int, length: int = 100) -> list[int]:
    """A prompt that begins with its number."""
    return [number, *prompt(number, length - 1)]


def ask_at(token: int, worker: Worker, later: Ask) -> Callable[[int], bool]:
    """Submits another job when so many tokens were told."""

    def on_token(num_tokens: int) -> bool:
        if num_tokens == token:
            worker.submit(later.job)
        return False

    return on_token


def assert_as_alone(worker: Worker, ask: Ask) -> None:
    assert ask.tokens == reference.generate(worker.loaded, ask.ids, ask.job.request.max_tokens)
