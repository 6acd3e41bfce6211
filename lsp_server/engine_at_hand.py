"""What is known of the engine without starting one: a running engine's word, else the model folder's.

Knows neither torch nor workspaces.
"""

from __future__ import annotations

from pathlib import Path

from engine.backends.base import EngineInfo, describe
from engine.client import EngineClient
from engine.errors import EngineUnavailableError
from engine.fim import choose
from engine.layout import Layout
from engine.model_folder import ModelFolder
from engine.tokens import Tokenizer
from lsp_server.backend_choice import backend_for, engine_spec
from lsp_server.settings import Settings

GPU_FILE = Path("/dev/nvidiactl")
"""There where an NVIDIA driver is loaded."""


async def engine_at_hand(settings: Settings) -> EngineInfo:
    """The engine that runs, or what one would say of itself (`pid` 0); raises GhostfillError."""
    if settings.engine.url is not None:
        backend = backend_for(settings)
        try:
            return await backend.ready()
        finally:
            await backend.close()
    client = EngineClient(socket=engine_spec(settings).files().socket)
    try:
        health = await client.health()
        if health["state"] == "ready":
            return await describe(client, health)
    except EngineUnavailableError:
        pass  # none runs, which is no fault here
    finally:
        await client.close()
    return _from_folder(settings)


def _from_folder(settings: Settings) -> EngineInfo:
    folder = ModelFolder.open(engine_spec(settings).model)
    tokenizer = Tokenizer.from_folder(folder.path)
    fim, refusal, order = choose(folder, settings.engine.fim_format)
    device = settings.device
    if device == "auto":
        device = "cuda" if GPU_FILE.exists() else "cpu"
    return EngineInfo(
        model=folder.name,
        device=device,
        dtype=settings.dtype,
        context_length=fim.context_length,
        tokenizer=tokenizer,
        layout=Layout(tokenizer, fim, order),
        refusal=refusal,
        pid=0,
    )
