"""The plugin as a package of Neovim's own: a folder (here a link) below `pack`, nothing else."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from nvim_driver import PLUGIN
from nvim_scene import RETURN, Scene, either_fixture  # noqa: F401  (the fixture)

# pynvim asks for it up to Python 3.13, where it exists
pytestmark = pytest.mark.filterwarnings("ignore:'get_child_watcher' is deprecated:DeprecationWarning")


def test_a_link_below_pack_is_an_install(scene: Scene) -> None:
    """The editor's own line for the runtime path is taken back first."""
    packages = Path(os.environ["XDG_DATA_HOME"]) / "nvim" / "site" / "pack" / "ghostfill" / "start"
    packages.mkdir(parents=True)
    (packages / "ghostfill").symlink_to(PLUGIN)
    editor = scene.open([RETURN], before=f"vim.opt.runtimepath:remove('{PLUGIN}')")
    found = editor.lua("return vim.api.nvim_get_runtime_file('lua/ghostfill/init.lua', true)")
    assert [Path(path).parents[2].parent for path in found] == [packages]
    editor.press("idef add(a, b):")
    editor.until_row(2, "    return a + b")
    assert editor.nvim.funcs.exists(":GhostfillExplain") == 2
