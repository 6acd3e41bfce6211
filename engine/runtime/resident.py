"""The one model an engine process holds, from its first byte read to ready, and what is known meanwhile.

Knows folders, tokenizer, format and worker; knows no HTTP and no prompts' meaning.
"""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from engine.build import PROTOCOL, build_id
from engine.chat_template import ChatTemplate
from engine.errors import GhostfillError
from engine.fim import choose
from engine.layout import Layout
from engine.model_folder import ModelFolder
from engine.runtime.chat_model import ChatModels
from engine.tokens import Tokenizer

if TYPE_CHECKING:
    from engine.runtime.worker import Worker

log = logging.getLogger("ghostfill.engine")


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """What `ghostfill engine` was asked for."""

    model: str = "builtin"
    device: str = "auto"
    dtype: str = "auto"
    memory_gb: float | None = None
    fim_format: str = "auto"
    trust_remote_code: bool = False
    quantize: str | None = None
    log_prompts: bool = False
    chat_model: str | None = None
    """What chat asks for where it names nothing, and all it may ask for unless `is_private`."""
    chat_idle_seconds: float = 600.0
    """A chat model is unloaded after so long; 0: never."""
    is_private: bool = True
    """Only the user can ask: any chat model that is on this machine."""


class ResidentModel:
    """A model that loads in a thread of its own while `health` already answers."""

    def __init__(self, options: EngineOptions) -> None:
        self.options = options
        self.name = options.model
        self.state = "loading"
        self.progress = 0.0
        self.message = ""
        """For people: what is wrong, when `state` is `error`."""
        self.refusal = ""
        """Why the model cannot fill in the middle; empty if it can."""
        self.tokenizer: Tokenizer | None = None
        self.layout: Layout | None = None
        self.template: ChatTemplate | None = None
        self.no_template = ""
        """Why it cannot be asked as an instruct model; empty if it can."""
        self.worker: Worker | None = None
        self.chat = ChatModels(self)
        self.device = options.device
        self.dtype = options.dtype
        self.context_length = 0
        self.num_ids = 0
        self._num_users = 0
        self._last_used = time.monotonic()

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """A request is being answered: the engine is not idle."""
        self._num_users += 1
        try:
            yield
        finally:
            self._num_users -= 1
            self._last_used = time.monotonic()

    @property
    def idle_seconds(self) -> float:
        """Since the last request was answered, or loading ended."""
        return 0.0 if self._num_users else time.monotonic() - self._last_used

    def load(self) -> None:
        """Load everything; never raises: a failure becomes `state` `error` and `message`."""
        try:
            folder = ModelFolder.open(self.options.model)
            self.name = folder.name
            self._load_text_side(folder)
            self.progress = 0.05
            self._load_weights(folder)
            self.state, self.progress = "ready", 1.0
        except GhostfillError as error:
            self.state, self.message = "error", str(error)
            log.error("%s", error)
        except Exception as error:
            self.state, self.message = "error", f"{self.name} cannot be loaded: {error}"
            log.exception("loading %s", self.name)
        self._last_used = time.monotonic()

    def _load_text_side(self, folder: ModelFolder) -> None:
        tokenizer = Tokenizer.from_folder(folder.path)
        fim, self.refusal, order = choose(folder, self.options.fim_format)
        if self.refusal:
            log.warning("%s", self.refusal)
        self.layout = Layout(tokenizer, fim, order)
        self.num_ids = tokenizer.num_ids
        try:
            self.template = ChatTemplate.of(folder, tokenizer)
        except GhostfillError as error:
            self.no_template = str(error)
        self.tokenizer = tokenizer

    def _load_weights(self, folder: ModelFolder) -> None:
        # torch is imported here, after health and tokenizer are there to be asked for.
        from engine.runtime.lane import Lane
        from engine.runtime.model import load_model
        from engine.runtime.worker import Worker

        assert self.tokenizer is not None
        assert self.layout is not None

        def report(fraction: float) -> None:
            self.progress = 0.05 + 0.9 * fraction

        loaded = load_model(
            folder,
            device=self.options.device,
            dtype=self.options.dtype,
            on_progress=report,
            trust_remote_code=self.options.trust_remote_code,
            quantize=self.options.quantize,
        )
        self.device, self.dtype = str(loaded.device), str(loaded.dtype).removeprefix("torch.")
        self.context_length = min(loaded.context_length, self.layout.fim.context_length)
        eos_ids = self.tokenizer.known_mark_ids(self.layout.fim.stops) | set(loaded.eos_ids)
        if self.template is not None:
            eos_ids |= self.template.stop_ids
        self.worker = Worker(
            Lane(
                replace(loaded, eos_ids=frozenset(eos_ids), context_length=self.context_length),
                num_valid_ids=self.tokenizer.num_ids,
                banned_ids=self.tokenizer.known_mark_ids() - eos_ids,
                token_bytes=self.tokenizer.token_bytes(),
                memory_gb=self.options.memory_gb,
            )
        )

    def health(self) -> dict[str, Any]:
        """What clients and `doctor` ask for."""
        fim = self.layout.fim if self.layout else None
        return {
            "protocol": PROTOCOL,
            "build": build_id(),
            "pid": os.getpid(),
            "python": sys.version.split()[0],
            "model": self.name,
            "device": self.device,
            "dtype": self.dtype,
            "context_length": self.context_length,
            "fim_format": fim.name if fim else None,
            "order": self.layout.order if self.layout else None,
            "bos": fim.bos if fim else "",
            "refusal": self.refusal,
            "tokenizer": self.tokenizer.digest if self.tokenizer else None,
            "state": self.state,
            "progress": round(self.progress, 3),
            "message": self.message,
            "counters": self._counters(),
            "chat": self.chat.health(),
        }

    def models(self) -> list[dict[str, Any]]:
        """What `/v1/models` lists: the completion model, then a chat model beside it."""
        chat, chats = self.chat.model, self.chat.names
        lengths = {self.name: self.context_length, **({chat.name: chat.lane.longest} if chat else {})}
        entries = []
        for name in dict.fromkeys((self.name, *chats)):
            entry = {"id": name, "object": "model", "owned_by": "ghostfill"}
            length = {"max_model_len": lengths[name]} if lengths.get(name) else {}
            entries.append({**entry, **length, "ghostfill": {"chat": name in chats}})
        return entries

    def _counters(self) -> dict[str, int]:
        if self.worker is None:
            return {}
        return {**asdict(self.worker.counts), **asdict(self.worker.counters)}

    def figures(self) -> dict[str, int]:
        """What `/metrics` tells: the counters, and what the slots hold now; empty while loading."""
        if self.worker is None:
            return {}
        chat = self.chat.model
        held_by_chat = {} if chat is None else chat.lane.held()
        return {
            **self._counters(),
            **self.worker.held(),
            "chat_loads": self.chat.num_loads,
            "chat_models": int(chat is not None),
            **{f"chat_{name}": value for name, value in held_by_chat.items()},
        }

    def close(self) -> None:
        """Stop the model's thread."""
        if self.worker is not None:
            self.worker.close()
