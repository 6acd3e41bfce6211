"""Ghost text in a real Neovim: against a scripted server, and once against the real one."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial

import pytest

from nvim_scene import RETURN, Scene, either_fixture, rule, span  # noqa: F401  (the fixture)

# pynvim asks for it up to Python 3.13, where it exists
pytestmark = pytest.mark.filterwarnings("ignore:'get_child_watcher' is deprecated:DeprecationWarning")


class TestShowing:
    def test_ghost_text_is_on_the_screen_and_not_in_the_buffer(self, scene: Scene) -> None:
        editor = scene.open([RETURN])
        editor.press("idef add(a, b):")
        editor.until_row(2, "    return a + b")
        assert editor.screen()[:6] == ["def add(a, b):", "    return a + b", "", "", "print(add(1, 2))", "~"]
        assert editor.lines() == ["def add(a, b):"]

    def test_the_server_hears_what_was_shown(self, scene: Scene) -> None:
        editor = scene.open([RETURN])
        editor.press("idef add(a, b):")
        editor.until("the server hears it", lambda: scene.received("textDocument/didShowCompletion"))
        assert scene.received("textDocument/didShowCompletion")[0]["item"] == RETURN["items"][0]

    def test_what_is_shown_on_and_on_is_told_once(self, scene: Scene) -> None:
        editor = scene.open([rule("x = ", "alpha()"), rule("x = a", "lpha()"), rule("x = al", "pha()")])
        editor.press("ix = ")
        editor.until_row(1, "x = alpha()")
        for key in "al":
            editor.type(key)
            scene.until_answered(editor)
        assert editor.screen()[0] == "x = alpha()"
        scene.ask_server(editor, "fake/emit")
        assert len(scene.received("textDocument/didShowCompletion")) == 1

    def test_text_after_the_cursor_stays_visible_in_its_new_place(self, scene: Scene) -> None:
        editor = scene.open([rule("print(", "add(1, 2)")], "print()  # hello\n")
        editor.press("f)i")
        editor.until_row(1, "print(add(1, 2))  # hello")
        editor.press("<Tab>")
        editor.until("the text is there", lambda: editor.lines() == ["print(add(1, 2))  # hello"])

    def test_a_replaced_tail_is_shown_once(self, scene: Scene) -> None:
        whole = "print(add(1, 2)) # sum"
        editor = scene.open([rule("print(", whole, range=span(0, 7))], "print()\n")
        editor.press("f)i")
        editor.until_row(1, whole)
        editor.press("<Tab>")
        editor.until("the tail is replaced", lambda: editor.lines() == [whole])
        assert editor.cursor() == (1, len(whole))

    def test_the_rest_of_the_line_goes_below_with_the_last_line(self, scene: Scene) -> None:
        editor = scene.open([rule("call(", "\n    1,\n")], "call()  # end\n")
        editor.press("f)i")
        editor.until_row(2, "    1,")
        assert editor.screen()[:3] == ["call(", "    1,", ")  # end"]

    def test_where_the_shifted_line_has_no_room_nothing_is_hidden(self, scene: Scene) -> None:
        rest = ")  # " + "x" * 60
        editor = scene.open([rule("call(", "an_argument")], f"call({rest}\n")
        editor.press("f)i")
        editor.until("some of it shows", lambda: "an_" in editor.screen()[0])
        assert rest in "".join(editor.screen()[:3])

    def test_a_long_line_wraps_as_it_will_in_the_buffer(self, scene: Scene) -> None:
        text = "first_" * 30
        editor = scene.open([rule("x = ", text + "\n" + text)])
        editor.press("ix = ")
        editor.until("it shows", lambda: "first" in editor.screen()[0])
        shown = editor.screen()[:7]
        editor.press("<Tab>")
        editor.until("the text is there", lambda: len(editor.lines()) == 2)
        assert editor.screen()[:7] == shown
        assert "".join(shown).startswith("x = " + text * 2)

    def test_tabs_are_as_wide_as_in_the_buffer(self, scene: Scene) -> None:
        editor = scene.open([rule("if x:", "\n\treturn\t1")], before="vim.o.tabstop = 4")
        editor.press("iif x:")
        editor.until_row(2, "    return  1")

    def test_a_snippet_is_shown_without_its_marks(self, scene: Scene) -> None:
        value = {"kind": "snippet", "value": "add(${1:first}, $2) costs \\$5$0"}
        editor = scene.open([rule("x = ", value)])
        editor.press("ix = ")
        editor.until_row(1, "x = add(first, ) costs $5")

    def test_nothing_is_asked_in_a_commit_message(self, scene: Scene) -> None:
        editor = scene.open([rule("x", "yz")])
        editor.until("the server is there", lambda: scene.received("textDocument/didOpen"))
        editor.nvim.command("edit .git/COMMIT_EDITMSG")
        editor.nvim.command("setfiletype gitcommit")
        editor.press("ix<Esc>")
        scene.ask_server(editor, "fake/emit")
        assert scene.received("textDocument/inlineCompletion") == []

    def test_ghost_text_is_gone_after_insert_mode_and_with_a_menu(self, scene: Scene) -> None:
        editor = scene.open([rule("pri", "nt('hello')")], "print\nprivate\n\n")
        editor.press("Gopri")
        editor.until_row(4, "print('hello')")
        editor.press("<C-n>")
        editor.until("the menu shows", editor.nvim.funcs.pumvisible)
        assert "hello" not in "\n".join(editor.screen())
        editor.press("<C-e><BS>i")
        editor.until_row(4, "print('hello')")
        editor.press("<Esc>")
        editor.until_row(4, "pri")


class TestTypedThrough:
    def test_every_frame_shows_the_rest_while_the_server_is_silent(self, scene: Scene) -> None:
        held = [rule("x = a", "lpha()", hold=True), rule("x = al", "pha()", hold=True)]
        editor = scene.open([rule("x = ", "alpha()"), *held])
        editor.press("ix = ")
        editor.until_row(1, "x = alpha()")
        editor.watch()
        editor.press("a")
        editor.until("the key arrived", lambda: editor.lines() == ["x = a"])
        editor.press("l")
        editor.until("the key arrived", lambda: editor.lines() == ["x = al"])
        frames = editor.frames(1)
        assert len(frames) >= 3
        assert set(frames) == {"x = alpha()"}

    def test_a_line_end_with_automatic_indentation_is_typed_through(self, scene: Scene) -> None:
        held = [rule("    re", "turn 1", hold=True), rule("    ", "", hold=True)]
        options = "vim.o.shiftwidth = 4 vim.o.expandtab = true"
        editor = scene.open([rule("def f():", "\n    return 1"), *held], before=options)
        editor.press("idef f():")
        editor.until_row(2, "    return 1")
        editor.press("<CR>re")
        editor.until("the keys arrived", lambda: editor.lines() == ["def f():", "    re"])
        assert editor.screen()[:3] == ["def f():", "    return 1", "~"]

    def test_another_character_hides_it_at_once(self, scene: Scene) -> None:
        editor = scene.open([rule("x = ", "alpha()"), rule("x = b", "eta()", hold=True)])
        editor.press("ix = ")
        editor.until_row(1, "x = alpha()")
        editor.press("b")
        editor.until_row(1, "x = b")


def test_real_ghost_text_from_the_repository(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Typing in a small project shows text from the real server and the built-in model; Tab keeps it."""
    monkeypatch.setenv("GHOSTFILL_RUNTIME_DIR", str(scene.home / "run"))
    (scene.workspace / "shapes.py").write_text(
        "def rectangle_area(width, height):\n    return width * height\n\n\n"
        "def circle_area(radius):\n    return 3.14159 * radius * radius\n",
        encoding="utf-8",
    )
    command = f"{{ '{sys.executable}', '-P', '-m', 'lsp_server', 'serve' }}"
    editor = scene.start(
        f"vim.o.shiftwidth = 4 vim.o.expandtab = true require('ghostfill').setup({{ command = {command} }})",
        "import shapes\n\n\ndef total_area(width, height):\n",
    )
    shows: Callable[[], bool] = partial(editor.lua, "return require('ghostfill').is_visible()")
    editor.press("Goreturn shapes.re<M-\\>")  # the trigger key waits for the model to load
    editor.until("the asked for text is shown", shows, 120)
    editor.press("<C-e>ct")
    typed = "    return shapes.rect"
    editor.until("it is typed", lambda: editor.lines()[4] == typed)
    editor.until("ghost text comes by itself", shows)
    editor.until("ghost text is on the screen", lambda: len(editor.screen()[4]) > len(typed))
    shown = editor.screen()[4]
    assert shown.startswith("    return shapes.rectangle_area(width, height)")
    editor.press("<Tab>")
    editor.until("the text is there", lambda: editor.lines()[4] == shown)
    editor.press("<Esc>:w<CR>")
    main = scene.workspace / "main.py"
    editor.until("the file is saved", lambda: shown in main.read_text(encoding="utf-8").splitlines())
