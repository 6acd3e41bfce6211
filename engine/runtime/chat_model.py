"""The chat model of an engine: named by requests, loaded on first use, unloaded when idle; at most one.

none -> loading -> ready -> none, or loading -> error, from which the next request tries again. Knows models
and who uses them; knows no HTTP. Any thread may call.
"""

from __future__ import annotations

import gc
import logging
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from engine.chat_template import ChatTemplate
from engine.errors import GhostfillError
from engine.model_folder import ModelFolder
from engine.tokens import Tokenizer

if TYPE_CHECKING:
    from engine.runtime.lane import Lane
    from engine.runtime.memory import SharedMemory
    from engine.runtime.resident import ResidentModel

log = logging.getLogger("ghostfill.engine")


class UnknownChatModelError(GhostfillError):
    """This engine does not serve a chat model of that name."""


class ChatBusyError(GhostfillError):
    """Another chat model is in use, and there is room for one."""


@dataclass(frozen=True, slots=True)
class ChatModel:
    """An instruct model that can be asked."""

    name: str
    tokenizer: Tokenizer
    template: ChatTemplate
    lane: Lane


class Stay:
    """One model's time in the engine, from the first request for it to its unloading."""

    def __init__(self, name: str, model: ChatModel | None = None) -> None:
        self.name = name
        self.progress = 0.0
        self.model = model
        self.message = ""
        """For people: why it could not be loaded."""
        self.is_our_fault = False
        """Nobody foresaw what went wrong."""
        self.loaded: Future[None] = Future()
        """Done when it is ready or cannot be; nobody can cancel it."""
        self.num_users = 0
        self.last_used = 0.0
        self.loaded.set_running_or_notify_cancel()

    @property
    def state(self) -> str:
        """`loading`, `ready` or `error`."""
        if not self.loaded.done():
            return "loading"
        return "error" if self.model is None else "ready"


class ChatModels:
    """Which chat model is here, who uses it, and what becomes of it."""

    def __init__(self, resident: ResidentModel, clock: Callable[[], float] = time.monotonic) -> None:
        self._resident = resident
        self._clock = clock
        self._changing = threading.Lock()
        """Held for moments, by whoever looks at the stay or the users."""
        self._moving = threading.Lock()
        """Held by the thread that loads or unloads."""
        self.stay: Stay | None = None
        """Of the model that is here, loads, or could not be loaded last."""
        self._memory: SharedMemory | None = None
        self.num_loads = 0

    @property
    def names(self) -> list[str]:
        """Whom clients are told of: the one of the command line, the one here, and the completion model."""
        stay, resident = self.stay, self._resident
        here = stay.name if stay is not None and stay.state != "error" else None
        own = resident.name if resident.template is not None else None
        return [*dict.fromkeys(name for name in (resident.options.chat_model, here, own) if name)]

    @property
    def model(self) -> ChatModel | None:
        """The one that is ready, beside the completion model."""
        stay = self.stay
        return stay.model if stay is not None else None

    def health(self) -> dict[str, Any] | None:
        """What clients ask for; None while no second model is or was to be here."""
        stay = self.stay
        if stay is None:
            return None
        return {
            "model": stay.name,
            "state": stay.state,
            "progress": round(stay.progress, 3),
            "message": stay.message,
        }

    def check(self, name: str | None) -> str:
        """The name of the model that a request means; raises UnknownChatModelError if it may not have it."""
        resident = self._resident
        name = name or resident.options.chat_model
        if name is None:
            raise UnknownChatModelError("name an instruct model in the request's key 'model'")
        if name == resident.name or name == resident.options.chat_model or resident.options.is_private:
            return name
        if resident.options.chat_model is None:
            raise UnknownChatModelError(
                "this engine serves no chat model: start it with --chat-model, or use another chat.url"
            )
        raise UnknownChatModelError(
            f"this engine's chat model is {resident.options.chat_model}: name that in chat.model, or none"
        )

    @contextmanager
    def use(self, name: str | None) -> Iterator[Stay]:
        """The model's stay, which begins now if need be and does not end meanwhile.

        Raises UnknownChatModelError, or ChatBusyError while another model is loading or in use.
        """
        stay = self._enter(self.check(name))
        try:
            yield stay
        finally:
            with self._changing:
                stay.num_users -= 1
                stay.last_used = self._clock()

    def unload_if_idle(self) -> None:
        """Unload a model that nobody has used for long; to be called now and then."""
        limit = self._resident.options.chat_idle_seconds
        with self._changing:
            stay = self.stay
            if stay is None or stay.state != "ready" or stay.num_users or not limit:
                return
            if self._clock() - stay.last_used < limit:
                return
            self.stay = None
        log.info("chat model %s was idle: unloading", stay.name)
        threading.Thread(target=self._end, args=(stay,), name="unload chat", daemon=True).start()

    def _enter(self, name: str) -> Stay:
        if name == self._resident.name:
            return self._shared()
        with self._changing:
            old = stay = self.stay
            if stay is None or stay.state == "error" or (stay.name != name and self._is_free(stay)):
                self.stay = stay = Stay(name)
                threading.Thread(target=self._begin, args=(stay, old), name="load chat", daemon=True).start()
            elif stay.name != name:
                what = "loading" if stay.state == "loading" else "in use"
                raise ChatBusyError(f"chat model {stay.name} is {what}, and one fits: ask again later")
            stay.num_users += 1
            return stay

    def _is_free(self, stay: Stay) -> bool:
        return stay.state == "ready" and stay.num_users == 0

    def _shared(self) -> Stay:
        """The completion model, asked as an instruct model: it stays, whoever uses it."""
        resident, model = self._resident, None
        assert resident.worker is not None
        assert resident.tokenizer is not None
        if resident.template is not None:
            lane = resident.worker.lane
            model = ChatModel(resident.name, resident.tokenizer, resident.template, lane)
        stay = Stay(resident.name, model)
        stay.message = resident.no_template
        stay.num_users = 1
        stay.loaded.set_result(None)
        return stay

    def _begin(self, stay: Stay, old: Stay | None) -> None:
        """In a thread of its own: unload the old model, then load; a failure is told by the stay."""
        with self._moving:
            self._unload(old)
            del old
            try:
                stay.model = self._load(stay)
            except GhostfillError as error:
                stay.message = str(error).replace("setting 'model'", "setting 'chat.model'")
                log.error("%s", stay.message)
            except Exception as error:
                stay.message = f"Chat model {stay.name} cannot be loaded: {error}"
                stay.is_our_fault = True
                log.exception("loading chat model %s", stay.name)
            if stay.model is None:
                self._tidy()  # only now: the error's traceback held what had been loaded
            stay.last_used = self._clock()
            stay.loaded.set_result(None)

    def _end(self, stay: Stay) -> None:
        with self._moving:
            self._unload(stay)

    def _unload(self, stay: Stay | None) -> None:
        if stay is not None and stay.model is not None:
            stay.model.lane.release()
            stay.model = None
            self._tidy()

    def _tidy(self) -> None:
        """The completion model has all the memory again."""
        gc.collect()
        if self._memory is not None:
            self._memory.give_back()

    def _load(self, stay: Stay) -> ChatModel:
        # torch came with the completion model, long before.
        from engine.runtime.lane import Lane
        from engine.runtime.memory import NUM_CHAT_SLOTS, Need, SharedMemory
        from engine.runtime.model import load_model

        worker, options = self._resident.worker, self._resident.options
        assert worker is not None
        if self._memory is None:
            self._memory = SharedMemory(worker.lane, options.memory_gb)
        self.num_loads += 1
        folder = ModelFolder.open(stay.name)
        tokenizer = Tokenizer.from_folder(folder.path)
        template = ChatTemplate.of(folder, tokenizer)
        place = worker.loaded.device
        self._memory.make_room(stay.name, Need.before(folder, place, options.dtype, options.quantize))

        def report(fraction: float) -> None:
            stay.progress = 0.05 + 0.9 * fraction

        report(0.0)
        loaded = load_model(
            folder,
            device=str(place),
            dtype=options.dtype,
            on_progress=report,
            trust_remote_code=options.trust_remote_code,
            quantize=options.quantize,
        )
        # Its marks are not banned, as in a completion: some models think in them, aloud.
        lane = Lane(
            replace(loaded, eos_ids=loaded.eos_ids | template.stop_ids),
            num_valid_ids=tokenizer.num_ids,
            num_slots=NUM_CHAT_SLOTS,
            kv_bytes=self._memory.share(stay.name, loaded),
            counters=worker.counters,
        )
        stay.progress = 1.0
        return ChatModel(stay.name, tokenizer, template, lane)
