"""Ghost text beside the menus of nvim-cmp and blink.cmp; stand-ins play their functions and events."""

from __future__ import annotations

import pytest

from nvim_driver import Editor
from nvim_scene import Scene, either_fixture, rule  # noqa: F401  (the fixture)

# pynvim asks for it up to Python 3.13, where it exists
pytestmark = pytest.mark.filterwarnings("ignore:'get_child_watcher' is deprecated:DeprecationWarning")

CMP = """
    local listeners, is_open = {}, false
    package.loaded.cmp = {
      visible = function() return is_open end,
      event = { on = function(_, name, callback) listeners[name] = callback end },
    }
    function menu(opens)
      is_open = opens
      listeners[opens and 'menu_opened' or 'menu_closed']({})
    end
"""
BLINK = """
    local is_open = false
    package.loaded['blink.cmp'] = { is_menu_visible = function() return is_open end }
    function menu(opens)
      is_open = opens
      vim.api.nvim_exec_autocmds('User', { pattern = 'BlinkCmpMenu' .. (opens and 'Open' or 'Close') })
    end
"""


def shown(scene: Scene, stand_in: str, setup: str = "") -> Editor:
    """Ghost text is on the screen, the menu closed."""
    editor = scene.open([rule("x = ", "alpha()"), rule("x = a", "lpha()")], before=stand_in, setup=setup)
    editor.press("ix = ")
    editor.until_row(1, "x = alpha()")
    return editor


@pytest.mark.parametrize("stand_in", [CMP, BLINK], ids=["cmp", "blink"])
class TestMenus:
    def test_ghost_text_hides_while_their_menu_is_open(self, scene: Scene, stand_in: str) -> None:
        editor = shown(scene, stand_in)
        editor.lua("menu(true)")
        editor.until_row(1, "x =")
        asked = len(scene.received("textDocument/inlineCompletion"))
        editor.type("<BS> ")
        scene.until_answered(editor)
        assert editor.screen()[0] == "x ="
        assert len(scene.received("textDocument/inlineCompletion")) == asked
        editor.lua("menu(false)")
        editor.until_row(1, "x = alpha()")

    def test_keys_are_theirs_while_their_menu_is_open(self, scene: Scene, stand_in: str) -> None:
        editor = shown(scene, stand_in)
        editor.lua("menu(true)")
        editor.until_row(1, "x =")
        editor.type("<Tab>")
        assert editor.lines() == ["x =     "]

    def test_it_stays_beside_their_menu_if_the_user_wants_it(self, scene: Scene, stand_in: str) -> None:
        editor = shown(scene, stand_in, "beside_menu = true")
        editor.lua("menu(true)")
        editor.type("a")
        scene.until_answered(editor)
        assert editor.screen()[0] == "x = alpha()"
        editor.type("<Tab>")
        assert editor.lines() == ["x = alpha()"]


def test_a_menu_that_is_loaded_later_is_noticed(scene: Scene) -> None:
    editor = shown(scene, "")
    editor.press("<Esc>")
    editor.lua(CMP)
    editor.press("a")
    editor.until_row(1, "x = alpha()")
    editor.lua("menu(true)")
    editor.until_row(1, "x =")


@pytest.mark.parametrize("scene", ["newer"], indirect=True)
def test_their_mapping_reaches_ours_and_ours_the_users(scene: Scene) -> None:
    """A fallback that takes what our mapping returns, and maps it no further: that of blink.cmp, which needs
    Neovim 0.10; what `maparg` gives of a Lua mapping before ends the editor when it is called.
    """
    editor = scene.open([rule("x = ", "alpha()")], before="vim.cmd('inoremap <Tab> user')")
    fallback = """
        local ours = vim.fn.maparg('<Tab>', 'i', false, true)
        vim.keymap.set('i', '<Tab>', function()
          return vim.api.nvim_replace_termcodes(ours.callback(), true, true, true)
        end, { buffer = true, expr = true, replace_keycodes = false })
    """
    editor.lua(fallback)
    editor.press("ix = ")
    editor.until_row(1, "x = alpha()")
    editor.type("<Tab>")
    assert editor.lines() == ["x = alpha()"]
    editor.type("<CR><Tab>")
    assert editor.lines() == ["x = alpha()", "user"]
