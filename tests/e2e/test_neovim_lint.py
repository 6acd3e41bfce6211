"""The Neovim plugin's Lua and its help file, without an editor's session on them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from terminal import require

ROOT = Path(__file__).parents[2]
PLUGIN = ROOT / "editors" / "neovim"


def test_luacheck_finds_nothing() -> None:
    done = subprocess.run(
        [require("luacheck", "lua-check"), "--no-color", "."], cwd=PLUGIN, capture_output=True
    )
    assert done.returncode == 0, done.stdout.decode()


def test_the_help_file_has_valid_tags_and_names_every_command(tmp_path: Path) -> None:
    """`:helptags` complains of one that is there twice."""
    nvim = require("nvim", "neovim")
    shutil.copytree(PLUGIN / "doc", tmp_path / "doc", ignore=shutil.ignore_patterns("tags"))
    argv = [nvim, "--headless", "-u", "NONE", "-i", "NONE", f"+helptags {tmp_path / 'doc'}", "+qa!"]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    tags = {line.split("\t")[0] for line in (tmp_path / "doc" / "tags").read_text("utf-8").splitlines()}
    commands = [
        line.partition("'")[2].partition("'")[0]
        for line in (PLUGIN / "plugin" / "ghostfill.lua").read_text("utf-8").splitlines()
        if line.startswith("command('")
    ]
    assert len(commands) >= 8
    assert tags >= {"ghostfill", "ghostfill-options", *(f":Ghostfill{name}" for name in commands)}


@pytest.mark.parametrize("path", sorted(PLUGIN.rglob("*.lua")), ids=lambda path: path.stem)
def test_a_file_begins_with_what_it_promises(path: Path) -> None:
    assert path.parent.name == "plugin" or path.read_text(encoding="utf-8").startswith("--- ")


def test_no_file_of_the_tags_is_kept() -> None:
    """Plugin managers write it; a checkout must stay clean: it is ignored."""
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip(f"no git checkout ({sys.platform})")
    done = subprocess.run(["git", "check-ignore", "-q", "editors/neovim/doc/tags"], cwd=ROOT)
    assert done.returncode == 0
