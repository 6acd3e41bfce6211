"""Ghost text and brackets that the editor closes by itself, in a real Neovim against the real server."""

from __future__ import annotations

import pytest

from nvim_driver import Editor
from nvim_scene import Scene, either_fixture, rule, span  # noqa: F401  (the fixture)

# pynvim asks for it up to Python 3.13, where it exists
pytestmark = pytest.mark.filterwarnings("ignore:'get_child_watcher' is deprecated:DeprecationWarning")

CLOSING = """
    vim.cmd([[inoremap ( ()<Left>]])
    vim.cmd([[inoremap <expr> ) getline('.')[col('.') - 1] == ')' ? '<Right>' : ')']])
"""
PRINT = "print(add(1, 2))"


def shown(scene: Scene, line: str, rest: str) -> Editor:
    """An editor that closes brackets and shows `rest` behind `line`."""
    editor = scene.serve({line: [rest]}, before=CLOSING)
    editor.press("i" + line)
    editor.until_row(1, (line + rest).partition("\n")[0])
    return editor


class TestAutoClosed:
    def test_no_frame_changes_while_all_of_it_is_typed(self, scene: Scene) -> None:
        editor = shown(scene, "print", PRINT.removeprefix("print"))
        editor.watch()
        for key in PRINT.removeprefix("print"):
            editor.type(key)
            scene.until_answered(editor)
        assert set(editor.frames(1)) == {PRINT}
        assert editor.lines() == [PRINT]
        assert editor.cursor() == (1, len(PRINT))

    def test_accepting_does_not_double_the_bracket(self, scene: Scene) -> None:
        editor = shown(scene, "print", PRINT.removeprefix("print"))
        editor.watch()
        editor.type("(")
        assert editor.lines() == ["print()"]
        editor.type("<Tab>")
        assert editor.lines() == [PRINT]
        assert set(editor.frames(1)) == {PRINT}
        assert editor.cursor() == (1, len(PRINT))

    def test_words_are_accepted_over_the_bracket(self, scene: Scene) -> None:
        editor = shown(scene, "print", "(x) + 1")
        editor.watch()
        editor.type("(")
        lines = [editor.lines()]
        for _ in range(4):
            scene.until_answered(editor)
            editor.type("<M-Right>")
            lines.append(editor.lines())
        assert lines == [["print()"], ["print(x)"], ["print(x)"], ["print(x) +"], ["print(x) + 1"]]
        assert set(editor.frames(1)) == {"print(x) + 1"}
        assert editor.cursor() == (1, len("print(x) + 1"))

    def test_lines_are_accepted_before_the_bracket(self, scene: Scene) -> None:
        editor = shown(scene, "call", "(\n    1,\n)")
        editor.type("(")
        scene.until_answered(editor)
        assert editor.screen()[:4] == ["call(", "    1,", ")", "~"]
        editor.type("<M-Down>")
        assert editor.lines() == ["call(", "    1,)"]
        scene.until_answered(editor)
        assert editor.screen()[:4] == ["call(", "    1,", ")", "~"]
        editor.type("<M-Down>")
        assert editor.lines() == ["call(", "    1,", ")"]

    def test_a_bracket_that_it_does_not_contain_stays(self, scene: Scene) -> None:
        editor = scene.open([rule("f", "(x"), rule("(", "", hold=True)], before=CLOSING)
        editor.press("if")
        editor.until_row(1, "f(x")
        editor.type("(")
        assert editor.screen()[0] == "f(x)"
        editor.press("<Tab>")
        editor.until("it is accepted", lambda: editor.lines() == ["f(x)"])
        assert editor.cursor() == (1, 3)


class TestReplacedTail:
    def test_the_last_of_several_brackets_is_the_one_that_stands(self, scene: Scene) -> None:
        held = rule("print(f(y)", "", hold=True)
        editor = scene.open([rule("print(", "f(y) + g(z))", range=span(6, 7)), held], "print()\n")
        editor.press("f)i")
        editor.until_row(1, "print(f(y) + g(z))")
        editor.type("<M-Right><M-Right><M-Right><M-Right>")
        assert editor.lines() == ["print(f(y))"]
        assert editor.screen()[0] == "print(f(y) + g(z))"
        editor.press("<Tab>")
        editor.until("it is accepted", lambda: editor.lines() == ["print(f(y) + g(z))"])

    def test_brackets_are_taken_along_in_their_order(self, scene: Scene) -> None:
        held = rule("call([1", "", hold=True)
        editor = scene.open([rule("call([", "1]) + f([2]", range=span(6, 8)), held], "call([])\n")
        editor.press("f]i")
        editor.until_row(1, "call([1]) + f([2]")
        editor.type("<M-Right><M-Right>")
        assert editor.lines() == ["call([1])"]

    def test_what_is_not_in_the_text_stays_until_all_is_accepted(self, scene: Scene) -> None:
        held = rule("x = new", "", hold=True)
        editor = scene.open([rule("x = ", "new text", range=span(4, 7)), held], "x = old\n")
        editor.press("foi")
        editor.until_row(1, "x = new text")
        editor.type("<M-Right>")
        assert editor.lines() == ["x = newold"]
        assert editor.screen()[0] == "x = new text"
        editor.press("<Tab>")
        editor.until("it is accepted", lambda: editor.lines() == ["x = new text"])
