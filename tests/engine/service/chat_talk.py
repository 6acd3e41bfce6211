"""How the tests here chat with an engine, and a hold on the loading of its chat model."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx2
import pytest

from engine.api import Message, Role
from engine.runtime import model as model_module
from engine.runtime.chat_model import ChatModels
from engine.runtime.model import LoadedModel
from engine.runtime.resident import ResidentModel

PATIENCE_S = 60
QUESTION = "def add(a, b):"
MESSAGES = (Message(Role.USER, QUESTION),)


def body(model: Path | str | None, question: str = QUESTION, **more: Any) -> dict[str, Any]:
    named = {} if model is None else {"model": str(model)}
    return named | {"messages": [{"role": "user", "content": question}], "max_tokens": 12} | more


async def chat(http: httpx2.AsyncClient, model: Path | str | None, **more: Any) -> dict[str, Any]:
    response = await http.post("/v1/chat/completions", json=body(model, **more))
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


async def refusal(http: httpx2.AsyncClient, status: int, model: Path | str | None, **more: Any) -> str:
    response = await http.post("/v1/chat/completions", json=body(model, **more))
    assert response.status_code == status, response.text
    return str(response.json()["error"]["message"])


async def chunks(
    http: httpx2.AsyncClient, model: Path | str | None, **more: Any
) -> AsyncIterator[dict[str, Any]]:
    """A stream's events as they come."""
    asked = body(model, **more) | {"stream": True}
    async with http.stream("POST", "/v1/chat/completions", json=asked) as response:
        assert response.status_code == 200
        lines = (line async for line in response.aiter_lines() if line)
        async for line in lines:
            if line == "data: [DONE]":
                break
            yield json.loads(line.removeprefix("data: "))
        assert [line async for line in lines] == []


async def all_chunks(http: httpx2.AsyncClient, model: Path | str | None, **more: Any) -> list[dict[str, Any]]:
    return [each async for each in chunks(http, model, **more)]


def text_of(answer: dict[str, Any]) -> str:
    return str(answer["choices"][0]["message"]["content"])


def streamed(events: list[dict[str, Any]]) -> str:
    return "".join(event["choices"][0]["delta"].get("content", "") for event in events)


def loading(events: list[dict[str, Any]]) -> list[float]:
    """What a stream said of the model's loading."""
    return [event["ghostfill"]["loading"] for event in events if "loading" in event.get("ghostfill", {})]


async def chat_health(http: httpx2.AsyncClient) -> dict[str, Any] | None:
    found: dict[str, Any] | None = (await http.get("/health")).json()["chat"]
    return found


@dataclass
class Gate:
    """Stands in front of every load: counts them, holds them while it is shut, and may make them fail."""

    num_loads: int = 0
    is_reached: threading.Event = field(default_factory=threading.Event)
    failures: list[Exception] = field(default_factory=list)
    """One for each of the next loads."""
    on_reached: Callable[[Callable[[float], None]], None] = lambda _report: None
    """Called with the load's `on_progress`."""
    _open: threading.Event = field(default_factory=threading.Event)

    @classmethod
    def before_loads(cls, patch: pytest.MonkeyPatch, *, is_open: bool = True) -> Gate:
        gate, load = cls(), model_module.load_model
        if is_open:
            gate.open()

        def held(*args: Any, **keys: Any) -> LoadedModel:
            gate.num_loads += 1
            gate.on_reached(keys["on_progress"])
            gate.is_reached.set()
            assert gate._open.wait(PATIENCE_S)
            if gate.failures:
                raise gate.failures.pop(0)
            return load(*args, **keys)

        patch.setattr(model_module, "load_model", held)
        return gate

    def open(self) -> None:
        self._open.set()


class Clock:
    """Time that a test passes."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def options(resident: ResidentModel, patch: pytest.MonkeyPatch, **changes: Any) -> None:
    """As if the engine had been started with these."""
    patch.setattr(resident, "options", replace(resident.options, **changes))


async def until_moved(chats: ChatModels) -> None:
    """The thread that unloads is done."""
    await asyncio.to_thread(chats._moving.acquire)
    chats._moving.release()
