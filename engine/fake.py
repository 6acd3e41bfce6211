"""A scripted backend, the public test double: no model, no process, every request remembered."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from itertools import takewhile

from engine.api import Completion, CompletionRequest, FinishReason, TextPiece, TokenScore
from engine.backends.base import EngineInfo, OnProgress, OnText
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


def in_words(text: str) -> list[str]:
    """Pieces such as tokens make them: a word with the white space before it."""
    return re.findall(r"\s*\S+|\s+$", text)


class FakeBackend:
    """Answers with `script`'s text, as the stop rules cut it.

    `gate` holds answers back while it is cleared; `step`, where there is one, is acquired before each piece;
    `is_dead` makes every call fail as if the engine had died.
    """

    def __init__(self, script: Callable[[str], str]) -> None:
        self.script = script
        """From the prompt's text, marks left out, to what the model would say."""
        self.alternatives: Callable[[str], list[str]] = lambda prompt: []
        """Likewise, what it would say next."""
        self.pieces: Callable[[str], list[str]] = in_words
        """A text's tokens."""
        self.logprob = -0.05
        """Of every token."""
        self.gate = asyncio.Event()
        self.gate.set()
        self.step: asyncio.Semaphore | None = None
        self.is_dead = False
        self.requests: list[CompletionRequest] = []
        self.read_only: list[CompletionRequest] = []
        """Those that asked for no token."""
        self.num_cancelled = 0

    async def ready(self, on_progress: OnProgress | None = None) -> EngineInfo:
        """Ready at once, unless dead."""
        if self.is_dead:
            raise EngineUnavailableError("the fake engine is dead")
        return builtin_info()

    async def complete(self, request: CompletionRequest, on_text: OnText | None = None) -> Completion:
        """The script's text; only the first answer is held back and told."""
        (self.requests if request.max_tokens else self.read_only).append(request)
        if self.is_dead:
            raise EngineUnavailableError("the fake engine is dead")
        if not request.max_tokens:
            return Completion("", FinishReason.BUDGET)
        prompt = self.prompt_text(request)
        try:
            await self.gate.wait()
            first = await self._answer(request, self.script(prompt), self.step, on_text)
        except asyncio.CancelledError:
            self.num_cancelled += 1
            raise
        others = [await self._answer(request, text) for text in self.alternatives(prompt)]
        return replace(first, alternatives=tuple(others[: request.num_answers - 1]))

    async def _answer(
        self,
        request: CompletionRequest,
        text: str,
        step: asyncio.Semaphore | None = None,
        on_text: OnText | None = None,
    ) -> Completion:
        stopper, starts, told = Stopper(request.stop_rules, request.stop), [], 0
        for piece in self.pieces(text):
            if step is not None:
                await step.acquire()
            starts.append(len(stopper.text))
            is_stopped = stopper.feed(piece)
            if on_text is not None and len(stopper.settled) > told:
                on_text(self._piece(starts, stopper.settled, told))
                told = len(stopper.settled)
            if is_stopped:
                break
        if on_text is not None and len(stopper.text) > told:
            on_text(self._piece(starts, stopper.text, told))
        return Completion(
            stopper.text,
            FinishReason.STOP if stopper.is_stopped else FinishReason.EOS,
            mean_logprob=self.logprob if starts else None,
            scores=tuple(TokenScore(start, self.logprob) for start in starts if start < len(stopper.text)),
            end_logprob=self.logprob,
        )

    def _piece(self, starts: list[int], text: str, told: int) -> TextPiece:
        scores = (TokenScore(start, self.logprob) for start in starts if told <= start < len(text))
        return TextPiece(text[told:], tuple(scores))

    async def cached_tokens(self, prompt_ids: Sequence[int]) -> int | None:
        """As if every prompt so far were still in a slot."""
        if self.is_dead:
            return None
        pairs = (zip(request.prompt_ids, prompt_ids, strict=False) for request in self.requests)
        shared = (takewhile(lambda pair: pair[0] == pair[1], each) for each in pairs)
        return max((sum(1 for _ in each) for each in shared), default=0)

    def prompt_text(self, request: CompletionRequest) -> str:
        """The prompt as text, without marks, up to the cursor."""
        return builtin_info().tokenizer.decode(request.prompt_ids) + request.heal

    def forget(self) -> None:
        """Nothing is known."""

    async def close(self) -> None:
        """Nothing is open."""
