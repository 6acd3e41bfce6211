"""A real Neovim with a screen of its own, driven by keys: what the Neovim tests see and press.

Knows nothing of servers; waits for what is on the screen, never for a time.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pynvim
import pytest

PLUGIN = Path(__file__).parents[2] / "editors" / "neovim"
COLUMNS, ROWS, MESSAGE_ROWS = 80, 24, 10


def draw(row: list[str], column: int, cells: list[list[Any]]) -> None:
    """Puts the cells of a `grid_line` event into a row: text, highlight, and how often."""
    for text, *more in cells:
        times = more[1] if len(more) == 2 else 1
        row[column : column + times] = [text] * times
        column += times


class Editor:
    """One Neovim process in `folder`; `init` is the Lua of its configuration, which finds the plugin."""

    def __init__(self, folder: Path, init: str, program: str = "nvim") -> None:
        config = Path(os.environ["XDG_CONFIG_HOME"]) / "nvim" / "init.lua"
        config.parent.mkdir(parents=True, exist_ok=True)
        config.write_text(f"vim.opt.runtimepath:prepend('{PLUGIN}')\n{init}", encoding="utf-8")
        # With room for every message no "Press ENTER" comes, during which Neovim answers nothing.
        argv = [program, "--embed", "-n", "-i", "NONE", "--cmd", f"set cmdheight={MESSAGE_ROWS}"]
        self.nvim = pynvim.attach("child", argv=[*argv, "--cmd", f"cd {folder}"])
        self.nvim.ui_attach(COLUMNS, ROWS, rgb=True, ext_linegrid=True)

    def quit(self) -> None:
        """Ends Neovim, whatever is unsaved."""
        with contextlib.suppress(OSError, EOFError):  # the connection ends with the process
            self.nvim.command("qa!")
        self.nvim.close()

    def lua(self, code: str, *arguments: Any) -> Any:
        """Runs Lua in the editor; `return` gives a value."""
        self.check_awake()
        return self.nvim.exec_lua(code, *arguments)

    def check_awake(self) -> None:
        """Fails where Neovim waits for a key to go on: it answers nothing then, and the test would hang."""
        mode = self.nvim.api.get_mode()
        if mode["blocking"] and mode["mode"].startswith("r"):
            self.press("<CR>")
            pytest.fail(f"Neovim waits for a key, having said:\n{self.messages()}")

    def press(self, keys: str) -> None:
        """Real key presses, mappings included."""
        self.nvim.input(keys)

    def type(self, keys: str) -> None:
        """Presses keys in Insert mode and waits until all of them have done their work."""
        self.nvim.command("inoremap <F12> <Cmd>let g:num_typed += 1<CR>")
        self.nvim.command("let g:num_typed = 0")
        self.press(keys + "<F12>")
        self.until("the keys are typed", lambda: self.nvim.eval("g:num_typed") == 1)

    def command(self, line: str) -> str:
        """Runs a command line, and gives what it prints."""
        self.check_awake()
        return str(self.nvim.command_output(line))

    def edit(self, path: Path) -> None:
        """Opens a file."""
        self.nvim.command(f"edit {path}")

    def screen(self) -> list[str]:
        """What the rows of the screen show, without blanks at their ends."""
        self.check_awake()
        self.nvim.command("redraw")
        read = """
            local rows = {}
            for row = 1, vim.o.lines do
              local cells = {}
              for column = 1, vim.o.columns do cells[column] = vim.fn.screenstring(row, column) end
              rows[row] = table.concat(cells)
            end
            return rows
        """
        return [row.rstrip() for row in self.lua(read)]

    def watch(self) -> None:
        """From here on the frames are complete: draws all rows anew, and forgets what was seen before."""
        self.nvim.command("mode")
        self.frames(1)
        self.nvim.command("mode")

    def frames(self, row: int) -> list[str]:
        """What a row, from 1, showed whenever the user could see the screen since `watch`; asked once."""
        self.nvim.funcs.rpcnotify(self.nvim.channel_id, "that is all")
        grid = [[" "] * COLUMNS for _ in range(ROWS)]
        shown = []
        while (message := self.nvim.next_message())[1] != "that is all":
            for name, *calls in message[2]:
                if name == "grid_line":
                    for _, grid_row, column, cells, *_wraps in calls:
                        draw(grid[grid_row], column, cells)
                elif name == "flush":
                    shown.append("".join(grid[row - 1]).rstrip())
        return shown

    def lines(self) -> list[str]:
        """The text of the buffer."""
        return list(self.nvim.current.buffer[:])

    def cursor(self) -> tuple[int, int]:
        """Line from 1, column in bytes from 0."""
        row, column = self.nvim.current.window.cursor
        return row, column

    def messages(self) -> str:
        """What `:messages` would show."""
        return str(self.nvim.command_output("messages"))

    def until(self, what: str, is_true: Callable[[], Any], seconds: float = 20.0) -> Any:
        """Waits for something to become true, and gives it."""
        deadline = time.monotonic() + seconds
        while not (value := is_true()):
            if time.monotonic() > deadline:
                pytest.fail(f"{what}: not within {seconds:.0f} s. Screen:\n" + "\n".join(self.screen()))
            time.sleep(0.01)
        return value

    def until_row(self, row: int, text: str, seconds: float = 20.0) -> None:
        """Waits until a row of the screen, from 1, shows exactly this."""
        self.until(f"row {row} shows {text!r}", lambda: self.screen()[row - 1] == text, seconds)
