"""What the settings say of an engine is what an engine is asked for."""

from __future__ import annotations

import asyncio
import dataclasses
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from engine.__main__ import parser
from engine.backends.auto import AutoBackend
from engine.backends.foreign import ForeignBackend
from engine.backends.remote import RemoteBackend
from engine.errors import GhostfillError
from engine.fim import Order
from engine.launch import EngineSpec
from foreign_http import LlamaServer, VllmServer, serving
from lsp_server.backend_choice import backend_for, engine_spec
from lsp_server.cli.check import State
from lsp_server.cli.engine_checks import check_remote_engine
from lsp_server.settings import EngineSettings, Settings


def test_every_setting_of_the_resident_engine_reaches_its_spec() -> None:
    engine = EngineSettings(
        idle_minutes=7.0, memory_gb=12.5, fim_format="builtin", quantize="int8", trust_remote_code=True
    )

    assert engine_spec(Settings("owner/name", "cuda:1", "float16", engine)) == EngineSpec(
        model="owner/name",
        device="cuda:1",
        dtype="float16",
        fim_format="builtin",
        idle_minutes=7.0,
        memory_gb=12.5,
        trust_remote_code=True,
        quantize="int8",
    )


def test_all_of_a_spec_can_be_told_on_the_command_line() -> None:
    flags = vars(parser().parse_args([]))

    assert {field.name: field.default for field in dataclasses.fields(EngineSpec)}.items() <= flags.items()


@pytest.mark.parametrize("change", [{"quantize": "int8"}, {"fim_format": "builtin"}])
def test_engines_that_answer_differently_have_sockets_of_their_own(
    change: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    monkeypatch.setenv("GHOSTFILL_RUNTIME_DIR", str(tmp_path_factory.mktemp("run")))
    plain = EngineSpec()

    assert dataclasses.replace(plain, **change).files() != plain.files()


def test_a_remote_engine_is_the_same_whatever_is_said_of_the_local_one() -> None:
    def remote(**more: object) -> object:
        settings = EngineSettings(url="http://127.0.0.1:9", **more)  # type: ignore[arg-type]
        return type(backend_for(Settings(engine=settings)))

    assert remote() is remote(quantize="int8", memory_gb=1.0)


@pytest.mark.parametrize(
    ("api", "kind"),
    [
        ("auto", AutoBackend),
        ("ghostfill", RemoteBackend),
        ("openai", ForeignBackend),
        ("llamacpp", ForeignBackend),
    ],
)
def test_each_api_of_a_remote_engine_has_its_backend(api: Any, kind: type) -> None:
    settings = EngineSettings(url="http://127.0.0.1:9", api=api)

    assert type(backend_for(Settings(engine=settings))) is kind


def test_a_key_that_is_named_but_not_there_is_missed_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TEAM_KEY", raising=False)
    engine = EngineSettings(url="http://127.0.0.1:9", api_key_env="TEAM_KEY")
    with pytest.raises(GhostfillError, match="TEAM_KEY, which is not in the environment"):
        backend_for(Settings(engine=engine))


def test_ollama_is_refused_with_what_to_use_instead() -> None:
    settings = EngineSettings(url="http://127.0.0.1:9", api="ollama")

    with pytest.raises(GhostfillError, match="llama-server"):
        backend_for(Settings(engine=settings))


@pytest.mark.parametrize("api", ["auto", "openai"])
async def test_the_settings_reach_another_server(api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Key, model and FIM format."""
    monkeypatch.setenv("TEAM_KEY", "secret")
    asked: list[str | None] = []

    class Guarded(VllmServer):
        def route(self, path: str, answer: Any, method: str = "GET") -> Route:
            inner = super().route(path, answer, method)

            async def endpoint(request: Request) -> Response:
                asked.append(request.headers.get("authorization"))
                return await inner.endpoint(request)

            return Route(path, endpoint, methods=[method])

    async with serving(Guarded().routes()) as url:
        engine = EngineSettings(url=url, api=api, api_key_env="TEAM_KEY", fim_format="builtin:psm")
        backend = backend_for(Settings(engine=engine))
        info = await backend.ready()
        await backend.close()

    assert info.layout.order is Order.PSM
    assert set(asked) == {"Bearer secret"}


async def test_the_doctor_describes_another_server() -> None:
    """In a thread, as it has an event loop of its own."""
    async with serving(LlamaServer().routes()) as url:
        settings = Settings(engine=EngineSettings(url=url))
        check = await asyncio.to_thread(check_remote_engine, settings)
        absent = await asyncio.to_thread(check_remote_engine, dataclasses.replace(settings, model="/nowhere"))

    assert check.state is State.OK
    assert check.message == f"model.gguf at {url}, FIM format builtin, reads 1,024 tokens"
    assert absent.state is State.PROBLEM
    assert "/nowhere does not exist" in absent.message
