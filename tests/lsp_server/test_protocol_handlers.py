"""What handlers may do: fail, be cancelled, ask the client; the request is answered all the same."""

from __future__ import annotations

import asyncio
import logging

import pytest
from lab_server import lab_server

from lsp_server.protocol import OUR_FAULT
from wire import Wire, is_alive, open_wire


@pytest.fixture
async def wire() -> Wire:
    return await open_wire(lab_server())


# Handlers that fail


@pytest.mark.parametrize("method", ["lab/boom", "lab/boomSync", "lab/notJson", "lab/takesNothing"])
async def test_a_failed_handler_gives_one_calm_sentence_and_a_traceback_in_the_log(wire, caplog, method):
    assert await wire.error(method) == {"code": -32603, "message": OUR_FAULT}

    assert caplog.records[-1].exc_info
    assert await is_alive(wire)


async def test_an_error_of_ours_is_told_as_it_is(wire):
    error = await wire.error("lab/modelError")

    assert error == {"code": -32803, "message": "Get the model with: ghostfill pull"}


@pytest.mark.parametrize(
    "params",
    [
        {"command": "lab.unknown"},
        {"command": "lab.echo", "arguments": []},
        {"command": "lab.echo", "arguments": [1, 2]},
    ],
    ids=["unknown", "too few arguments", "too many arguments"],
)
async def test_a_command_called_wrongly_is_answered_as_invalid(wire, params):
    assert (await wire.error("workspace/executeCommand", params))["code"] == -32602


async def test_a_threaded_command_runs_in_a_worker(wire):
    command = {"command": "lab.thread", "arguments": ["x"]}

    assert await wire.result("workspace/executeCommand", command) == [False, "x"]


async def test_a_thread_handler_is_answered(wire):
    assert await wire.result("lab/echoFromThread", [1]) == [1]


# Cancelling


async def test_a_cancelled_request_is_answered_once_and_its_handler_ends(wire, caplog):
    wire.send(id=1, method="lab/async")
    await asyncio.sleep(0)

    wire.send(method="$/cancelRequest", params={"id": 1})
    wire.send(method="$/cancelRequest", params={"id": 1})

    assert (await wire.receive(id=1))["error"]["code"] == -32800
    assert "async handler ended" in caplog.text
    assert await is_alive(wire)
    assert wire.messages == []


async def test_cancelling_a_command_ends_the_command(wire, caplog):
    wire.send(id=1, method="workspace/executeCommand", params={"command": "lab.wait"})
    await asyncio.sleep(0)

    wire.send(method="$/cancelRequest", params={"id": 1})

    assert (await wire.receive(id=1))["error"]["code"] == -32800
    assert "command ended" in caplog.text


async def test_a_command_that_is_displaced_is_answered(wire):
    error = await wire.error("workspace/executeCommand", {"command": "lab.cancelled"})

    assert error["code"] == -32800


async def test_a_second_answer_to_a_request_is_dropped(wire):
    assert await wire.result("lab/echo", "once") == "once"

    wire.protocol._send_response(1, result="twice")

    assert wire.messages == []


async def test_futures_of_finished_notifications_are_forgotten(wire):
    for _ in range(50):
        wire.send(method="lab/echo", params={})
    document = {"uri": "file:///a.py", "languageId": "python", "version": 1, "text": ""}
    for _ in range(50):
        wire.send(method="textDocument/didOpen", params={"textDocument": document})

    assert await is_alive(wire)
    assert wire.protocol._request_futures == {}


# Answers of the client


async def test_the_client_is_asked_and_its_answer_comes_through(wire):
    wire.send(id=1, method="lab/askConfiguration")
    ours = await wire.receive(method="workspace/configuration")

    wire.send(id=ours["id"], result=[{"a": 1}], error=None)

    assert (await wire.receive(id=1))["result"] == [{"a": 1}]


@pytest.mark.parametrize(
    "answer",
    [{"result": 5}, {"error": {"code": -1, "message": "no"}}, {"error": 3}, {}],
    ids=["malformed result", "error", "malformed error", "neither"],
)
async def test_a_bad_answer_of_the_client_leaves_nobody_waiting(wire, answer):
    wire.send(id=1, method="lab/askFolders")
    ours = await wire.receive(method="workspace/workspaceFolders")

    wire.send(id=ours["id"], **answer)

    answered = await wire.receive(id=1)
    assert "error" in answered or answered["result"] is None
    assert await is_alive(wire)


async def test_an_answer_to_a_request_that_was_given_up_is_ignored(wire, caplog):
    wire.send(id=1, method="lab/askConfiguration")
    ours = await wire.receive(method="workspace/configuration")
    wire.send(method="$/cancelRequest", params={"id": 1})
    assert (await wire.receive(id=1))["error"]["code"] == -32800

    wire.send(id=ours["id"], result=[None])

    assert await is_alive(wire)
    assert wire.protocol._result_types == {}
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


async def test_an_answer_to_nothing_is_ignored_even_with_the_id_of_a_request(wire):
    wire.send(id=1, method="lab/async")
    await asyncio.sleep(0)

    wire.send(id=1, result="mine")
    wire.send(id=None, error={"code": -32700, "message": "?"})
    wire.send(id=[], result=None)
    wire.send(result=None)

    wire.send(method="$/cancelRequest", params={"id": 1})
    assert (await wire.receive(id=1))["error"]["code"] == -32800


async def test_the_client_cannot_cancel_what_it_was_asked(wire):
    wire.send(id=1, method="lab/askConfiguration")
    ours = await wire.receive(method="workspace/configuration")

    wire.send(method="$/cancelRequest", params={"id": ours["id"]})
    wire.send(id=ours["id"], result=["x"])

    assert (await wire.receive(id=1))["result"] == ["x"]
