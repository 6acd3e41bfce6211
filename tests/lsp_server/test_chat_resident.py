"""Chat on the resident engine: found at its socket, brought up and brought back, the model loaded there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from cli_home import Home
from engine.api import FinishReason, Message, Role
from engine.backends.base import Backend, EngineInfo, OnProgress
from engine.backends.local import LocalBackend
from engine.fake import FakeBackend
from fake_chat_server import chat_server
from instruct_model import make_builtin_instruct
from lsp_server.actions.errors import ChatError
from lsp_server.backend_choice import engine_spec
from lsp_server.chat_link import ChatLink
from lsp_server.engine_link import EngineLink
from lsp_server.settings import ChatSettings, Settings
from lsp_server.status import Status

QUESTION = [Message(Role.USER, "Why?")]


class Seen:
    """A progress that remembers what it was told."""

    def __init__(self) -> None:
        self.reports: list[str] = []

    def report(self, fraction: float, message: str) -> None:
        self.reports.append(message)

    def end(self, message: str) -> None:
        self.reports.append(message)


@pytest.fixture(name="settings")
def settings_fixture(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Of a resident engine whose socket is the test's own."""
    monkeypatch.setenv("GHOSTFILL_RUNTIME_DIR", str(tmp_path_factory.mktemp("run")))
    return Settings(chat=ChatSettings(model="org/instruct"))


@asynccontextmanager
async def link_of(
    settings: Settings, backend: Backend | None = None, seen: Seen | None = None
) -> AsyncIterator[ChatLink]:
    status, progress = Status(lambda value: None), seen or Seen()
    backend = backend or FakeBackend(lambda prompt: "")
    engine = EngineLink(backend, status, Seen, lambda message: None)
    link = ChatLink(settings, settings.context.total_tokens, engine, status, lambda: progress)
    try:
        yield link
    finally:
        await link.close()
        await engine.close()


async def refused(settings: Settings, backend: Backend | None = None) -> str:
    async with link_of(settings, backend) as link:
        with pytest.raises(ChatError) as error:
            await link.ask(QUESTION, max_tokens=9)
    return str(error.value)


def socket_of(settings: Settings) -> Path:
    return engine_spec(settings).files().socket


async def test_the_resident_engine_is_asked_at_its_socket(settings: Settings) -> None:
    with chat_server(at=socket_of(settings)) as server:
        server.models = [{"id": "builtin", "owned_by": "ghostfill"}, {"id": "org/instruct"}]
        async with link_of(settings) as link:
            answer = await link.ask(QUESTION, max_tokens=9)

        assert answer.text == "An answer."
        assert server.bodies[0]["model"] == "org/instruct"


async def test_a_folder_is_named_to_the_engine_wherever_it_works(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As one and the same string, and to people by its name alone."""
    monkeypatch.setenv("HOME", str(tmp_path))
    folder = str(tmp_path.resolve() / "my-model")
    with chat_server(at=socket_of(settings)) as server:
        server.models = [{"id": folder}]
        for written in ("~/my-model", folder):
            async with link_of(Settings(chat=ChatSettings(model=written))) as link:
                await link.ask(QUESTION, max_tokens=9)
                assert link.name == "my-model"

        assert [body["model"] for body in server.bodies] == [folder, folder]


async def test_without_an_engine_the_sentence_says_where_to_look(settings: Settings) -> None:
    backend = FakeBackend(lambda prompt: "")
    backend.is_dead = True

    assert "`ghostfill doctor` say why" in await refused(settings, backend)


class Mortal(FakeBackend):
    """Counts its starts; at the second one `comes` is called."""

    def __init__(self, comes: Callable[[], object]) -> None:
        super().__init__(lambda prompt: "")
        self.num_starts = 0
        self._comes = comes

    async def ready(self, on_progress: OnProgress | None = None) -> EngineInfo:
        self.num_starts += 1
        if self.num_starts == 2:
            self._comes()
        return await super().ready(on_progress)


async def test_an_engine_that_has_died_is_brought_back(settings: Settings) -> None:
    with ExitStack() as running:

        def comes() -> None:
            running.enter_context(chat_server(at=socket_of(settings))).models = [{"id": "org/instruct"}]

        backend = Mortal(comes)
        async with link_of(settings, backend) as link:
            assert (await link.ask(QUESTION, max_tokens=9)).text == "An answer."

    assert backend.num_starts == 2


async def test_an_engine_that_stays_away_is_brought_up_twice_and_no_more(settings: Settings) -> None:
    backend = Mortal(lambda: None)

    assert "The engine does not answer at" in await refused(settings, backend)
    assert backend.num_starts == 2


async def test_an_engine_on_a_cpu_reads_less(settings: Settings) -> None:
    with chat_server(at=socket_of(settings)):
        async with link_of(settings) as link:
            before = link.prompt_chars
            await link.ready()
            assert link.prompt_chars == before == 3 * (4096 - 1024)


async def test_a_model_that_is_not_loaded_yet_says_itself_how_much_it_reads(
    settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "config.json").write_text('{"max_position_embeddings": 1000}')
    with chat_server(at=socket_of(settings)):
        for model, expected in ((tmp_path, 500), (tmp_path / "absent", 4096 - 1024)):
            async with link_of(Settings(chat=ChatSettings(model=str(model)))) as link:
                await link.ready()
                assert link.prompt_chars == 3 * expected


# A real one


async def test_a_real_engine_loads_the_model_and_answers(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Shown while it loads, streamed, then at once; and a folder without a model is a sentence."""
    monkeypatch.setenv("GHOSTFILL_RUNTIME_DIR", str(home.runtime))
    folder = make_builtin_instruct(tmp_path / "my-instruct")
    settings = Settings(chat=ChatSettings(model=str(folder)))
    pieces: list[str] = []
    seen = Seen()
    async with link_of(settings, LocalBackend(engine_spec(settings)), seen) as link:
        question = [Message(Role.USER, "def add(left, right):")]
        first = await link.ask(question, max_tokens=12, on_text=pieces.append)
        loaded = list(seen.reports)
        second = await link.ask(question, max_tokens=12)

    assert first.text == second.text == "".join(pieces)
    assert first.timings is not None
    assert second.timings is not None
    assert first.finish_reason in (FinishReason.BUDGET, FinishReason.EOS)
    assert second.timings.reused_tokens > 0
    assert set(loaded[:-1]) == {"loading my-instruct"}
    assert loaded[-1] == "ready"
    assert seen.reports == loaded, "the second time nothing loads"
    absent = replace(settings, chat=ChatSettings(model=str(tmp_path / "absent")))
    assert "does not exist" in await refused(absent, LocalBackend(engine_spec(absent)))


async def test_leaving_a_real_engine_leaves_it_fit_for_the_next_question(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GHOSTFILL_RUNTIME_DIR", str(home.runtime))
    settings = Settings(chat=ChatSettings(model=str(make_builtin_instruct(tmp_path / "my-instruct"))))
    has_begun = asyncio.Event()
    async with link_of(settings, LocalBackend(engine_spec(settings))) as link:
        question = [Message(Role.USER, "import")]
        left = asyncio.ensure_future(
            link.ask(question, max_tokens=2000, on_text=lambda piece: has_begun.set())
        )
        await has_begun.wait()
        left.cancel()
        with pytest.raises(asyncio.CancelledError):
            await left

        assert (await link.ask(question, max_tokens=4)).text
