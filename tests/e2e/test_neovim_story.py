"""Neovim, the real server and its engine with the built-in model, in the small workspace of every editor."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from cli_home import Home
from nvim_driver import PLUGIN, Editor
from nvim_newer import require_nvim
from pictures import picture_path
from story import BLOCK, HEAD, LINE, Scene, write_workspace
from terminal import Terminal

# pynvim asks for it up to Python 3.13, where it exists
pytestmark = [
    pytest.mark.filterwarnings("ignore:'get_child_watcher' is deprecated:DeprecationWarning"),
    pytest.mark.timeout(600),
]

Open = Callable[[Scene], Editor]
WHOLE, FIRST = "format_price(item.unit_price))", "price"


def set_up(home: Home) -> str:
    """Everything that the model says is offered, and at once."""
    command = "', '".join(home.command("serve"))
    settings = "settings = { inline = { minConfidence = 0, debounceMs = 0 } }"
    return f"require('ghostfill').setup({{ command = {{ '{command}' }}, {settings} }})"


@pytest.fixture
def open_scene(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    """Neovim with the cursor where the scene has it, and what is typed there typed."""
    program = require_nvim()
    for name, value in home.environment(HOME=str(home.folder), XDG_DATA_HOME=str(tmp_path / "data")).items():
        monkeypatch.setenv(name, value)
    editors: list[Editor] = []

    def start(scene: Scene) -> Editor:
        main = write_workspace(tmp_path / "work", scene.text)
        editor = Editor(main.parent, set_up(home), program)
        editors.append(editor)
        editor.edit(main)
        editor.press("GA" + scene.typed)
        return editor

    yield start
    for editor in editors:
        editor.quit()


def status(editor: Editor) -> str:
    return str(editor.lua("return (require('ghostfill').status())"))


def last(editor: Editor) -> str:
    return editor.lines()[-1]


def until_offered(editor: Editor, text: str, seconds: float = 240.0) -> None:
    """Waits until the screen shows the cursor's line with this at its end."""
    editor.until(f"{text!r} is shown", lambda: any(row.endswith(text) for row in editor.screen()), seconds)


def shown(open_scene: Open) -> Editor:
    """The line's completion is on the screen."""
    editor = open_scene(LINE)
    until_offered(editor, WHOLE)
    return editor


def test_status_goes_from_loading_with_per_cent_to_ready_and_ghost_text_comes(open_scene: Open) -> None:
    editor = open_scene(LINE)
    seen: list[str] = []

    def is_ready() -> bool:
        seen.append(status(editor))
        return seen[-1] == "ghostfill" and editor.lua("return require('ghostfill').is_visible()")

    editor.until("it is ready", is_ready, 240)
    assert any(re.fullmatch(r"ghostfill: loading \d+%", words) for words in seen)
    until_offered(editor, WHOLE)
    assert last(editor) == "        " + LINE.typed


def test_the_whole_is_accepted(open_scene: Open) -> None:
    editor = shown(open_scene)
    editor.press("<Tab>")
    editor.until("it is accepted", lambda: "\n".join(editor.lines()) == LINE.accepted)


def test_a_word_and_then_the_line_are_accepted(open_scene: Open) -> None:
    editor = shown(open_scene)
    editor.type("<M-Right>")
    assert last(editor) == "        " + LINE.typed + FIRST
    until_offered(editor, WHOLE)
    editor.type("<M-Down>")
    assert "\n".join(editor.lines()) == LINE.accepted


def test_a_block_of_two_lines_is_accepted_line_by_line(open_scene: Open) -> None:
    editor = open_scene(BLOCK)
    first, second = BLOCK.offered.split("\n")
    until_offered(editor, second)
    editor.type("<M-Down>")
    assert last(editor) == "    " + BLOCK.typed + first
    until_offered(editor, second)
    editor.type("<M-Down>")
    assert "\n".join(editor.lines()) == BLOCK.accepted


def test_typing_on_goes_through_it_and_another_key_cancels_it(open_scene: Open) -> None:
    editor = shown(open_scene)
    editor.type("pri")
    until_offered(editor, WHOLE)
    editor.type("%")
    gone = "        " + LINE.typed + "pri%"
    editor.until("the rest is gone", lambda: not any(WHOLE in row for row in editor.screen()))
    assert last(editor) == gone


def test_dismissed_it_stays_away_until_the_text_changes(open_scene: Open) -> None:
    editor = shown(open_scene)
    editor.type("<C-e>")
    assert not editor.lua("return require('ghostfill').is_visible()")
    editor.press("p")
    until_offered(editor, WHOLE)


def test_next_and_previous_go_through_further_completions(open_scene: Open) -> None:
    editor = shown(open_scene)
    editor.press("<M-]>")
    editor.until("another is shown", lambda: re.search(r" 2/[23]$", status(editor)), 60)
    assert not any(row.endswith(WHOLE) for row in editor.screen())
    editor.press("<M-[>")
    until_offered(editor, WHOLE)


def test_toggle_and_snooze(open_scene: Open) -> None:
    editor = shown(open_scene)
    editor.command("GhostfillToggle")
    editor.until("it is off", lambda: status(editor) == "ghostfill: off here")
    editor.until("it is hidden", lambda: not editor.lua("return require('ghostfill').is_visible()"))
    editor.command("GhostfillToggle")
    until_offered(editor, WHOLE)
    editor.command("GhostfillSnooze")
    editor.until("it is snoozed", lambda: status(editor) == "ghostfill: snoozed")
    editor.command("GhostfillSnooze 0")
    until_offered(editor, WHOLE)


def engine_pids(home: Home) -> list[int]:
    """Asked in a thread: pynvim's event loop is this one's."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(home.engine_pids).result()


def test_it_survives_its_engine(open_scene: Open, home: Home) -> None:
    editor = shown(open_scene)
    (pid,) = engine_pids(home)
    editor.press("<Esc>")
    os.kill(pid, signal.SIGKILL)
    editor.until("the engine is gone", lambda: pid not in engine_pids(home))
    editor.press("A<BS>_")
    until_offered(editor, WHOLE)
    editor.until("another engine is there", lambda: engine_pids(home) not in ([], [pid]), 240)
    editor.until("it is ready", lambda: status(editor) == "ghostfill", 240)


def in_normal_mode(editor: Editor, keys: str) -> None:
    editor.press("<Esc>" + keys)
    editor.until("it is done", lambda: editor.nvim.api.get_mode()["mode"] == "n")


def float_lines(editor: Editor) -> list[str]:
    is_float = editor.lua("return vim.api.nvim_win_get_config(0).relative ~= ''")
    return editor.lines() if is_float else []


def test_the_function_at_the_cursor_is_explained_with_links(open_scene: Open) -> None:
    editor = shown(open_scene)
    in_normal_mode(editor, "?^def<CR>:GhostfillExplain<CR>")
    said: Callable[[], Any] = partial(float_lines, editor)
    editor.until("the model has spoken", lambda: any("model's words" in line for line in said()), 60)
    assert said()[0] == "# `report`"
    row = next(number for number, line in enumerate(said(), start=1) if "defined at `main.py:" in line)
    editor.press(f"{row}G<CR>")
    editor.until("it leads there", lambda: editor.lua("return vim.fn.getline('.')").startswith("def report"))


def test_a_function_is_documented_as_one_undo_step(open_scene: Open) -> None:
    editor = open_scene(
        Scene("    pass\n\n\ndef total(inventory: Inventory) -> float:\n    ", "return 1", "")
    )
    in_normal_mode(editor, "")
    editor.until("it is ready", lambda: status(editor) == "ghostfill", 240)
    before = editor.lines()
    editor.press(":GhostfillDocument<CR>")
    editor.until("it is documented", lambda: editor.lines() != before, 120)
    after = editor.lines()
    assert after[: len(before) - 1] == before[:-1]
    assert after[len(before) - 1].strip().startswith('"""')
    editor.press("u")
    editor.until("it is undone", lambda: editor.lines() == before)


def test_a_slip_is_mended_after_a_look_at_the_diff(open_scene: Open) -> None:
    slip = "print(item.name"
    editor = open_scene(Scene("    for item in inventory.items:\n        ", slip, ""))
    in_normal_mode(editor, "")
    editor.until("it is ready", lambda: status(editor) == "ghostfill", 240)
    before = editor.lines()
    editor.press(":GhostfillFix<CR>")
    editor.until("the diff is there", lambda: float_lines(editor)[:1] == ["--- main.py"], 120)
    assert any(line.startswith(f"+        {slip}") for line in editor.lines())
    editor.press("y")
    editor.until("it is applied", lambda: editor.lines()[: len(before) - 1] == before[:-1])
    compile("\n".join(editor.lines()), "main.py", "exec")
    editor.press("u")
    editor.until("it is undone", lambda: editor.lines() == before)


class TestInATerminal:
    """What a user sees, and its pictures."""

    @pytest.fixture
    def terminal(self, home: Home, tmp_path: Path) -> Iterator[Terminal]:
        program = require_nvim()
        main = write_workspace(tmp_path / "work", BLOCK.text)
        init = tmp_path / "init.lua"
        status_line = "%f %m %= %{luaeval('(require(\"ghostfill\").status())')} "
        options = f"vim.o.statusline = [[{status_line}]] vim.o.laststatus = 2 vim.o.termguicolors = true"
        look = (
            "vim.o.ruler = false vim.o.showmode = false vim.o.foldenable = true vim.cmd('colorscheme slate')"
        )
        look += """
            vim.cmd('highlight Comment guifg=#8a8a8a')
            vim.cmd('highlight StatusLine guibg=#3a3a3a guifg=#d0d0d0')
            vim.cmd('highlight StatusLineNC guibg=#303030 guifg=#a0a0a0')
            vim.cmd('highlight NormalFloat guibg=#303030')
            vim.cmd('highlight FloatBorder guibg=#303030 guifg=#8a8a8a')
            vim.cmd('highlight PreProc guibg=NONE guifg=#8a8a8a')
        """
        plugin = f"vim.opt.runtimepath:prepend('{PLUGIN}')"
        init.write_text("\n".join([plugin, options, look, set_up(home)]), encoding="utf-8")
        argv = [program, "-u", str(init), "-n", "-i", "NONE", str(main.name)]
        environment = home.environment(HOME=str(home.folder), XDG_DATA_HOME=str(tmp_path / "data"))
        terminal = Terminal(argv, main.parent, environment, columns=100, rows=36)
        yield terminal
        terminal.quit()

    def test_ghost_text_the_explanation_and_the_context_are_seen(self, terminal: Terminal) -> None:
        first, second = BLOCK.offered.split("\n")
        terminal.until_shown(HEAD.splitlines()[0])
        terminal.press("G", "A")
        terminal.type(BLOCK.typed)
        terminal.until_shown(BLOCK.typed + first, 240)
        terminal.until_shown(second)
        terminal.until("it is ready", lambda: any(row.endswith("ghostfill") for row in terminal.screen()))
        terminal.picture(picture_path("neovim.svg"), "Neovim")
        terminal.press("Tab")
        terminal.until("the cursor is behind it", lambda: terminal.cursor()[1] == len(second))
        terminal.press("Escape")
        terminal.type(f":{len(HEAD.splitlines()) - 1}")
        terminal.press("Enter")
        terminal.type(":GhostfillExplain")
        terminal.press("Enter")
        terminal.until_shown("In the model's words", 60)
        terminal.picture(picture_path("neovim-explain.svg"), ":GhostfillExplain")
        terminal.type("q")
        terminal.type(":GhostfillContext")
        terminal.press("Enter")
        terminal.until_shown("tokens  cached")
        terminal.picture(picture_path("neovim-context.svg"), ":GhostfillContext")
