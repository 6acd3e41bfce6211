"""Editor, server and engine that are not in one place: wrappers, process namespaces, tunnels with a key.

The settings are those of docs/remote_workspaces.md.
"""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from cli_home import Home
from engine.client import EngineClient
from engine.errors import EngineUnavailableError
from lsp_client import LspClient
from snippets import recorded, snippet, user_environment
from story import LINE, write_workspace

PAGE = "remote_workspaces.md"
KEY = "a key of the team"
PATIENCE_S = 120.0


class Tunnel:
    """Passes TCP connections of a loopback port on to another one, as `ssh -L` does; can be cut."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._ends: list[socket.socket] = []
        self.port = 0
        self.dig()

    def dig(self) -> None:
        """Listens, at the same port as before."""
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._listen, args=(self._listener,), daemon=True).start()

    def cut(self) -> None:
        """Ends all connections, and refuses new ones."""
        for end in (self._listener, *self._ends):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        self._ends.clear()

    def _listen(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                near, _ = listener.accept()
                far = socket.create_connection(("127.0.0.1", self._target))
                self._ends += near, far
                for ends in ((near, far), (far, near)):
                    threading.Thread(target=_pass_on, args=ends, daemon=True).start()


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


@pytest.fixture(scope="module")
def tunnel(home: Home) -> Iterator[Tunnel]:
    """A way to an engine of "another machine", which asks for a key."""
    key, log = home.folder / "key", home.folder / "engine.log"
    key.write_text(KEY)
    arguments = ["--host", "127.0.0.1", "--port", "0", "--api-key-file", str(key)]
    with log.open("w") as output:
        engine = subprocess.Popen(
            home.command("engine", *arguments), env=home.environment(), stdout=output, stderr=output
        )
    try:
        deadline = time.monotonic() + PATIENCE_S
        while (found := re.search(r"listening at \('127\.0\.0\.1', (\d+)\)", log.read_text())) is None:
            assert engine.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.02)
        port = int(found[1])
        while asyncio.run(_state(port)) != "ready":
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
        yield Tunnel(port)
    finally:
        engine.terminate()
        engine.wait(PATIENCE_S)


async def _state(port: int) -> str:
    """What the engine says of its model, if it says anything yet."""
    client = EngineClient(url=f"http://127.0.0.1:{port}", api_key=KEY)
    try:
        return str((await client.health())["state"])
    except EngineUnavailableError:
        return ""
    finally:
        await client.close()


class Site:
    """A user who has set ghostfill up as the page says, and whose engine is behind the tunnel."""

    def __init__(self, home: Home, tunnel: Tunnel, folder: Path) -> None:
        self.text = LINE.text + LINE.typed
        self.main = write_workspace(folder / "shop", self.text)
        self.record = folder / "record"
        self.environment = user_environment(home, self.record) | {"GHOSTFILL_KEY": KEY}
        settings = snippet(PAGE, "One GPU machine for a team", "toml")
        assert "8017" in settings, "the port that the page names"
        with home.config.open("a", encoding="utf-8") as file:
            file.write(settings.replace("8017", str(tunnel.port)))
        self._clients: list[LspClient] = []

    def connect(self, command: Sequence[str], environment: dict[str, str], **params: Any) -> LspClient:
        """An editor that starts the server with this command."""
        client = LspClient(command, cwd=str(self.main.parent), env=environment)
        self._clients.append(client)
        folder = {"uri": self.main.parent.as_uri(), "name": "shop"}
        options = {"client": {"status": True}}
        client.initialize({}, workspaceFolders=[folder], initializationOptions=options, **params)
        client.open(self.main.as_uri(), self.text)
        return client

    def write(self, client: LspClient, text: str) -> None:
        """Changes main.py in the editor."""
        self.text = text
        client.change(self.main.as_uri(), 2, {"text": text})

    def offered(self, client: LspClient) -> list[str]:
        """What is offered at the end of main.py, asked for by hand."""
        lines = self.text.split("\n")
        params = {
            "textDocument": {"uri": self.main.as_uri()},
            "position": {"line": len(lines) - 1, "character": len(lines[-1])},
            "context": {"triggerKind": 1},
        }
        items = client.request("textDocument/inlineCompletion", params, PATIENCE_S)["items"]
        return [str(item["insertText"]) for item in items]

    def quit(self) -> None:
        """Ends every server."""
        for client in self._clients:
            client.kill()


@pytest.fixture
def site(home: Home, tunnel: Tunnel, tmp_path: Path) -> Iterator[Site]:
    site = Site(home, tunnel, tmp_path)
    yield site
    site.quit()


class TestTunnel:
    def test_the_engine_of_another_machine_answers_to_the_key(self, site: Site) -> None:
        client = site.connect(["ghostfill", "serve"], site.environment)
        assert LINE.offered in site.offered(client)

    @pytest.mark.parametrize(
        ("key", "told"),
        [
            (None, "names GHOSTFILL_KEY, which is not in the environment"),
            ("a wrong one", "wants another key"),
        ],
    )
    def test_without_the_key_the_user_is_told(self, site: Site, key: str | None, told: str) -> None:
        environment = {name: value for name, value in site.environment.items() if name != "GHOSTFILL_KEY"}
        environment |= {} if key is None else {"GHOSTFILL_KEY": key}
        client = site.connect(["ghostfill", "serve"], environment)
        assert site.offered(client) == []
        said = client.wait_notification("didChangeStatus", lambda params: params["kind"] == "Error")
        assert told in said["message"]

    def test_a_cut_tunnel_is_an_error_and_a_new_one_is_used(self, site: Site, tunnel: Tunnel) -> None:
        client = site.connect(["ghostfill", "serve"], site.environment)
        assert LINE.offered in site.offered(client)
        tunnel.cut()
        site.write(client, LINE.text)
        assert site.offered(client) == []
        client.wait_notification("didChangeStatus", lambda params: params["kind"] == "Error")
        tunnel.dig()
        client.request("workspace/executeCommand", {"command": "ghostfill.restartEngine", "arguments": []})
        assert site.offered(client)[0].startswith("print(item.name")


class TestOtherSide:
    def test_flatpak_runs_the_server_outside_with_the_environment_of_there(self, site: Site) -> None:
        """The editor's sandbox has no ghostfill, and says nothing of its own environment."""
        command = json.loads(snippet(PAGE, "Flatpak", "json"))["ghostfill.command"]
        outside = [f"{name}={value}" for name, value in site.environment.items()]
        sandbox = site.main.parents[1] / "bin"
        sandbox.mkdir()
        lines = ["import os, sys", "assert sys.argv[1] == '--host'", f"outside = {outside!r}"]
        lines += ["os.execv('/usr/bin/env', ['env', '-i', *outside, *sys.argv[2:]])", ""]
        (sandbox / "flatpak-spawn.py").write_text("\n".join(lines), encoding="utf-8")
        spawn = sandbox / "flatpak-spawn"
        spawn.write_text(
            f'#!/bin/sh\nexec {sys.executable} {sandbox}/flatpak-spawn.py "$@"\n', encoding="utf-8"
        )
        spawn.chmod(0o755)
        assert command[0] == "flatpak-spawn"
        client = site.connect([str(spawn), *command[1:]], {"PATH": "/nowhere"}, processId=2)
        assert LINE.offered in site.offered(client)
        client.shutdown()
        assert recorded(site.record, "client")[-1]["method"] == "exit"

    def test_an_editor_of_another_process_namespace_is_not_watched(self, site: Site) -> None:
        """Its number means nothing here: the session ends with stdin, and not before."""
        unshare = ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--mount-proc"]
        probe = [*unshare, "true"]
        if shutil.which("unshare") is None or subprocess.run(probe, capture_output=True).returncode:
            pytest.skip("this machine lets no user make process namespaces")
        editor = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
        command = [*unshare, "ghostfill", "serve"]
        client = site.connect(command, site.environment, processId=editor.pid)
        assert LINE.offered in site.offered(client)
        editor.communicate(b"\n")
        site.write(client, LINE.text)
        assert site.offered(client)[0].startswith("print(item.name")
        client.close_stdin()
        assert client.wait_exit() == 1
