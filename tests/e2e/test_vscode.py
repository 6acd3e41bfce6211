"""Typing in a real VS Code: ghost text of the built-in model, and everything that a user does with it."""

from __future__ import annotations

import os
import re
import signal

import pytest

from cli_home import Home
from pictures import picture_path
from story import BLOCK, LINE
from vscode_driver import VSCode, apart
from vscode_film import Film
from vscode_scene import INLINE, Scene, code_fixture  # noqa: F401  (the fixture)
from vscode_window import Window

BLOCK_LINE = BLOCK.before + BLOCK.typed
SPINNER = ".statusbar .codicon-loading"
LINE_SHOWN = LINE.offered[:-1]
"""VS Code has closed the outer bracket while it was typed, and does not draw it twice."""


@pytest.fixture(scope="module")
def scene(code: VSCode, home: Home) -> Scene:
    return Scene(code, home)


@pytest.fixture(scope="module")
def the_window(scene: Scene) -> Window:
    """The window of all tests; it is there when the engine, started by it, is ready."""
    window = scene.open()
    window.until_status("sparkle", "builtin")
    return window


@pytest.fixture
def window(the_window: Window) -> Window:
    the_window.until_status("sparkle", "builtin")
    return the_window


def offer_block(scene: Scene, window: Window) -> None:
    """Types until two lines are offered, and nothing more will be asked."""
    window.rewrite(BLOCK.text)
    window.type(BLOCK.typed)
    window.until_ghost_text(BLOCK.offered)
    request = window.until("all is asked", lambda: scene.newest_request(BLOCK_LINE, 0))
    window.until("it is answered", lambda: scene.answers(request))


def test_the_status_bar_shows_the_engine_being_loaded_until_it_is_ready(window: Window) -> None:
    items = window.statuses()
    loading = [item.text for item in items if item.icon == "codicon-loading" and "%" in item.text]
    per_cent = [int(re.fullmatch(r"ghostfill (\d+)%", text)[1]) for text in loading]
    assert per_cent
    assert per_cent == sorted(per_cent)
    assert items[-1].text == "ghostfill"
    assert items[-1].label == "ghostfill: builtin on cpu"


class TestAccepting:
    def test_tab_accepts_a_line_that_uses_names_of_another_file(self, scene: Scene, window: Window) -> None:
        window.rewrite(LINE.text)
        num_accepted = len(scene.commands("ghostfill.accepted"))
        window.type(LINE.typed)
        window.until_ghost_text(LINE_SHOWN)
        window.press("Tab")
        window.until_lines(*LINE.accepted.split("\n"))
        window.until("it is counted", lambda: len(scene.commands("ghostfill.accepted")) == num_accepted + 1)

    def test_tab_accepts_several_lines(self, scene: Scene, window: Window) -> None:
        offer_block(scene, window)
        window.until("nothing is under way", lambda: not window.page.locator(SPINNER).count())
        window.page.screenshot(path=picture_path("vscode.png"))
        window.press("Tab")
        window.until_lines(*BLOCK.accepted.split("\n"))

    def test_a_word_is_accepted_and_the_rest_stays(self, window: Window) -> None:
        window.rewrite(LINE.text)
        window.type(LINE.typed)
        window.until_ghost_text(LINE_SHOWN)
        window.press("Control+ArrowRight")
        window.until_last_line("        print(item.name, format_price)")
        window.until_ghost_text(LINE_SHOWN.removeprefix("price"))
        window.press("Tab")
        window.until_lines(*LINE.accepted.split("\n"))

    def test_a_line_is_accepted_and_the_rest_stays(self, scene: Scene, window: Window) -> None:
        first, second = BLOCK.offered.split("\n")
        offer_block(scene, window)
        window.press("Alt+End")
        window.until_lines(*(BLOCK.text + BLOCK.typed + first).split("\n"), "")
        window.until_ghost_text(second)
        window.press("Alt+End")
        window.until_lines(*BLOCK.accepted.split("\n"))


class TestChoosing:
    def test_next_and_previous_show_other_completions(self, scene: Scene, window: Window) -> None:
        offer_block(scene, window)
        num_asked = len(scene.received(INLINE))
        window.press("Alt+]")
        request = window.until("all are asked for", lambda: scene.newest_request(BLOCK_LINE, num_asked))
        (answer,) = window.until("they are there", lambda: scene.answers(request))
        texts = [item["insertText"] for item in answer["result"]["items"]]
        assert texts[0] == BLOCK.offered
        assert 1 < len(texts) == len(set(texts))
        window.until_ghost_text(texts[1])
        window.press("Alt+[")
        window.until_ghost_text(texts[0])
        window.press("Alt+]")
        window.until_ghost_text(texts[1])
        window.press("Tab")
        window.until_lines(*(BLOCK.text + BLOCK.typed + texts[1]).split("\n"))

    def test_escape_dismisses_until_the_text_changes(self, scene: Scene, window: Window) -> None:
        offer_block(scene, window)
        num_asked = len(scene.received(INLINE))
        window.press("Escape")
        window.until_ghost_text("")
        window.press("ArrowLeft", "ArrowRight")
        window.type(BLOCK.offered[0])
        window.until_ghost_text(BLOCK.offered[1:])
        assert len(scene.received(INLINE)) == num_asked + 1


class TestTypingOn:
    def test_what_is_typed_along_shrinks_the_ghost_text(self, window: Window) -> None:
        window.rewrite(LINE.text)
        window.type(LINE.typed)
        window.until_ghost_text(LINE_SHOWN)
        for length, character in enumerate("price", start=1):
            window.type(character)
            window.until_ghost_text(LINE_SHOWN[length:])

    def test_typing_on_cancels_what_is_asked_and_the_newest_text_is_answered(
        self, scene: Scene, home: Home, window: Window
    ) -> None:
        window.rewrite(BLOCK.text)
        num_asked = len(scene.received(INLINE))
        (engine,) = apart(home.engine_pids)
        os.kill(engine, signal.SIGSTOP)  # so that the request still waits when the next key is pressed
        try:
            window.type(BLOCK.typed[:-1])
            request = window.until("it is asked", lambda: scene.newest_request(BLOCK_LINE[:-1], num_asked))
            window.until_status("loading", "builtin on cpu")
            window.type(BLOCK.typed[-1])
            window.until("it is cancelled", lambda: request["id"] in scene.cancelled())
        finally:
            os.kill(engine, signal.SIGCONT)
        window.until_ghost_text(BLOCK.offered)
        assert len(scene.answers(request)) == 1


def test_an_engine_that_is_killed_is_started_again_and_completes(
    scene: Scene, home: Home, window: Window
) -> None:
    num_before = len(window.statuses())
    for pid in (killed := apart(home.engine_pids)):
        os.kill(pid, signal.SIGKILL)
    window.rewrite(LINE.text)
    window.type(LINE.typed)
    window.until(
        "the loss is seen", lambda: any("%" in item.text for item in window.statuses()[num_before:]), 60
    )
    window.until_status("sparkle", "builtin on cpu")
    window.rewrite(LINE.text)
    window.type(LINE.typed)
    window.until_ghost_text(LINE_SHOWN)
    assert set(apart(home.engine_pids)).isdisjoint(killed)


def test_the_moving_picture(window: Window) -> None:
    """Ghost text that is typed through and accepted, as a user sees it."""
    area = window.page.locator(".editor-container").first.bounding_box()
    assert area is not None
    film = Film(window.page, {**area, "width": 740, "height": 250})
    window.rewrite(BLOCK.text)
    for key in BLOCK.typed:
        window.type(key)
        film.take(90)
    window.until_ghost_text(BLOCK.offered)
    film.take(1200)
    for length, key in enumerate(BLOCK.offered[:6], start=1):
        window.type(key)
        window.until_ghost_text(BLOCK.offered[length:])
        film.take(160)
    film.take(700)
    window.press("Tab")
    window.until_lines(*BLOCK.accepted.split("\n"))
    film.take(2000)
    film.write(picture_path("typing.gif"))
