"""A real VS Code, the real server and its engine, with a scripted instruct model behind `chat.url`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from cli_home import Home
from fake_chat_server import FakeChatServer, chat_server
from story import MENDED, NOTE, SAID, SHOUTED, SLIP, UNSAID, instruct, with_line
from vscode_driver import VSCode
from vscode_scene import Scene, code_fixture  # noqa: F401  (the fixture)
from vscode_window import Window

EXPLAIN = "Ghostfill: Explain"


@pytest.fixture(scope="module")
def chat() -> Iterator[FakeChatServer]:
    with chat_server(instruct) as server:
        yield server


@pytest.fixture(scope="module")
def window(code: VSCode, home: Home, chat: FakeChatServer) -> Window:
    """The user has set the address in the settings."""
    scene = Scene(code, home, "chat")
    settings: dict[str, Any] = {"ghostfill.command": scene.command(), "ghostfill.chat.url": chat.url}
    window = scene.open(settings, width=1200, height=680)
    window.until_status("sparkle", "builtin")
    return window


@pytest.fixture(autouse=True)
def the_slip(window: Window) -> None:
    window.press("Control+1")  # a page may have the focus
    if window.page.locator(".editor-group-container").count() > 1:
        window.run("View: Close Editors in Other Groups")
    window.rewrite(with_line(SLIP))


def test_an_explanation_is_read_while_it_is_written(window: Window, chat: FakeChatServer) -> None:
    chat.hold()
    window.run(EXPLAIN)
    chat.let(7)
    page = window.until_frame(SAID)
    assert UNSAID not in page.inner_text("main")
    assert page.inner_text(".state") == "Working..."
    first = page.locator("main > *").first.element_handle()
    chat.let(100)
    window.until("all is there", lambda: UNSAID in page.inner_text("main"))
    window.until("it is complete", lambda: "main.py" in page.inner_text("footer"))
    assert page.inner_text(".state") == ""
    assert page.evaluate("block => block.isConnected", first), "what was there is not drawn anew"
    assert not chat.was_left.is_set()


@pytest.mark.parametrize("by_button", [True, False])
def test_it_can_be_stopped(window: Window, chat: FakeChatServer, by_button: bool) -> None:
    chat.was_left.clear()
    chat.hold()
    window.run(EXPLAIN)
    chat.let(7)
    page = window.until_frame(SAID)
    if by_button:
        page.locator("button").click()
        window.until("it is said", lambda: "Stopped" in page.inner_text(".problem"))
        assert SAID in page.inner_text("main")
    else:
        window.run("View: Close Editors in Other Groups")
    window.until("the server is left", chat.was_left.is_set)


def test_a_reader_stays_and_at_the_end_goes_with_the_text(
    window: Window, chat: FakeChatServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "\n\n".join(f"Line {number}." for number in range(200))
    monkeypatch.setattr(chat, "answer", lambda messages: text)
    monkeypatch.setattr(chat, "pieces", lambda said: [said[:600], said[600:-9], said[-9:]])
    chat.hold()
    window.run(EXPLAIN)
    chat.let(2)
    page = window.until_frame("Line 20.")
    page.evaluate("window.scrollTo(0, 300)")
    chat.let(1)
    window.until("more is there", lambda: "Line 190." in page.inner_text("main"))
    assert page.evaluate("window.scrollY") == 300
    page.evaluate("window.scrollTo(0, document.body.scrollHeight)")
    chat.let(100)
    window.until("it is complete", lambda: "main.py" in page.inner_text("footer"))
    rest = "document.body.scrollHeight - window.innerHeight - window.scrollY"
    window.until("the end is in sight", lambda: page.evaluate(rest) < 2)


def test_its_fix_is_shown_as_a_diff_and_applied(window: Window, chat: FakeChatServer) -> None:
    chat.hold()
    chat.let(1000)
    window.run("Ghostfill: Fix")
    window.until("the diff is shown", lambda: window.proposed() == with_line(MENDED).split("\n"))
    window.press_button("Apply")
    window.until_lines(*with_line(MENDED).split("\n"))
    assert NOTE not in "".join(chat.prompts)


def test_a_note_reaches_it_and_its_answer_is_a_diff_too(window: Window, chat: FakeChatServer) -> None:
    chat.hold()
    chat.let(1000)
    window.run("Ghostfill: Fix with a Note...")
    window.page.locator(".quick-input-widget", has_text="What is to be changed").wait_for()
    window.type(NOTE)
    window.press("Enter")
    window.until("the diff is shown", lambda: window.proposed() == with_line(SHOUTED).split("\n"))
    window.press_button("Apply")
    window.until_lines(*with_line(SHOUTED).split("\n"))
    assert NOTE in chat.prompts[-1]
