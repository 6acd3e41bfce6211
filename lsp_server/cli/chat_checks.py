"""What the doctor finds of the instruct model behind explain and fix. Starts, loads and downloads nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from engine.backends.chat import MODELS, ChatClient
from engine.chat_template import ChatTemplate
from engine.checkpoint_kinds import check_loadable
from engine.errors import GhostfillError, ModelError
from engine.known_models import Fit, Room, fit_of, largest_instruct
from engine.model_folder import ModelFolder
from engine.model_size import size_of
from engine.tokens import Tokenizer
from lsp_server.backend_choice import absolute_model, chat_endpoint
from lsp_server.cli.check import Check, State, ok, warning
from lsp_server.cli.largest_model import GIB, find_room
from lsp_server.settings import Settings, user_file

NAME = "chat model"
NONE_SET = "none: explain shows facts and one line of the model that completes, fix tries small repairs"
WOULD_ADD = "An instruct model would explain in words and rewrite faulty code"


@dataclass(frozen=True, slots=True)
class _Space:
    """What the completion model leaves of a device."""

    room: Room
    beside: str

    def __str__(self) -> str:
        return f"{max(0, self.room.memory_bytes) / GIB:.1f} GiB beside {self.beside}"


def check_chat(settings: Settings, probe: Mapping[str, Any]) -> Check:
    """The instruct model that the settings name, or what one would add; `probe` is what torch said."""
    chat = settings.chat
    if chat.model is None and chat.url is None:
        return _check_none(settings, probe)
    if chat.url is None and settings.engine.url is None:
        return _check_on_disk(settings, str(chat.model), probe)
    return _check_server(settings)


def _check_none(settings: Settings, probe: Mapping[str, Any]) -> Check:
    if settings.engine.url is not None:
        return Check(NAME, State.OK, NONE_SET, f"{WOULD_ADD}: set chat.url to a server that has one.")
    space = _space(settings, probe)
    fit = largest_instruct(space.room, settings.engine.quantize) if space else None
    if fit is None:
        where = f"none that is known fits ({space})" if space else "this system does not tell its memory"
        return Check(
            NAME, State.OK, NONE_SET, f"{WOULD_ADD}; {where}: set chat.url to a server that has one."
        )
    name, size = fit.model.name, fit.weight_bytes / GIB
    advice = (
        f"{WOULD_ADD}. {name} (licence {fit.model.licence}, {size:.1f} GiB) fits into {space}: "
        f'ghostfill pull {name}, then model = "{name}" under [chat] in {user_file()}.'
    )
    return Check(NAME, State.OK, NONE_SET, advice, {"known": name})


def _check_on_disk(settings: Settings, name: str, probe: Mapping[str, Any]) -> Check:
    """One for the engine that completes: whether it is there, answers, and fits."""
    facts: dict[str, Any] = {"model": name}
    try:
        folder = ModelFolder.open(absolute_model(name))
        check_loadable(name, folder.config)
        ChatTemplate.of(folder, Tokenizer.from_folder(folder.path))
    except GhostfillError as error:
        return warning(NAME, f"{name} cannot be used", str(error), **facts)
    size = size_of(folder)
    facts["folder"] = str(folder.path)
    if absolute_model(name) == absolute_model(settings.model):
        return ok(NAME, f"{name}, the model that completes: nothing is loaded twice", **facts)
    space = _space(settings, probe)
    if space is None:
        return ok(NAME, f"{name}; whether it fits is not known", **facts)
    fit = fit_of(size, space.room, settings.engine.quantize)
    if fit.fits(space.room):
        return ok(NAME, f"{_needs(fit)}; fits into {space}", **facts)
    return warning(NAME, f"{_needs(fit)}; there are {space}", _smaller(settings, space), **facts)


def _needs(fit: Fit) -> str:
    weights, kv = fit.weight_bytes / GIB, fit.kv_bytes / GIB
    return f"{fit.model.name}, {weights:.1f} GiB of weights and {kv:.1f} GiB of keys and values"


def _smaller(settings: Settings, space: _Space) -> str:
    """What to do about a model that does not fit."""
    fit = largest_instruct(space.room, settings.engine.quantize)
    smaller = f"name a smaller one in chat.model ({fit.model.name} fits)" if fit else ""
    int8 = "" if settings.engine.quantize else 'set quantize = "int8" under [engine]'
    ways = [way for way in (smaller, int8, "set chat.url to a server that has one") if way]
    said = ", ".join(ways[:-1]) + f", or {ways[-1]}" if len(ways) > 1 else ways[0]
    return f"{said[0].upper()}{said[1:]}."


def _space(settings: Settings, probe: Mapping[str, Any]) -> _Space | None:
    """None where this system does not tell its memory."""
    room = find_room(settings.device, probe)
    if room is None:
        return None
    try:
        size = size_of(ModelFolder.open(absolute_model(settings.model)))
    except ModelError:
        return _Space(room, "nothing, as the model that completes is not here")
    taken = fit_of(size, room, settings.engine.quantize).num_bytes
    return _Space(replace(room, memory_bytes=room.memory_bytes - taken), settings.model)


def _check_server(settings: Settings) -> Check:
    """One at `chat.url`, or at `engine.url`: whether it answers and lists the model."""
    url = settings.chat.url or settings.engine.url
    try:
        name, listed = asyncio.run(_ask(settings))
    except GhostfillError as error:
        asked = settings.chat.model or "the model"
        return warning(NAME, f"{asked} at {url} cannot be asked", str(error), url=url)
    facts = {"url": url, "model": name, "models": listed}
    if name not in listed:
        names = ", ".join(listed) or "none"
        advice = f"It lists {names}: name one of them in chat.model, or have it serve this one."
        return warning(NAME, f"{url} does not list {name}", advice, **facts)
    return ok(NAME, f"{name} at {url}", **facts)


async def _ask(settings: Settings) -> tuple[str, list[str]]:
    """The model that would be asked, and all that the server lists; raises GhostfillError."""
    endpoint = chat_endpoint(settings)
    try:
        found = await ChatClient(endpoint, settings.chat.model).find()
        body = (await endpoint.look(MODELS)).body
    finally:
        await endpoint.close()
    entries = body.get("data") if isinstance(body, dict) else None
    listed = [str(each["id"]) for each in entries or () if isinstance(each, dict) and "id" in each]
    return found.name, listed
