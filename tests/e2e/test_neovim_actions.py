"""`:GhostfillExplain`, `:GhostfillFix`, `:GhostfillDocument` and code actions in a real Neovim."""

from __future__ import annotations

from typing import Any

import pytest

from nvim_driver import Editor
from nvim_scene import Scene, either_fixture, span  # noqa: F401  (the fixture)

# pynvim asks for it up to Python 3.13, where it exists
pytestmark = pytest.mark.filterwarnings("ignore:'get_child_watcher' is deprecated:DeprecationWarning")

COMMAND, CANCEL = "workspace/executeCommand", "$/cancelRequest"
TEXT = "x = 1\ny = z\nprint(y)\n"
IS_FLOAT = "return vim.api.nvim_win_get_config(0).relative ~= ''"
FIND = "vim.diagnostic.set(vim.api.nvim_create_namespace('checker'), 0, ...)"


def opened(scene: Scene, text: str = TEXT, **script: Any) -> Editor:
    editor = scene.open([], text, **script)
    editor.until("the file is open", lambda: scene.received("textDocument/didOpen"))
    return editor


def floating(editor: Editor, first: str) -> list[str]:
    """The lines of the float, once it begins with this."""
    editor.until("the float is there", lambda: editor.lua(IS_FLOAT) and editor.lines()[0] == first)
    return editor.lines()


def closed(editor: Editor) -> None:
    editor.until("the float is gone", lambda: not editor.lua(IS_FLOAT))


def asked(scene: Scene) -> dict[str, Any]:
    """The one argument of the one command."""
    (params,) = scene.received(COMMAND)
    (argument,) = params["arguments"]
    return argument


class TestExplain:
    def answer(self, scene: Scene, **more: Any) -> dict[str, Any]:
        uri = (scene.workspace / "other.py").as_uri()
        text = f"# `report`\n\nIt calls [`other.py:2`]({uri}#L2)\\.\n\n```python\nx\\.y\n```\n"
        result = {"title": "report", "text": text, "files": [], "uri": "file:///page.md"}
        return {"ghostfill.explain": {"result": result, **more}}

    def test_it_is_read_in_a_float_without_targets_and_escapes(self, scene: Scene) -> None:
        editor = opened(scene, commands=self.answer(scene))
        editor.press("jl:GhostfillExplain<CR>")
        lines = floating(editor, "# `report`")
        assert lines == ["# `report`", "", "It calls `other.py:2`.", "", "```python", "x\\.y", "```"]
        assert editor.lua("return vim.bo.filetype") == "markdown"
        argument = asked(scene)
        assert argument.pop("token")
        uri = (scene.workspace / "main.py").as_uri()
        assert argument == {"uri": uri, "position": {"line": 1, "character": 1}, "show": False}

    @pytest.mark.parametrize("key", ["q", "<Esc>"])
    def test_keys_close_it_and_nothing_is_cancelled(self, scene: Scene, key: str) -> None:
        editor = opened(scene, commands=self.answer(scene))
        editor.press(":GhostfillExplain<CR>")
        floating(editor, "# `report`")
        editor.press(key)
        closed(editor)
        scene.ask_server(editor, "fake/emit")
        assert scene.received(CANCEL) == []
        assert editor.lines() == TEXT.splitlines()

    @pytest.mark.parametrize("key", ["gf", "<CR>"])
    def test_a_link_is_followed_in_the_window_that_asked(self, scene: Scene, key: str) -> None:
        (scene.workspace / "other.py").write_text("first\nsecond\n", encoding="utf-8")
        editor = opened(scene, commands=self.answer(scene))
        editor.press("ichanged<Esc>:GhostfillExplain<CR>")
        floating(editor, "# `report`")
        editor.press("jj" + key)
        editor.until("the file is shown", lambda: editor.lines() == ["first", "second"])
        assert editor.cursor() == (2, 0)
        assert editor.lua("return #vim.api.nvim_list_wins()") == 1

    def test_a_line_without_a_link_leads_nowhere(self, scene: Scene) -> None:
        editor = opened(scene, commands=self.answer(scene))
        editor.press(":GhostfillExplain<CR>")
        floating(editor, "# `report`")
        editor.press("<CR>")
        editor.until("it is said", lambda: "this line has no link" in editor.messages())
        assert editor.lua(IS_FLOAT)

    def test_text_is_shown_while_it_is_made_and_closing_cancels_the_rest(self, scene: Scene) -> None:
        editor = opened(scene, commands=self.answer(scene, hold=True))
        editor.press(":GhostfillExplain<CR>")
        floating(editor, "Reading ...")
        editor.until("it is asked", lambda: scene.received(COMMAND))
        for token, text in [(asked(scene)["token"], "# so far"), ("another", "# of another")]:
            said = {"token": token, "text": text, "done": False}
            messages = [{"method": "ghostfill/didExplain", "params": said}]
            scene.ask_server(editor, "fake/emit", {"messages": messages})
        floating(editor, "# so far")
        assert scene.received(CANCEL) == []
        editor.press("q")
        editor.until("it is cancelled", lambda: len(scene.received(CANCEL)) == 1)
        assert "ghostfill:" not in editor.messages()

    def test_a_range_is_asked_about_as_whole_lines(self, scene: Scene) -> None:
        editor = opened(scene, "x = '😋'\ny = '😋é'\n", commands=self.answer(scene))
        editor.press("Vj:GhostfillExplain<CR>")
        floating(editor, "# `report`")
        end = {"line": 1, "character": len("y = '😋é'") + 1}
        assert asked(scene)["range"] == {"start": {"line": 0, "character": 0}, "end": end}

    def test_what_the_server_refuses_is_said(self, scene: Scene) -> None:
        said = {"error": {"code": -32803, "message": "No function is here."}}
        editor = opened(scene, commands={"ghostfill.explain": said})
        editor.press(":GhostfillExplain<CR>")
        editor.until("it is said", lambda: "ghostfill: No function is here." in editor.messages())
        closed(editor)

    def test_a_long_text_stays_on_the_screen_and_scrolls(self, scene: Scene) -> None:
        answer = self.answer(scene)
        answer["ghostfill.explain"]["result"]["text"] = "\n".join(f"line {n}" for n in range(100))
        editor = opened(scene, "x\n" * 40, commands=answer)
        editor.press("10G:GhostfillExplain<CR>")
        floating(editor, "line 0")
        editor.press("G")
        editor.until("the end is seen", lambda: editor.lua("return vim.fn.line('w$')") == 100)
        fits = "return vim.fn.win_screenpos(0)[1] + vim.api.nvim_win_get_height(0) <= vim.o.lines"
        assert editor.lua(fits)


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
