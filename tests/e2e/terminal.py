"""A real terminal of its own (tmux) with a program in it: keys in, screen out, pictures of it.

Knows no editor; waits for what is on the screen, never for a time.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

SVG_FORMAT = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">
<style>
.{unique_id}-matrix {{ font-family: ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace;
  font-size: {char_height}px; line-height: {line_height}px; white-space: pre; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">
<rect width="{terminal_width}" height="{terminal_height}" />
</clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""


def require(program: str, package: str) -> str:
    """The program's path; without it the test is skipped, and fails where CI promised it."""
    if (path := shutil.which(program)) is not None:
        return path
    if os.environ.get("CI"):
        pytest.fail(f"{program} is not installed, and CI must have it (apt-get install {package})")
    pytest.skip(f"{program} is not installed")


class Terminal:
    """One tmux server with one window; the program starts in `folder`."""

    def __init__(
        self,
        argv: list[str],
        folder: Path,
        environment: Mapping[str, str],
        *,
        columns: int = 90,
        rows: int = 24,
    ) -> None:
        require("tmux", "tmux")
        self.columns, self.rows = columns, rows
        self._socket = f"ghostfill-{uuid.uuid4().hex[:12]}"
        self._environment = {k: v for k, v in environment.items() if k not in ("TMUX", "TERM", "NO_COLOR")}
        self._environment |= {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8"}
        size = ["-x", str(columns), "-y", str(rows)]
        settings = ["set", "-g", "default-terminal", "tmux-256color", ";", "set", "-g", "status", "off", ";"]
        settings += ["set", "-g", "remain-on-exit", "on", ";", "set", "-s", "escape-time", "0", ";"]
        self._tmux(*settings, "new-session", "-d", *size, "-c", str(folder), *argv)

    def _tmux(self, *arguments: str) -> str:
        command = ["tmux", "-u", "-L", self._socket, "-f", "/dev/null", *arguments]
        done = subprocess.run(command, env=self._environment, capture_output=True, text=True, timeout=20)
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)}: {done.stderr}")
        return done.stdout

    def quit(self) -> None:
        """Ends the program, whatever it does."""
        command = ["tmux", "-L", self._socket, "kill-server"]
        subprocess.run(command, env=self._environment, capture_output=True)

    def press(self, *keys: str) -> None:
        """Keys by tmux's names: `Tab`, `Escape`, `C-x`, `M-Right`, `Enter`."""
        self._tmux("send-keys", *keys)

    def type(self, text: str) -> None:
        """Text as a user types it."""
        self._tmux("send-keys", "-l", text)

    def screen(self) -> list[str]:
        """What the rows show, without blanks at their ends."""
        return [row.rstrip() for row in self._tmux("capture-pane", "-p").split("\n")[: self.rows]]

    def cursor(self) -> tuple[int, int]:
        """Row and column on the screen, from 0."""
        row, column = self._tmux("display-message", "-p", "#{cursor_y} #{cursor_x}").split()
        return int(row), int(column)

    def until(self, what: str, is_true: Callable[[], Any], seconds: float = 30.0) -> Any:
        """Waits for something to become true, and gives it."""
        deadline = time.monotonic() + seconds
        while not (value := is_true()):
            if time.monotonic() > deadline:
                screen = "\n".join(self.screen())
                pytest.fail(f"{what}: not within {seconds:.0f} s. Cursor {self.cursor()}, screen:\n{screen}")
            time.sleep(0.02)
        return value

    def until_shown(self, text: str, seconds: float = 30.0) -> None:
        """Waits until some row of the screen contains this."""
        self.until(f"{text!r} is shown", lambda: any(text in row for row in self.screen()), seconds)

    def picture(self, path: Path, title: str) -> None:
        """Writes the screen with its colours and its cursor as an SVG file."""
        from rich.console import Console
        from rich.text import Text

        screen = Text.from_ansi(self._tmux("capture-pane", "-e", "-p"), no_wrap=True)
        lines = list(screen.split("\n"))[: self.rows]
        row, column = self.cursor()
        lines[row].pad_right(max(0, column + 1 - len(lines[row].plain)))
        lines[row].stylize("reverse", column, column + 1)
        with Path(os.devnull).open("w") as nowhere:
            console = Console(file=nowhere, record=True, width=self.columns, force_terminal=True)
            for line in lines:
                console.print(line, no_wrap=True, crop=True)
        # The library's own template loads fonts from elsewhere.
        console.save_svg(str(path), title=title, unique_id="screen", code_format=SVG_FORMAT)
