"""Chat with real engine processes: at the user's own socket, and over a network."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from engine.launch import child_environment
from instruct_model import make_builtin_instruct

PATIENCE_S = 120
FLAGS = ["--device", "cpu", "--dtype", "float32", "--log-prompts"]


@pytest.fixture(scope="module")
def instruct(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_builtin_instruct(tmp_path_factory.mktemp("instruct") / "model")


class Engine:
    """A process, its log and where it listens."""

    def __init__(self, folder: Path, *flags: object) -> None:
        self.log = folder / "log"
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-m", "engine", *FLAGS, *map(str, flags)],
                env=child_environment() | {"GHOSTFILL_RUNTIME_DIR": str(folder / "run")},
                cwd=folder,
                stderr=output,
                stdout=output,
            )

    def words(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def end(self) -> None:
        self.process.kill()
        self.process.wait()


async def until_ready(http: httpx2.AsyncClient, engine: Engine) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            assert engine.process.poll() is None, engine.words()
            try:
                if (await http.get("/health")).json()["state"] == "ready":
                    return
            except httpx2.HTTPError:
                pass
            await asyncio.sleep(0.05)


@asynccontextmanager
async def talking(engine: Engine, **where: Any) -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(timeout=PATIENCE_S, trust_env=False, **where) as http:
        await until_ready(http, engine)
        yield http


def asked(model: Path | None, **more: Any) -> dict[str, Any]:
    named = {} if model is None else {"model": str(model)}
    return named | {"messages": [{"role": "user", "content": "def area(r):"}], "max_tokens": 12} | more


@pytest.fixture(scope="module")
def private(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Engine, Path]]:
    """An engine at a socket of the user's own."""
    folder = tmp_path_factory.mktemp("p")
    engine = Engine(folder, "--socket", folder / "e.sock")
    yield engine, folder / "e.sock"
    engine.end()


async def test_the_owner_may_ask_any_model_and_hears_how_far_its_loading_is(
    private: tuple[Engine, Path], instruct: Path
) -> None:
    """From no chat model to a streamed answer, in one request; then not streamed, which says the same."""
    engine, path = private
    async with talking(
        engine, transport=httpx2.AsyncHTTPTransport(uds=str(path)), base_url="http://engine"
    ) as http:
        assert (await http.get("/health")).json()["chat"] is None
        async with http.stream("POST", "/v1/chat/completions", json=asked(instruct, stream=True)) as response:
            lines = [line.removeprefix("data: ") async for line in response.aiter_lines() if line]
        events = [json.loads(line) for line in lines[:-1]]
        whole = (await http.post("/v1/chat/completions", json=asked(instruct))).json()
        health, metrics = (await http.get("/health")).json(), (await http.get("/metrics")).text

    fractions = [event["ghostfill"]["loading"] for event in events if "loading" in event.get("ghostfill", {})]
    text = "".join(event["choices"][0]["delta"].get("content", "") for event in events)
    assert lines[-1] == "[DONE]"
    assert fractions == sorted(fractions) != []
    assert text == whole["choices"][0]["message"]["content"] != ""
    assert health["chat"] == {"model": str(instruct), "state": "ready", "progress": 1.0, "message": ""}
    assert health["model"] == "builtin"
    assert re.search(r"^ghostfill_chat_models 1$", metrics, re.MULTILINE)
    assert re.search(r"^ghostfill_chat_loads_total 1$", metrics, re.MULTILINE)
    assert "def area(r):" in engine.words(), "--log-prompts"


async def test_a_closed_connection_ends_the_decoding(private: tuple[Engine, Path], instruct: Path) -> None:
    engine, path = private
    async with talking(
        engine, transport=httpx2.AsyncHTTPTransport(uds=str(path)), base_url="http://engine"
    ) as http:
        await http.post("/v1/chat/completions", json=asked(instruct))
        before = (await http.get("/health")).json()["counters"]
        body = asked(instruct, stream=True, max_tokens=4000)
        async with http.stream("POST", "/v1/chat/completions", json=body) as response:
            async for line in response.aiter_lines():
                if '"content": "' in line and '"content": ""' not in line:
                    break
        async with asyncio.timeout(PATIENCE_S):
            while (after := (await http.get("/health")).json()["counters"])["cancelled"] == before[
                "cancelled"
            ]:
                await asyncio.sleep(0.02)

    assert after["decode_steps"] - before["decode_steps"] < 2000


async def test_over_a_network_the_engines_own_chat_model_answers_and_no_other(
    tmp_path: Path, instruct: Path
) -> None:
    (tmp_path / "key").write_text("secret\n")
    where = ["--host", "127.0.0.1", "--port", 0, "--api-key-file", tmp_path / "key"]
    engine = Engine(tmp_path, *where, "--chat-model", instruct)
    try:
        async with asyncio.timeout(PATIENCE_S):
            while (found := re.search(r"listening at \('127\.0\.0\.1', (\d+)\)", engine.words())) is None:
                assert engine.process.poll() is None, engine.words()
                await asyncio.sleep(0.02)
        url, key = f"http://127.0.0.1:{found[1]}", {"authorization": "Bearer secret"}
        async with talking(engine, base_url=url, headers=key) as http:
            other = await http.post("/v1/chat/completions", json=asked(tmp_path))
            keyless = await http.post(
                "/v1/chat/completions", json=asked(None), headers={"authorization": "Bearer guess"}
            )
            listed = (await http.get("/v1/models")).json()["data"]
            unnamed = await http.post("/v1/chat/completions", json=asked(None))
    finally:
        engine.end()

    assert (other.status_code, keyless.status_code) == (404, 401)
    assert f"this engine's chat model is {instruct}" in other.json()["error"]["message"]
    assert [(each["id"], each["ghostfill"]["chat"]) for each in listed] == [
        ("builtin", False),
        (str(instruct), True),
    ]
    assert unnamed.status_code == 200, unnamed.text
    assert unnamed.json()["model"] == str(instruct)
    assert unnamed.json()["choices"][0]["message"]["content"]
