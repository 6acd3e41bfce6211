"""Keys on ghost text in a real Neovim, and what they do where none is shown."""

from __future__ import annotations

from typing import ClassVar

import pytest

from nvim_driver import Editor
from nvim_scene import RETURN, Scene, either_fixture, rule  # noqa: F401  (the fixture)

# pynvim asks for it up to Python 3.13, where it exists
pytestmark = pytest.mark.filterwarnings("ignore:'get_child_watcher' is deprecated:DeprecationWarning")


class TestAccepting:
    def test_tab_accepts_all_and_the_server_hears_of_it(self, scene: Scene) -> None:
        editor = scene.open([RETURN])
        editor.press("idef add(a, b):")
        editor.until_row(2, "    return a + b")
        editor.press("<Tab>")
        wanted = ["def add(a, b):", "    return a + b", "", "", "print(add(1, 2))"]
        editor.until("the text is there", lambda: editor.lines() == wanted)
        assert editor.cursor() == (5, len("print(add(1, 2))"))
        assert editor.screen()[:6] == [*wanted, "~"]
        editor.until("the server hears it", lambda: scene.received("workspace/executeCommand"))
        assert scene.received("workspace/executeCommand") == [
            {"command": "ghostfill.accepted", "arguments": [{"id": "c1"}]}
        ]

    def test_acceptance_is_one_undo_step(self, scene: Scene) -> None:
        editor = scene.open([RETURN])
        editor.press("idef add(a, b):")
        editor.until_row(2, "    return a + b")
        editor.press("<Tab>")
        editor.until("the text is there", lambda: len(editor.lines()) == 5)
        editor.press("  # typed after<Esc>")
        editor.press("u")
        editor.until("typing is undone", lambda: editor.lines()[-1] == "print(add(1, 2))")
        editor.press("u")
        editor.until("acceptance is undone", lambda: editor.lines() == ["def add(a, b):"])
        editor.press("<C-r>")
        editor.until("acceptance is redone", lambda: len(editor.lines()) == 5)

    def test_dot_repeats_typed_and_accepted_text_together(self, scene: Scene) -> None:
        editor = scene.open([rule("x = ", "first")])
        editor.press("ox = ")
        editor.until_row(2, "x = first")
        editor.press("<Tab>")
        editor.until("the text is there", lambda: editor.lines()[1] == "x = first")
        editor.press(" + 1<Esc>.")
        editor.until("it is repeated", lambda: editor.lines()[1:] == ["x = first + 1"] * 2)

    def test_word_and_line_are_accepted_piece_by_piece(self, scene: Scene) -> None:
        held = [rule("return", "", hold=True), rule("return a + b", "", hold=True)]
        editor = scene.open([RETURN, *held])
        editor.press("idef add(a, b):")
        editor.until_row(2, "    return a + b")
        editor.press("<M-Right>")
        editor.until("a word is there", lambda: editor.lines() == ["def add(a, b):", "    return"])
        assert editor.screen()[:6] == ["def add(a, b):", "    return a + b", "", "", "print(add(1, 2))", "~"]
        editor.press("<M-Down>")
        editor.until("a line is there", lambda: editor.lines() == ["def add(a, b):", "    return a + b"])
        editor.until_row(5, "print(add(1, 2))")
        partial = "textDocument/didPartiallyAcceptCompletion"
        editor.until("the server hears both", lambda: len(scene.received(partial)) == 2)
        assert [p["acceptedLength"] for p in scene.received(partial)] == [11, 17]
        assert scene.received(partial)[0]["item"] == RETURN["items"][0]
        assert scene.received("workspace/executeCommand") == []

    def test_dismiss_hides_until_something_changes(self, scene: Scene) -> None:
        editor = scene.open([RETURN, rule("(a, b): ", "pass")])
        editor.press("idef add(a, b):")
        editor.until_row(2, "    return a + b")
        editor.press("<C-e>")
        editor.until_row(2, "~")
        asked = len(scene.received("textDocument/inlineCompletion"))
        scene.ask_server(editor, "fake/emit")
        assert len(scene.received("textDocument/inlineCompletion")) == asked
        editor.press(" ")
        editor.until_row(1, "def add(a, b): pass")

    def test_the_server_hears_what_was_dismissed(self, scene: Scene) -> None:
        editor = scene.open([RETURN])
        editor.press("idef add(a, b):")
        editor.until_row(2, "    return a + b")
        editor.press("<C-e>")
        editor.until_row(2, "~")
        scene.ask_server(editor, "fake/emit")
        (heard,) = scene.received("workspace/executeCommand")
        assert heard["command"] == "ghostfill.dismissed"
        (said,) = heard["arguments"]
        assert said["id"] == "c1"
        assert said["uri"].endswith(".py")
        assert said["position"] == {"line": 0, "character": len("def add(a, b):")}

    def test_what_was_dismissed_stays_away_until_the_text_changes(self, scene: Scene) -> None:
        editor = scene.serve({"x = ": ["alpha()"]})
        editor.press("ix = ")
        editor.until_row(1, "x = alpha()")
        editor.type("<C-e>")
        editor.press("<Esc>a")
        editor.until("it is asked again", lambda: editor.nvim.api.get_mode()["mode"] == "i")
        editor.type("<C-g>u")
        scene.until_answered(editor)
        assert editor.screen()[0] == "x ="
        editor.press("a")
        editor.until_row(1, "x = alpha()")

    def test_dismiss_key_keeps_its_meaning_where_nothing_is_shown(self, scene: Scene) -> None:
        editor = scene.open([], "above\nbelow\n")
        editor.press("O<C-e>")
        editor.until("the character below is copied", lambda: editor.lines() == ["a", "above", "below"])

    def test_typing_past_the_last_character_leaves_nothing(self, scene: Scene) -> None:
        editor = scene.open([rule("x", "yz")])
        editor.press("ix")
        editor.until_row(1, "xyz")
        editor.press("yz")
        editor.until("it is typed", lambda: editor.lines() == ["xyz"])
        assert editor.lua("return require('ghostfill').is_visible()") is False


class TestWhatComesNext:
    """The real server computes ahead what follows an acceptance."""

    SAYS: ClassVar = {"def area": ["(w, h):"], "    ": ["return w * h"]}

    def shown(self, scene: Scene) -> Editor:
        editor = scene.serve(self.SAYS)
        editor.press("idef area")
        editor.until_row(1, "def area(w, h):")
        return editor

    def test_it_is_shown_after_an_acceptance_without_a_key(self, scene: Scene) -> None:
        editor = self.shown(scene)
        editor.watch()
        editor.press("<Tab>")
        editor.until_row(2, "    return w * h")
        assert set(editor.frames(1)) == {"def area(w, h):"}
        assert editor.lines() == ["def area(w, h):"]

    def test_a_line_end_with_automatic_indentation_goes_through_it(self, scene: Scene) -> None:
        editor = self.shown(scene)
        editor.press("<Tab>")
        editor.until_row(2, "    return w * h")
        editor.watch()
        editor.type("<CR>")
        scene.until_answered(editor)
        assert editor.lines() == ["def area(w, h):", "    "]
        editor.type("re")
        scene.until_answered(editor)
        assert set(editor.frames(2)) == {"    return w * h"}
        editor.type("<Tab>")
        assert editor.lines() == ["def area(w, h):", "    return w * h"]


class TestTabFallsBack:
    def test_to_a_tab(self, scene: Scene) -> None:
        editor = scene.open([], before="vim.o.expandtab = true vim.o.shiftwidth = 4 vim.o.softtabstop = 4")
        editor.press("i<Tab>x")
        editor.until("blanks are typed", lambda: editor.lines() == ["    x"])

    @pytest.mark.parametrize(
        "mapping",
        [
            "vim.cmd('inoremap <Tab> user')",
            'vim.cmd(\'inoremap <expr> <Tab> "us" .. "er"\')',
            "vim.cmd('imap <Tab> <Plug>(mine)') vim.cmd('inoremap <Plug>(mine) user')",
            "vim.keymap.set('i', '<Tab>', function() return 'user' end, { expr = true })",
            "vim.keymap.set('i', '<Tab>', function() vim.api.nvim_put({ 'user' }, 'c', false, true) end)",
            "vim.keymap.set('i', '<tab>', 'us<Left><Right>er')",
        ],
    )
    def test_to_the_users_own_mapping(self, scene: Scene, mapping: str) -> None:
        editor = scene.open([rule("def", "ault = 1")], before=mapping)
        editor.press("i<Tab>x")
        editor.until("the user's mapping ran", lambda: editor.lines() == ["userx"])
        editor.press("<CR>def")
        editor.until_row(2, "default = 1")
        editor.press("<Tab>")
        editor.until("it is accepted", lambda: editor.lines() == ["userx", "default = 1"])

    def test_and_setup_called_again_keeps_the_users_mapping(self, scene: Scene) -> None:
        editor = scene.open([], before="vim.cmd('inoremap <Tab> user')")
        editor.lua("require('ghostfill').setup({ keys = { accept_word = false } })")
        editor.press("i<Tab>x")
        editor.until("the user's mapping ran", lambda: editor.lines() == ["userx"])
        assert editor.nvim.funcs.maparg("<M-Right>", "i") in ("", "<M-Right>")

    def test_and_a_key_set_to_false_is_left_alone(self, scene: Scene) -> None:
        editor = scene.open([], setup="keys = { accept = false }")
        assert "ghostfill" not in str(editor.nvim.funcs.maparg("<Tab>", "i", False, True).get("desc"))
