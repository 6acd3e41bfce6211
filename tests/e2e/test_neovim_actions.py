"""`:GhostfillFix`, `:GhostfillDocument` and code actions in a real Neovim."""

from __future__ import annotations

from typing import Any

import pytest

from nvim_driver import Editor
from nvim_scene import CANCEL, COMMAND, FIND, IS_FLOAT, TEXT, Scene, asked, closed, floating, opened, span
from nvim_scene import either_fixture as either_fixture  # the fixture

# pynvim asks for it up to Python 3.13, where it exists
pytestmark = pytest.mark.filterwarnings("ignore:'get_child_watcher' is deprecated:DeprecationWarning")


class TestFix:
    def script(self, scene: Scene, edit: Any = None, **more: Any) -> dict[str, Any]:
        uri = (scene.workspace / "main.py").as_uri()
        edits = [{"range": span(4, 5, line=1), "newText": "x", "annotationId": "a"}]
        document = {"uri": uri, "version": 0}
        edit = edit or {
            "documentChanges": [{"textDocument": document, "edits": edits}],
            "changeAnnotations": {"a": {"label": "fix", "needsConfirmation": True}},
        }
        result = {"edit": edit, "applied": False, "message": "Fixed z."}
        return {"ghostfill.fix": {"result": result, **more}}

    def shown(self, scene: Scene) -> Editor:
        """The diff is there; the cursor was on the second line."""
        editor = opened(scene, commands=self.script(scene))
        editor.press("j:GhostfillFix<CR>")
        lines = floating(editor, "--- main.py")
        assert lines == [
            "--- main.py",
            "+++ main.py",
            "@@ -1,3 +1,3 @@",
            " x = 1",
            "-y = z",
            "+y = x",
            " print(y)",
        ]
        return editor

    @pytest.mark.parametrize("key", ["y", "<CR>"])
    def test_the_diff_is_applied_as_one_undo_step(self, scene: Scene, key: str) -> None:
        editor = self.shown(scene)
        editor.press(key)
        editor.until("it is applied", lambda: editor.lines() == ["x = 1", "y = x", "print(y)"])
        closed(editor)
        assert "ghostfill: Fixed z." in editor.messages()
        editor.press("u")
        editor.until("it is undone", lambda: editor.lines() == TEXT.splitlines())

    @pytest.mark.parametrize("key", ["n", "q", "<Esc>"])
    def test_the_diff_is_discarded(self, scene: Scene, key: str) -> None:
        editor = self.shown(scene)
        editor.press(key)
        closed(editor)
        assert editor.lines() == TEXT.splitlines()

    def test_what_was_typed_before_is_another_undo_step(self, scene: Scene) -> None:
        editor = opened(scene, commands=self.script(scene))
        editor.press("Go# typed<Esc>2G:GhostfillFix<CR>")
        floating(editor, "--- main.py")
        editor.press("y")
        editor.until("it is applied", lambda: editor.lines() == ["x = 1", "y = x", "print(y)", "# typed"])
        editor.press("u")
        editor.until("it is undone", lambda: editor.lines() == [*TEXT.splitlines(), "# typed"])

    def test_diagnostics_of_the_line_are_sent_and_the_server_is_not_to_apply(self, scene: Scene) -> None:
        editor = opened(scene, commands=self.script(scene))
        found = [
            {"lnum": 1, "col": 4, "end_lnum": 1, "end_col": 5, "message": "no z", "severity": 1},
            {"lnum": 2, "col": 0, "message": "elsewhere"},
        ]
        editor.lua(FIND, found)
        editor.press("j:GhostfillFix<CR>")
        floating(editor, "--- main.py")
        assert asked(scene) == {
            "uri": (scene.workspace / "main.py").as_uri(),
            "position": {"line": 1, "character": 0},
            "diagnostics": [{"range": span(4, 5, line=1), "message": "no z", "severity": 1}],
            "apply": False,
        }

    @pytest.mark.parametrize("keys", ["Vj:GhostfillFix call it x | not z<CR>", "Vj\\f"])
    def test_a_note_goes_along_with_the_lines_and_the_diff_is_looked_at(
        self, scene: Scene, keys: str
    ) -> None:
        mapping = "vim.keymap.set('x', [[\\f]], function() {} end)"
        call = "require('ghostfill').fix(nil, 'call it x | not z')"
        editor = opened(scene, commands=self.script(scene), before=mapping.replace("{}", call))
        editor.press("j" + keys)
        floating(editor, "--- main.py")
        end = {"line": 2, "character": len("print(y)")}
        assert asked(scene) == {
            "uri": (scene.workspace / "main.py").as_uri(),
            "range": {"start": {"line": 1, "character": 0}, "end": end},
            "note": "call it x | not z",
            "apply": False,
        }
        editor.press("y")
        editor.until("it is applied", lambda: editor.lines() == ["x = 1", "y = x", "print(y)"])

    def test_a_text_that_changed_meanwhile_is_left_alone(self, scene: Scene) -> None:
        editor = self.shown(scene)
        editor.lua("vim.api.nvim_buf_set_lines(vim.fn.bufnr('main.py'), 0, 0, true, { 'new' })")
        editor.press("y")
        editor.until("it is said", lambda: "the text has changed meanwhile" in editor.messages())
        assert editor.lines() == ["new", *TEXT.splitlines()]

    def test_an_answer_to_an_older_text_is_not_shown(self, scene: Scene) -> None:
        editor = opened(scene, commands=self.script(scene))
        change = "vim.api.nvim_buf_set_lines(0, 0, 0, true, { 'new' })"
        editor.lua(f"require('ghostfill').fix() {change}")
        editor.until("it is said", lambda: "the text has changed meanwhile" in editor.messages())
        assert not editor.lua(IS_FLOAT)

    def test_asking_again_cancels_the_older_request(self, scene: Scene) -> None:
        editor = opened(scene, commands=self.script(scene, hold=True))
        editor.press(":GhostfillFix<CR>:GhostfillFix<CR>")
        editor.until("the first is cancelled", lambda: len(scene.received(CANCEL)) == 1)
        assert len(scene.received(COMMAND)) == 2

    def test_a_command_cancels_it_and_says_where_there_is_nothing_to_cancel(self, scene: Scene) -> None:
        editor = opened(scene, commands=self.script(scene, hold=True))
        editor.press(":GhostfillFix<CR>:GhostfillCancel<CR>:GhostfillCancel<CR>")
        editor.until("it is said", lambda: "ghostfill: no fix and no docstring" in editor.messages())
        editor.until("it is cancelled", lambda: len(scene.received(CANCEL)) == 1)
        scene.ask_server(editor, "fake/release")
        assert not editor.lua(IS_FLOAT)

    def test_an_edit_of_another_file_too_is_shown_and_applied_whole(self, scene: Scene) -> None:
        other = scene.workspace / "other.py"
        other.write_text("a\n", encoding="utf-8")
        edit = {
            "changes": {
                (scene.workspace / "main.py").as_uri(): [{"range": span(4, 5, line=1), "newText": "x"}],
                other.as_uri(): [{"range": span(0, 1), "newText": "b"}],
            }
        }
        editor = opened(scene, commands=self.script(scene, edit))
        editor.press("j:GhostfillFix<CR>")
        editor.until("the diff is there", lambda: editor.lua(IS_FLOAT) and "+b" in editor.lines())
        assert "+y = x" in editor.lines()
        editor.press("y")
        editor.until("it is applied", lambda: editor.lines() == ["x = 1", "y = x", "print(y)"])
        assert editor.lua("return vim.fn.getbufline('other.py', 1)") == ["b"]

    def test_an_edit_that_creates_files_is_refused(self, scene: Scene) -> None:
        edit = {"documentChanges": [{"kind": "create", "uri": (scene.workspace / "new.py").as_uri()}]}
        editor = opened(scene, commands=self.script(scene, edit))
        editor.press(":GhostfillFix<CR>")
        editor.until("it is said", lambda: "does more than change texts" in editor.messages())
        assert not (scene.workspace / "new.py").exists()


class TestDocument:
    def test_it_is_applied_at_once_as_one_undo_step(self, scene: Scene) -> None:
        edits = [
            {"range": span(0, 0, line=1), "newText": '    """Add."""\n'},
            {"range": span(12, 12, line=1), "newText": " + 0"},
        ]
        changes = {(scene.workspace / "main.py").as_uri(): edits}
        said = {"result": {"edit": {"changes": changes}, "applied": False, "message": "Documented add."}}
        text = "def add(a):\n    return a"
        editor = opened(scene, text + "\n", commands={"ghostfill.document": said})
        editor.press(":GhostfillDocument<CR>")
        wanted = ["def add(a):", '    """Add."""', "    return a + 0"]
        editor.until("it is applied", lambda: editor.lines() == wanted)
        assert "ghostfill: Documented add." in editor.messages()
        assert asked(scene)["apply"] is False
        editor.press("u")
        editor.until("it is undone", lambda: editor.lines() == text.splitlines())

    def test_without_an_edit_the_reason_is_said(self, scene: Scene) -> None:
        said = {"result": {"edit": None, "applied": False, "message": "There is nothing to say."}}
        editor = opened(scene, commands={"ghostfill.document": said})
        editor.press(":GhostfillDocument<CR>")
        editor.until("it is said", lambda: "ghostfill: There is nothing to say." in editor.messages())


class TestCodeActions:
    def run(self, editor: Editor, number: int) -> None:
        """Chooses from the editor's own menu."""
        editor.lua(
            """
            local number = ...
            vim.ui.select = function(items, _, on_choice) on_choice(items[number], number) end
            vim.lsp.buf.code_action()
            """,
            number,
        )

    def test_the_server_is_told_that_edits_are_made_by_our_commands(self, scene: Scene) -> None:
        opened(scene)
        (params,) = scene.received("initialize")
        support = params["capabilities"]["textDocument"]["codeAction"]["resolveSupport"]
        assert "edit" not in support["properties"]

    def test_a_fix_is_looked_at_before_it_is_applied(self, scene: Scene) -> None:
        argument = {"uri": (scene.workspace / "main.py").as_uri(), "range": span(0, 1, line=1)}
        command = {"title": "Fix", "command": "ghostfill.fix", "arguments": [argument]}
        action = {"title": "Fix with ghostfill: no z", "kind": "quickfix", "command": command}
        editor = opened(scene, actions=[action], commands=TestFix().script(scene))
        self.run(editor, 1)
        floating(editor, "--- main.py")
        assert asked(scene) == {**argument, "apply": False}
        editor.press("y")
        editor.until("it is applied", lambda: editor.lines() == ["x = 1", "y = x", "print(y)"])

    def actions(self, scene: Scene) -> list[dict[str, Any]]:
        uri = (scene.workspace / "main.py").as_uri()
        argument = {"uri": uri, "range": span(0, 1, line=1)}
        explain = {"title": "Explain", "command": "ghostfill.explain", "arguments": [argument]}
        return [
            {"title": "Fix with ghostfill: no z", "kind": "quickfix", "data": 7},
            {"title": "Explain 'y' with ghostfill", "command": explain},
        ]

    def test_explain_opens_our_float(self, scene: Scene) -> None:
        said = {"result": {"title": "y", "text": "# y", "files": [], "uri": "file:///page.md"}}
        editor = opened(scene, actions=self.actions(scene), commands={"ghostfill.explain": said})
        self.run(editor, 2)
        floating(editor, "# y")
        assert asked(scene)["range"] == span(0, 1, line=1)
        assert asked(scene)["show"] is False

    def test_an_edit_is_resolved_and_applied(self, scene: Scene) -> None:
        edit = {
            "changes": {(scene.workspace / "main.py").as_uri(): [{"range": span(4, 5, 1), "newText": "x"}]}
        }
        editor = opened(scene, actions=self.actions(scene), edit=edit)
        self.run(editor, 1)
        editor.until("it is applied", lambda: editor.lines() == ["x = 1", "y = x", "print(y)"])
        assert scene.received("codeAction/resolve")[0]["data"] == 7


@pytest.mark.parametrize("command", ["Explain", "Fix", "Document", "Restart"])
def test_without_a_server_it_is_said(scene: Scene, command: str) -> None:
    editor = scene.start("require('ghostfill').setup({ filetypes = { python = false } })")
    editor.nvim.command(f"Ghostfill{command}")
    assert "no server runs for this buffer" in editor.messages()


def test_restart_asks_the_server_to_try_its_engine_again(scene: Scene) -> None:
    editor = opened(scene)
    editor.nvim.command("GhostfillRestart")
    editor.until("it is said", lambda: "the engine is tried again" in editor.messages())
    (params,) = scene.received(COMMAND)
    assert params["command"] == "ghostfill.restartEngine"
