"""Editors that ghostfill has no plugin for, set up as docs/editors.md says: real editor, server and model."""

from __future__ import annotations

import json
import os
import re
import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli_home import Home
from snippets import FENCE, recorded, snippet, user_environment
from story import LINE, write_workspace
from terminal import Terminal, require

ROOT = Path(__file__).parents[2]
ASKED_S = 60.0
"""For what the model is asked for by hand."""
DOCSTRING = re.compile(r' *15 +"""\w.*"""$')
UNDOCUMENTED = """


def total_price(item: Item) -> float:
    return item.unit_price * item.quantity
"""


def helix() -> str:
    """Helix is in no Debian 12, so that CI need not have it."""
    found = shutil.which("hx") or shutil.which(
        "hx", path=str(ROOT / "build" / "editors" / "helix-newer" / "bin")
    )
    if found is None:
        pytest.skip("Helix is not installed (.ci/helix-newer build/editors/helix-newer)")
    return found


def coc() -> Path:
    """coc.nvim comes from its repository alone."""
    folder = Path(os.environ.get("COC_NVIM", ROOT / "build" / "editors" / "coc.nvim"))
    if not (folder / "build" / "index.js").exists():
        pytest.skip(f"coc.nvim's release branch is not at {folder} (COC_NVIM names another folder)")
    return folder


class Desk:
    """A user's home with ghostfill installed, the small workspace, and what editor and server say."""

    def __init__(self, home: Home, folder: Path) -> None:
        self.home = home
        self.main = write_workspace(folder / "shop", LINE.text)
        self._record = folder / "record"
        self.environment = user_environment(home, self._record)
        self.terminal: Terminal | None = None

    def write(self, path: str, text: str) -> None:
        """A file of the user's home."""
        file = self.home.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def text(self) -> str:
        """main.py on the disk."""
        return self.main.read_text(encoding="utf-8")

    def column(self, editor: Terminal) -> int:
        """Of the cursor, behind the indentation of the scene's last line."""
        return editor.cursor()[1] - len(LINE.text.rpartition("\n")[2])

    def open(self, program: str, line: int | None = None) -> Terminal:
        """The editor with main.py, known to the server."""
        file = str(self.main) if line is None else f"{self.main}:{line}:6"
        self.terminal = Terminal([program, file], self.main.parent, self.environment)
        self.terminal.until("main.py is open", lambda: self.sent("textDocument/didOpen"))
        return self.terminal

    def type_in_order(self, text: str) -> None:
        """Key by key, each when the last is sent: Helix 25.01 can send changes out of order."""
        assert self.terminal is not None
        before = len(self.sent("textDocument/didChange"))
        for length in range(1, len(text) + 1):
            self.terminal.type(text[length - 1])
            self._until_sent(before + length)

    def _until_sent(self, count: int) -> None:
        assert self.terminal is not None
        self.terminal.until("a change is sent", lambda: len(self.sent("textDocument/didChange")) >= count)

    def sent(self, method: str) -> list[dict[str, Any]]:
        """What the editor has sent so far with this method."""
        return self._recorded("client", method)

    def received(self, method: str) -> list[dict[str, Any]]:
        """What the server has sent so far with this method."""
        return self._recorded("server", method)

    def _recorded(self, sender: str, method: str) -> list[dict[str, Any]]:
        return [each["params"] for each in recorded(self._record, sender) if each.get("method") == method]


@pytest.fixture(scope="module")
def warm_home(home: Home, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home whose engine has loaded its model."""
    main = write_workspace(tmp_path_factory.mktemp("warm"), LINE.text)
    assert home.run("complete", f"{main}:9:1").returncode == 0
    return home


@pytest.fixture
def desk(warm_home: Home, tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(warm_home, tmp_path)
    yield desk
    if desk.terminal is not None:
        desk.terminal.quit()


class TestHelix:
    @pytest.fixture(autouse=True)
    def _set_up(self, desk: Desk) -> None:
        self.program = helix()
        desk.write("config/helix/languages.toml", snippet("editors.md", "Helix", "toml"))

    def test_a_completion_is_asked_for_typed_and_chosen_in_the_menu(self, desk: Desk) -> None:
        editor = desk.open(self.program)
        editor.press("g", "e")
        editor.type("A")
        editor.press("C-x")
        editor.until_shown("print(item.name, item.unit_price", ASKED_S)
        editor.press("Escape")
        editor.until_shown(" NOR ")
        editor.type("A")
        desk.type_in_order(LINE.typed)
        editor.until_shown("format_price(item.unit_price)")
        editor.press("Tab")
        editor.until_shown(LINE.typed + LINE.offered)  # in the text, to be looked at
        editor.press("Enter", "Escape")
        editor.until_shown(" NOR ")
        editor.type(":w")
        editor.press("Enter")
        editor.until("it is in the file", lambda: LINE.accepted in desk.text())

    def test_a_function_is_documented_and_explained_by_code_actions(self, desk: Desk) -> None:
        """Helix 25.01 opens no page for a server: it says where the explanation is, and `:open` shows it."""
        desk.main.write_text(LINE.accepted + UNDOCUMENTED, encoding="utf-8")
        editor = desk.open(self.program, line=14)
        editor.press("Space")
        editor.type("a")
        editor.until_shown("Document 'total_price' with ghostfill")
        editor.press("Enter")
        editor.until(
            "it is documented", lambda: any(DOCSTRING.match(row) for row in editor.screen()), ASKED_S
        )
        editor.press("Space")
        editor.type("a")
        editor.until_shown("Explain 'total_price' with ghostfill")
        editor.press("Tab", "Enter")
        editor.until_shown("total_price in main.py: /", ASKED_S)
        page = str(desk.received("window/showMessage")[-1]["message"]).partition(": ")[2]
        editor.type(f":open {page}")
        editor.press("Enter")
        editor.until_shown("Function, 3 lines")


class TestCoc:
    def test_ghost_text_is_shown_and_accepted_whole_and_by_word(self, desk: Desk) -> None:
        plugin = coc()
        require("node", "nodejs")
        plugins = desk.home.folder / ".vim" / "pack" / "coc" / "start"
        plugins.mkdir(parents=True)
        (plugins / "coc.nvim").symlink_to(plugin)
        desk.write(".vim/coc-settings.json", snippet("editors.md", "coc.nvim", "json"))
        desk.write(".vimrc", snippet("editors.md", "coc.nvim", "vim"))
        editor = desk.open(require("vim", "vim"))
        editor.type("GA" + LINE.typed)
        editor.until("the server knows", lambda: desk.sent("textDocument/didChange"))
        editor.press("C-l")  # asked by hand: it waits for the model
        shown = LINE.typed + LINE.offered
        editor.until_shown(shown, ASKED_S)
        editor.press("C-f")
        editor.until("a word is accepted", lambda: desk.column(editor) == len(LINE.typed + "price"))
        editor.until_shown(shown)  # the rest, offered by itself
        editor.press("Tab")
        editor.until("the rest is accepted", lambda: desk.column(editor) == len(shown))
        editor.press("Escape")
        editor.until("it is left", lambda: not any("-- INSERT --" in row for row in editor.screen()))
        editor.type(":w")
        editor.press("Enter")
        editor.until("it is in the file", lambda: LINE.accepted in desk.text())
        accepted = [
            params
            for params in desk.sent("workspace/executeCommand")
            if params["command"] == "ghostfill.accepted"
        ]
        assert accepted


def test_every_set_up_of_the_page_can_be_read() -> None:
    """Also those of editors that no test runs: a comma too many is found here."""
    text = (ROOT / "docs" / "editors.md").read_text(encoding="utf-8")
    found = {"json": 0, "toml": 0}
    for language, body in FENCE.findall(text):
        if language in found:
            found[language] += 1
            assert json.loads(body) if language == "json" else tomllib.loads(body)
            assert "ghostfill" in body
            assert "serve" in body
    assert found == {"json": 4, "toml": 1}
