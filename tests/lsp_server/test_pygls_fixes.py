"""The parts around the protocol: parameters, progress tokens, reports of errors."""

from __future__ import annotations

import pytest
from lab_server import SECRET, lab_server

from wire import Wire, is_alive, open_wire


@pytest.fixture
async def wire() -> Wire:
    return await open_wire(lab_server())


async def test_parameters_of_custom_methods_keep_their_keys(wire):
    params = {"file-name": 1, "class": {"_x": [{"1": None}]}, "type_name": "T"}

    assert await wire.result("lab/echo", params) == params


async def test_a_progress_token_may_be_used_again_after_its_end(wire):
    wire.send(id=1, method="lab/progress")
    for _ in range(2):
        ours = await wire.receive(method="window/workDoneProgress/create")
        wire.send(id=ours["id"], result=None)

    assert (await wire.receive(id=1))["result"] == 0


async def test_a_failed_notification_handler_is_logged_and_pops_nothing_up(wire, caplog):
    wire.send(method="lab/boom")
    wire.send(method="lab/boomSync")
    wire.send(method="lab/takesNothing")

    assert await is_alive(wire)
    assert wire.messages == []
    assert caplog.text.count(f"RuntimeError: {SECRET}") == 2
