"""A real VS Code for the tests: code-server with a user of its own, and one window of it in a real Chromium.

Knows no scene; waits for what is shown, never for a time.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, sync_playwright

from browser import find_chromium
from pictures import ROOT
from vscode_window import KEYS, Window

T = TypeVar("T")

INSTALLED = ROOT / "build/editors/code-server/node_modules/.bin/code-server"
BROWSER_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
)
SETTINGS = {
    "security.workspace.trust.enabled": False,
    "telemetry.telemetryLevel": "off",
    "extensions.autoCheckUpdates": False,
    "extensions.autoUpdate": False,
    "workbench.startupEditor": "none",
    "workbench.enableExperiments": False,
    "workbench.reduceMotion": "on",
    "git.enabled": False,
    "workbench.secondarySideBar.defaultVisibility": "hidden",
    "files.autoSave": "off",
    "editor.minimap.enabled": False,
    "editor.wordWrap": "off",
    "editor.cursorBlinking": "solid",
    # its popup would decide which ghost text is shown
    "editor.quickSuggestions": {"other": "off", "comments": "off", "strings": "off"},
    "editor.suggestOnTriggerCharacters": False,
    "editor.wordBasedSuggestions": "off",
}
"""Of the user, beside those of a test: nothing in them concerns ghostfill."""


def find_code_server() -> str:
    """Skips without code-server; fails where CI promised one."""
    if (found := shutil.which("code-server")) is not None:
        return found
    if INSTALLED.exists():
        return str(INSTALLED)
    if os.environ.get("CI"):
        pytest.fail("code-server is not installed, and CI must have it (run .ci/install-editors)")
    pytest.skip("code-server is not installed (run .ci/install-editors)")


def apart(function: Callable[[], T]) -> T:
    """Calls it in a thread: Playwright keeps an event loop in this one, and asyncio allows only one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(function).result()


class CodeServer:
    """VS Code's server on a free port; its folders are below `folder`."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._data, self._extensions = folder / "vscode", folder / "extensions"
        self._log = folder / "code-server.log"
        # VS Code asks the user's shell for the environment, and that reads `.profile` of the home
        self._environment = {**environment, "SHELL": "/bin/sh"}
        self._program = find_code_server()
        self._process: subprocess.Popen[bytes] | None = None
        self.address = ""
        for name in ("User", "Machine"):
            (self._data / name).mkdir(parents=True, exist_ok=True)
        (self._data / "User" / "keybindings.json").write_text(json.dumps(KEYS), encoding="utf-8")

    def install(self, vsix: Path) -> None:
        """Installs an extension as a user does."""
        command = [*self._command(), "--install-extension", str(vsix)]
        done = subprocess.run(command, env=self._environment, capture_output=True, text=True, timeout=120)
        assert "successfully installed" in done.stdout, done.stdout + done.stderr

    def configure(self, settings: Mapping[str, Any]) -> None:
        """The user's settings from here on. Those of ghostfill go where a remote window keeps those of the
        machine: some may only stand there."""
        ours = {key: value for key, value in settings.items() if key.startswith("ghostfill.")}
        theirs = SETTINGS | {key: value for key, value in settings.items() if key not in ours}
        (self._data / "User" / "settings.json").write_text(json.dumps(theirs), encoding="utf-8")
        (self._data / "Machine" / "settings.json").write_text(json.dumps(ours), encoding="utf-8")

    def start(self) -> None:
        """Starts it, and waits for its address."""
        quiet = ("--disable-telemetry", "--disable-update-check", "--disable-getting-started-override")
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [*self._command(), "--auth", "none", "--bind-addr", "127.0.0.1:0", *quiet],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        deadline = time.monotonic() + 60
        while not (found := re.search(r"listening on http://([\d.:]+)", self._log.read_text())):
            if time.monotonic() > deadline or self._process.poll() is not None:
                self.stop()
                pytest.fail(f"code-server does not start:\n{self._log.read_text()}")
            time.sleep(0.02)
        self.address = found[1]

    def stop(self) -> None:
        """Ends it with all that it started; servers of language among them outlive their parents."""
        if self._process is not None:
            for number in (signal.SIGTERM, signal.SIGKILL):
                with suppress(ProcessLookupError):
                    os.killpg(self._process.pid, number)
                with suppress(subprocess.TimeoutExpired):
                    self._process.wait(5)

    def url(self, workspace: Path, file: Path) -> str:
        """Where a window on a folder is, with a file open in it."""
        opened = json.dumps([["openFile", f"vscode-remote://{self.address}{file}"]])
        return f"http://{self.address}/?folder={quote(str(workspace))}&payload={quote(opened)}"

    def _command(self) -> list[str]:
        where = ["--user-data-dir", str(self._data), "--extensions-dir", str(self._extensions)]
        return [self._program, *where]


class VSCode:
    """code-server with the extension, and a browser; windows are opened one after the other."""

    def __init__(self, server: CodeServer, browser: Browser) -> None:
        self.server = server
        self._browser = browser
        self._windows: list[Window] = []

    def open(
        self, file: Path, settings: Mapping[str, Any], *, width: int = 1100, height: int = 640
    ) -> Window:
        """A window on the file's folder with these settings of the user; older windows are closed."""
        self.close()
        self.server.configure(settings)
        context = self._browser.new_context(viewport={"width": width, "height": height})
        window = Window(context.new_page(), file)
        self._windows.append(window)
        window.load(self.server.url(file.parent, file))
        return window

    def close(self) -> None:
        """Closes the windows."""
        while self._windows:
            self._windows.pop().close()


@contextmanager
def vscode(folder: Path, environment: Mapping[str, str], vsix: Callable[[], Path]) -> Iterator[VSCode]:
    """A VS Code with the extension installed, until the block ends; the extension is built if that can be."""
    chromium, own = find_chromium(), {**environment, "HOME": str(folder)}
    server = CodeServer(folder, own)
    server.install(vsix())
    try:
        server.start()
        with sync_playwright() as playwright:
            flags = list(BROWSER_FLAGS)
            browser = playwright.chromium.launch(executable_path=chromium, args=flags, env=own)
            try:
                code = VSCode(server, browser)
                yield code
                code.close()
            finally:
                browser.close()
    finally:
        server.stop()
