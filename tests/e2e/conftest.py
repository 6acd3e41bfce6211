"""Fixtures for whole sessions: a small workspace, a server in front of the real engine."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cli_home import Home
from lsp_client import LspClient

Connect = Callable[..., LspClient]


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """main.py needs a function of utils.py."""
    (tmp_path / "utils.py").write_text(
        "def celsius_to_kelvin(degrees: float) -> float:\n"
        '    """Absolute temperature."""\n'
        "    return degrees + 273.15\n"
    )
    (tmp_path / "main.py").write_text(
        "from utils import celsius_to_kelvin\n\n\n"
        "def report(celsius: float) -> None:\n"
        '    """Print the absolute temperature."""\n'
        "    kelvin = celsius_to"
    )
    return tmp_path


@pytest.fixture
def connect(home: Home, workspace: Path) -> Iterator[Connect]:
    """Starts `ghostfill serve` for the workspace; the client asks for status and progress."""
    clients: list[LspClient] = []

    def start(command: list[str] | None = None, **options: Any) -> LspClient:
        client = LspClient(command or home.command("serve"), cwd=str(workspace), env=home.environment())
        clients.append(client)
        client.initialize(
            {"window": {"workDoneProgress": True}},
            workspaceFolders=[{"uri": workspace.as_uri(), "name": "ws"}],
            initializationOptions={"client": {"status": True}, "inline": {"debounceMs": 0}, **options},
        )
        return client

    yield start
    for client in clients:
        client.kill()
