"""How the tests here talk to an engine: prompts, answers, events, counters; and an engine that is none."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
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
    return [*layout.prompt([], None, prefix, suffix, budget, heals=False).ids]


def file_ids(resident: ResidentModel) -> list[int]:
    """The start of a file without a hole: there is no middle that could end early, whatever the weights."""
    layout = resident.layout
    assert layout is not None
    return [layout.tokenizer.mark_id(layout.fim.bos), *layout.tokenizer.encode(PREFIX)]


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


@asynccontextmanager
async def canned(*answers: bytes) -> AsyncIterator[str]:
    """The URL of a server that gives these answers, one a connection, the last again and again."""
    coming = itertools.chain(answers, itertools.repeat(answers[-1]))

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(next(coming))
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


def http_answer(status: int, body: Any) -> bytes:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return f"HTTP/1.1 {status} X\r\ncontent-length: {len(content)}\r\n\r\n".encode() + content
