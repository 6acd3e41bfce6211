"""What other sources find wrong in a buffer reaches the server, from a real Neovim."""

from __future__ import annotations

from typing import Any

import pytest

from nvim_driver import Editor
from nvim_scene import Scene, either_fixture, span  # noqa: F401  (the fixture)

# pynvim asks for it up to Python 3.13, where it exists
pytestmark = pytest.mark.filterwarnings("ignore:'get_child_watcher' is deprecated:DeprecationWarning")

TOLD = "ghostfill/didChangeDiagnostics"
FIND = "local source, found = ...; vim.diagnostic.set(vim.api.nvim_create_namespace(source), 0, found)"


def found(line: int, column: int, message: str, **more: Any) -> dict[str, Any]:
    """As Neovim has it; columns in bytes."""
    return {"lnum": line, "col": column, "message": message, **more}


def opened(scene: Scene, text: str) -> Editor:
    editor = scene.open([], text)
    editor.until("the file is open", lambda: scene.received("textDocument/didOpen"))
    return editor


def told(scene: Scene, editor: Editor, times: int = 1) -> Any:
    """The params of the last report, once so many have come."""
    editor.until("the server hears it", lambda: len(scene.received(TOLD)) >= times)
    reports = scene.received(TOLD)
    assert len(reports) == times
    return reports[-1]


def test_positions_are_utf_16_and_every_source_is_told(scene: Scene) -> None:
    editor = opened(scene, "x = '😋é' + y\nimport os\n")
    column = len("x = '😋é' + ".encode())
    editor.lua(FIND, "checker", [found(0, column, "y is not defined", end_col=column + 1, severity=1)])
    editor.lua(FIND, "linter", [found(1, 7, "unused", source="ruff", severity=2)])
    report = told(scene, editor)
    assert report["uri"] == (scene.workspace / "main.py").as_uri()
    assert report["version"] == 0
    assert report["diagnostics"] == [
        {"range": span(12, 13), "message": "y is not defined", "severity": 1},
        {"range": span(7, 7, line=1), "message": "unused", "severity": 2, "source": "ruff"},
    ]


def test_the_version_is_that_of_the_text(scene: Scene) -> None:
    editor = opened(scene, "x\n")
    editor.press("Ay<Esc>")
    editor.until("the server has the text", lambda: scene.received("textDocument/didChange"))
    editor.lua(FIND, "checker", [found(0, 0, "wrong")])
    version = scene.received("textDocument/didChange")[-1]["textDocument"]["version"]
    assert told(scene, editor)["version"] == version > 0


def test_of_many_those_around_the_cursor_are_told(scene: Scene) -> None:
    editor = opened(scene, "x\n" * 200)
    editor.press("100G")
    editor.until("the cursor is there", lambda: editor.cursor()[0] == 100)
    editor.lua(FIND, "checker", [found(line, 0, f"line {line}") for line in range(200)])
    lines = [each["range"]["start"]["line"] for each in told(scene, editor)["diagnostics"]]
    assert sorted(lines) in ([*range(74, 124)], [*range(75, 125)])


def test_what_is_wrong_no_longer_is_taken_back(scene: Scene) -> None:
    editor = opened(scene, "x\n")
    editor.lua(FIND, "checker", [found(0, 0, "wrong")])
    told(scene, editor)
    editor.lua(FIND, "checker", [])
    assert told(scene, editor, 2)["diagnostics"] == []


def test_what_was_found_in_an_older_text_is_not_told(scene: Scene) -> None:
    editor = opened(scene, "x\n")
    change = "vim.api.nvim_buf_set_lines(0, 0, 0, true, { 'y' })"
    wait = "vim.defer_fn(function() vim.g.later = 1 end, 300)"
    editor.lua(f"{FIND} {change} {wait}", "checker", [found(0, 0, "of the older text")])
    editor.until("it is time", lambda: editor.nvim.eval("exists('g:later')"))
    editor.lua(FIND, "checker", [found(1, 0, "of the newer text")])
    (each,) = told(scene, editor)["diagnostics"]
    assert each["message"] == "of the newer text"


def test_what_was_found_before_the_server_started_is_told_too(scene: Scene) -> None:
    early = """
        local source = vim.api.nvim_create_namespace('early')
        local function find() vim.diagnostic.set(source, 0, { { lnum = 0, col = 0, message = 'm' } }) end
        vim.api.nvim_create_autocmd('BufReadPost', { callback = find })
    """
    editor = scene.open([], "x\n", before=early)
    assert [each["message"] for each in told(scene, editor)["diagnostics"]] == ["m"]
