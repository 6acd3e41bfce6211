"""How the tests here talk to an engine: prompts, answers, events, counters."""

from __future__ import annotations

import json
from typing import Any

import httpx2

from engine.layout import Budget
from engine.runtime.resident import ResidentModel
from engine.runtime.service import create_app

PREFIX = "import math\n\n\ndef area(radius):\n    return math."
SUFFIX = "\n\n\nprint(area(2))\n"
CHUNK = 16


def prompt_ids(resident: ResidentModel, prefix: str = PREFIX, suffix: str = SUFFIX) -> list[int]:
    layout = resident.layout
    assert layout is not None
    budget = Budget.split(resident.context_length, 64, layout.fim)
    return [*layout.prompt([], None, prefix, suffix, budget).ids]


async def post(http: httpx2.AsyncClient, **body: Any) -> dict[str, Any]:
    response = await http.post("/v1/completions", json=body)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def text_of(answer: dict[str, Any]) -> str:
    return str(answer["choices"][0]["text"])


async def events(http: httpx2.AsyncClient, **body: Any) -> list[Any]:
    """The data of a stream's events, JSON parsed."""
    async with http.stream("POST", "/v1/completions", json={**body, "stream": True}) as response:
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/event-stream")
        lines = [line async for line in response.aiter_lines() if line]
    assert all(line.startswith("data: ") for line in lines)
    assert lines[-1] == "data: [DONE]"
    return [json.loads(line.removeprefix("data: ")) for line in lines[:-1]]


async def counters(http: httpx2.AsyncClient) -> dict[str, int]:
    found: dict[str, int] = (await http.get("/health")).json()["counters"]
    return found


def asgi(resident: ResidentModel, api_key: str | None = None, **headers: str) -> httpx2.AsyncClient:
    transport = httpx2.ASGITransport(app=create_app(resident, api_key))
    return httpx2.AsyncClient(transport=transport, base_url="http://engine", headers=headers)
