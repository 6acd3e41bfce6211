"""Whole sessions over real pipes: server, engine and built-in model as a user has them."""

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from cli_home import Home
from lsp_client import LspClient
from lsp_server.handlers.completion import TRIGGER_CHARACTERS

MAIN = "main.py"
INVOKED, AUTOMATIC = 1, 2


def asked(
    path: Path, trigger: int = INVOKED, line: int | None = None, character: int = 9999
) -> dict[str, Any]:
    """A request at a position; by default at the end of the file on disk."""
    if line is None:
        line = path.read_text().count("\n")
    return {
        "textDocument": {"uri": path.as_uri()},
        "position": {"line": line, "character": character},
        "context": {"triggerKind": trigger},
    }


def opened(client: LspClient, path: Path, text: str | None = None) -> None:
    client.open(path.as_uri(), path.read_text() if text is None else text)


def ghost_text(client: LspClient, path: Path, **position: Any) -> str:
    items = client.request("textDocument/inlineCompletion", asked(path, **position), timeout=60)["items"]
    return str(items[0]["insertText"]) if items else ""


def test_what_the_server_says_it_can(home: Home) -> None:
    """The advertised capabilities, all of them."""
    with LspClient(home.command("serve"), env=home.environment()) as client:
        capabilities = client.initialize({})["capabilities"]

    del capabilities["workspace"]["fileOperations"]
    assert capabilities == {
        "positionEncoding": "utf-16",
        "textDocumentSync": {
            "openClose": True,
            "change": 2,
            "save": {"includeText": False},
        },
        "executeCommandProvider": {
            "commands": [
                "ghostfill.accepted",
                "ghostfill.dismissed",
                "ghostfill.toggle",
                "ghostfill.snooze",
                "ghostfill.showContext",
                "ghostfill.restartEngine",
                "ghostfill.stats",
                "ghostfill.fix",
                "ghostfill.document",
                "ghostfill.explain",
            ]
        },
        "codeActionProvider": {
            "codeActionKinds": ["quickfix", "refactor.rewrite"],
            "resolveProvider": True,
        },
        # For this client, which cannot show inline completions.
        "completionProvider": {"triggerCharacters": list(TRIGGER_CHARACTERS)},
        "inlineCompletionProvider": {"workDoneProgress": False},
        "workspace": {"workspaceFolders": {"supported": True, "changeNotifications": True}},
    }


def test_a_name_of_another_file_is_completed_and_called(connect: Any, workspace: Path) -> None:
    """The built-in model writes what utils.py defines, with progress, status and a command to accept."""
    client = connect()
    opened(client, workspace / MAIN)

    assert ghost_text(client, workspace / MAIN) == "_kelvin(celsius)"
    client.wait_notification("$/progress", lambda params: params["value"]["kind"] == "begin")
    client.wait_notification("$/progress", lambda params: params["value"]["kind"] == "end")
    client.wait_notification("didChangeStatus", lambda params: params["message"] == "builtin on cpu")
    client.shutdown()


def test_the_front_never_loads_torch(connect: Any, workspace: Path) -> None:
    """After a completion, no library of torch is mapped into the server's process."""
    client = connect()
    opened(client, workspace / MAIN)
    ghost_text(client, workspace / MAIN)

    assert "libtorch" not in Path(f"/proc/{client.process.pid}/maps").read_text()


def test_two_windows_share_one_engine(connect: Any, home: Home, workspace: Path) -> None:
    """Two servers started at once: one engine process, one model, both complete."""
    first, second = connect(), connect()
    for client in (first, second):
        opened(client, workspace / MAIN)

    assert ghost_text(first, workspace / MAIN) == ghost_text(second, workspace / MAIN) == "_kelvin(celsius)"
    assert len(home.engine_pids()) == 1


def test_an_engine_killed_under_a_request_comes_back(connect: Any, home: Home, workspace: Path) -> None:
    """SIGKILL while it works: the request is answered by the engine that takes its place."""
    client = connect()
    opened(client, workspace / MAIN)
    ghost_text(client, workspace / MAIN)
    (pid,) = home.engine_pids()
    os.kill(pid, signal.SIGSTOP)  # so that the request is under way for certain
    client.change((workspace / MAIN).as_uri(), 2, {"text": (workspace / MAIN).read_text() + "_k"})
    request = client.send_request("textDocument/inlineCompletion", asked(workspace / MAIN))
    os.kill(pid, signal.SIGKILL)

    items = client.wait_result(request, timeout=60)["items"]
    assert items[0]["insertText"] == "elvin(celsius)"
    assert home.engine_pids() != [pid]


def test_an_automatic_request_never_waits_for_a_frozen_engine(
    connect: Any, home: Home, workspace: Path
) -> None:
    """The engine hangs: the answer is empty, and the server goes on."""
    client = connect()
    opened(client, workspace / MAIN)
    ghost_text(client, workspace / MAIN)
    (pid,) = home.engine_pids()
    os.kill(pid, signal.SIGSTOP)
    try:
        client.change((workspace / MAIN).as_uri(), 2, {"text": "x = "})
        assert ghost_text(client, workspace / MAIN, trigger=AUTOMATIC, line=0) == ""
    finally:
        os.kill(pid, signal.SIGCONT)
    client.change((workspace / MAIN).as_uri(), 3, {"text": (workspace / MAIN).read_text()})
    assert ghost_text(client, workspace / MAIN) == "_kelvin(celsius)"


def test_a_setting_that_does_not_exist_is_named_once(connect: Any) -> None:
    client = connect(inlin={"enabled": True})

    message = client.wait_notification("window/showMessage")["message"]
    assert "inlin" in message
    assert "inline" in message.replace("inlin ", "")


def test_a_missing_model_is_said_once_and_the_server_lives(connect: Any, workspace: Path) -> None:
    client = connect(model="/no/such/folder")
    opened(client, workspace / MAIN)

    status = client.wait_notification("didChangeStatus", lambda params: params["kind"] == "Error")
    assert "/no/such/folder" in status["message"]
    for _ in range(3):
        assert ghost_text(client, workspace / MAIN) == ""
    messages = [shown["message"] for shown in client.take_notifications("window/showMessage")]
    assert len(messages) == 1


def test_without_the_extra_local_the_user_is_told_what_to_install(
    connect: Any, home: Home, workspace: Path
) -> None:
    script = home.folder / "light.py"
    script.write_text(
        "import sys\nimport engine.launch\nengine.launch.LOCAL_EXTRA = ('no_such_torch',)\n"
        "from lsp_server.entry import main\nsys.exit(main())\n"
    )
    client = connect([home.command()[0], str(script), "serve"], model="builtin", dtype="float32")
    opened(client, workspace / MAIN)

    assert 'pip install "ghostfill[local]"' in client.wait_notification("window/showMessage")["message"]
    assert ghost_text(client, workspace / MAIN) == ""


def test_cuda_where_there_is_none(connect: Any, workspace: Path) -> None:
    client = connect(device="cuda")

    status = client.wait_notification("didChangeStatus", lambda p: p["kind"] == "Error", timeout=60)
    assert "no CUDA GPU" in status["message"]


@pytest.mark.parametrize(
    ("line", "character"),
    [
        pytest.param(10**6, 0, id="below"),
        pytest.param(0, 10**6, id="right"),
        pytest.param(2**31 - 1, 2**31 - 1, id="far"),
    ],
)
def test_a_cursor_outside_of_the_text(connect: Any, workspace: Path, line: int, character: int) -> None:
    """It means the nearest place inside, as the specification says."""
    client = connect()
    opened(client, workspace / MAIN)

    ghost_text(client, workspace / MAIN, line=line, character=character)
    client.shutdown()


def test_a_buffer_of_5_mb(connect: Any, workspace: Path) -> None:
    client = connect()
    line = "value = celsius_to_kelvin(20)  # a line of a very large file\n"
    text = "from utils import celsius_to_kelvin\n" + line * (5_000_000 // len(line)) + "kelvin = celsius_to"
    opened(client, workspace / MAIN, text)

    assert ghost_text(client, workspace / MAIN, line=text.count("\n")).startswith("_kelvin(")


def test_a_binary_file_opened(connect: Any, workspace: Path) -> None:
    client = connect()
    opened(client, workspace / MAIN, "\x00\x01\x7fELF\x00" * 100)

    ghost_text(client, workspace / MAIN, line=0)
    client.shutdown()


def test_invalid_utf_8_on_disk(connect: Any, workspace: Path) -> None:
    """A dependency in another encoding is read as well as can be, and completion goes on."""
    utils = workspace / "utils.py"
    utils.write_bytes(utils.read_bytes() + b"# caf\xe9 \xff\xfe\n")
    client = connect()
    opened(client, workspace / MAIN)

    assert ghost_text(client, workspace / MAIN) == "_kelvin(celsius)"


def test_a_workspace_that_disappears(connect: Any, workspace: Path) -> None:
    client = connect()
    path = workspace / MAIN
    text = path.read_text()
    opened(client, path)
    for file in workspace.iterdir():
        file.unlink()
    workspace.rmdir()

    last = text.count("\n")
    client.change(path.as_uri(), 2, {"text": text + "_k"})
    ghost_text(client, path, line=last)
    client.shutdown()


def test_a_secret_is_never_completed(connect: Any, workspace: Path) -> None:
    client = connect()
    secret = workspace / ".env"
    secret.write_text("PASSWORD=")
    opened(client, secret)

    assert ghost_text(client, secret) == ""


def test_cancel_is_answered(connect: Any, home: Home, workspace: Path) -> None:
    client = connect()
    opened(client, workspace / MAIN)
    ghost_text(client, workspace / MAIN)
    (pid,) = home.engine_pids()
    os.kill(pid, signal.SIGSTOP)
    try:
        client.change((workspace / MAIN).as_uri(), 2, {"text": "x = "})
        request = client.send_request("textDocument/inlineCompletion", asked(workspace / MAIN, line=0))
        client.cancel(request)
        assert client.wait_answer(request)["error"]["code"] == -32800
    finally:
        os.kill(pid, signal.SIGCONT)
