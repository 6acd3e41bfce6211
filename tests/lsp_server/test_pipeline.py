"""The order of service of a request, as an editor sees it: what is at hand first, the engine last."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from engine.api import Priority
from engine.backends.base import EngineInfo, OnProgress
from engine.fake import FakeBackend
from inprocess import Client, connected

OPTIONS = {
    "inline": {"debounceMs": 0, "speculate": False, "minConfidence": 0},
    "client": {"answers": True},
}
AHEAD = {"inline": {"debounceMs": 0, "minConfidence": 0}, "client": {"answers": True}}
GATED = {"inline": {"debounceMs": 0, "speculate": False}, "client": {"answers": True}}
INVOKED, AUTOMATIC = 1, 2


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "main.py"
    file.write_text("\n")
    return file


class Scene:
    """An editor with one document."""

    def __init__(self, client: Client, backend: FakeBackend, path: Path) -> None:
        self.client, self.backend, self.path = client, backend, path

    async def items(self, marked: str, trigger: int = AUTOMATIC, **context: Any) -> list[dict[str, Any]]:
        """What is offered in a text."""
        self.client.put(self.path, marked)
        answer = await asyncio.wait_for(self.client.ask(self.path, trigger, **context)[1], 20)
        found: list[dict[str, Any]] = answer["result"]["items"]
        return found

    async def text(self, marked: str, trigger: int = AUTOMATIC) -> str:
        items = await self.items(marked, trigger)
        return str(items[0]["insertText"]) if items else ""

    async def half_said(self, marked: str) -> tuple[int, asyncio.Future[dict[str, Any]]]:
        """A request under way, of whose answer the first piece has come; further ones are to be released."""
        self.backend.step = asyncio.Semaphore(0)
        self.client.put(self.path, marked)
        asked = self.client.ask(self.path)
        await self.until(lambda: bool(self.backend.requests))
        self.backend.step.release()
        await asyncio.sleep(0.05)
        return asked

    @property
    def last(self) -> dict[str, Any]:
        """The figures of the last answer."""
        told = [params for method, params in self.client.notifications if method == "ghostfill/didAnswer"]
        return told[-1]

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not condition():
                await asyncio.sleep(0.005)


@pytest.fixture
async def scene(path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Scene]:
    options = getattr(request, "param", OPTIONS)
    backend = FakeBackend(lambda prompt: "one.two.three")
    backend.pieces = lambda text: re.findall(r"\w+|\W+", text)
    async with connected(backend, path.parent, options) as client:
        client.open(path)
        yield Scene(client, backend, path)


# What is shown goes on


async def test_following_the_ghost_text_costs_nothing(scene: Scene) -> None:
    assert await scene.text("x = |\n") == "one.two.three"
    for typed in ("o", "on", "one.", "one.two"):
        assert await scene.text(f"x = {typed}|\n") == "one.two.three".removeprefix(typed)
        assert scene.last["source"] == "typedThrough"
    assert len(scene.backend.requests) == 1


async def test_an_auto_closed_bracket_does_not_stop_it(scene: Scene) -> None:
    """The editor puts `)` behind the cursor; the item's range replaces it, as its text contains it."""
    scene.backend.script = lambda prompt: "f(a)"
    assert await scene.text("x = |\n") == "f(a)"

    (item,) = await scene.items("x = f(|)\n")

    assert item["insertText"] == "a)"
    assert item["range"] == {"start": {"line": 0, "character": 6}, "end": {"line": 0, "character": 7}}
    assert len(scene.backend.requests) == 1


async def test_typing_along_goes_on_over_line_ends_of_two_characters(scene: Scene) -> None:
    """The buffer's lines end in CR LF, those of the ghost text in LF."""
    scene.backend.script = lambda prompt: "\n    return one\n"
    before = "x = 0\r\ndef f():"
    assert await scene.text(f"{before}|\r\n") == "\n    return one"
    for typed in ("\r\n", "\r\n    ", "\r\n    return "):
        rest = "\n    return one".removeprefix(typed.replace("\r\n", "\n"))
        assert await scene.text(f"{before}{typed}|\r\n") == rest
        assert scene.last["source"] == "typedThrough"

    assert len(scene.backend.requests) == 1
    assert "\r" not in scene.backend.prompt_text(scene.backend.requests[0])


async def test_a_running_request_goes_on_over_a_line_end_of_two_characters(scene: Scene) -> None:
    scene.backend.script = lambda prompt: "\n    return one\n"
    number, older = await scene.half_said("x = 0\r\ndef f():|\r\n")
    scene.client.put(scene.path, "x = 0\r\ndef f():\r\n    |\r\n")
    scene.client.notify("$/cancelRequest", {"id": number})
    _, newer = scene.client.ask(scene.path)
    for _ in range(9):
        scene.backend.step.release()

    assert (await newer)["result"]["items"][0]["insertText"] == "return one"
    await older
    assert len(scene.backend.requests) == 1


# An engine that is not there yet


class LateBackend(FakeBackend):
    """Ready once it is let."""

    def __init__(self) -> None:
        super().__init__(lambda prompt: "one.two.three")
        self.may_load = asyncio.Event()
        self.may_load.set()

    async def ready(self, on_progress: OnProgress | None = None) -> EngineInfo:
        await self.may_load.wait()
        return await super().ready(on_progress)


async def test_what_is_asked_while_the_engine_comes_up_is_answered_when_it_is_there(path: Path) -> None:
    backend = LateBackend()
    async with connected(backend, path.parent, OPTIONS) as client:
        client.open(path)
        backend.may_load.clear()
        backend.is_dead = True
        client.put(path, "x = |\n")
        assert await client.ghost_text(path) == ""
        backend.is_dead = False

        client.put(path, "y = |\n")
        _, asked = client.ask(path)
        await asyncio.sleep(0.05)
        assert not asked.done()
        backend.may_load.set()

        assert (await asked)["result"]["items"][0]["insertText"] == "one.two.three"


# What was computed lately


async def test_a_wrong_key_taken_back_costs_one_question(scene: Scene) -> None:
    await scene.text("x = |\n")
    scene.backend.script = lambda prompt: "something"
    await scene.text("x = s|\n")
    num_requests = len(scene.backend.requests)

    assert await scene.text("x = |\n") == "one.two.three"
    assert scene.last["source"] == "cache"
    assert len(scene.backend.requests) == num_requests


async def test_that_there_is_nothing_to_say_is_remembered(scene: Scene) -> None:
    scene.backend.script = lambda prompt: ""
    assert await scene.text("x = |\n") == ""
    assert await scene.text("x = |\n") == ""

    assert len(scene.backend.requests) == 1


# The request under way


async def test_a_request_that_still_agrees_is_taken_over(scene: Scene) -> None:
    """The next key is what the model has just written: its answer is waited for, not begun anew."""
    number, older = await scene.half_said("x = |\n")
    scene.client.put(scene.path, "x = o|\n")
    scene.client.notify("$/cancelRequest", {"id": number})
    _, newer = scene.client.ask(scene.path)
    for _ in range(5):
        scene.backend.step.release()

    assert (await newer)["result"]["items"][0]["insertText"] == "ne.two.three"
    assert scene.last["source"] == "running"
    assert (await older)["error"]["code"] == -32800
    assert (len(scene.backend.requests), scene.backend.num_cancelled) == (1, 0)


async def test_a_request_that_is_contradicted_ends_with_the_edit(scene: Scene) -> None:
    """Before anything new is asked, the engine is free again."""
    _, older = await scene.half_said("x = |\n")

    scene.client.put(scene.path, "x = z|\n")

    await scene.until(lambda: scene.backend.num_cancelled == 1)
    assert len(scene.backend.requests) == 1
    scene.backend.step = None
    assert await scene.text("x = z|\n") == "one.two.three"
    await older


async def test_what_comes_too_late_for_its_asker_is_kept(scene: Scene) -> None:
    """The user typed on as foreseen while the model wrote: its text is there for the next key."""
    number, older = await scene.half_said("x = |\n")
    scene.client.put(scene.path, "x = on|\n")
    scene.client.notify("$/cancelRequest", {"id": number})
    await older
    for _ in range(5):
        scene.backend.step.release()
    await asyncio.sleep(0.05)

    assert await scene.text("x = one|\n") == ".two.three"
    assert (len(scene.backend.requests), scene.backend.num_cancelled) == (1, 0)


async def test_whole_lines_are_shown_while_the_block_goes_on(scene: Scene) -> None:
    """A slow model's first lines are not held back until the last."""
    scene.backend.script = lambda prompt: "a = 1\n    b = 2\n    c = 3\n"
    scene.backend.pieces = lambda text: text.splitlines(keepends=True)
    scene.backend.step = asyncio.Semaphore(2)
    with patch("lsp_server.pipeline.PATIENCE_SECONDS", 0.05):
        assert await scene.text("def f():\n    |\n") == "a = 1\n    b = 2"
    for _ in range(3):
        scene.backend.step.release()
    await asyncio.sleep(0.05)

    # What came later follows the acceptance.
    assert await scene.text("def f():\n    a = 1\n    b = 2|\n") == "\n    c = 3"
    assert (len(scene.backend.requests), scene.backend.num_cancelled) == (1, 0)


# When nothing is offered


async def test_an_engine_that_hangs_holds_nobody_back(scene: Scene) -> None:
    scene.backend.gate.clear()
    with patch("lsp_server.pipeline.AUTOMATIC_SECONDS", 0.05):
        assert await scene.text("x = |\n") == ""
    assert scene.last["reason"] == "out of time"
    await scene.until(lambda: scene.backend.num_cancelled == 1)


async def test_a_place_where_ghost_text_disturbs_is_silent_unless_asked_for(scene: Scene) -> None:
    scene.backend.script = lambda prompt: ".total"
    assert await scene.text("total = f(a)|\n") == ""
    assert scene.last["reason"] == "after the end of a statement"
    assert scene.backend.requests == []
    assert await scene.text("total = f(a)|\n", INVOKED) != ""


@pytest.mark.parametrize("scene", [GATED], indirect=True)
async def test_what_the_model_is_not_sure_of_is_hidden_unless_asked_for(scene: Scene) -> None:
    scene.backend.logprob = -2.0
    assert await scene.text("x = |\n") == ""
    assert (scene.last["reason"], scene.last["hidden"]) == ("not sure", "one.two.three")

    assert await scene.text("x = |\n", INVOKED) == "one.two.three"


@pytest.mark.parametrize("scene", [GATED], indirect=True)
async def test_a_begun_word_is_not_finished_against_the_document(scene: Scene) -> None:
    scene.backend.script = lambda prompt: "exp"
    assert await scene.text("host_regex = 1\nx = host_reg|\n") == ""
    assert scene.last["reason"] == "not sure"


async def test_the_gate_is_a_setting(scene: Scene) -> None:
    scene.backend.logprob = -2.0
    assert await scene.text("x = |\n") == "one.two.three"


# Asked by hand


async def test_three_alternatives_at_most_and_all_different(scene: Scene) -> None:
    scene.backend.alternatives = lambda prompt: ["one.two.three", "four", "five", "six"]

    items = await scene.items("x = |\n", INVOKED)

    assert scene.backend.requests[-1].num_answers == 3
    texts = [item["insertText"] for item in items]
    assert len(set(texts)) == len(texts) <= 3
    assert {"one.two.three", "four"} <= set(texts)


async def test_looking_at_the_alternatives_again_costs_nothing(scene: Scene) -> None:
    scene.backend.alternatives = lambda prompt: ["four", "five"]
    first = await scene.items("x = |\n", INVOKED)

    assert await scene.items("x = |\n", INVOKED) == first
    assert len(scene.backend.requests) == 1


async def test_typing_the_second_alternative_is_typed_through(scene: Scene) -> None:
    scene.backend.alternatives = lambda prompt: ["four", "five"]
    await scene.items("x = |\n", INVOKED)

    assert await scene.text("x = fo|\n") == "ur"
    assert len(scene.backend.requests) == 1


async def test_the_alternative_that_is_looked_at_goes_on(scene: Scene) -> None:
    """The client says which one it shows: typing what both begin with keeps to that one."""
    scene.backend.alternatives = lambda prompt: ["one.more"]
    _, second = await scene.items("x = |\n", INVOKED)
    scene.client.notify("textDocument/didShowCompletion", {"item": second})

    assert await scene.text("x = one|\n") == ".more"
    assert scene.last["source"] == "typedThrough"


async def test_what_was_dismissed_stays_away_until_the_text_changes(scene: Scene) -> None:
    """Also where the client had gone on with it by itself."""
    (item,) = await scene.items("x = |\n")
    scene.client.put(scene.path, "x = one|\n")
    said = {
        "id": item["command"]["arguments"][0]["id"],
        "uri": scene.path.as_uri(),
        "position": {"line": 0, "character": 7},
    }
    await scene.client.request(
        "workspace/executeCommand", {"command": "ghostfill.dismissed", "arguments": [said]}
    )

    assert (await scene.client.ask(scene.path)[1])["result"]["items"] == []
    assert scene.last["reason"] == "dismissed"
    assert await scene.text("x = one.|\n") == "two.three"


# The completion menu


async def test_the_menus_item_is_gone_on_from(scene: Scene) -> None:
    """The completion continues what is selected in the menu, and its range is the menu's."""
    scene.backend.script = lambda prompt: ".walk(top)" if prompt.endswith("os.path") else "wrong"
    selected = {
        "range": {"start": {"line": 0, "character": 3}, "end": {"line": 0, "character": 5}},
        "text": "path",
    }

    (item,) = await scene.items("os.pa|\n", selectedCompletionInfo=selected)

    assert item["insertText"] == "path.walk(top)"
    assert item["range"] == selected["range"]


# Ahead of the user


async def test_behind_a_whole_acceptance_nothing_is_asked_again(scene: Scene) -> None:
    """The model has just said that the line ends there."""
    await scene.text("x = |\n")

    assert await scene.text("x = one.two.three|\n") == ""
    assert scene.last["source"] == "cache"
    assert len(scene.backend.requests) == 1


@pytest.mark.parametrize("scene", [AHEAD], indirect=True)
async def test_what_runs_ahead_is_waited_for_behind_an_acceptance(scene: Scene) -> None:
    scene.backend.script = lambda prompt: "next_line()" if prompt.endswith("    ") else "one"
    assert await scene.text("def f():\n    x = |\n") == "one"
    scene.backend.gate.clear()
    await scene.until(lambda: len(scene.backend.requests) == 2)
    scene.client.put(scene.path, "def f():\n    x = one|\n")
    _, answer = scene.client.ask(scene.path)
    await asyncio.sleep(0.02)
    scene.backend.gate.set()

    assert (await answer)["result"]["items"][0]["insertText"] == "\n    next_line()"
    assert (len(scene.backend.requests), scene.backend.num_cancelled) == (2, 0)


@pytest.mark.parametrize("scene", [AHEAD], indirect=True)
async def test_what_follows_an_acceptance_is_there_before_it(scene: Scene) -> None:
    scene.backend.script = lambda prompt: "next_line()" if prompt.endswith("    ") else "one"
    assert await scene.text("def f():\n    x = |\n") == "one"
    await scene.until(lambda: len(scene.backend.requests) == 2)
    await asyncio.sleep(0.05)
    assert scene.backend.requests[1].priority is Priority.AHEAD

    assert await scene.text("def f():\n    x = one|\n") == "\n    next_line()"
    assert scene.last["source"] == "ahead"
    # And for who presses Enter before looking.
    assert await scene.text("def f():\n    x = one\n    |\n") == "next_line()"


@pytest.mark.parametrize("scene", [AHEAD], indirect=True)
async def test_going_another_way_ends_what_runs_ahead_without_a_trace(scene: Scene) -> None:
    await scene.text("x = |\n")
    scene.backend.gate.clear()
    await scene.until(lambda: len(scene.backend.requests) == 2)

    scene.client.put(scene.path, "x = zebra|\n")

    await scene.until(lambda: scene.backend.num_cancelled == 1)
    scene.backend.gate.set()
    assert await scene.text("x = zebra|\n") == "one.two.three"


@pytest.mark.parametrize("scene", [AHEAD], indirect=True)
async def test_following_the_ghost_text_leaves_what_runs_ahead_alone(scene: Scene) -> None:
    await scene.text("x = |\n")
    scene.backend.gate.clear()
    await scene.until(lambda: len(scene.backend.requests) == 2)
    for typed in ("one", "one.two"):
        await scene.text(f"x = {typed}|\n")

    assert (len(scene.backend.requests), scene.backend.num_cancelled) == (2, 0)
    scene.backend.gate.set()


async def test_nothing_is_computed_ahead_where_the_setting_says_so(scene: Scene) -> None:
    await scene.text("x = |\n")
    await asyncio.sleep(0.1)

    assert len(scene.backend.requests) == 1
