"""What every backend offers: a description once it is ready, and completions. Knows no particular wire."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from engine.api import Completion, CompletionRequest
from engine.build import PROTOCOL
from engine.client import EngineClient, OnText
from engine.errors import EngineRefusedError, EngineUnavailableError
from engine.fim import FORMATS, PLAIN, Order, plain_format
from engine.layout import Layout
from engine.tokens import Tokenizer

OnProgress = Callable[[float, str], None]
"""Called while an engine loads, with a fraction of 1 and a sentence."""

__all__ = ["Backend", "EngineInfo", "OnProgress", "OnText", "describe", "report_loading"]


@dataclass(frozen=True, slots=True)
class EngineInfo:
    """A ready engine, as its clients need to know it."""

    model: str
    device: str
    dtype: str
    context_length: int
    tokenizer: Tokenizer
    layout: Layout
    refusal: str
    """Why the model cannot fill in the middle; empty if it can."""
    pid: int
    """0 where none runs, -1 where a server does not tell."""

    @property
    def default_budget_tokens(self) -> int:
        """What a prompt and its answer may take if nobody set it: a CPU reads slowly."""
        return 4096 if self.device.startswith("cpu") else 16384


class Backend(Protocol):
    """A way to reach a model."""

    async def ready(self, on_progress: OnProgress | None = None) -> EngineInfo:
        """Wait until the engine can complete; raises EngineUnavailableError with what to do."""
        ...

    async def complete(self, request: CompletionRequest, on_text: OnText | None = None) -> Completion:
        """Complete; raises EngineUnavailableError. Cancelling the task stops the work.

        `on_text` is told the text piece by piece while it is decoded; in the end, all of it.
        """
        ...

    async def cached_tokens(self, prompt_ids: Sequence[int]) -> int | None:
        """How many leading tokens of a prompt the engine would reuse now; None if it cannot be known.

        Starts no engine and raises nothing: where none runs, or an older one, nothing is known.
        """
        ...

    def forget(self) -> None:
        """Drop what is known of the engine and of earlier failures: the next `ready` starts afresh."""
        ...

    async def close(self) -> None:
        """Drop connections; a resident engine lives on for others."""
        ...


async def describe(client: EngineClient, health: dict[str, Any]) -> EngineInfo:
    """What a ready engine says of itself; raises EngineUnavailableError, TokenizerError."""
    if health.get("protocol") != PROTOCOL:
        raise EngineRefusedError(
            f"the engine at {client.address} speaks protocol {health.get('protocol')}, we {PROTOCOL}: "
            "install the same version of ghostfill on both sides."
        )
    tokenizer = Tokenizer.from_json(await client.tokenizer_json())
    try:
        name, context_length = str(health["fim_format"]), int(health["context_length"])
        fim = plain_format(str(health["bos"]), context_length) if name == PLAIN else FORMATS[name]
        return EngineInfo(
            model=str(health["model"]),
            device=str(health["device"]),
            dtype=str(health["dtype"]),
            context_length=context_length,
            tokenizer=tokenizer,
            layout=Layout(tokenizer, fim, Order(health["order"])),
            refusal=str(health["refusal"]),
            pid=int(health["pid"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise EngineRefusedError(
            f"the engine at {client.address} does not describe itself ({error!r}): install the same version "
            "of ghostfill on both sides."
        ) from error


def report_loading(health: dict[str, Any], on_progress: OnProgress | None) -> None:
    """Tell how far an engine has come; raises EngineUnavailableError if it will never be ready."""
    match health.get("state"), health.get("progress"):
        case "loading", int() | float() as progress:
            if on_progress is not None:
                on_progress(float(progress), f"loading {health.get('model')}")
        case "error", _:
            raise EngineUnavailableError(str(health.get("message")))
        case _:
            raise EngineRefusedError("what answers is no ghostfill engine: its health says no state")
