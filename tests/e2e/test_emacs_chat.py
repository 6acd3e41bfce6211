"""A real Emacs in a terminal, the real server and engine, a scripted instruct model behind `chat.url`."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from emacs_scene import ENGINE_START_S, Desk, Open, installed_fixture, open_scene_fixture  # noqa: F401  (the fixtures)
from fake_chat_server import FakeChatServer, chat_server
from story import MENDED, NOTE, SAID, SHOUTED, SLIP, UNSAID, instruct, with_line


@pytest.fixture
def chat() -> Iterator[FakeChatServer]:
    with chat_server(instruct) as server:
        yield server


@pytest.fixture
def desk(open_scene: Open, chat: FakeChatServer) -> Desk:
    """On main.py with the slip, the cursor behind it; the user has set the address."""
    settings = f'(setq ghostfill-settings \'(:chat (:url "{chat.url}")))'
    desk = open_scene(with_line(SLIP), more=settings, rows=50)
    desk.until_state("ready", ENGINE_START_S)
    return desk


def shows(desk: Desk, words: str) -> Callable[[], bool]:
    return lambda: any(words in row for row in desk.terminal.screen())


def test_an_explanation_is_read_while_it_is_written_and_quitting_ends_it(
    desk: Desk, chat: FakeChatServer
) -> None:
    chat.hold()
    desk.command("e")
    chat.let(7)
    desk.terminal.until_shown(SAID)
    desk.terminal.until_shown("C-c C-k stops it")
    assert not shows(desk, UNSAID)()
    chat.let(100)
    desk.terminal.until_shown(UNSAID)
    desk.terminal.until_shown("Given to the model: main.py")
    desk.terminal.press("q")
    desk.terminal.until("it is gone", lambda: not shows(desk, "*ghostfill explain*")())
    assert not chat.was_left.is_set()

    chat.hold()
    desk.command("e")
    chat.let(7)
    desk.terminal.until_shown(SAID)
    desk.terminal.press("C-g")
    desk.terminal.until("the server is left", chat.was_left.is_set)
    desk.terminal.until_shown("Cancelled: this is not all of it.")
    assert shows(desk, SAID)()


def test_its_fixes_are_looked_at_and_a_note_reaches_it(desk: Desk, chat: FakeChatServer) -> None:
    desk.command("f")
    desk.terminal.until_shown("Apply? (y or n)", 60)
    assert shows(desk, f"+        {MENDED}")()
    desk.terminal.press("y")
    desk.until_text(with_line(MENDED))
    assert NOTE not in "".join(chat.prompts)

    desk.command("F")
    desk.terminal.until_shown("What is to be changed:")
    desk.terminal.type(NOTE + "\r")
    desk.terminal.until_shown("Apply? (y or n)", 60)
    assert shows(desk, f"+        {SHOUTED}")()
    desk.terminal.press("y")
    desk.until_text(with_line(SHOUTED))
    assert NOTE in chat.prompts[-1]
