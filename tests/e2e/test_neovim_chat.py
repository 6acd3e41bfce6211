"""Neovim, the real server and its engine, with a scripted instruct model behind `chat.url`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cli_home import Home
from fake_chat_server import FakeChatServer, chat_server
from nvim_driver import Editor
from nvim_newer import BOTH, require_either
from nvim_scene import IS_FLOAT, closed
from story import MENDED, NOTE, SAID, SHOUTED, SLIP, UNSAID, instruct, with_line, write_workspace

# pynvim asks for it up to Python 3.13, where it exists
pytestmark = [
    pytest.mark.filterwarnings("ignore:'get_child_watcher' is deprecated:DeprecationWarning"),
    pytest.mark.timeout(600),
]
SECONDS = 240.0
"""The engine starts first, on a machine with more to do."""

FIRST_ACTION = """
    vim.ui.select = function(items, _, on_choice) on_choice(items[1], 1) end
    vim.lsp.buf.code_action()
"""
"""From the editor's own menu: the fix."""


@pytest.fixture
def chat() -> Iterator[FakeChatServer]:
    with chat_server(instruct) as server:
        yield server


@pytest.fixture(params=BOTH)
def editor(
    home: Home,
    tmp_path: Path,
    chat: FakeChatServer,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> Iterator[Editor]:
    """On main.py with the slip, the cursor in that line; the server runs."""
    program = require_either(request.param)
    for name, value in home.environment(HOME=str(home.folder), XDG_DATA_HOME=str(tmp_path / "data")).items():
        monkeypatch.setenv(name, value)
    command = "', '".join(home.command("serve"))
    settings = f"settings = {{ chat = {{ url = '{chat.url}' }} }}"
    init = f"require('ghostfill').setup({{ command = {{ '{command}' }}, {settings} }})"
    main = write_workspace(tmp_path / "work", with_line(SLIP))
    editor = Editor(main.parent, init, program)
    editor.edit(main)
    editor.press("G")
    ready = "return (require('ghostfill').status())"
    editor.until("it is ready", lambda: editor.lua(ready) == "ghostfill", SECONDS)
    yield editor
    editor.quit()


def until_shown(editor: Editor, words: str) -> str:
    """The float's text, once it has these words."""

    def text() -> str:
        return "\n".join(editor.lines()) if editor.lua(IS_FLOAT) else ""

    editor.until(f"{words!r} is shown", lambda: words in text(), SECONDS)
    return text()


def test_an_explanation_is_read_while_it_is_written_and_closing_ends_it(
    editor: Editor, chat: FakeChatServer
) -> None:
    chat.hold()
    editor.press(":GhostfillExplain<CR>")
    chat.let(7)
    assert UNSAID not in until_shown(editor, SAID)
    assert editor.lines()[-1] == "Writing ..."
    chat.let(100)
    until_shown(editor, UNSAID)
    until_shown(editor, "Given to the model: `main.py`")
    editor.press("q")
    closed(editor)
    assert not chat.was_left.is_set()

    chat.hold()
    editor.press(":GhostfillExplain<CR>")
    chat.let(7)
    until_shown(editor, SAID)
    editor.press("q")
    editor.until("the server is left", chat.was_left.is_set)


def test_its_fixes_are_looked_at_and_a_note_reaches_it(editor: Editor, chat: FakeChatServer) -> None:
    editor.lua(FIRST_ACTION)
    until_shown(editor, f"+        {MENDED}")
    assert editor.lua("return vim.fn.getbufline('main.py', '$')[1]").strip() == SLIP
    editor.press("y")
    editor.until("it is applied", lambda: editor.lines() == with_line(MENDED).split("\n"))
    assert NOTE not in "".join(chat.prompts)

    editor.press(f":GhostfillFix {NOTE}<CR>")
    until_shown(editor, f"+        {SHOUTED}")
    editor.press("y")
    editor.until("it is applied", lambda: editor.lines() == with_line(SHOUTED).split("\n"))
    assert NOTE in chat.prompts[-1]
