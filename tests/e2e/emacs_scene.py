"""What the tests in a terminal share: Emacs with the installed package, the real server, the story files."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cli_home import Home
from emacs_driver import NEWER, VERSIONS, emacs, emacs_home, install_package
from pictures import picture_path
from story import Scene, write_workspace
from terminal import Terminal

INIT = """
(setq inhibit-startup-screen t make-backup-files nil create-lockfiles nil auto-save-default nil
      ring-bell-function #'ignore vc-handled-backends nil)
(menu-bar-mode -1)
(load-theme 'modus-vivendi t)
(set-face-background 'default "unspecified-bg")
(setq ghostfill-command '({command})
      ghostfill-settings '(:inline (:minConfidence 0 :debounceMs 0)))
{more}
(global-ghostfill-mode)
"""

EARLY_INIT = "(setq native-comp-deferred-compilation nil native-comp-jit-compilation nil)"
"""Emacs would compile its own files while the model loads, and show warnings of that."""

ENGINE_START_S = 240.0
"""The built-in model loads in some seconds, but not where ten other tests run beside."""

PATIENCE_S = 5.0


class Desk:
    """An Emacs on main.py in a terminal."""

    def __init__(self, terminal: Terminal, main: Path, is_stable: bool) -> None:
        self.terminal = terminal
        self.main = main
        self.is_stable = is_stable

    def mode_line(self) -> str:
        """What the first mode line says."""
        return next((row for row in self.terminal.screen() if _is_mode_line(row)), "")

    def until_state(self, words: str, seconds: float = 30.0) -> None:
        """Waits until the mode line says this of ghostfill, a regular expression."""
        said = re.compile(rf"\bghostfill:{words}[ )]")
        self.terminal.until(f"the mode line says {words!r}", lambda: said.search(self.mode_line()), seconds)

    def text(self) -> list[str]:
        """The rows above the mode line, without those behind the end of the buffer."""
        rows = self.terminal.screen()
        end = next((at for at, row in enumerate(rows) if _is_mode_line(row)), len(rows))
        return rows[:end]

    def until_text(self, text: str, seconds: float = 60.0) -> None:
        """Waits until the window shows this text, from its first line to its last."""
        wanted = text.rstrip("\n").split("\n")
        self.terminal.until(
            "the window shows the text", lambda: _trimmed(self.text()) == _trimmed(wanted), seconds
        )

    def until_offered(self, scene: Scene, seconds: float = 60.0) -> None:
        """Types and waits for what the scene offers.

        Unasked, the model answers without other files where those are not read in time, on a busy machine:
        then a command asks.
        """
        self.terminal.type(scene.typed)
        next_time = time.monotonic() + PATIENCE_S

        def is_offered() -> bool:
            nonlocal next_time
            if _trimmed(self.text()) == _trimmed(scene.accepted.split("\n")):
                return True
            if time.monotonic() > next_time:
                next_time = time.monotonic() + PATIENCE_S
                self.command("\\")
            return False

        self.terminal.until("the scene's text is offered", is_offered, seconds)

    def until_cursor(self, text: str) -> None:
        """Waits until the cursor stands behind this text, the first on the screen."""
        lines = text.split("\n")
        wanted = (len(lines) - 1, len(lines[-1]))
        self.terminal.until(f"the cursor is at {wanted}", lambda: self.terminal.cursor() == wanted)

    def picture(self, name: str, title: str) -> None:
        """Keeps a picture of the screen, of the stable version only."""
        if self.is_stable:
            self.terminal.picture(picture_path(name), title)

    def saved(self) -> str:
        """The file, after it was saved."""
        self.terminal.press("C-x", "C-s")
        self.terminal.until_shown("Wrote")
        return self.main.read_text(encoding="utf-8")

    def command(self, *keys: str) -> None:
        """A command of ghostfill's by its keys behind the prefix."""
        self.terminal.press("C-c", "\\", *keys)


def _is_mode_line(row: str) -> bool:
    return row.startswith("-UU") and "main.py " in row


def _trimmed(rows: list[str]) -> list[str]:
    rows = [row.rstrip() for row in rows]
    while rows and not rows[-1]:
        rows.pop()
    return rows


Open = Callable[..., Desk]


@pytest.fixture(scope="module", params=VERSIONS, name="installed")
def installed_fixture(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, Path]:
    """A version of Emacs, and the home of a user who has installed the package."""
    program = emacs(request.param)
    folder = tmp_path_factory.mktemp(f"emacs-{request.param}")
    install_package(program, folder)
    return program, folder


@pytest.fixture(name="open_scene")
def open_scene_fixture(installed: tuple[str, Path], home: Home, tmp_path: Path) -> Iterator[Open]:
    """Opens a scene of the story, the cursor at the end of main.py."""
    program, folder = installed
    terminals: list[Terminal] = []

    def open_scene(scene: Scene | str, *, more: str = "", rows: int = 24, columns: int = 90) -> Desk:
        text = scene if isinstance(scene, str) else scene.text
        main = write_workspace(tmp_path / "shop", text)
        command = " ".join(f'"{word}"' for word in home.command("serve"))
        init = folder / ".emacs.d" / "init.el"
        init.with_name("early-init.el").write_text(EARLY_INIT, encoding="utf-8")
        init.write_text(INIT.format(command=command, more=more), encoding="utf-8")
        terminal = Terminal(
            [program, "-nw", str(main), "-f", "end-of-buffer"],
            main.parent,
            emacs_home(folder, home.environment()),
            rows=rows,
            columns=columns,
        )
        terminals.append(terminal)
        desk = Desk(terminal, main, is_stable=program != str(NEWER))
        terminal.until("the file is open", desk.mode_line)
        return desk

    yield open_scene
    for terminal in terminals:
        terminal.quit()
