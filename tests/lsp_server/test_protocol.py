"""What a client may send, and when: every request is answered exactly once."""

from __future__ import annotations

import asyncio
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lab_server import lab_server, released

from wire import INITIALIZE, Wire, is_alive, open_wire


@pytest.fixture
async def new_wire() -> Wire:
    return Wire(lab_server())


@pytest.fixture
async def wire() -> Wire:
    return await open_wire(lab_server())


# Malformed messages


@pytest.mark.parametrize(
    "params",
    [None, [], 7, {"position": 5}, {"textDocument": {}, "position": {"line": "x", "character": 0}}],
    ids=repr,
)
async def test_malformed_parameters_are_answered(wire, params):
    error = await wire.error("textDocument/hover", params)

    assert error == {"code": -32602, "message": "The parameters of textDocument/hover are malformed."}
    assert await is_alive(wire)


async def test_malformed_initialize_is_answered_and_may_be_repeated(new_wire):
    assert (await new_wire.error("initialize", {"capabilities": 1}))["code"] == -32602
    assert "capabilities" in await new_wire.result("initialize", INITIALIZE)


@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff\xfe", b'{"a":' * 100_000, b"1" * 5000], ids=lambda b: repr(b[:8])
)
async def test_what_is_no_json_is_answered_as_a_parse_error(wire, body):
    wire.protocol.receive(body)

    assert (await wire.receive(id=None))["error"]["code"] == -32700
    assert await is_alive(wire)


@pytest.mark.parametrize("body", [b"[]", b"null", b'"text"', b'[{"jsonrpc":"2.0"}]'])
async def test_json_that_is_no_object_is_answered_as_invalid(wire, body):
    wire.protocol.receive(body)

    assert (await wire.receive(id=None))["error"]["code"] == -32600
    assert await is_alive(wire)


@pytest.mark.parametrize("msg_id", [None, [], {}, True, 1.5, [[1]]], ids=repr)
async def test_a_request_with_an_unusable_id_is_refused_without_one(wire, msg_id):
    wire.send(id=msg_id, method="lab/echo", params={})

    assert (await wire.receive(id=None))["error"]["code"] == -32600
    assert await is_alive(wire)


@pytest.mark.parametrize("msg_id", ["", "1", 0, -1, 2**53, "é😋"], ids=repr)
async def test_every_string_or_integer_is_an_id_and_comes_back_as_it_was(wire, msg_id):
    answer = await wire.request("lab/echo", "x", msg_id)

    assert answer["id"] == msg_id
    assert type(answer["id"]) is type(msg_id)


async def test_a_whole_number_written_as_a_float_is_an_id(wire):
    wire.send(id=7.0, method="lab/echo", params="x")

    assert (await wire.receive(id=7))["result"] == "x"


@pytest.mark.parametrize(
    "message",
    [{"method": 5}, {"method": ["lab/echo"]}, {"method": "lab/echo", "jsonrpc": "1.0"}],
    ids=["number", "list", "old version"],
)
async def test_a_request_that_is_not_json_rpc_2_is_refused(wire, message):
    wire.send(id=9, **{"params": {}, **message})

    assert (await wire.receive(id=9))["error"]["code"] == -32600
    assert await is_alive(wire)


async def test_a_notification_sent_as_a_request_is_refused(wire):
    document = {"uri": "file:///a.py", "languageId": "python", "version": 1, "text": ""}

    assert (await wire.error("textDocument/didOpen", {"textDocument": document}))["code"] == -32600


async def test_an_id_in_use_is_refused_and_the_first_request_is_still_answered(wire):
    wire.send(id="a", method="lab/async")
    wire.send(id="a", method="lab/echo")
    assert (await wire.receive(id="a"))["error"]["code"] == -32600

    await asyncio.sleep(0)
    wire.send(method="$/cancelRequest", params={"id": "a"})
    assert (await wire.receive(id="a"))["error"]["code"] == -32800
    assert await is_alive(wire)


async def test_a_malformed_notification_is_dropped_without_a_word(wire):
    wire.send(method="textDocument/didOpen", params={"textDocument": 1})
    wire.send(method="textDocument/didChange", params=None)
    wire.send(method="$/cancelRequest", params={"id": {}})
    wire.send(method="$/cancelRequest", params={"id": 12345})
    wire.send(method=None, params={})

    assert await is_alive(wire)
    assert wire.messages == []


async def test_a_jsonrpc_key_inside_parameters_is_only_data(wire):
    inner = {"jsonrpc": "2.0", "method": "exit", "id": 5}

    assert await wire.result("lab/echo", inner) == inner
    command = {"command": "lab.echo", "arguments": [inner]}
    assert await wire.result("workspace/executeCommand", command) == inner


async def test_a_request_of_an_unknown_method_is_answered(wire):
    assert (await wire.error("lab/unknown", {}))["code"] == -32601
    assert (await wire.error("$/unknown"))["code"] == -32601
    wire.send(method="lab/unknown")
    assert await is_alive(wire)


# The life of a session


async def test_requests_before_initialize_are_refused_and_notifications_dropped(new_wire):
    assert (await new_wire.error("lab/echo", {}))["code"] == -32002
    assert (await new_wire.error("shutdown"))["code"] == -32002
    new_wire.send(method="textDocument/didOpen", params={})

    assert "capabilities" in await new_wire.result("initialize", INITIALIZE)
    assert new_wire.messages == []


async def test_a_second_initialize_is_refused(wire):
    assert (await wire.error("initialize", INITIALIZE))["code"] == -32600


async def test_requests_after_shutdown_are_refused(wire):
    assert await wire.result("shutdown") is None

    assert (await wire.error("lab/echo", {}))["code"] == -32600
    assert (await wire.error("shutdown"))["code"] == -32600


async def test_shutdown_answers_what_still_runs(wire):
    wire.send(id="task", method="lab/async")
    wire.send(id="command", method="workspace/executeCommand", params={"command": "lab.wait"})
    wire.send(id="ask", method="lab/askConfiguration")
    await wire.receive(method="workspace/configuration")

    assert await wire.result("shutdown") is None

    for msg_id in ("task", "command", "ask"):
        assert (await wire.receive(id=msg_id))["error"]["code"] == -32800


async def test_shutdown_answers_what_still_waits_for_a_worker():
    wire = await open_wire(lab_server(max_workers=1))
    try:
        for msg_id in ("running", "waiting"):
            wire.send(id=msg_id, method="lab/thread")

        assert await wire.result("shutdown") is None
        assert (await wire.receive(id="waiting"))["error"]["code"] == -32800
    finally:
        released.set()
    assert (await wire.receive(id="running"))["result"] is None
    released.clear()


async def test_shutdown_is_answered_even_if_closing_the_session_is_cancelled():
    async def shutdown(params):
        raise asyncio.CancelledError

    server = lab_server()
    server.feature("shutdown")(shutdown)
    wire = await open_wire(server)

    assert (await wire.error("shutdown"))["code"] == -32800


@pytest.mark.parametrize(("methods", "code"), [(["shutdown", "exit"], 0), (["exit"], 1)])
async def test_the_exit_status_says_whether_shutdown_came_first(wire, methods, code):
    exits = []
    wire.protocol.on_exit = lambda: exits.append(wire.protocol.exit_code)

    for method in methods:
        wire.send(method=method, **({"id": 1} if method == "shutdown" else {}))

    assert exits == [code]


async def test_nothing_is_handled_after_exit(wire):
    wire.send(method="exit")
    wire.send(id=1, method="lab/echo")

    await asyncio.sleep(0)
    assert wire.messages == []


async def test_a_dead_pipe_is_noticed_once_and_not_reported_over_itself(wire, caplog, monkeypatch):
    num_calls = 0

    def write(data: bytes) -> None:
        nonlocal num_calls
        num_calls += 1
        raise BrokenPipeError("gone")

    monkeypatch.setattr(wire, "write", write)
    with caplog.at_level(logging.WARNING):
        wire.send(id=1, method="lab/boomSync")
        wire.send(id=2, method="lab/unknown")
        wire.protocol._server.report_server_error(RuntimeError("x"), RuntimeError)

    assert num_calls == 1
    assert caplog.text.count("does not listen any more") == 1


# Anything


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
methods = st.sampled_from(
    [
        "lab/echo",
        "lab/boomSync",
        "lab/unknown",
        "textDocument/hover",
        "textDocument/didOpen",
        "textDocument/didChange",
        "workspace/executeCommand",
        "$/cancelRequest",
        "$/setTrace",
        "initialize",
        "window/workDoneProgress/cancel",
        "notebookDocument/didOpen",
        "workspace/didChangeWorkspaceFolders",
    ]
)


@given(st.lists(st.tuples(methods, json_values), min_size=1, max_size=6))
def test_whatever_a_request_holds_it_is_answered_exactly_once(calls):
    async def session() -> None:
        wire = await open_wire(lab_server())
        for number, (method, params) in enumerate(calls):
            wire.send(id=f"r{number}", method=method, params=params)
        for number in range(len(calls)):
            await wire.receive(id=f"r{number}")
        assert await is_alive(wire)
        assert wire.messages == []

    asyncio.run(session())
