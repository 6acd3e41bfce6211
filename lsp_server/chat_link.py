"""The front's line to an instruct model: found when it is first asked, shown while it loads.

Knows the settings, the status and the engine that completes; knows no prompts and no HTTP.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from engine.api import ChatAnswer, ChatRequest, Message
from engine.backends.chat import ChatClient, ChatModel
from engine.errors import EngineRefusedError, EngineUnavailableError, GhostfillError, ModelError
from engine.model_folder import ModelFolder
from lsp_server.actions.errors import ChatError
from lsp_server.backend_choice import absolute_model, chat_endpoint
from lsp_server.engine_link import EngineLink, Progress
from lsp_server.settings import Settings
from lsp_server.status import Status

CHARS_PER_TOKEN = 3
"""Of code, on the safe side: what the model's own tokenizer makes of it is not known here."""
ANSWER_TOKENS = 1024
"""Left for the answer."""
REMOTE_BUDGET_TOKENS, LOCAL_BUDGET_TOKENS = 16384, 4096
"""Where the device is not known: of a server, and of an engine that is not up yet."""
NOT_SET = "no instruct model is set: chat.model names one, or chat.url a server that has one"
NO_ENGINE = "no engine is running: the status and `ghostfill doctor` say why"


class ChatLink:
    """One instruct model for the whole session: that of the settings it started with."""

    def __init__(
        self,
        settings: Settings,
        budget_tokens: Callable[[int], int],
        engine: EngineLink,
        status: Status,
        progress: Callable[[], Progress],
    ) -> None:
        self._settings = settings
        self._budget_tokens = budget_tokens
        """From a device's default to what prompt and answer may take now."""
        self._engine = engine
        self._status = status
        self._progress = progress
        self._is_resident = not settings.chat.url and settings.engine.url is None
        self._client: ChatClient | None = None
        self._found: ChatModel | None = None
        self._lock = asyncio.Lock()

    @property
    def is_set(self) -> bool:
        """The settings name an instruct model, or a server that has one."""
        return bool(self._settings.chat.model or self._settings.chat.url)

    @property
    def name(self) -> str:
        """The model, for people; while only its server is known, that."""
        model = self._settings.chat.model or (self._found.name if self._found else None)
        if model is None:
            return f"the model at {self._settings.chat.url}"
        path = Path(absolute_model(model))
        return path.name if path.is_absolute() else model

    @property
    def prompt_chars(self) -> int:
        """How long all messages together may be, as far as is known; after `ready` as the server says."""
        info = None if self._settings.chat.url else self._engine.info_now
        unknown = LOCAL_BUDGET_TOKENS if self._is_resident else REMOTE_BUDGET_TOKENS
        tokens = self._budget_tokens(info.default_budget_tokens if info else unknown)
        if self._found and self._found.context_length:
            tokens = min(tokens, self._found.context_length)
        return CHARS_PER_TOKEN * (tokens - min(ANSWER_TOKENS, tokens // 2))

    async def ready(self) -> None:
        """Bring the engine up, or ask the server what it has; loads no instruct model. Raises ChatError."""
        with _told_as_chat_errors():
            await self._find()

    async def ask(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int,
        on_text: Callable[[str], None] | None = None,
    ) -> ChatAnswer:
        """What the model answers; `on_text` is told the pieces of its text as they come. Raises ChatError.

        Cancelling the task closes the connection, which ends the work on it.
        """
        load = _Load(self._progress)
        self._status.busy(+1)
        try:
            with _told_as_chat_errors():
                return await self._ask(messages, max_tokens, on_text, load)
        except asyncio.CancelledError:
            load.end("nobody waits for it now")
            raise
        finally:
            load.end("failed")
            self._status.busy(-1)

    def forget(self) -> None:
        """Drop what is known of the server: it is asked again."""
        self._found = None

    async def close(self) -> None:
        """Drop connections; a model that was loaded stays for others."""
        if self._client is not None:
            await self._client.close()

    async def _ask(
        self,
        messages: Sequence[Message],
        max_tokens: int,
        on_text: Callable[[str], None] | None,
        load: _Load,
    ) -> ChatAnswer:
        def on_loading(fraction: float) -> None:
            if fraction < 1:
                load.report(fraction, f"loading {self.name}")
            else:
                load.end("ready")

        client, model = await self._find()
        if model.context_length is not None:
            room = model.context_length - sum(len(each.content) for each in messages) // CHARS_PER_TOKEN
            max_tokens = min(max_tokens, room) if room > 0 else max_tokens
        try:
            request = ChatRequest(tuple(messages), max_tokens)
            return await client.ask(model.name, request, on_text or (lambda piece: None), on_loading)
        except EngineUnavailableError:
            self.forget()  # next time another server may stand there
            raise

    async def _find(self) -> tuple[ChatClient, ChatModel]:
        """Who answers, and what there is to ask; raises GhostfillError."""
        if not self.is_set:
            raise EngineUnavailableError(NOT_SET)
        async with self._lock:
            if self._client is None:
                model = self._settings.chat.model or None
                if self._is_resident and model is not None:
                    model = absolute_model(model)  # the engine has another working directory
                self._client = ChatClient(chat_endpoint(self._settings), model)
            if self._is_resident:
                self._found = await self._at_engine(self._client)
            elif self._found is None:
                self._found = await self._client.find()
            return self._client, self._found

    async def _at_engine(self, client: ChatClient) -> ChatModel:
        """What the resident engine says, each time: it is brought up, and back if it has died."""
        await self._engine_is_up()
        try:
            found = await client.find()
        except EngineRefusedError:
            raise
        except EngineUnavailableError:
            self._engine.restart()
            await self._engine_is_up()
            found = await client.find()
        if found.context_length is None:  # not loaded yet
            length = await asyncio.to_thread(_context_length, found.name)
            return found._replace(context_length=length)
        return found

    async def _engine_is_up(self) -> None:
        if await self._engine.info(wait=True) is None:
            raise EngineUnavailableError(NO_ENGINE)


class _Load:
    """Shows that a model loads, if one does."""

    def __init__(self, progress: Callable[[], Progress]) -> None:
        self._make = progress
        self._progress: Progress | None = None

    def report(self, fraction: float, message: str) -> None:
        """So much of it is there."""
        if self._progress is None:
            self._progress = self._make()
        self._progress.report(fraction, message)

    def end(self, message: str) -> None:
        """It is over; nothing happens if that was said before, or nothing loaded."""
        progress, self._progress = self._progress, None
        if progress is not None:
            progress.end(message)


def _context_length(model: str) -> int | None:
    """What a model on this machine says of itself; the engine will tell what is wrong with it."""
    try:
        length = ModelFolder.open(model, needs_weights=False).config.get("max_position_embeddings")
    except ModelError:
        return None
    return length if isinstance(length, int) and length > 0 else None


@contextmanager
def _told_as_chat_errors() -> Iterator[None]:
    try:
        yield
    except GhostfillError as error:
        raise ChatError(_sentence(str(error))) from error


def _sentence(said: str) -> str:
    """With a full stop, and a capital unless it begins with an address or a setting's name."""
    if said.split(" ", 1)[0].isalpha():
        said = said[:1].upper() + said[1:]
    return said if said.endswith((".", "!", "?")) else f"{said}."
