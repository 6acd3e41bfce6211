"""`:GhostfillContext` in a real Neovim: the report in a split, its texts folded, the page's place on top."""

from __future__ import annotations

import json
from typing import Any

import pytest

from context_reports import report, row
from lsp_server.context_report import Section
from nvim_driver import Editor
from nvim_scene import Scene, either_fixture  # noqa: F401  (the fixture)

# pynvim asks for it up to Python 3.13, where it exists
pytestmark = pytest.mark.filterwarnings("ignore:'get_child_watcher' is deprecated:DeprecationWarning")

PAGE = "file:///home/me/.local/state/ghostfill/context/ab-main.py.html"
COMMAND = "workspace/executeCommand"


def answer(**changes: Any) -> dict[str, Any]:
    found = json.loads(json.dumps(report(**changes).to_json()))
    return {"result": {"uri": PAGE, "path": PAGE.removeprefix("file://"), "report": found}}


def opened(scene: Scene, said: dict[str, Any], text: str = "") -> Editor:
    editor = scene.open([], text, commands={"ghostfill.showContext": said})
    editor.until("the file is open", lambda: scene.received("textDocument/didOpen"))
    return editor


def explained(scene: Scene, editor: Editor) -> list[str]:
    editor.nvim.command("GhostfillContext")
    editor.until("the split is there", lambda: editor.lines()[0] == PAGE)
    return editor.lines()


def test_the_report_comes_as_text_with_its_texts_folded(scene: Scene) -> None:
    editor = opened(scene, answer(notes=("The index was not complete.",)))

    lines = explained(scene, editor)

    assert lines[2] == "pkg/main.py:7:5"
    assert lines[3] == "prompt 654 tokens of 1000 with the answer, 150 of other files, 120 cached"
    assert lines[4] == "The index was not complete."
    words = [line.split(None, 5) for line in lines]
    assert ["tokens", "cached", "part", "kind", "file", "reason"] in words
    assert ["100", "yes", "frozen", "definition", "pkg/models.py", "defines pkg/models.py"] in words
    assert ["300", "no", "prefix", "prefix", "pkg/main.py", "this file, from line 1 to the cursor"] in words
    assert ["777", "left", "out", "pkg/unwanted.py", "same", "folder"] in words
    first = lines.index("pkg/models.py (frozen, 100 tokens)") + 1
    assert lines[first] == "text of pkg/models.py"
    folds = editor.lua("return { vim.fn.foldclosed(...), vim.fn.foldclosedend(...) }", first)
    assert folds == [first, first + 1]
    assert editor.lua("return vim.fn.foldclosed(1)") == -1


def test_the_first_line_is_what_gx_opens(scene: Scene) -> None:
    editor = opened(scene, answer())

    explained(scene, editor)

    assert editor.cursor() == (1, 0)
    assert editor.lua("return vim.fn.expand('<cfile>')") == PAGE


def test_the_server_is_asked_about_the_cursor_and_told_that_it_is_shown_here(scene: Scene) -> None:
    editor = opened(scene, answer(), "x = '😋é'\n")
    editor.press("fél")

    explained(scene, editor)

    (asked,) = scene.received(COMMAND)
    assert asked == {
        "command": "ghostfill.showContext",
        "arguments": [
            {
                "uri": (scene.workspace / "main.py").as_uri(),
                "position": {"line": 0, "character": 8},
                "show": False,
            }
        ],
    }


def test_the_same_split_is_used_again(scene: Scene) -> None:
    editor = opened(scene, answer())
    explained(scene, editor)
    editor.press("<C-w>p")
    editor.until("back in the file", lambda: editor.lines() == [""])

    explained(scene, editor)

    assert editor.lua("return #vim.api.nvim_list_wins()") == 2
    assert not editor.lua("return vim.bo.modifiable or vim.bo.modified")
    assert editor.lua("return vim.bo.buftype") == "nofile"


def test_odd_text_is_one_line_each(scene: Scene) -> None:
    """Line ends in paths, NUL, segments that were not sent, an engine that is not known."""
    odd = row(Section.NEAR, "a\nb.py", 5, None, text="x = 1\r\ny\0 = {{{ 2\n\n", reason="two\nlines")
    editor = opened(scene, answer(rows=(odd,), cached_tokens=None, considered=()))

    lines = explained(scene, editor)

    assert any(
        line.split() == ["5", "not", "sent", "near", "definition", "a", "b.py", "two", "lines"]
        for line in lines
    )
    assert lines[-4:] == ["a b.py (near, 5 tokens)", "x = 1 ", "y  = {{{ 2", ""]
    assert "unknown cached" in lines[3]


def test_what_the_server_refuses_is_said(scene: Scene) -> None:
    editor = opened(scene, {"error": {"code": -32803, "message": "Nothing is sent for this document."}})

    editor.nvim.command("GhostfillContext")

    editor.until("it is said", lambda: "Nothing is sent for this document." in editor.messages())
    assert editor.lua("return #vim.api.nvim_list_wins()") == 1


def test_without_a_server_it_is_said(scene: Scene) -> None:
    editor = scene.start("require('ghostfill').setup({ filetypes = { python = false } })")

    editor.nvim.command("GhostfillContext")

    assert "no server runs for this buffer" in editor.messages()
