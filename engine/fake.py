"""A scripted backend, the public test double: no model, no process, every request remembered."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import cache
from itertools import takewhile

from engine.api import Completion, CompletionRequest, FinishReason
from engine.backends.base import EngineInfo, OnProgress
from engine.errors import EngineUnavailableError
from engine.fim import FORMATS
from engine.layout import Layout
from engine.model_folder import BUILTIN_FOLDER
from engine.stopping import Stopper
from engine.tokens import Tokenizer


@cache
def builtin_info() -> EngineInfo:
    """What a ready engine with the built-in model says of itself."""
    tokenizer = Tokenizer.from_folder(BUILTIN_FOLDER)
    return EngineInfo(
        model="fake",
        device="cpu",
        dtype="float32",
        context_length=8192,
        tokenizer=tokenizer,
        layout=Layout(tokenizer, FORMATS["builtin"]),
        refusal="",
        pid=0,
    )


class FakeBackend:
    """Answers with `script`'s text, as the stop rules cut it.

    `gate` holds answers back while it is cleared; `is_dead` makes every call fail as if the engine had died.
    """

    def __init__(self, script: Callable[[str], str]) -> None:
        self.script = script
        """From the prompt's text, marks left out, to what the model would say."""
        self.gate = asyncio.Event()
        self.gate.set()
        self.is_dead = False
        self.requests: list[CompletionRequest] = []
        self.num_cancelled = 0

    async def ready(self, on_progress: OnProgress | None = None) -> EngineInfo:
        """Ready at once, unless dead."""
        if self.is_dead:
            raise EngineUnavailableError("the fake engine is dead")
        return builtin_info()

    async def complete(self, request: CompletionRequest) -> Completion:
        """The script's text."""
        self.requests.append(request)
        if self.is_dead:
            raise EngineUnavailableError("the fake engine is dead")
        try:
            await self.gate.wait()
        except asyncio.CancelledError:
            self.num_cancelled += 1
            raise
        stopper = Stopper(request.stop_rules, request.stop)
        stopped = stopper.feed(self.script(self.prompt_text(request)))
        return Completion(stopper.text, FinishReason.STOP if stopped else FinishReason.EOS)

    async def cached_tokens(self, prompt_ids: Sequence[int]) -> int | None:
        """As if every prompt so far were still in a slot."""
        if self.is_dead:
            return None
        pairs = (zip(request.prompt_ids, prompt_ids, strict=False) for request in self.requests)
        shared = (takewhile(lambda pair: pair[0] == pair[1], each) for each in pairs)
        return max((sum(1 for _ in each) for each in shared), default=0)

    def prompt_text(self, request: CompletionRequest) -> str:
        """The prompt as text, without marks."""
        return builtin_info().tokenizer.decode(request.prompt_ids)

    def forget(self) -> None:
        """Nothing is known."""

    async def close(self) -> None:
        """Nothing is open."""
