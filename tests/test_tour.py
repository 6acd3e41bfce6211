"""Read this first: what ghostfill does for its user, in nine short tests with a scripted model."""

import asyncio
from pathlib import Path

import pytest

from engine.fake import FakeBackend
from inprocess import connected

UTILS = '''\
def celsius_to_kelvin(degrees: float) -> float:
    """Absolute temperature."""
    return degrees + 273.15
'''
NO_WAIT = {"inline": {"debounceMs": 0}}


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """Two files, the second of which uses the first."""
    (tmp_path / "utils.py").write_text(UTILS)
    (tmp_path / "main.py").write_text("from utils import celsius_to_kelvin\n\nprint(celsius_to_kelvin(1))\n")
    return tmp_path


async def test_typing_shows_ghost_text(workspace: Path) -> None:
    """You type, and the rest of the line is offered."""
    async with connected(FakeBackend(lambda prompt: "40 + 2\nmore"), workspace, NO_WAIT) as client:
        client.open(workspace / "main.py")
        client.type(workspace / "main.py", "answer = ")

        assert await client.ghost_text(workspace / "main.py") == "40 + 2"


async def test_what_other_files_define_is_in_the_prompt(workspace: Path) -> None:
    """The definition of an imported name stands in the prompt, before the file that is being written."""
    backend = FakeBackend(lambda prompt: "")
    async with connected(backend, workspace, NO_WAIT) as client:
        client.open(workspace / "main.py")
        client.type(workspace / "main.py", "kelvin = ")
        await client.ghost_text(workspace / "main.py", trigger=1)

    prompt = backend.prompt_text(backend.requests[-1])
    assert "#utils.py\ndef celsius_to_kelvin(degrees: float) -> float:" in prompt
    assert prompt.index("#utils.py") < prompt.index("#main.py")


async def test_typing_what_is_shown_needs_no_model(workspace: Path) -> None:
    """Typing along the ghost text is answered from it."""
    backend = FakeBackend(lambda prompt: "40 + 2")
    async with connected(backend, workspace, NO_WAIT) as client:
        client.open(workspace / "main.py")
        client.type(workspace / "main.py", "answer = ")
        await client.ghost_text(workspace / "main.py")
        client.type(workspace / "main.py", "40")

        assert await client.ghost_text(workspace / "main.py") == " + 2"
        assert len(backend.requests) == 1


async def test_a_newer_key_stops_the_work_for_the_older(workspace: Path) -> None:
    """The request of the key before is answered empty, and the engine stops working for it."""
    backend = FakeBackend(lambda prompt: "40 + 2")
    async with connected(backend, workspace, NO_WAIT) as client:
        client.open(workspace / "main.py")
        client.type(workspace / "main.py", "answer = ")
        backend.gate.clear()
        _, older = client.ask(workspace / "main.py")
        while not backend.requests:
            await asyncio.sleep(0.01)
        client.type(workspace / "main.py", "(")
        _, newer = client.ask(workspace / "main.py")

        assert (await older)["result"] == {"items": []}
        assert backend.num_cancelled == 1
        backend.gate.set()
        assert (await newer)["result"]["items"][0]["insertText"] == "40 + 2"


async def test_the_editor_can_cancel(workspace: Path) -> None:
    """`$/cancelRequest` is answered with RequestCancelled, and reaches the engine."""
    backend = FakeBackend(lambda prompt: "40 + 2")
    backend.gate.clear()
    async with connected(backend, workspace, NO_WAIT) as client:
        client.open(workspace / "main.py")
        number, answer = client.ask(workspace / "main.py")
        while not backend.requests:
            await asyncio.sleep(0.01)
        client.notify("$/cancelRequest", {"id": number})

        assert (await answer)["error"]["code"] == -32800
        assert backend.num_cancelled == 1


async def test_a_dead_engine_disturbs_nobody(workspace: Path) -> None:
    """The editor gets an empty answer, and ghost text is back as soon as the engine is."""
    backend = FakeBackend(lambda prompt: "40 + 2")
    async with connected(backend, workspace, NO_WAIT) as client:
        client.open(workspace / "main.py")
        client.type(workspace / "main.py", "answer = ")
        backend.is_dead = True
        assert await client.ghost_text(workspace / "main.py") == ""

        backend.is_dead = False
        await client.server.session.link.info(wait=True)
        assert await client.ghost_text(workspace / "main.py", trigger=1) == "40 + 2"


async def test_trouble_is_told_once_and_again_after_a_restart(workspace: Path) -> None:
    """However often a dead engine is asked for, one message; `ghostfill.restartEngine` starts anew."""
    backend = FakeBackend(lambda prompt: "")
    backend.is_dead = True
    async with connected(backend, workspace, NO_WAIT) as client:
        client.open(workspace / "main.py")
        for _ in range(3):
            await client.ghost_text(workspace / "main.py", trigger=1)
        assert client.shown == ["ghostfill: the fake engine is dead"]

        await client.request("workspace/executeCommand", {"command": "ghostfill.restartEngine"})
        await client.server.session.link.info(wait=True)
        assert client.shown == ["ghostfill: the fake engine is dead"] * 2


async def test_text_that_stands_below_is_not_offered(workspace: Path) -> None:
    """Nothing is shown that only repeats the next line."""
    text = "def f():\n    \n    return 1\n"
    async with connected(FakeBackend(lambda prompt: "return 1"), workspace, NO_WAIT) as client:
        path = workspace / "main.py"
        client.open(path, text)
        position = {"line": 1, "character": 4}
        asked = {"textDocument": {"uri": path.as_uri()}, "position": position, "context": {"triggerKind": 1}}

        assert (await client.request("textDocument/inlineCompletion", asked))["items"] == []


async def test_accepting_is_counted(workspace: Path) -> None:
    """The item's command, which editors run on accept, is known to the server."""
    async with connected(FakeBackend(lambda prompt: "40 + 2"), workspace, NO_WAIT) as client:
        client.open(workspace / "main.py")
        client.type(workspace / "main.py", "answer = ")
        answer = await client.ask(workspace / "main.py")[1]
        command = answer["result"]["items"][0]["command"]
        await client.request(
            "workspace/executeCommand", {"command": command["command"], "arguments": command["arguments"]}
        )

        assert client.server.session.feedback.counts.accepted == 1
