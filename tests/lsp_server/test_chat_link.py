"""The line to an instruct model: where it leads, what is shown on the way, and what is said of faults."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from starlette.responses import JSONResponse

from engine.api import FinishReason, Message, Role
from engine.fake import FakeBackend
from fake_chat_server import FakeChatServer, chat_server
from lsp_server.actions.errors import ActionError, ChatError
from lsp_server.chat_link import ChatLink
from lsp_server.engine_link import EngineLink
from lsp_server.settings import ChatSettings, ContextSettings, EngineSettings, Settings
from lsp_server.status import Status

QUESTION = [Message(Role.USER, "Why?")]
NOBODY = "http://127.0.0.1:9"


class Shown:
    """What a user sees: statuses, and one list for each progress."""

    def __init__(self) -> None:
        self.busy: list[bool] = []
        self.progress: list[list[Any]] = []

    def notify(self, value: dict[str, Any]) -> None:
        self.busy.append(value["busy"])

    def new_progress(self) -> Shown:
        self.progress.append([])
        return self

    def report(self, fraction: float, message: str) -> None:
        self.progress[-1].append((fraction, message))

    def end(self, message: str) -> None:
        self.progress[-1].append(message)


@pytest.fixture(name="shown")
def shown_fixture() -> Shown:
    return Shown()


@pytest.fixture(name="server")
def server_fixture() -> Iterator[FakeChatServer]:
    with chat_server() as server:
        yield server


@asynccontextmanager
async def link_of(settings: Settings, shown: Shown | None = None) -> AsyncIterator[ChatLink]:
    shown = shown or Shown()
    status = Status(shown.notify)
    status.is_wanted = True
    backend = FakeBackend(lambda prompt: "")
    engine = EngineLink(backend, status, shown.new_progress, lambda message: None)
    link = ChatLink(settings, settings.context.total_tokens, engine, status, shown.new_progress)
    try:
        yield link
    finally:
        await link.close()
        await engine.close()


def at(url: str, model: str | None = None, **more: Any) -> Settings:
    return Settings(chat=ChatSettings(url=url, model=model, **more))


async def refused(settings: Settings) -> str:
    async with link_of(settings) as link:
        with pytest.raises(ChatError) as error:
            await link.ask(QUESTION, max_tokens=9)
    return str(error.value)


# Where it leads


@pytest.mark.parametrize(
    ("settings", "is_set"),
    [(Settings(), False), (at("", ""), False), (at(NOBODY), True), (at("", "m"), True)],
)
async def test_a_model_or_a_server_makes_it_set(settings: Settings, is_set: bool) -> None:
    async with link_of(settings) as link:
        assert link.is_set is is_set


async def test_without_either_the_sentence_names_both_settings() -> None:
    assert await refused(Settings()) == (
        "No instruct model is set: chat.model names one, or chat.url a server that has one."
    )


async def test_the_only_model_of_a_server_is_asked(server: FakeChatServer) -> None:
    pieces: list[str] = []
    async with link_of(at(server.url)) as link:
        assert link.name == f"the model at {server.url}"
        answer = await link.ask(QUESTION, max_tokens=9, on_text=pieces.append)
        assert link.name == "instruct"

    assert (answer.text, answer.finish_reason) == ("An answer.", FinishReason.EOS)
    assert pieces == ["An", " answer."]
    assert (server.bodies[0]["model"], server.bodies[0]["max_tokens"]) == ("instruct", 9)


async def test_chat_goes_to_its_own_server_with_its_own_key(
    server: FakeChatServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHAT_KEY", "chat secret")
    monkeypatch.setenv("TEAM_KEY", "team secret")
    server.api_key = "chat secret"
    with chat_server() as team:
        settings = Settings(
            engine=EngineSettings(url=team.url, api_key_env="TEAM_KEY"),
            chat=ChatSettings(url=server.url, api_key_env="CHAT_KEY"),
        )
        async with link_of(settings) as link:
            await link.ask(QUESTION, max_tokens=9)

        assert team.paths == []


async def test_no_key_goes_where_none_was_meant_for(
    server: FakeChatServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEAM_KEY", "team secret")
    settings = Settings(
        engine=EngineSettings(url=NOBODY, api_key_env="TEAM_KEY"), chat=ChatSettings(url=server.url)
    )
    async with link_of(settings) as link:
        await link.ask(QUESTION, max_tokens=9)

    assert not any("authorization" in headers for headers in server.headers)


async def test_without_an_address_of_its_own_chat_goes_to_the_remote_engine(
    server: FakeChatServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEAM_KEY", "team secret")
    server.api_key = "team secret"
    engine = EngineSettings(url=server.url, api_key_env="TEAM_KEY", api="ollama")
    async with link_of(Settings(engine=engine, chat=ChatSettings(model="instruct"))) as link:
        assert (await link.ask(QUESTION, max_tokens=9)).text == "An answer."


@pytest.mark.parametrize("section", ["chat", "engine"])
async def test_a_key_that_is_named_but_not_there_is_missed_by_name(
    section: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TEAM_KEY", raising=False)
    if section == "chat":
        settings = at(NOBODY, api_key_env="TEAM_KEY")
    else:
        engine = EngineSettings(url=NOBODY, api_key_env="TEAM_KEY")
        settings = Settings(engine=engine, chat=ChatSettings(model="m"))

    assert f"{section}.apiKeyEnv names TEAM_KEY, which is not in the environment" in (await refused(settings))


# What is shown


async def test_it_is_busy_while_it_answers(server: FakeChatServer, shown: Shown) -> None:
    async with link_of(at(server.url), shown) as link:
        await link.ask(QUESTION, max_tokens=9, on_text=lambda piece: shown.busy.append(shown.busy[-1]))

    assert shown.busy == [True, True, True, False]
    assert shown.progress == []


def loading(*fractions: float) -> list[dict[str, Any]]:
    chunk = {"choices": [{"index": 0, "delta": {}, "finish_reason": None}]}
    return [chunk | {"ghostfill": {"loading": fraction}} for fraction in fractions]


async def test_a_load_is_shown_until_the_first_word(server: FakeChatServer, shown: Shown) -> None:
    server.before = loading(0.1, 0.9)
    async with link_of(at(server.url), shown) as link:

        def on_text(piece: str) -> None:
            shown.progress[-1].append(piece)

        await link.ask(QUESTION, max_tokens=9, on_text=on_text)

    assert shown.progress == [
        [(0.1, "loading instruct"), (0.9, "loading instruct"), "ready", "An", " answer."]
    ]


async def test_a_load_that_fails_is_shown_to_fail(server: FakeChatServer, shown: Shown) -> None:
    server.before = [*loading(0.1), {"error": {"message": "too big"}}]
    async with link_of(at(server.url), shown) as link:
        with pytest.raises(ChatError, match="too big"):
            await link.ask(QUESTION, max_tokens=9)

    assert shown.progress == [[(0.1, "loading instruct"), "failed"]]
    assert shown.busy[-1] is False


async def test_cancelling_closes_the_connection_and_what_is_shown(
    server: FakeChatServer, shown: Shown
) -> None:
    server.before = loading(0.1)
    server.hold()
    server.let(2)
    async with link_of(at(server.url), shown) as link:
        task = asyncio.ensure_future(link.ask(QUESTION, max_tokens=9))
        while not shown.progress:
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await asyncio.to_thread(server.was_left.wait, 20)

    assert shown.progress == [[(0.1, "loading instruct"), "nobody waits for it now"]]
    assert shown.busy[-1] is False


async def test_two_questions_at_once_are_answered_each_with_its_own(server: FakeChatServer) -> None:
    server.answer = lambda messages: messages[-1]["content"].upper()
    async with link_of(at(server.url)) as link:
        answers = await asyncio.gather(
            *(link.ask([Message(Role.USER, text)], max_tokens=9) for text in ("one", "two"))
        )

    assert [answer.text for answer in answers] == ["ONE", "TWO"]


# How much it reads


@pytest.mark.parametrize(
    ("budget", "expected"),
    [(None, 3 * (16384 - 1024)), (8192, 3 * (8192 - 1024)), (512, 3 * 256)],
)
async def test_a_prompt_leaves_room_for_the_answer(budget: int | None, expected: int) -> None:
    settings = Settings(context=ContextSettings(budget_tokens=budget), chat=ChatSettings(url=NOBODY))
    async with link_of(settings) as link:
        assert link.prompt_chars == expected


async def test_what_a_server_can_read_is_the_limit(server: FakeChatServer) -> None:
    """The answer is cut rather than refused where both would not fit together."""
    server.models = [{"id": "instruct", "max_model_len": 2000}]
    async with link_of(at(server.url)) as link:
        await link.ready()
        assert link.prompt_chars == 3 * 1000
        for num_chars in (60, link.prompt_chars, 9000):
            await link.ask([Message(Role.USER, "x" * num_chars)], max_tokens=1500)

    assert [body["max_tokens"] for body in server.bodies] == [1500, 1000, 1500]


# Faults


async def test_every_fault_is_a_sentence_for_an_action(server: FakeChatServer) -> None:
    assert issubclass(ChatError, ActionError)
    assert await refused(at(server.url, "other")) == (
        f"{server.url} does not have the model: The model `other` does not exist.; correct chat.model."
    )
    server.models = [{"id": "one"}, {"id": "two"}]
    assert await refused(at(server.url)) == (
        f"chat.model must name one of the instruct models that {server.url} has: one, two."
    )
    assert (await refused(at(NOBODY))).startswith(
        f"No server answers at {NOBODY}: start it, or correct chat.url"
    )


@pytest.mark.parametrize("forget", [ChatLink.forget, None], ids=["when told", "after a fault"])
async def test_a_server_is_asked_again_what_it_has(
    server: FakeChatServer, forget: Callable[[ChatLink], None] | None
) -> None:
    async with link_of(at(server.url)) as link:
        await link.ask(QUESTION, max_tokens=9)
        await link.ask(QUESTION, max_tokens=9)
        assert server.paths.count("/v1/models") == 1
        server.models = [{"id": "newer"}]
        if forget is not None:
            forget(link)
        else:
            with pytest.raises(ChatError):
                await link.ask(QUESTION, max_tokens=9)
        await link.ask(QUESTION, max_tokens=9)

    assert server.bodies[-1]["model"] == "newer"


async def test_a_server_that_is_still_loading_can_be_asked_later(server: FakeChatServer) -> None:
    server.replies["/v1/models"] = JSONResponse({"error": {"message": "Loading model"}}, 503)
    async with link_of(at(server.url)) as link:
        with pytest.raises(ChatError, match="is not ready: Loading model; try again in a moment"):
            await link.ready()
        server.replies.clear()
        await link.ready()
        assert link.name == "instruct"
