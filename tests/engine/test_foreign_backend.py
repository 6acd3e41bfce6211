"""What all servers that are not ours have in common: whose tokenizer, which layout, what is told of it."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.responses import JSONResponse

from engine.api import CompletionRequest
from engine.backends.endpoint import Endpoint
from engine.backends.foreign import ForeignBackend
from engine.backends.openai import OpenAIApi
from engine.errors import EngineRefusedError, EngineUnavailableError, ModelError
from engine.fim import FORMATS
from engine.layout import Budget
from engine.model_folder import BUILTIN_FOLDER
from foreign_http import FIM, TOKENIZER, VllmServer, serving

PROMPT = tuple(TOKENIZER.encode("def total(items):\n    return "))


@asynccontextmanager
async def backend_of(server: VllmServer, model: str = "builtin") -> AsyncIterator[ForeignBackend]:
    async with serving(server.routes()) as url:
        backend = ForeignBackend(OpenAIApi(Endpoint(url, "key")), model)
        try:
            yield backend
        finally:
            await backend.close()


async def test_the_prompt_is_laid_out_within_what_the_server_reads_and_without_healing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(FORMATS, FIM.name, replace(FIM, heals=True))
    async with backend_of(VllmServer()) as backend:
        info = await backend.ready()
    budget = Budget.split(100_000, 128, info.layout.fim)
    prompt = info.layout.prompt((), "a.py", "x = 1\n" * 5000 + "retu", "", budget)

    assert (info.model, info.context_length) == ("served", 2048)
    assert len(prompt.ids) + budget.answer <= 2048
    assert prompt.heal == ""
    assert TOKENIZER.decode(prompt.ids).endswith("retu")


async def test_another_vocabulary_is_refused_where_the_server_tells() -> None:
    server = VllmServer()
    server.shift = 1
    async with backend_of(server) as backend:
        with pytest.raises(EngineRefusedError, match=r"another vocabulary than 'builtin'.*'model'"):
            await backend.ready()

        server.replies["/detokenize"] = JSONResponse({"detail": "Not Found"}, 404)
        await backend.ready()


async def test_the_tokenizer_is_read_from_a_folder_without_weights(tmp_path: Path) -> None:
    for file in BUILTIN_FOLDER.glob("*.json"):
        shutil.copy(file, tmp_path)
    async with backend_of(VllmServer("x"), str(tmp_path)) as backend:
        info = await backend.ready()

    assert info.layout.fim.name == FIM.name
    assert info.tokenizer.digest == TOKENIZER.digest


@pytest.mark.parametrize("model", ["/nowhere/model", "org/absent", "org/some-GGUF"])
async def test_a_model_that_is_not_here_is_told_with_the_setting_that_names_it(model: str) -> None:
    async with backend_of(VllmServer(), model) as backend:
        with pytest.raises(ModelError, match=r"the setting 'model' .* must name the model that is served"):
            await backend.ready()


async def test_a_server_that_is_gone_has_to_be_asked_again_what_it_is() -> None:
    async with backend_of(VllmServer("x")) as backend:
        with pytest.raises(EngineUnavailableError, match="not known yet"):
            await backend.complete(CompletionRequest(PROMPT))
        await backend.ready()
    with pytest.raises(EngineUnavailableError, match="no server answers"):
        await backend.complete(CompletionRequest(PROMPT))
    with pytest.raises(EngineUnavailableError, match="not known yet"):
        await backend.complete(CompletionRequest(PROMPT))
    assert await backend.cached_tokens(PROMPT) is None
    await backend.close()


def test_an_address_may_be_written_as_openais_clients_want_it() -> None:
    assert Endpoint("http://gpu:8000/v1/").address == "http://gpu:8000"
