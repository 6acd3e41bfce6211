"""What clients say of completions, whatever shape it has, and the command that tells what was counted."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.fake import FakeBackend
from inprocess import TIMEOUT_SECONDS, Client, connected
from lsp_server.handlers.feedback import _length, _num_days, _offer_id, _uuids
from lsp_server.stats_file import StatsFile

NO_WAIT = {"inline": {"debounceMs": 0, "minConfidence": 0}}
SAID = "os.path.join(base, name)"
REPORTS = [
    "textDocument/didShowCompletion",
    "textDocument/didPartiallyAcceptCompletion",
    "textDocument/didFocus",
    "notifyShown",
    "notifyAccepted",
    "notifyRejected",
]
SHAPES = [
    None,
    {},
    [],
    ["one"],
    {"item": None},
    {"item": {"command": "ghostfill.accepted"}},
    {"item": {"command": {"arguments": None}}},
    {"item": {"command": {"arguments": []}}},
    {"item": {"command": {"arguments": [{"id": 7}]}}, "acceptedLength": "all"},
    {"item": {"command": {"arguments": [{"id": "nobody"}]}}, "acceptedLength": -1},
    {"textDocument": "main.py"},
    {"textDocument": {"uri": None}},
    {"uuid": None},
    {"uuid": "nobody", "acceptedLength": True},
    {"uuids": "nobody"},
    {"uuids": [1, None, "nobody", {}]},
]


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A state folder of the test's own; the path of the file in it."""
    folder = tmp_path / "state"
    monkeypatch.setenv("XDG_STATE_HOME", str(folder))
    return folder / "ghostfill" / "stats.sqlite"


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / "workspace"
    folder.mkdir()
    (folder / "main.py").write_text("import os\n")
    return folder


@pytest.fixture
async def client(workspace: Path) -> AsyncIterator[Client]:
    async with connected(FakeBackend(lambda prompt: SAID), workspace, NO_WAIT) as connection:
        yield connection


async def offered(client: Client, workspace: Path) -> dict[str, Any]:
    """The item that the client got."""
    client.open(workspace / "main.py", "import os\n")
    client.type(workspace / "main.py", "home = ")
    answer = await asyncio.wait_for(client.ask(workspace / "main.py")[1], TIMEOUT_SECONDS)
    (item,) = answer["result"]["items"]
    return item


def outcomes(client: Client) -> tuple[int, int, int, int]:
    counts = client.server.session.feedback.counts
    return counts.shown, counts.accepted, counts.partially_accepted, counts.dismissed


# Copilot's notifications


async def test_the_item_of_a_report_says_which_completion_is_meant(client, workspace):
    item = await offered(client, workspace)

    client.notify("textDocument/didShowCompletion", {"item": item})
    client.notify(
        "textDocument/didPartiallyAcceptCompletion", {"item": item, "acceptedLength": len("os.path")}
    )

    assert outcomes(client) == (1, 0, 1, 0)
    assert client.server.session.feedback.counts.accepted_chars == len("os.path")


async def test_a_client_that_reports_is_not_credited_with_what_it_did_not_show(client, workspace):
    item = await offered(client, workspace)
    client.notify("textDocument/didShowCompletion", {"item": item})
    client.type(workspace / "main.py", "!")
    await asyncio.wait_for(client.ask(workspace / "main.py")[1], TIMEOUT_SECONDS)

    assert outcomes(client)[0] == 1


async def test_an_edit_that_inserts_words_of_the_ghost_text_is_a_partial_acceptance(client, workspace):
    """As VS Code makes it, which reports nothing."""
    await offered(client, workspace)
    at = {"line": 1, "character": len("home = ")}
    client.notify(
        "textDocument/didChange",
        {
            "textDocument": {"uri": (workspace / "main.py").as_uri(), "version": 50},
            "contentChanges": [{"range": {"start": at, "end": at}, "text": "os.path"}],
        },
    )

    assert outcomes(client) == (1, 0, 1, 0)


async def test_the_document_in_focus_is_where_the_user_is(client):
    client.notify("textDocument/didFocus", {"textDocument": {"uri": "file:///a.py"}})
    client.notify("textDocument/didFocus", {})

    assert client.server.session.focus.uri == "file:///a.py"


# Older clients


async def test_older_clients_report_by_requests(client, workspace):
    item = await offered(client, workspace)
    uuid = item["command"]["arguments"][0]["id"]

    assert await client.request("notifyShown", {"uuid": uuid}) == "OK"
    assert await client.request("notifyAccepted", {"uuid": uuid, "acceptedLength": 2}) == "OK"
    assert outcomes(client) == (1, 0, 1, 0)

    assert await client.request("notifyAccepted", {"uuid": uuid}) == "OK"
    assert outcomes(client) == (1, 1, 0, 0)


async def test_older_clients_reject_several_at_once(client, workspace):
    item = await offered(client, workspace)
    uuid = item["command"]["arguments"][0]["id"]

    assert await client.request("notifyRejected", {"uuids": [uuid, "another"]}) == "OK"

    assert outcomes(client) == (1, 0, 0, 1)


# Any shape


async def test_a_report_of_any_shape_is_passed_over(client, workspace, caplog):
    await offered(client, workspace)
    before = outcomes(client)
    for method in REPORTS:
        for shape in SHAPES:
            client.notify(method, shape)
            if method.startswith("notify"):
                assert await client.request(method, shape) == "OK"
    await client.request("textDocument/completion", _position(workspace))

    assert outcomes(client)[1:] == before[1:]
    assert [record.message for record in caplog.records] == []


def _position(workspace: Path) -> dict[str, Any]:
    return {
        "textDocument": {"uri": (workspace / "none.py").as_uri()},
        "position": {"line": 0, "character": 0},
    }


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda children: (
        st.lists(children, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["item", "command", "arguments", "id", "acceptedLength", "uuid", "uuids", "days"]
            ),
            children,
            max_size=3,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=300)
@given(ANYTHING)
def test_nothing_in_a_report_is_relied_on(params):
    assert isinstance(_offer_id(params), str | None)
    assert isinstance(_length(params), int | None)
    assert all(isinstance(each, str) for each in _uuids(params))
    assert 1 <= _num_days([params]) <= 400


@pytest.mark.parametrize(
    ("said", "length"), [(3, 3), (3.0, 3), (3.5, None), (True, None), ("3", None), (float("inf"), None)]
)
def test_a_length_may_be_written_as_lua_does(said, length):
    assert _length({"acceptedLength": said}) == length


# The command, and the file


async def test_the_command_tells_what_was_counted_until_now(client, workspace, state):
    await offered(client, workspace)

    report = await client.request("workspace/executeCommand", {"command": "ghostfill.stats"})

    assert (report["file"], report["enabled"], report["days"]) == (str(state), True, 30)
    assert (report["total"]["shown"], report["total"]["requests"]) == (1, 1)
    assert report["by_language"]["python"]["answered"] == 1


async def test_the_command_looks_back_as_far_as_it_is_told(client):
    command = {"command": "ghostfill.stats", "arguments": [{"days": 7}]}

    assert (await client.request("workspace/executeCommand", command))["days"] == 7


async def test_a_session_leaves_its_counts_in_the_file(workspace, state):
    async with connected(FakeBackend(lambda prompt: SAID), workspace, NO_WAIT) as client:
        await offered(client, workspace)

    (tally,) = StatsFile(state).read().values()
    assert {key.name: number for key, number in tally.items()}["shown"] == 1
    content = state.read_bytes()
    for word in (b"main.py", b"workspace", b"join", b"home"):
        assert word not in content


async def test_nothing_is_written_where_counting_is_turned_off(workspace, state):
    options = {**NO_WAIT, "stats": {"enabled": False}}
    async with connected(FakeBackend(lambda prompt: SAID), workspace, options) as client:
        await offered(client, workspace)
        report = await client.request("workspace/executeCommand", {"command": "ghostfill.stats"})

    assert report["enabled"] is False
    assert not state.exists()


async def test_a_repository_can_turn_counting_off(workspace, state):
    (workspace / ".ghostfill.toml").write_text("[stats]\nenabled = false\n")
    async with connected(FakeBackend(lambda prompt: SAID), workspace, NO_WAIT) as client:
        await offered(client, workspace)

    assert not state.exists()


async def test_a_broken_file_fails_no_request(workspace, state):
    state.parent.mkdir(parents=True, mode=0o700)
    state.write_bytes(b"broken")
    async with connected(FakeBackend(lambda prompt: SAID), workspace, NO_WAIT) as client:
        await offered(client, workspace)
        report = await client.request("workspace/executeCommand", {"command": "ghostfill.stats"})

    assert report["total"]["shown"] == 1
    assert json.dumps(report)
