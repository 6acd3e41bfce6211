"""`:GhostfillExplain` in a real Neovim, on a scripted server: read while it is written, stopped, failed."""

from __future__ import annotations

from typing import Any

import pytest

from nvim_driver import Editor
from nvim_scene import CANCEL, COMMAND, FIND, IS_FLOAT, TEXT, Scene, asked, closed, floating, opened, span
from nvim_scene import either_fixture as either_fixture  # the fixture

# pynvim asks for it up to Python 3.13, where it exists
pytestmark = pytest.mark.filterwarnings("ignore:'get_child_watcher' is deprecated:DeprecationWarning")


class TestExplain:
    def answer(self, scene: Scene, **more: Any) -> dict[str, Any]:
        uri = (scene.workspace / "other.py").as_uri()
        text = f"# `report`\n\nIt calls [`other.py:2`]({uri}#L2)\\.\n\n```python\nx\\.y\n```\n"
        result = {"title": "report", "text": text, "files": [], "uri": "file:///page.md"}
        return {"ghostfill.explain": {"result": result, **more}}

    def say(self, scene: Scene, editor: Editor, text: str) -> None:
        """The server says this so far, and it is drawn."""
        said = {"token": asked(scene)["token"], "text": text, "done": False}
        scene.ask_server(
            editor, "fake/emit", {"messages": [{"method": "ghostfill/didExplain", "params": said}]}
        )

    def shown_so_far(self, scene: Scene, text: str, commands: Any = None) -> Editor:
        """The server has said this, and holds the rest."""
        editor = opened(scene, commands=commands or self.answer(scene, hold=True))
        editor.press(":GhostfillExplain<CR>")
        floating(editor, "Reading ...")
        editor.until("it is asked", lambda: scene.received(COMMAND))
        self.say(scene, editor, text)
        lines = [*text.split("\n"), "", "Writing ..."]
        editor.until("it is drawn", lambda: editor.lines() == lines)
        return editor

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
        self.say(scene, editor, "# so far")
        said = {"token": "another", "text": "# of another", "done": False}
        scene.ask_server(
            editor, "fake/emit", {"messages": [{"method": "ghostfill/didExplain", "params": said}]}
        )
        floating(editor, "# so far")
        assert scene.received(CANCEL) == []
        editor.press("q")
        editor.until("it is cancelled", lambda: len(scene.received(CANCEL)) == 1)
        assert "ghostfill:" not in editor.messages()

    def test_the_model_that_is_loaded_is_named_with_how_much_of_it(self, scene: Scene) -> None:
        editor = self.shown_so_far(scene, "# so far")
        value = {"kind": "begin", "title": "ghostfill", "message": "loading chatty", "percentage": 40}
        progress = {"method": "$/progress", "params": {"token": "t", "value": value}}
        scene.ask_server(editor, "fake/emit", {"messages": [progress]})
        editor.until("it is said", lambda: editor.lines() == ["# so far", "", "loading chatty 40 %"])
        value["kind"] = "end"
        scene.ask_server(editor, "fake/emit", {"messages": [progress]})
        editor.until("it is over", lambda: editor.lines() == ["# so far", "", "Writing ..."])

    def test_what_is_stopped_says_so_and_can_be_read_on(self, scene: Scene) -> None:
        editor = self.shown_so_far(scene, "# so far")
        editor.press("<C-c>")
        editor.until("it is cancelled", lambda: len(scene.received(CANCEL)) == 1)
        stopped = ["# so far", "", "Stopped: this is not all of it."]
        assert editor.lines() == stopped
        self.say(scene, editor, "# more")
        scene.ask_server(editor, "fake/release")
        assert editor.lines() == stopped
        editor.press("<C-c>")
        closed(editor)
        assert len(scene.received(CANCEL)) == 1

    def test_what_fails_says_why_below_what_there_is(self, scene: Scene) -> None:
        said = {"error": {"code": -32803, "message": "The chat server is gone."}, "hold": True}
        editor = self.shown_so_far(scene, "# so far", {"ghostfill.explain": said})
        scene.ask_server(editor, "fake/release")
        editor.until("it is said", lambda: editor.lines() == ["# so far", "", "The chat server is gone."])

    def test_a_server_that_ends_meanwhile_is_told_of(self, scene: Scene) -> None:
        editor = self.shown_so_far(scene, "# so far")
        die = "vim.lsp.buf_request(vim.fn.bufnr('main.py'), 'fake/die', vim.empty_dict(), function() end)"
        editor.lua(die)
        editor.until("it is said", lambda: editor.lines()[-1].startswith("The server ended before"))
        assert editor.lines()[0] == "# so far"

    def test_the_reader_stays_and_at_the_end_goes_with_the_text(self, scene: Scene) -> None:
        lines = [f"line {number}" for number in range(60)]
        editor = self.shown_so_far(scene, "\n".join(lines[:40]))
        assert editor.cursor() == (1, 0)
        for keys, row in (("20G", 20), ("G", 52)):
            editor.press(keys)
            before = editor.until("it is moved", lambda: editor.cursor()[0] > 1 and editor.cursor())
            top = editor.lua("return vim.fn.line('w0')")
            self.say(scene, editor, "\n".join(lines[: before[0] + 30 if row == 20 else 50]))
            assert editor.cursor()[0] == row
            assert row == 52 or editor.lua("return vim.fn.line('w0')") == top

    def test_what_is_found_wrong_at_the_cursor_goes_along(self, scene: Scene) -> None:
        editor = opened(scene, commands=self.answer(scene))
        found = [{"lnum": 1, "col": 4, "end_lnum": 1, "end_col": 5, "message": "no z", "severity": 1}]
        editor.lua(FIND, [*found, {"lnum": 2, "col": 0, "message": "elsewhere"}])
        editor.press("j:GhostfillExplain<CR>")
        floating(editor, "# `report`")
        wrong = {"range": span(4, 5, line=1), "message": "no z", "severity": 1}
        assert asked(scene)["diagnostics"] == [wrong]

    def test_a_mapping_of_visual_mode_asks_about_its_lines(self, scene: Scene) -> None:
        mapping = "vim.keymap.set('x', [[\\e]], function() require('ghostfill').explain() end)"
        editor = opened(scene, commands=self.answer(scene), before=mapping)
        editor.press("jvk\\e")
        floating(editor, "# `report`")
        end = {"line": 1, "character": len("y = z")}
        assert asked(scene)["range"] == {"start": {"line": 0, "character": 0}, "end": end}
        assert editor.nvim.api.get_mode()["mode"] == "n"

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
