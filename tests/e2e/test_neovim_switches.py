"""`:GhostfillToggle` and `:GhostfillSnooze` in a real Neovim: the real server decides, the screen follows."""

from __future__ import annotations

import pytest

from nvim_driver import Editor
from nvim_scene import Scene, either_fixture  # noqa: F401  (the fixture)

# pynvim asks for it up to Python 3.13, where it exists
pytestmark = pytest.mark.filterwarnings("ignore:'get_child_watcher' is deprecated:DeprecationWarning")


@pytest.fixture
def editor(scene: Scene) -> Editor:
    """Ghost text is shown."""
    editor = scene.serve({"x = ": ["alpha()"]})
    editor.press("ix = ")
    editor.until_row(1, "x = alpha()")
    return editor


def status(editor: Editor) -> str:
    return str(editor.lua("return require('ghostfill').status()"))


def test_toggle_takes_ghost_text_away_and_brings_it_back(editor: Editor) -> None:
    editor.command("GhostfillToggle")
    editor.until_row(1, "x =")
    assert "ghostfill: Inline completion is off." in editor.messages()
    assert status(editor) == "ghostfill: off here"
    editor.command("GhostfillToggle")
    editor.until_row(1, "x = alpha()")
    assert "ghostfill: Inline completion is on." in editor.messages()
    assert status(editor) == "ghostfill"


def test_while_it_is_off_not_even_the_trigger_key_shows_anything(scene: Scene, editor: Editor) -> None:
    editor.command("GhostfillToggle")
    editor.until_row(1, "x =")
    editor.type("<BS> <M-\\>")
    scene.until_answered(editor)
    assert editor.screen()[0] == "x ="


def test_one_language_is_toggled_by_its_name(editor: Editor) -> None:
    assert editor.nvim.funcs.getcompletion("GhostfillToggle ", "cmdline") == ["python"]
    editor.command("GhostfillToggle rust")
    editor.until("it is said", lambda: "Inline completion is off for rust." in editor.messages())
    editor.until_row(1, "x = alpha()")
    editor.command("GhostfillToggle python")
    editor.until_row(1, "x =")
    assert "Inline completion is off for python." in editor.messages()
    assert status(editor) == "ghostfill: off here"
    editor.command("GhostfillToggle python")
    editor.until_row(1, "x = alpha()")


def test_snooze_says_how_long_and_can_be_ended(editor: Editor) -> None:
    editor.command("GhostfillSnooze 30")
    editor.until_row(1, "x =")
    assert "Inline completion is snoozed for 30 minutes." in editor.messages()
    assert status(editor) == "ghostfill: snoozed"
    editor.command("GhostfillSnooze 0")
    editor.until_row(1, "x = alpha()")
    editor.command("GhostfillSnooze")
    editor.until("it is said", lambda: "Inline completion is snoozed for 5 minutes." in editor.messages())


def test_the_end_of_a_snooze_brings_ghost_text_back_by_itself(editor: Editor) -> None:
    editor.command("GhostfillSnooze 0.002")
    editor.until("it is said", lambda: "snoozed for 0.002 minutes" in editor.messages())
    editor.until_row(1, "x = alpha()")


def test_what_the_server_does_not_understand_is_said(editor: Editor) -> None:
    editor.command("GhostfillSnooze soon")
    editor.until("it is said", lambda: "minutes from 0 to 1440" in editor.messages())
    assert editor.screen()[0] == "x = alpha()"


def test_toggle_tries_again_to_start_a_server_that_was_given_up(scene: Scene) -> None:
    editor = scene.start("require('ghostfill').setup({ command = { 'ghostfill-of-nobody', 'serve' } })")
    problem = '"ghostfill-of-nobody" was not found'
    editor.until("it is given up", lambda: problem in editor.messages())
    assert problem in editor.command("GhostfillToggle")
    assert "no server runs for this buffer" in editor.command("GhostfillSnooze")
