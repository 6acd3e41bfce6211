"""An opened folder does not choose the program that Neovim starts."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from nvim_scene import Scene, either_fixture, rule  # noqa: F401  (the fixture)

# pynvim asks for it up to Python 3.13, where it exists
pytestmark = pytest.mark.filterwarnings("ignore:'get_child_watcher' is deprecated:DeprecationWarning")


class TestHostileWorkspace:
    """The opened folder must not choose the program that is started."""

    def plant(self, folder: Path) -> Path:
        """An executable that leaves a trace when it runs."""
        folder.mkdir(parents=True, exist_ok=True)
        program = folder / "ghostfill"
        program.write_text(f"#!/bin/sh\necho ran > {folder}/trace\n", encoding="utf-8")
        program.chmod(0o755)
        return folder / "trace"

    def honest(self, scene: Scene) -> Path:
        """An executable outside the workspace that runs the scripted server."""
        folder = scene.home / "bin"
        folder.mkdir(parents=True)
        scene.script.write_text(json.dumps({"rules": [rule("x", "yz")]}), encoding="utf-8")
        (folder / "ghostfill").write_text(
            "#!/bin/sh\nexec " + " ".join(scene.command()) + "\n", encoding="utf-8"
        )
        (folder / "ghostfill").chmod(0o755)
        return folder

    @pytest.mark.parametrize("entry", ["{work}/venv/bin", "venv/bin"])
    def test_a_program_inside_the_workspace_is_refused(
        self, scene: Scene, monkeypatch: pytest.MonkeyPatch, entry: str
    ) -> None:
        trace = self.plant(scene.workspace / "venv" / "bin")
        monkeypatch.setenv("PATH", entry.format(work=scene.workspace) + os.pathsep + os.environ["PATH"])
        editor = scene.start("require('ghostfill').setup({})")
        editor.until(
            "it is refused", lambda: "was not started: it lies inside the workspace" in editor.messages()
        )
        assert not trace.exists()

    def test_a_link_from_outside_into_the_workspace_is_refused(
        self, scene: Scene, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        trace = self.plant(scene.workspace / "bin")
        outside = scene.home / "links"
        outside.mkdir(parents=True)
        (outside / "ghostfill").symlink_to(scene.workspace / "bin" / "ghostfill")
        monkeypatch.setenv("PATH", str(outside) + os.pathsep + os.environ["PATH"])
        editor = scene.start("require('ghostfill').setup({})")
        editor.until("it is refused", lambda: "was not started" in editor.messages())
        assert not trace.exists()

    def test_the_next_entry_of_path_is_used_instead(
        self, scene: Scene, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        trace = self.plant(scene.workspace / "venv" / "bin")
        entries = [str(scene.workspace / "venv" / "bin"), str(self.honest(scene)), os.environ["PATH"]]
        monkeypatch.setenv("PATH", os.pathsep.join(entries))
        editor = scene.start("require('ghostfill').setup({})")
        editor.press("ix")
        editor.until_row(1, "xyz")
        assert not trace.exists()

    def test_its_files_cannot_change_command_or_settings(
        self, scene: Scene, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        trace = self.plant(scene.workspace / "evil")
        command = f"{{ '{scene.workspace}/evil/ghostfill' }}"
        evil = f"require('ghostfill').setup({{ command = {command}, settings = {{ a = 1 }} }})"
        (scene.workspace / ".nvim.lua").write_text(evil, encoding="utf-8")
        monkeypatch.setenv("PATH", str(self.honest(scene)) + os.pathsep + os.environ["PATH"])
        editor = scene.start("require('ghostfill').setup({}) vim.cmd('source .nvim.lua')")
        editor.press("ix")
        editor.until_row(1, "xyz")
        assert "fixed by the first call" in editor.messages()
        assert scene.received("initialize")[0]["initializationOptions"] == {"client": {"status": True}}
        assert not trace.exists()

    @pytest.mark.parametrize("name", [".nvim.lua", ".exrc"])
    def test_nor_can_those_that_the_user_lets_run(
        self, scene: Scene, monkeypatch: pytest.MonkeyPatch, name: str
    ) -> None:
        """Read where 'exrc' is on; newer versions ask whether the file is trusted, and here it is."""
        trace = self.plant(scene.workspace / "evil")
        command = f"{{ '{scene.workspace}/evil/ghostfill' }}"
        settings = "{ model = 'evil', engine = { url = 'http://example.invalid' } }"
        evil = f"require('ghostfill').setup({{ command = {command}, settings = {settings} }})"
        text = f"lua {evil}\nlet g:ghostfill_command = ['evil']\nlet g:evil_ran = 1\n"
        if name == ".nvim.lua":
            text = f"{evil}\nvim.g.ghostfill_command = {command}\nvim.g.evil_ran = 1\n"
        (scene.workspace / name).write_text(text, encoding="utf-8")
        monkeypatch.setenv("PATH", str(self.honest(scene)) + os.pathsep + os.environ["PATH"])
        allowed = f"{{ action = 'allow', path = '{scene.workspace / name}' }}"
        trust = f"if vim.secure then vim.secure.trust({allowed}) end"
        editor = scene.start(f"vim.o.exrc = true {trust} require('ghostfill').setup({{}})")
        editor.press("ix")
        editor.until_row(1, "xyz")
        is_read = bool(editor.nvim.funcs.has("nvim-0.9"))  # before, not beside an init.lua
        assert bool(editor.nvim.eval("exists('g:evil_ran')")) is is_read
        assert ("fixed by the first call" in editor.messages()) is is_read
        assert scene.received("initialize")[0]["initializationOptions"] == {"client": {"status": True}}
        assert not trace.exists()

    def test_absence_is_explained(self, scene: Scene) -> None:
        editor = scene.start("require('ghostfill').setup({ command = { 'ghostfill-of-nobody', 'serve' } })")
        editor.until("it is said", lambda: 'pipx install "ghostfill[local]"' in editor.messages())
