"""A server process and the bytes that it is given: the guarded streams, and every way to end."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from lsp_client import TIMEOUT_S, LspClient, frame, python_server
from lsp_server import frames
from lsp_server.frames import read_frames

LAB = Path(__file__).with_name("lab_server.py")
ROOT = Path(__file__).parents[2]


def start(*argv: str) -> LspClient:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return LspClient(python_server(str(LAB), *argv), env=environment)


@pytest.fixture
def client():
    with start() as client:
        client.initialize()
        yield client


def echo(msg_id: str, params: object = "x") -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": msg_id, "method": "lab/echo", "params": params}).encode()


# Messages


def test_a_request_sees_the_document_as_it_was_when_it_was_sent(client):
    uri = "file:///a.py"
    client.open(uri, "one")
    change = {"textDocument": {"uri": uri, "version": 2}, "contentChanges": [{"text": "two"}]}
    messages = [
        {"id": "before", "method": "lab/text", "params": {"uri": uri}},
        {"method": "textDocument/didChange", "params": change},
        {"id": "after", "method": "lab/text", "params": {"uri": uri}},
    ]

    client.send_raw(b"".join(frame(json.dumps({"jsonrpc": "2.0", **m}).encode()) for m in messages))

    assert client.wait_result("before") == {"text": "one", "version": 1}
    assert client.wait_result("after") == {"text": "two", "version": 2}


def test_characters_that_python_takes_for_line_ends_do_not_corrupt_a_document(client):
    uri = "file:///a.py"
    client.open(uri, "a\f\u2028b\nc\n")
    start, end = {"line": 1, "character": 0}, {"line": 1, "character": 1}

    client.change(uri, 2, {"range": {"start": start, "end": end}, "text": "😋"})

    assert client.request("lab/text", {"uri": uri})["text"] == "a\f\u2028b\n😋\n"


def test_busy_workers_do_not_keep_messages_from_being_read(client):
    for _ in range(60):
        client.send_request("lab/thread")

    assert client.request("lab/echo", "x") == "x"


def test_a_print_goes_to_stderr_and_stdin_is_empty_for_handlers(client):
    assert client.request("lab/print") == {"stdin": ""}

    client.wait_stderr("printed")


def test_garbage_and_wrong_json_leave_the_server_alive(client):
    client.send_raw(b"hello\r\n\r\n" + frame(b"{") + frame(echo("a")))

    assert client.wait_answer(None)["error"]["code"] == -32700
    assert client.wait_result("a") == "x"


def test_a_request_that_is_too_large_is_answered(client):
    body = echo("big", "x" * frames.MAX_BODY_BYTES)

    client.send_raw(frame(body) + frame(echo("small")))

    assert client.wait_answer("big")["error"]["code"] == -32600
    assert client.wait_result("small") == "x"


# Ends


def test_shutdown_and_exit_end_the_process_with_status_0():
    with start() as client:
        client.initialize()

        assert client.shutdown() == 0


def test_exit_without_shutdown_ends_the_process_with_status_1():
    with start() as client:
        client.notify("exit")

        assert client.wait_exit() == 1


@pytest.mark.parametrize("method", ["lab/async", "lab/thread", "lab/toThread", "lab/block"])
def test_the_end_of_stdin_ends_the_process_whatever_still_runs(method):
    with start() as client:
        client.initialize()
        client.send_request(method)
        client.wait_stderr("handler started")

        client.close_stdin()

        assert client.wait_exit() == 1


def test_the_end_of_stdin_lets_handlers_clean_up():
    with start() as client:
        client.initialize()
        client.send_request("lab/async")
        client.wait_stderr("async handler started")

        client.close_stdin()

        client.wait_exit()
        client.wait_stderr("async handler ended")


def test_exit_ends_the_process_while_twenty_workers_are_busy():
    with start() as client:
        client.initialize()
        for _ in range(20):
            client.send_request("lab/thread")
        client.wait_stderr("thread handler started")

        assert client.shutdown() == 0


def test_messages_sent_just_before_the_end_of_stdin_are_handled():
    with start() as client:
        client.initialize()
        client.send_raw(
            frame(b'{"jsonrpc":"2.0","id":"s","method":"shutdown"}')
            + frame(b'{"jsonrpc":"2.0","method":"exit"}')
        )
        client.close_stdin()

        assert client.wait_exit() == 0
        assert client.wait_result("s") is None


def test_a_client_that_never_sends_a_header_ends_the_process_with_status_1():
    with start() as client:
        client.send_raw(b"\x00" * 100_000)
        client.close_stdin()

        assert client.wait_exit() == 1


def test_no_report_is_sent_over_a_dead_pipe():
    with start() as client:
        client.initialize()
        client.break_stdout("lab/echo")
        for _ in range(10):
            client.notify("lab/boom")
            client.send_request("lab/unknown")
        client.wait_stderr("does not listen any more")
        client.close_stdin()

        assert client.wait_exit() == 1
        assert len(client.stderr) < 100_000
        assert client.stderr.count("does not listen any more") == 1


@pytest.mark.skipif(os.name == "nt", reason="processes are not watched on Windows")
def test_the_death_of_a_visible_editor_ends_the_process():
    editor = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    with start() as client:
        client.initialize(processId=editor.pid)
        assert client.request("lab/echo", "x") == "x"

        editor.communicate(b"\n")

        assert client.wait_exit() == 1


def test_an_editor_that_is_not_visible_is_not_watched():
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    with start() as client:
        client.initialize(processId=gone.pid)

        assert client.request("lab/echo", "x") == "x"


# TCP


def test_one_client_is_served_on_a_loopback_port():
    with start("--tcp") as process:
        process.wait_stderr(".\n")
        port = int(re.search(r"port (\d+)\.", process.stderr)[1])
        with pytest.raises(OSError):
            socket.create_connection(("127.0.0.2", port), 1)
        with socket.create_connection(("127.0.0.1", port), TIMEOUT_S) as connection:
            stream = connection.makefile("rb")
            initialize = {"processId": None, "rootUri": None, "capabilities": {}}
            message = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": initialize}
            connection.sendall(frame(json.dumps(message).encode()))
            assert b"capabilities" in next(read_frames(stream))

            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(("127.0.0.1", port), TIMEOUT_S)

            connection.sendall(frame(b'{"jsonrpc":"2.0","method":"exit"}'))
            assert stream.read() == b""
            stream.close()
        assert process.wait_exit() == 1
