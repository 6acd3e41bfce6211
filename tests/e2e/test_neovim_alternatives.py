"""Keys that ask for other completions at the cursor, in a real Neovim."""

from __future__ import annotations

import pytest

from nvim_driver import Editor
from nvim_scene import Scene, either_fixture, rule  # noqa: F401  (the fixture)

# pynvim asks for it up to Python 3.13, where it exists
pytestmark = pytest.mark.filterwarnings("ignore:'get_child_watcher' is deprecated:DeprecationWarning")

ASKED, SHOWN = "textDocument/inlineCompletion", "textDocument/didShowCompletion"
THREE = rule("x = ", "alpha()", "beta()", "gamma()")
SAYS = {"x = ": ["alpha()", "beta()", "gamma()"]}


def status(editor: Editor) -> str:
    return str(editor.lua("return require('ghostfill').status()"))


class TestWithTheServer:
    def test_keys_cycle_through_three_and_the_status_says_which(self, scene: Scene) -> None:
        editor = scene.serve(SAYS)
        editor.press("ix = ")
        editor.until_row(1, "x = alpha()")
        assert status(editor) == "ghostfill"
        for key, number, shown in [
            ("<M-]>", 2, "beta"),
            ("<M-]>", 3, "gamma"),
            ("<M-]>", 1, "alpha"),
            ("<M-[>", 3, "gamma"),
            ("<M-[>", 2, "beta"),
            ("<M-\\>", 1, "alpha"),
        ]:
            editor.press(key)
            editor.until_row(1, f"x = {shown}()")
            editor.until("the status says so", lambda n=number: status(editor) == f"ghostfill {n}/3")

    def test_the_one_that_is_seen_is_accepted_and_counted(self, scene: Scene) -> None:
        editor = scene.serve(SAYS)
        editor.press("ix = ")
        editor.until_row(1, "x = alpha()")
        editor.press("<M-]>")
        editor.until_row(1, "x = beta()")
        editor.press("<Tab>")
        editor.until("it is accepted", lambda: editor.lines() == ["x = beta()"])
        assert status(editor) == "ghostfill"

    def test_what_was_chosen_is_typed_through_without_a_change_on_the_screen(self, scene: Scene) -> None:
        editor = scene.serve({"x = ": ["alpha()", "alphabet"]})
        editor.press("ix = ")
        editor.until_row(1, "x = alpha()")
        editor.press("<M-]>")
        editor.until_row(1, "x = alphabet")
        editor.watch()
        for key in "alpha":
            editor.type(key)
            scene.until_answered(editor)
        assert set(editor.frames(1)) == {"x = alphabet"}
        editor.press("<Tab>")
        editor.until("it is accepted", lambda: editor.lines() == ["x = alphabet"])


class TestWithAScriptedServer:
    def test_what_was_shown_stays_while_a_key_asks(self, scene: Scene) -> None:
        held = rule("x = a", "lpha()", "wful()", hold=True)
        editor = scene.open([rule("x = ", "alpha()"), held])
        editor.press("ix = ")
        editor.until_row(1, "x = alpha()")
        editor.press("a<M-]>")
        editor.until("the key asks", lambda: scene.received(ASKED)[-1]["context"] == {"triggerKind": 1})
        assert editor.screen()[0] == "x = alpha()"
        scene.ask_server(editor, "fake/release")
        editor.until_row(1, "x = awful()")

    def test_keys_pressed_before_the_answer_count(self, scene: Scene) -> None:
        held = rule("x = a", "lpha()", "wful()", "pple()", hold=True)
        editor = scene.open([rule("x = ", "alpha()"), held])
        editor.press("ix = ")
        editor.until_row(1, "x = alpha()")
        editor.type("a")
        editor.type("<M-]><M-]>")
        scene.ask_server(editor, "fake/release")
        editor.until_row(1, "x = apple()")
        assert [p["context"]["triggerKind"] for p in scene.received(ASKED)].count(1) == 1

    @pytest.mark.parametrize(("key", "shown"), [("<M-]>", "alpha()"), ("<M-[>", "gamma()")])
    def test_where_nothing_is_shown_the_first_or_the_last_comes(
        self, scene: Scene, key: str, shown: str
    ) -> None:
        editor = scene.open([THREE], setup="auto = false")
        editor.until("the file is open", lambda: scene.received("textDocument/didOpen"))
        editor.press("ix = " + key)
        editor.until_row(1, f"x = {shown}")
        assert [p["context"] for p in scene.received(ASKED)] == [{"triggerKind": 1}]

    def test_an_empty_answer_leaves_what_was_shown(self, scene: Scene) -> None:
        editor = scene.open([rule("x = ", "alpha()"), {"before": "x = a", "items": [], "hold": True}])
        editor.press("ix = ")
        editor.until_row(1, "x = alpha()")
        editor.press("a<M-]>")
        editor.until("the key asks", lambda: scene.received(ASKED)[-1]["context"] == {"triggerKind": 1})
        scene.ask_server(editor, "fake/release")
        assert editor.screen()[0] == "x = alpha()"

    def test_what_was_chosen_stays_whatever_is_offered_while_it_is_typed(self, scene: Scene) -> None:
        rules = [rule("x = ", "alpha()", "alphabet"), rule("x = a", "lphabet"), rule("x = al", "pha()")]
        editor = scene.open([*rules, rule("x = alp", ""), rule("x = ale", "rt()")])
        editor.press("ix = ")
        editor.until_row(1, "x = alpha()")
        editor.press("<M-]>")
        editor.until_row(1, "x = alphabet")
        for key in "alp":
            editor.type(key)
            scene.until_answered(editor)
            assert editor.screen()[0] == "x = alphabet"
        editor.press("<BS>e")
        editor.until_row(1, "x = alert()")

    def test_the_server_hears_of_each_that_is_seen(self, scene: Scene) -> None:
        editor = scene.open([THREE])
        editor.press("ix = ")
        editor.until_row(1, "x = alpha()")
        editor.press("<M-]>")
        editor.until_row(1, "x = beta()")
        editor.press("beta")
        editor.until("it is typed", lambda: editor.lines() == ["x = beta"])
        scene.ask_server(editor, "fake/emit")
        assert [p["item"] for p in scene.received(SHOWN)] == THREE["items"][:2]
