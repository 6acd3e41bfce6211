"""One completion at a time, through the same steps as the language server's pipeline, with every figure kept.

Knows settings, repository context and a backend; knows neither LSP nor terminals.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from context import Plan, RepoContext
from context.languages import language_of
from context.syntax import SyntaxTrees
from engine.api import Completion
from engine.backends.base import Backend, EngineInfo, OnProgress
from engine.layout import Prompt
from lsp_server.backend_choice import backend_for
from lsp_server.cli.place import PlaceError, read_text
from lsp_server.engine_work import Asked, EngineWork, Site
from lsp_server.hole import Hole
from lsp_server.request import budget_for
from lsp_server.settings import Settings

INDEX_SECONDS = 60.0
"""A command waits so long for the index; the plan says when it was made without."""


@dataclass(frozen=True, slots=True)
class Worked:
    """A completion, and how it came to be."""

    text: str
    """What an editor would show; empty if nothing."""
    plan: Plan | None
    """None if repository context was not wanted."""
    prompt: Prompt
    completion: Completion
    context_ms: float
    """For the plan, once the index is built."""
    engine_ms: float
    """From the request to the answer."""
    total_ms: float


class Workbench:
    """A root's repository context and a backend, for as long as a command runs; an async context manager."""

    def __init__(self, settings: Settings, root: Path, backend: Backend | None = None) -> None:
        self.settings = settings
        self.root = root
        self.context = RepoContext([root], exclude=settings.privacy.exclude)
        self.backend = backend or backend_for(settings)

    async def __aenter__(self) -> Self:
        self.context.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.backend.close()
        await asyncio.to_thread(self.context.close)

    async def ready(self, on_progress: OnProgress | None = None) -> EngineInfo:
        """The engine, started if it has to be; raises EngineUnavailableError."""
        return await self.backend.ready(on_progress)

    def read(self, file: Path) -> str:
        """A file's text; raises PlaceError, also for a file that is private, which is not opened."""
        if self.context.is_private(file):
            raise PlaceError(
                f"{file} is private (it may hold secrets, or privacy.exclude names it): it is never read."
            )
        return read_text(file)

    async def indexed(self) -> float:
        """Wait for the index; returns the milliseconds that took."""
        started = time.perf_counter()
        await asyncio.to_thread(self.context.wait_ready, INDEX_SECONDS)
        return _ms_since(started)

    async def complete(self, path: Path, text: str, offset: int, *, with_context: bool = True) -> Worked:
        """The completion for the hole at `offset` of the file's text; raises GhostfillError."""
        info = await self.ready()
        await self.indexed()
        started = time.perf_counter()
        is_wanted = with_context and self.settings.context.enabled
        plan = await asyncio.to_thread(self.plan, path, text, offset, info) if is_wanted else None
        context_ms = _ms_since(started)
        site = Site.of(
            Asked(Hole.at(text, offset)),
            SyntaxTrees(),
            str(path),
            language_of(path),
            plan=plan,
            info=info,
            path=self.context.relative(path),
        )
        work = EngineWork(site, self.settings)
        engine_started = time.perf_counter()
        finished = await work.run(self.backend.complete)
        assert finished.completion is not None
        return Worked(
            text=finished.offers[0].text if finished.offers else "",
            plan=plan,
            prompt=work.prompt,
            completion=finished.completion,
            context_ms=context_ms,
            engine_ms=_ms_since(engine_started),
            total_ms=_ms_since(started),
        )

    def plan(self, path: Path, text: str, offset: int, info: EngineInfo) -> Plan:
        """What the repository says to this place, in the engine's tokens."""
        language = language_of(path)
        return self.context.plan(
            path,
            text,
            offset,
            budget_tokens=budget_for(self.settings, info).context,
            count_tokens=info.tokenizer.count,
            language=language.id if language else "plaintext",
        )


def _ms_since(started: float) -> float:
    return (time.perf_counter() - started) * 1000


def figures(worked: Worked) -> dict[str, Any]:
    """What `--json` says of a completion."""
    plan, timings = worked.plan, worked.completion.timings
    return {
        "text": worked.text,
        "finish_reason": str(worked.completion.finish_reason),
        "mean_logprob": worked.completion.mean_logprob,
        "context_ms": round(worked.context_ms, 1),
        "engine_ms": round(worked.engine_ms, 1),
        "total_ms": round(worked.total_ms, 1),
        "timings": asdict(timings),
        "context_tokens": worked.prompt.context_tokens,
        "prefix_tokens": worked.prompt.prefix_tokens,
        "suffix_tokens": worked.prompt.suffix_tokens,
        "files": [asdict(file) for file in plan.considered] if plan else [],
    }
