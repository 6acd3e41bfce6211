"""Chat in a session: only the user says where it goes, from start to end."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.api import Message, Role
from engine.fake import FakeBackend
from fake_chat_server import FakeChatServer, chat_server
from inprocess import Client, connected
from lsp_server.chat_link import ChatLink

QUESTION = [Message(Role.USER, "Why?")]


@pytest.fixture(name="workspace")
def workspace_fixture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """With a user's file that the test may write, and an empty home."""
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))
    monkeypatch.setenv("GHOSTFILL_RUNTIME_DIR", str(tmp_path / "run"))
    folder = tmp_path / "work"
    folder.mkdir()
    return folder


@pytest.fixture(name="server")
def server_fixture() -> Iterator[FakeChatServer]:
    with chat_server() as server:
        yield server


def configure(client: Client, section: dict[str, Any]) -> None:
    client.notify("workspace/didChangeConfiguration", {"settings": {"ghostfill": section}})


async def asked(client: Client) -> str:
    return (await client.server.session.chat.ask(QUESTION, max_tokens=9)).text


def backend() -> FakeBackend:
    return FakeBackend(lambda prompt: "")


async def test_the_clients_own_options_set_it(workspace: Path, server: FakeChatServer) -> None:
    async with connected(backend(), workspace, {"chat": {"url": server.url}}) as client:
        assert await asked(client) == "An answer."


async def test_nothing_of_an_opened_repository_sets_it(workspace: Path, server: FakeChatServer) -> None:
    (workspace / ".ghostfill.toml").write_text(f'[chat]\nurl = "{server.url}"\nmodel = "instruct"\n')
    async with connected(backend(), workspace) as client:
        configure(client, {"chat": {"url": server.url, "model": "instruct", "apiKeyEnv": "HOME"}})
        await asyncio.sleep(0)

        assert not client.server.session.chat.is_set
        assert any("chat.url" in message and "ignored" in message for message in client.shown)
    assert server.paths == []


@pytest.mark.parametrize("is_asked_before", [True, False])
async def test_nothing_redirects_it_while_the_session_runs(
    workspace: Path, server: FakeChatServer, tmp_path: Path, is_asked_before: bool
) -> None:
    """Neither the client's configuration nor the user's file, which is read again with it."""
    with chat_server() as other:
        async with connected(backend(), workspace, {"chat": {"url": server.url}}) as client:
            if is_asked_before:
                await asked(client)
            file = tmp_path / "XDG_CONFIG_HOME" / "ghostfill" / "ghostfill.toml"
            file.parent.mkdir(parents=True)
            file.write_text(f'[chat]\nmodel = "other"\n[engine]\nurl = "{other.url}"\n')
            configure(client, {"chat": {"url": other.url, "model": "instruct"}})
            await asyncio.sleep(0)

            assert client.server.session.settings.chat.model == "other"
            assert await asked(client) == "An answer."
        assert other.paths == []


async def test_the_budget_is_that_of_the_settings_now(workspace: Path, server: FakeChatServer) -> None:
    async with connected(backend(), workspace, {"chat": {"url": server.url}}) as client:
        configure(client, {"context": {"budgetTokens": 4096}})
        await asyncio.sleep(0)

        assert client.server.session.chat.prompt_chars == 3 * (4096 - 1024)


async def test_restarting_the_engine_asks_the_chat_server_again(
    workspace: Path, server: FakeChatServer
) -> None:
    async with connected(backend(), workspace, {"chat": {"url": server.url}}) as client:
        await asked(client)
        server.models = [{"id": "newer"}]
        await client.request("workspace/executeCommand", {"command": "ghostfill.restartEngine"})

        assert await asked(client) == "An answer."
    assert server.bodies[-1]["model"] == "newer"


async def test_the_end_of_the_session_closes_it(
    workspace: Path, server: FakeChatServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed: list[ChatLink] = []
    close = ChatLink.close

    async def noted(self: ChatLink) -> None:
        closed.append(self)
        await close(self)

    monkeypatch.setattr(ChatLink, "close", noted)
    async with connected(backend(), workspace, {"chat": {"url": server.url}}) as client:
        await asked(client)
        link = client.server.session.chat

    assert closed == [link]
