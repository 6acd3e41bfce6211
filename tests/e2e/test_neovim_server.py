"""What Neovim says to its language servers, and how they start, die and are told apart."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from nvim_scene import Scene, either_fixture, rule, span  # noqa: F401  (the fixture)

# pynvim asks for it up to Python 3.13, where it exists
pytestmark = pytest.mark.filterwarnings("ignore:'get_child_watcher' is deprecated:DeprecationWarning")


class TestRequests:
    def test_an_answer_to_an_older_text_is_dropped(self, scene: Scene) -> None:
        editor = scene.open([rule("first", "_old", hold=True)])
        asked = "textDocument/inlineCompletion"
        editor.press("ifirst")
        editor.until(
            "the first is asked", lambda: [p["position"]["character"] for p in scene.received(asked)] == [5]
        )
        editor.press("2")
        editor.until("the second is asked", lambda: len(scene.received(asked)) == 2)
        scene.ask_server(editor, "fake/release")
        assert editor.screen()[0] == "first2"
        assert scene.received("textDocument/didShowCompletion") == []

    def test_the_older_request_is_cancelled_and_each_change_asks_once(self, scene: Scene) -> None:
        editor = scene.open([rule("a", "_", hold=True), rule("ab", "_", hold=True)])
        editor.press("ia")
        asked = "textDocument/inlineCompletion"
        editor.until("the first is asked", lambda: len(scene.received(asked)) == 1)
        editor.press("b")
        editor.until("the second is asked", lambda: len(scene.received(asked)) == 2)
        assert len(scene.received("$/cancelRequest")) == 1
        assert [p["position"]["character"] for p in scene.received(asked)] == [1, 2]
        editor.press("<Esc>")
        editor.until("the second is cancelled", lambda: len(scene.received("$/cancelRequest")) == 2)

    def test_what_a_loading_engine_could_not_answer_is_asked_again(self, scene: Scene) -> None:
        editor = scene.open([])
        asked = "textDocument/inlineCompletion"
        editor.press("ix")
        editor.until("it is asked", lambda: len(scene.received(asked)) == 1)
        ready = {"kind": "Normal", "busy": False, "message": "toy on cpu"}
        messages = [{"method": "didChangeStatus", "params": ready}]
        scene.ask_server(editor, "fake/emit", {"messages": messages})
        editor.until("it is asked again", lambda: len(scene.received(asked)) == 2)
        scene.ask_server(editor, "fake/emit", {"messages": messages})
        editor.press("y")
        editor.until("the next key is asked for", lambda: len(scene.received(asked)) == 3)
        positions = [params["position"]["character"] for params in scene.received(asked)]
        assert positions == [1, 1, 2]

    def test_positions_are_utf_16_behind_an_emoji(self, scene: Scene) -> None:
        editor = scene.open([rule("# 😋é ", "# 😋é yes)", range=span(0, 7))], "x)\n")
        editor.press("i# 😋é <Esc>lrxa")
        editor.nvim.current.buffer[:] = ["# 😋é )"]
        editor.press("<Esc>0f)i")
        asked = "textDocument/inlineCompletion"
        editor.until_row(1, "# 😋é yes)")
        assert scene.received(asked)[-1]["position"] == {"line": 0, "character": 6}
        editor.press("<Tab>")
        editor.until("it is accepted", lambda: editor.lines() == ["# 😋é yes)"])

    def test_accepted_length_counts_utf_16_units(self, scene: Scene) -> None:
        editor = scene.open([rule("x", "😋 = 1")])
        editor.press("ix")
        editor.until_row(1, "x😋 = 1")
        editor.press("<M-Right>")
        partial = "textDocument/didPartiallyAcceptCompletion"
        editor.until("the server hears it", lambda: scene.received(partial))
        assert scene.received(partial)[0]["acceptedLength"] == 2
        assert editor.lines() == ["x😋"]

    def test_without_auto_only_the_trigger_key_asks(self, scene: Scene) -> None:
        editor = scene.open([rule("x", "yz")], setup="auto = false")
        editor.until("the file is open", lambda: scene.received("textDocument/didOpen"))
        editor.press("ix")
        editor.until("it is typed", lambda: editor.lines() == ["x"])
        scene.ask_server(editor, "fake/emit")
        asked = "textDocument/inlineCompletion"
        assert scene.received(asked) == []
        editor.press("<M-\\>")
        editor.until_row(1, "xyz")
        assert [p["context"] for p in scene.received(asked)] == [{"triggerKind": 1}]

    def test_setup_settings_reach_the_server(self, scene: Scene) -> None:
        editor = scene.open([rule("x", "yz")], setup="settings = { inline = { maxLines = 3 } }")
        editor.press("ix")
        editor.until_row(1, "xyz")
        options = scene.received("initialize")[0]["initializationOptions"]
        assert options == {"inline": {"maxLines": 3}, "client": {"status": True}}


def test_units_agree_with_encoded_lengths(scene: Scene) -> None:
    """Lengths in UTF-8, UTF-16 and UTF-32 units are those of Python's codecs, both ways."""
    editor = scene.start("")
    text = "a😋é漢\u0301b\U00010000"
    for encoding, codec, size in [
        ("utf-8", "utf-8", 1),
        ("utf-16", "utf-16-le", 2),
        ("utf-32", "utf-32-le", 4),
    ]:
        for length in range(len(text) + 1):
            units = len(text[:length].encode(codec)) // size
            count, num_bytes = editor.lua(
                "local u, t, n, e = require('ghostfill.units'), ...; "
                "return { u.count(t:sub(1, n), e), u.bytes(t, u.count(t:sub(1, n), e), e) }",
                text,
                len(text[:length].encode()),
                encoding,
            )
            assert (count, num_bytes) == (units, len(text[:length].encode()))


class TestServers:
    def test_buffers_of_one_root_share_a_server_and_another_root_has_its_own(self, scene: Scene) -> None:
        (scene.workspace / "package").mkdir()
        (scene.workspace / "package" / "a.py").write_text("", encoding="utf-8")
        other = scene.workspace.parent / "other"
        other.mkdir()
        (other / "pyproject.toml").write_text("", encoding="utf-8")
        editor = scene.open([rule("x", "yz")])
        editor.nvim.command("set hidden")
        editor.edit(scene.workspace / "package" / "a.py")
        editor.edit(other / "b.py")
        editor.until("three files are open", lambda: len(scene.received("textDocument/didOpen")) == 3)
        roots = sorted(Path(p["rootPath"]).name for p in scene.received("initialize"))
        assert roots == ["other", "work"]

    def test_a_dead_server_comes_back_with_its_buffers(self, scene: Scene) -> None:
        editor = scene.open([rule("x", "yz")])
        editor.press("ix")
        editor.until_row(1, "xyz")
        editor.lua("vim.lsp.buf_request(0, 'fake/die', vim.empty_dict(), function() end)")
        editor.until("it starts again", lambda: len(scene.received("initialize")) == 2)
        editor.until("the buffer is opened", lambda: len(scene.received("textDocument/didOpen")) == 2)
        editor.press("<Esc>ccx")
        editor.until_row(1, "xyz")

    def test_a_server_that_always_dies_is_given_up_with_a_message(self, scene: Scene) -> None:
        editor = scene.open([], die=7)
        editor.until("it is given up", lambda: "ended 4 times (status 7" in editor.messages(), 40)
        assert len(scene.received("initialize")) == 4
        assert editor.lua("return require('ghostfill').status()") == "ghostfill: not running"

    def test_status_and_progress_are_words_for_a_statusline(self, scene: Scene) -> None:
        editor = scene.open([rule("x", "yz")])
        editor.until("the file is open", lambda: scene.received("textDocument/didOpen"))

        def status() -> str:
            return str(editor.lua("return require('ghostfill').status()"))

        def emit(*messages: dict[str, Any]) -> None:
            scene.ask_server(editor, "fake/emit", {"messages": messages})

        def change(kind: str, busy: bool, message: str = "") -> dict[str, Any]:
            return {"method": "didChangeStatus", "params": {"kind": kind, "busy": busy, "message": message}}

        def progress(**value: Any) -> dict[str, Any]:
            return {"method": "$/progress", "params": {"token": "load", "value": value}}

        editor.until("it is ready", lambda: status() == "ghostfill")
        emit(progress(kind="begin", title="loading", percentage=0), progress(kind="report", percentage=40))
        assert status() == "ghostfill: loading 40%"
        emit(progress(kind="end"), change("Normal", busy=True))
        assert status() == "ghostfill: busy"
        emit(change("Error", False, "no engine"), change("Error", False, "no engine"))
        assert status() == "ghostfill: error"
        assert "workspace" in editor.command("GhostfillStatus")
        assert "no engine" in editor.command("GhostfillStatus")
        assert editor.messages().count("ghostfill: no engine") == 1

    def test_checkhealth_tells_command_server_and_engine(self, scene: Scene) -> None:
        editor = scene.open([])
        editor.until("the file is open", lambda: scene.received("textDocument/didOpen"))
        status = {"kind": "Normal", "busy": False, "message": "toy on cpu"}
        scene.ask_server(editor, "fake/emit", {"messages": [{"method": "didChangeStatus", "params": status}]})
        editor.nvim.command("checkhealth ghostfill")
        report = "\n".join(editor.lines())
        assert f"command: {sys.executable}" in report
        assert "server: fake 1, 1 buffer(s)" in report
        assert "engine: toy on cpu" in report
        assert "ERROR" not in report
