"""The line to the engine: told of in the status, brought back after death, each sentence shown once."""

from typing import Any

import pytest

from engine.api import CompletionRequest
from engine.fake import FakeBackend
from lsp_server.engine_link import EngineLink
from lsp_server.status import Status


class Shown:
    """Collects what a user would see."""

    def __init__(self) -> None:
        self.statuses: list[dict[str, Any]] = []
        self.messages: list[str] = []

    def report(self, fraction: float, message: str) -> None:
        self.messages.append(message)

    def end(self, message: str) -> None:
        self.messages.append(message)


@pytest.fixture
def shown() -> Shown:
    return Shown()


@pytest.fixture
def backend() -> FakeBackend:
    return FakeBackend(lambda prompt: "text")


@pytest.fixture
def link(shown: Shown, backend: FakeBackend) -> EngineLink:
    status = Status(shown.statuses.append)
    status.is_wanted = True
    return EngineLink(backend, status, lambda: shown, shown.messages.append)


REQUEST = CompletionRequest(prompt_ids=(10, 11))


async def test_without_waiting_an_engine_that_is_not_ready_is_nothing(link: EngineLink) -> None:
    assert await link.info(wait=False) is None
    assert await link.info(wait=True) is not None
    assert await link.info(wait=False) is not None


async def test_the_status_goes_from_busy_to_ready(link: EngineLink, shown: Shown) -> None:
    await link.info(wait=True)

    *before, _ = shown.statuses
    assert "starting the engine" in [status["message"] for status in before]
    assert all(status["busy"] for status in before)
    assert shown.statuses[-1] == {"kind": "Normal", "busy": False, "message": "fake on cpu"}


async def test_a_dead_engine_is_told_once(link: EngineLink, shown: Shown, backend: FakeBackend) -> None:
    backend.is_dead = True
    for _ in range(3):
        assert await link.info(wait=True) is None

    assert shown.messages == ["the fake engine is dead"]
    assert shown.statuses[-1]["kind"] == "Error"


async def test_a_waiting_request_survives_the_death_of_the_engine(
    link: EngineLink, backend: FakeBackend
) -> None:
    """The engine dies under the request, is brought back, and the request is asked again."""
    await link.info(wait=True)
    backend.is_dead = True
    original_ready = backend.ready

    async def revived(on_progress: Any = None) -> Any:
        backend.is_dead = False
        return await original_ready(on_progress)

    backend.ready = revived  # type: ignore[method-assign]

    completion = await link.complete(REQUEST, wait=True)

    assert completion is not None
    assert completion.text == "text"


async def test_an_automatic_request_does_not_wait_for_a_dead_engine(
    link: EngineLink, backend: FakeBackend
) -> None:
    await link.info(wait=True)
    backend.is_dead = True

    assert await link.complete(REQUEST, wait=False) is None


async def test_a_restart_tells_the_same_trouble_again(
    link: EngineLink, shown: Shown, backend: FakeBackend
) -> None:
    backend.is_dead = True
    await link.info(wait=True)
    link.restart()
    await link.info(wait=True)

    assert shown.messages == ["the fake engine is dead"] * 2
