"""Neovim 0.12's own inline completion: with our keys, without our plugin, out of our own session's way."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nvim_driver import Editor
from nvim_newer import require_newer_nvim
from nvim_scene import RETURN, Scene, rule, scene_in

# pynvim asks for it up to Python 3.13, where it exists
pytestmark = pytest.mark.filterwarnings("ignore:'get_child_watcher' is deprecated:DeprecationWarning")

README = Path(__file__).parents[2] / "editors" / "neovim" / "README.md"
ASKED, COMMAND = "textDocument/inlineCompletion", "workspace/executeCommand"
PARTIAL = "textDocument/didPartiallyAcceptCompletion"


@pytest.fixture(name="scene")
def scene_fixture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    yield from scene_in(tmp_path, monkeypatch, require_newer_nvim())


def until_it_asks(editor: Editor) -> Editor:
    """Waits until keys are heard by the editor's own inline completion."""
    is_on = "return vim.fn.exists('#nvim.lsp.inline_completion:' .. vim.fn.bufnr()) == 1"
    editor.until("it is on", lambda: editor.lua(is_on))
    return editor


def opened(scene: Scene, *rules: dict[str, Any], text: str = "") -> Editor:
    """The editor's own asks only for keys pressed once the server is there."""
    editor = scene.open(list(rules), text, setup="native = true")
    return until_it_asks(editor)


def shown(scene: Scene, *rules: dict[str, Any]) -> Editor:
    """Ghost text of the editor's own is on the screen."""
    editor = opened(scene, RETURN, *rules)
    editor.press("idef add(a, b):")
    editor.until_row(2, "    return a + b")
    return editor


def test_tab_accepts_what_the_editor_draws(scene: Scene) -> None:
    editor = shown(scene)
    assert editor.lua("return require('ghostfill').is_visible()") is True
    assert editor.lua("return #vim.api.nvim_buf_get_extmarks(0, -1, 0, -1, {})") == 1
    editor.press("<Tab>")
    wanted = ["def add(a, b):", "    return a + b", "", "", "print(add(1, 2))"]
    editor.until("the text is there", lambda: editor.lines() == wanted)
    editor.until("the server hears it", lambda: scene.received(COMMAND))
    assert scene.received(COMMAND)[0]["command"] == "ghostfill.accepted"


def test_a_word_and_a_line_are_accepted_and_told(scene: Scene) -> None:
    editor = shown(scene, rule("    return", " a + b\n\n\nprint(add(1, 2))"))
    editor.press("<M-Right>")
    editor.until("a word is there", lambda: editor.lines() == ["def add(a, b):", "    return"])
    editor.until_row(5, "print(add(1, 2))")
    editor.press("<M-Down>")
    editor.until("a line is there", lambda: editor.lines() == ["def add(a, b):", "    return a + b"])
    assert [params["acceptedLength"] for params in scene.received(PARTIAL)] == [11, 6]


def test_dismiss_takes_it_away_and_is_told(scene: Scene) -> None:
    editor = shown(scene)
    editor.press("<C-e>")
    editor.until_row(2, "~")
    assert editor.lines() == ["def add(a, b):"]
    editor.until("the server hears it", lambda: scene.received(COMMAND))
    assert scene.received(COMMAND)[0]["arguments"][0]["id"] == "c1"


def test_keys_mean_what_they_meant_where_nothing_is_shown(scene: Scene) -> None:
    editor = opened(scene, text="above\nbelow\n")
    editor.press("O<C-e><Tab>x")
    editor.until("both acted", lambda: editor.lines()[0] == "a   x")


def test_next_goes_through_what_the_server_gave(scene: Scene) -> None:
    editor = opened(scene, rule("x = ", "alpha()", "beta()"))
    editor.press("ix = ")
    editor.until_row(1, "x = alpha()")
    editor.press("<M-]>")
    editor.until("the second is shown", lambda: "x = beta()" in editor.screen()[0])


def test_our_own_session_is_alone_where_the_editors_is_on_for_all(scene: Scene) -> None:
    editor = scene.open([rule("x = ", "alpha()")], before="vim.lsp.inline_completion.enable(true)")
    editor.press("ix = ")
    editor.until_row(1, "x = alpha()")
    wait = "vim.defer_fn(function() vim.g.later = 1 end, 400)"  # the editor's own waits for 200 ms
    editor.lua(wait)
    editor.until("it is time", lambda: editor.nvim.eval("exists('g:later')"))
    assert editor.screen()[0] == "x = alpha()"
    asked = [params["position"]["character"] for params in scene.received(ASKED)]
    assert asked == sorted(set(asked))


def test_the_set_up_without_our_plugin_works_as_the_readme_shows_it(scene: Scene) -> None:
    """Only the program is replaced."""
    (block,) = re.findall(
        r"```lua\n(vim\.lsp\.config\('ghostfill'.*?)```", README.read_text("utf-8"), re.DOTALL
    )
    program = ", ".join(f"'{word}'" for word in scene.command())
    assert "'/path/to/ghostfill', 'serve'" in block
    (scene.script).write_text(
        '{"rules": [{"before": "x = ", "items": [{"insertText": "alpha()"}]}]}', "utf-8"
    )
    editor = scene.start(block.replace("'/path/to/ghostfill', 'serve'", program))
    assert sys.executable in editor.lua("return vim.lsp.config.ghostfill.cmd")
    until_it_asks(editor).press("ix = ")
    editor.until_row(1, "x = alpha()")
    editor.press("<Tab>")
    editor.until("it is accepted", lambda: editor.lines() == ["x = alpha()"])
