"""What the doctor finds of model, engine, runtime folder and log. Starts nothing; knows no torch."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from engine.backends.base import EngineInfo
from engine.checkpoint_kinds import check_loadable
from engine.client import EngineClient
from engine.errors import EngineUnavailableError, GhostfillError, ModelError, NoInfillError
from engine.fim import detect
from engine.launch import EngineSpec
from engine.model_folder import ModelFolder
from engine.runtime_dir import EngineFiles
from engine.tokens import Tokenizer
from lsp_server.backend_choice import backend_for
from lsp_server.cli.check import Check, ok, problem, warning
from lsp_server.settings import Settings

LAST_LINES = 8
_FAILURES = ("Traceback (most recent call last)", " ERROR ", " CRITICAL ", "ghostfill engine: ")


def check_model(spec: EngineSpec) -> Check:
    """The model's folder, its tokenizer and its FIM format."""
    try:
        folder = ModelFolder.open(spec.model)
        check_loadable(spec.model, folder.config)
        Tokenizer.from_folder(folder.path)
        fim = detect(folder, spec.fim_format)
    except NoInfillError as error:
        return warning("model", f"{spec.model} does not fill in the middle", str(error))
    except ModelError as error:
        return problem("model", f"{spec.model} cannot be loaded", str(error))
    size = sum(file.stat().st_size for file in folder.path.iterdir() if file.is_file())
    return ok(
        "model",
        f"{spec.model}, {size / 1e6:,.0f} MB, FIM format {fim.name}, reads {fim.context_length:,} tokens",
        folder=str(folder.path),
        fim_format=fim.name,
        context_length=fim.context_length,
    )


def check_local_engine(spec: EngineSpec) -> Iterator[Check]:
    """Runtime folder and socket, whether an engine answers there, and its log."""
    try:
        files = spec.files()
        socket = files.socket
    except EngineUnavailableError as error:
        yield problem("runtime folder", "cannot be used", str(error))
        return
    yield ok("runtime folder", f"{files.folder}, private", folder=str(files.folder))
    health = asyncio.run(_health(socket))
    yield _check_health(health, socket)
    yield _check_log(files, is_running=health is not None)


def check_remote_engine(settings: Settings) -> Check:
    """The engine, or another server of models, at `engine.url`."""
    url = settings.engine.url
    try:
        info = asyncio.run(_describe(settings))
    except GhostfillError as error:
        advice = "Correct engine.url, engine.api, engine.apiKeyEnv or model, or start the server there."
        return problem("engine", str(error), advice, url=url)
    # Only our own engine tells how it computes.
    how = f" on {info.device} in {info.dtype}" if info.dtype else ""
    fim = info.layout.fim
    message = f"{info.model}{how} at {url}, FIM format {fim.name}, reads {info.context_length:,} tokens"
    facts = {"url": url, "model": info.model, "fim_format": fim.name, "context_length": info.context_length}
    if info.refusal:
        return warning("engine", message, info.refusal, **facts)
    return ok("engine", message, **facts)


async def _describe(settings: Settings) -> EngineInfo:
    backend = backend_for(settings)
    try:
        return await backend.ready()
    finally:
        await backend.close()


async def _health(socket: Path) -> dict[str, Any] | None:
    client = EngineClient(socket=socket)
    try:
        return await client.health()
    except EngineUnavailableError:
        return None
    finally:
        await client.close()


def _check_health(health: dict[str, Any] | None, socket: Path) -> Check:
    facts = {"socket": str(socket), "health": health}
    if health is None:
        return ok("engine", f"not running; starts with the first request, at {socket}", **facts)
    if health["state"] == "error":
        return problem("engine", f"process {health['pid']} could not load", str(health["message"]), **facts)
    if health["state"] != "ready":
        return ok("engine", f"loading, {health['progress']:.0%} done, process {health['pid']}", **facts)
    message = (
        f"{health['model']} on {health['device']} in {health['dtype']}, process {health['pid']}, at {socket}"
    )
    return ok("engine", message, **facts)


def _check_log(files: EngineFiles, *, is_running: bool) -> Check:
    try:
        text = files.log.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ok("log", f"none yet; it will be {files.log}", path=str(files.log))
    lines = text.splitlines()[-LAST_LINES:]
    has_failed = not is_running and any(mark in line for line in lines for mark in _FAILURES)
    if not has_failed:
        return ok("log", str(files.log), path=str(files.log))
    return warning(
        "log",
        f"{files.log}: the engine's last run ended badly",
        "Its last lines:\n" + "\n".join(lines),
        path=str(files.log),
        last_lines=lines,
    )
