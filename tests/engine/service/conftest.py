"""An engine with the built-in model in this process, at a socket, and two ways to talk to it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx2
import pytest
from chat_talk import Clock, Gate

from engine.client import EngineClient
from engine.runtime.chat_model import ChatModels
from engine.runtime.resident import EngineOptions, ResidentModel
from engine_http import serving
from instruct_model import make_builtin_instruct


@pytest.fixture(scope="session")
def resident() -> Iterator[ResidentModel]:
    """The built-in model, loaded."""
    resident = ResidentModel(EngineOptions(device="cpu", dtype="float32"))
    resident.load()
    assert resident.state == "ready", resident.message
    yield resident
    resident.close()


@pytest.fixture(scope="session")
def socket_path(resident: ResidentModel, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with serving(resident, tmp_path_factory.mktemp("s") / "e.sock") as path:
        yield path


@pytest.fixture
async def http(socket_path: Path) -> AsyncIterator[httpx2.AsyncClient]:
    transport = httpx2.AsyncHTTPTransport(uds=str(socket_path))
    async with httpx2.AsyncClient(transport=transport, base_url="http://engine", timeout=60) as client:
        yield client


@pytest.fixture
async def client(socket_path: Path) -> AsyncIterator[EngineClient]:
    client = EngineClient(socket=socket_path)
    yield client
    await client.close()


@pytest.fixture(scope="session")
def instruct(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built-in weights as a chat model of their own."""
    return make_builtin_instruct(tmp_path_factory.mktemp("instruct") / "model")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def chats(resident: ResidentModel, clock: Clock) -> Iterator[ChatModels]:
    """The engine's chat as it is before the first request, on a clock of its own."""
    before, resident.chat = resident.chat, ChatModels(resident, clock)
    yield resident.chat
    if resident.chat.stay is not None:
        resident.chat.stay.loaded.result(60)
        resident.chat._end(resident.chat.stay)
    resident.chat = before


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """A second instruct model."""
    return make_builtin_instruct(tmp_path / "other")


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Gate:
    return Gate.before_loads(monkeypatch)
