"""A simulated typist in front of the language server's own pipeline, key after key. Prints nothing."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from statistics import median

from engine.api import Completion, CompletionRequest
from engine.backends.base import Backend, EngineInfo, OnProgress, OnText
from lsp_server.answer import Ask, Source, Trigger
from lsp_server.cli.demo_sites import Cut
from lsp_server.cli.workbench import Workbench
from lsp_server.documents import DocumentSnapshot
from lsp_server.engine_link import EngineLink
from lsp_server.pipeline import Pipeline
from lsp_server.planner import Planner
from lsp_server.status import Status


class Answered(StrEnum):
    """Who answered a key."""

    ENGINE = "engine"
    TYPED_THROUGH = "typed-through"
    KNOWN = "known"
    """What was computed for an earlier key, and not shown then."""
    NOBODY = "nobody"
    """Nothing was to be asked, or the model had nothing to say."""


@dataclass(frozen=True, slots=True)
class Key:
    """One key and its answer."""

    char: str
    offered: str
    answered: Answered
    ms: float
    prefilled_tokens: int
    reused_tokens: int


@dataclass(frozen=True, slots=True)
class Typing:
    """All keys of a run."""

    keys: tuple[Key, ...]

    def median_ms(self, answered: Answered | None = None) -> float | None:
        """Median of the keys that `answered` answered, of all if None; None where there is no such key."""
        times = [key.ms for key in self.keys if answered in (None, key.answered)]
        return median(times) if times else None

    def count(self, answered: Answered) -> int:
        """How many keys were answered so."""
        return sum(key.answered is answered for key in self.keys)

    @property
    def prefilled_per_key(self) -> list[int]:
        """Of each key that the engine answered, in order."""
        return [key.prefilled_tokens for key in self.keys if key.answered is Answered.ENGINE]


_UNASKED = dict.fromkeys(Source, Answered.KNOWN) | {Source.TYPED_THROUGH: Answered.TYPED_THROUGH}


class _NotingBackend:
    """Passes everything on, and keeps what came back."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self.completions: list[Completion] = []

    async def ready(self, on_progress: OnProgress | None = None) -> EngineInfo:
        return await self._backend.ready(on_progress)

    async def complete(self, request: CompletionRequest, on_text: OnText | None = None) -> Completion:
        completion = await self._backend.complete(request, on_text)
        self.completions.append(completion)
        return completion

    async def cached_tokens(self, prompt_ids: Sequence[int]) -> int | None:
        return await self._backend.cached_tokens(prompt_ids)

    def forget(self) -> None:
        self._backend.forget()

    async def close(self) -> None:
        """The backend goes on to serve whoever owns it."""


class _NoProgress:
    """The engine is ready by now: nothing is to be shown."""

    def report(self, fraction: float, message: str) -> None:
        pass

    def end(self, message: str) -> None:
        pass


async def type_along(bench: Workbench, path: Path, cut: Cut, num_keys: int) -> Typing:
    """Type the first `num_keys` characters of what the author wrote at the cut, asking after each."""
    noting = _NotingBackend(bench.backend)
    status = Status(lambda _: None)
    link = EngineLink(noting, status, _NoProgress, lambda _: None)
    planner = Planner(bench.context)
    # What is measured is the cost of an answer: no pause before the question, no work for later ones beside
    # it, and what an editor would not show is answered too.
    inline = replace(bench.settings.inline, debounce_ms=0, speculate=False, min_confidence=0.0)
    settings = replace(bench.settings, inline=inline)
    pipeline = Pipeline(settings, bench.context, planner, link)
    keys = []
    try:
        await link.info(wait=True)
        for ask in _asks(path, cut, num_keys):
            num_before, started = len(noting.completions), time.perf_counter()
            answer = await pipeline.answer(ask)
            ms = (time.perf_counter() - started) * 1000
            new = noting.completions[num_before:]
            unasked = _UNASKED[answer.source] if answer.offers else Answered.NOBODY
            keys.append(
                Key(
                    char=ask.snapshot.text[ask.offset - 1],
                    offered=answer.offers[0].text if answer.offers else "",
                    answered=Answered.ENGINE if new else unasked,
                    ms=ms,
                    prefilled_tokens=sum(each.timings.prefilled_tokens for each in new),
                    reused_tokens=sum(each.timings.reused_tokens for each in new),
                )
            )
    finally:
        planner.close()
        await link.close()
    return Typing(tuple(keys))


def _asks(path: Path, cut: Cut, num_keys: int) -> Iterator[Ask]:
    for typed in range(1, min(num_keys, len(cut.author)) + 1):
        text = cut.text[: cut.offset] + cut.author[:typed] + cut.text[cut.offset :]
        snapshot = DocumentSnapshot(path.as_uri(), path, "python", typed, text)
        yield Ask(snapshot, cut.offset + typed, Trigger.AUTOMATIC)
