"""Opening a workspace runs none of its code: not in the front, not in the engine, not in an index worker."""

import json
import os
from pathlib import Path

import pytest

from cli_home import ROOT, Home
from lsp_client import LspClient

MODULES = (
    "asyncio",
    "concurrent/__init__",
    "context",
    "engine/__init__",
    "httpx2",
    "json",
    "lsprotocol",
    "msgspec",
    "multiprocessing",
    "numpy",
    "pathlib",
    "pathspec",
    "platformdirs",
    "pygls",
    "rich",
    "safetensors",
    "sqlite3",
    "tokenizers",
    "torch",
    "transformers",
    "tree_sitter",
    "tree_sitter_javascript",
    "tree_sitter_python",
    "tree_sitter_typescript",
    "uvicorn",
    "watchdog",
)
BAIT = """\
import os
with open(os.path.join({folder!r}, {name!r}), "a") as file:
    file.write(" ".join(open("/proc/self/cmdline").read().split("\\0")) if os.path.exists("/proc") else "?")
"""
MAIN = "from helper import celsius_to_kelvin\n\nkelvin = celsius_to\n"
PATHS = ["", ".", ":", ".:lib"]


@pytest.fixture
def traps(tmp_path: Path) -> Path:
    """Where a module of the workspace leaves a file when it is imported."""
    folder = tmp_path / "traps"
    folder.mkdir()
    return folder


@pytest.fixture
def hostile(tmp_path: Path, traps: Path) -> Path:
    """A workspace with a file in every grammar, and many modules that must never run."""
    workspace = tmp_path / "workspace"
    for base in (workspace, workspace / "lib"):
        for module in MODULES:
            file = base / f"{module}.py"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(BAIT.format(folder=str(traps), name=module.replace("/", ".")))
    (workspace / "pyproject.toml").write_text("")
    (workspace / "main.py").write_text(MAIN)
    for name in ("page.js", "code.ts", "view.tsx"):
        (workspace / name).write_text("export const kelvin = 1\n")
    (workspace / "helper.py").write_text("def celsius_to_kelvin(degrees):\n    return degrees + 273.15\n")
    return workspace


def python_path(entries: str) -> dict[str, str]:
    """PYTHONPATH with these entries before our own packages, which need not be installed."""
    return {"PYTHONPATH": f"{entries}{os.pathsep}{ROOT}"} if entries else {}


def sprung(traps: Path) -> dict[str, str]:
    return {file.name: file.read_text() for file in traps.iterdir()}


def test_the_traps_work(home: Home, hostile: Path, traps: Path) -> None:
    """A script that does not leave the workspace runs into them."""
    home.script.with_name("careless.py").write_text("import torch\n")
    careless = Home(home.folder)
    careless.script = home.script.with_name("careless.py")

    careless.run(cwd=hostile, PYTHONPATH=".")

    assert sprung(traps).keys() == {"torch"}


@pytest.mark.parametrize("entries", PATHS)
@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["complete", "main.py:3:20", "--json"], id="complete"),
        pytest.param(["context", "main.py:3:20", "--json"], id="context"),
        pytest.param(["doctor", "--json"], id="doctor"),
    ],
)
def test_commands_import_nothing_of_it(
    home: Home, hostile: Path, traps: Path, entries: str, arguments: list[str]
) -> None:
    """Though `complete` starts an engine, `context` index workers, and `doctor` a child that asks torch."""
    done = home.run(*arguments, cwd=hostile, **python_path(entries))

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)
    assert sprung(traps) == {}


@pytest.mark.parametrize("entries", ["", "."])
def test_a_whole_session_imports_nothing_of_it(home: Home, hostile: Path, traps: Path, entries: str) -> None:
    """The server, the engine that it starts, and its index workers, from initialize to ghost text."""
    home.end_engines()
    uri = (hostile / "main.py").as_uri()
    environment = home.environment(**python_path(entries))
    with LspClient(home.command("serve"), cwd=str(hostile), env=environment) as client:
        folders = [{"uri": hostile.as_uri(), "name": "hostile"}]
        client.initialize(rootUri=hostile.as_uri(), workspaceFolders=folders)
        client.open(uri, MAIN)
        answer = client.request(
            "textDocument/inlineCompletion",
            {
                "textDocument": {"uri": uri},
                "position": {"line": 2, "character": 19},
                "context": {"triggerKind": 1},
            },
            timeout=60,
        )

    assert answer["items"]
    assert home.engine_pids()
    assert sprung(traps) == {}
