"""A model on a server that is not ours: vLLM, SGLang, llama.cpp... What all of them have in common.

Tokenizer and FIM format come from the folder that the setting `model` names; the server takes token ids, and
the stop rules are applied here, to its stream. It cannot heal, takes no drafts and knows no documents.
Cancel is closing the connection. Knows no particular API.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import NamedTuple, Protocol

from engine.api import Completion, CompletionRequest, Timings
from engine.backends.base import EngineInfo, OnProgress, OnText
from engine.backends.streamed_answer import Chunk, StreamedAnswer
from engine.errors import EngineRefusedError, EngineUnavailableError, ModelError
from engine.fim import choose
from engine.layout import Layout
from engine.model_folder import ModelFolder
from engine.stopping import Stopper
from engine.tokens import Tokenizer

log = logging.getLogger(__name__)

VOCABULARY_TEST = "def add(left, right):\n    return left + right  # both\n"


class Served(NamedTuple):
    """What a server says of the model on it."""

    name: str
    context_length: int | None
    """Prompt and answer together; None if it does not say."""


class Api(Protocol):
    """How one kind of server is spoken to. All but `close` raise EngineUnavailableError."""

    samples: bool
    """It gives several answers at once."""

    @property
    def address(self) -> str:
        """Where the server is."""
        ...

    async def served(self, model: str, on_progress: OnProgress | None) -> Served:
        """Wait while the server loads, and ask what it serves; `model` is the setting."""
        ...

    async def spell(self, ids: Sequence[int]) -> str | None:
        """The text that ids have there; None if the server does not tell."""
        ...

    def chunks(
        self, ids: Sequence[int], max_tokens: int, end_ids: frozenset[int], num_samples: int = 0
    ) -> AsyncGenerator[Chunk]:
        """The likeliest answer as it is decoded, or so many random ones."""
        ...

    async def close(self) -> None:
        """Drop connections."""
        ...


class ForeignBackend:
    """The model behind one `Api`; `model` names the folder or hub id that its tokenizer is read from."""

    def __init__(self, api: Api, model: str, fim_format: str = "auto") -> None:
        self._api = api
        self._model = model
        self._fim_format = fim_format
        self._info: EngineInfo | None = None
        self._end_ids: frozenset[int] = frozenset()
        self._lock = asyncio.Lock()

    async def ready(self, on_progress: OnProgress | None = None) -> EngineInfo:
        """Read the tokenizer, and wait for the server; raises EngineUnavailableError, ModelError."""
        async with self._lock:
            if self._info is None:
                layout, refusal = await asyncio.to_thread(layout_of, self._model, self._fim_format)
                served = await self._api.served(self._model, on_progress)
                await self._check_vocabulary(layout.tokenizer)
                self._end_ids = layout.tokenizer.known_mark_ids(layout.fim.stops)
                self._info = self._describe(layout, refusal, served)
            return self._info

    async def complete(self, request: CompletionRequest, on_text: OnText | None = None) -> Completion:
        """Complete on the server; forgets what is known of it if it no longer answers."""
        try:
            first = (await self._run(request, on_text))[0]
            if request.num_answers == 1 or not self._api.samples:
                return first
            return replace(first, alternatives=await self._alternatives(request, first))
        except EngineRefusedError:
            raise
        except EngineUnavailableError:
            self._info = None
            raise

    async def cached_tokens(self, prompt_ids: Sequence[int]) -> int | None:
        """No such server tells."""

    def forget(self) -> None:
        """Ask again at the next `ready`."""
        self._info = None

    async def close(self) -> None:
        """Drop connections."""
        await self._api.close()

    def _describe(self, layout: Layout, refusal: str, served: Served) -> EngineInfo:
        length = min(layout.fim.context_length, served.context_length or layout.fim.context_length)
        fim = replace(layout.fim, context_length=length)
        return EngineInfo(
            model=served.name,
            device=self._api.address,
            dtype="",
            context_length=length,
            tokenizer=layout.tokenizer,
            layout=Layout(layout.tokenizer, fim, layout.order),
            refusal=refusal,
            pid=-1,
        )

    async def _check_vocabulary(self, tokenizer: Tokenizer) -> None:
        """Raise EngineRefusedError if ids mean another text there: its answers would make no sense."""
        spelled = await self._api.spell(tokenizer.encode(VOCABULARY_TEST))
        # Without white space, which some servers clean up or lose when they decode.
        if spelled is not None and "".join(spelled.split()) != "".join(VOCABULARY_TEST.split()):
            raise EngineRefusedError(
                f"the model at {self._api.address} has another vocabulary than {self._model!r}: the setting "
                "'model' must name the model that is served there (its folder or hub id)."
            )

    async def _alternatives(self, request: CompletionRequest, first: Completion) -> tuple[Completion, ...]:
        """Further answers that differ from the first and each other by more than white space around them."""
        try:
            found = await self._run(request, None, num_samples=request.num_answers - 1)
        except EngineUnavailableError as error:  # the first answer is worth having by itself
            log.warning("no further answers: %s", error)
            return ()
        known, kept = {"", first.text.strip()}, []
        for each in found:
            if each.text.strip() not in known:
                known.add(each.text.strip())
                kept.append(replace(each, timings=Timings()))
        return tuple(kept)

    async def _run(
        self, request: CompletionRequest, on_text: OnText | None, num_samples: int = 0
    ) -> list[Completion]:
        """One answer, or the random ones, up to where the stop rules or the deadline end each."""
        if self._info is None:
            raise EngineUnavailableError(f"what is served at {self._api.address} is not known yet")
        # What another engine would grow again is simply part of the prompt.
        ids = (*request.prompt_ids, *self._info.tokenizer.encode(request.heal))
        answers = [
            StreamedAnswer(
                self._info.tokenizer, Stopper(request.stop_rules, request.stop), self._end_ids, on_text
            )
            for _ in range(num_samples or 1)
        ]
        started = time.perf_counter()
        limit = asyncio.timeout(None if request.max_ms is None else request.max_ms / 1000)
        try:
            async with limit, aclosing(self._chunks(ids, request.max_tokens, num_samples)) as chunks:
                async for chunk in chunks:
                    if chunk.index < len(answers):
                        answers[chunk.index].take(chunk)
                    if all(answer.finish_reason for answer in answers):
                        break
                else:
                    raise EngineUnavailableError(f"the answer of {self._api.address} broke off")
        except TimeoutError:
            if not limit.expired():
                raise
        return [answer.completion(started, len(ids)) for answer in answers]

    def _chunks(self, ids: Sequence[int], max_tokens: int, num_samples: int) -> AsyncGenerator[Chunk]:
        return self._api.chunks(ids, max_tokens, self._end_ids, num_samples)


def layout_of(model: str, fim_format: str) -> tuple[Layout, str]:
    """The layout for a model whose weights need not be here, and why it cannot infill (empty if it can).

    Raises ModelError.
    """
    try:
        folder = ModelFolder.open(model, needs_weights=False)
        tokenizer = Tokenizer.from_folder(folder.path)
    except ModelError as error:
        raise type(error)(f"{error} {_advice(model)}") from error
    fim, refusal, order = choose(folder, fim_format)
    return Layout(tokenizer, replace(fim, heals=False), order), refusal


def _advice(model: str) -> str:
    return (
        f"With engine.url, the setting 'model' (now {model!r}) must name the model that is served: a folder, "
        "or a hub id in the hub's cache, with its config.json, tokenizer.json and tokenizer_config.json; "
        "weights are not needed here."
    )
