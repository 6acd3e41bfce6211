"""Clients without ghost text find the completion in their menu: one item, last, true to the text."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from engine.fake import FakeBackend
from inprocess import TIMEOUT_SECONDS, Client, connected

NO_WAIT = {"inline": {"debounceMs": 0, "minConfidence": 0}}
INVOKED, TRIGGER_CHARACTER, INCOMPLETE = 1, 2, 3
INLINE = {"inlineCompletion": {}}
MARKDOWN = {"completion": {"completionItem": {"documentationFormat": ["markdown", "plaintext"]}}}


@pytest.fixture
def main(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").write_text("")
    path = tmp_path / "main.py"
    path.write_text("")
    return path


def menu(
    client: Client, path: Path, text: str, kind: int | None = INCOMPLETE
) -> asyncio.Future[dict[str, Any]]:
    """Ask for the menu at the end of `text`, which the buffer is."""
    lines = text.replace("\r\n", "\n").split("\n")
    params = {
        "textDocument": {"uri": path.as_uri()},
        "position": {"line": len(lines) - 1, "character": len(lines[-1].encode("utf-16-le")) // 2},
    }
    if kind is not None:
        params["context"] = {"triggerKind": kind}
    return client.send("textDocument/completion", params)[1]


async def answer(client: Client, path: Path, text: str, kind: int | None = INCOMPLETE) -> dict[str, Any]:
    full = await asyncio.wait_for(menu(client, path, text, kind), TIMEOUT_SECONDS)
    assert "error" not in full, full
    return full["result"]


async def item(said: str, main: Path, text: str, **capabilities: Any) -> dict[str, Any]:
    """The one item where the model says `said` behind `text`."""
    async with connected(FakeBackend(lambda prompt: said), main.parent, NO_WAIT, **capabilities) as client:
        client.open(main, text)
        (only,) = (await answer(client, main, text))["items"]
        return only


# Who is offered a menu


@pytest.mark.parametrize(
    ("capabilities", "options", "is_advertised"),
    [
        pytest.param({}, {}, True, id="a client without inline completion"),
        pytest.param({"textDocument": INLINE}, {}, False, id="a client with it"),
        pytest.param(
            {"textDocument": INLINE}, {"client": {"completion": True}}, True, id="one that asks for both"
        ),
        pytest.param(
            {"textDocument": INLINE}, {"client": {"completion": False}}, False, id="one that does not"
        ),
        pytest.param({"textDocument": INLINE}, {"client": "completion"}, False, id="one that says nonsense"),
    ],
)
async def test_the_menu_is_for_clients_without_ghost_text(main, capabilities, options, is_advertised):
    async with connected(FakeBackend(lambda prompt: ""), main.parent, options, **capabilities) as client:
        offered = client.server.protocol.server_capabilities.completion_provider
        full = await asyncio.wait_for(menu(client, main, ""), TIMEOUT_SECONDS)

    assert (offered is not None) is is_advertised
    assert ("error" in full) is not is_advertised


# The item


async def test_the_item_completes_the_word_before_the_cursor(main):
    """The menu keeps what begins with that word, and replaces it."""
    only = await item("sius_to_kelvin(20)", main, "x = cel")

    assert only["label"] == only["filterText"] == "celsius_to_kelvin(20)"
    assert only["textEdit"] == {
        "newText": "celsius_to_kelvin(20)",
        "range": {"start": {"line": 0, "character": 4}, "end": {"line": 0, "character": 7}},
    }


async def test_the_item_is_plain_honest_and_last(main):
    only = await item("40 + 2", main, "answer = ")

    assert only["detail"] == "ghostfill"
    assert only["kind"] == 1  # Text
    assert only["sortText"] > "zzzz"
    assert only["insertTextFormat"] == 1
    assert only["insertTextMode"] == 1
    assert "preselect" not in only
    assert only["command"]["command"] == "ghostfill.accepted"


async def test_further_lines_are_as_they_will_stand(main):
    text = "def f(x):\n    if x:\n        "
    only = await item("a = 1\n        return a", main, text)

    assert only["textEdit"]["newText"] == "a = 1\n        return a"
    assert only["label"] == "a = 1…"
    assert only["filterText"] == "a = 1"
    assert only["documentation"] == {"kind": "plaintext", "value": "a = 1\n        return a"}


async def test_the_documents_line_ends_are_kept(main):
    text = "def f(x):\r\n    if x:\r\n        "
    only = await item("a = 1\n        return a", main, text)

    assert only["textEdit"]["newText"] == "a = 1\r\n        return a"


async def test_clients_that_render_markdown_get_a_code_block(main):
    only = await item("abs(1)", main, "x = ", textDocument=MARKDOWN)

    assert only["documentation"] == {"kind": "markdown", "value": "```python\nabs(1)\n```"}


async def test_code_that_holds_a_fence_does_not_end_the_block(main):
    only = await item("'````'", main, "x = ", textDocument=MARKDOWN)

    assert only["documentation"]["value"] == "`````python\n'````'\n`````"


async def test_a_long_line_has_a_short_label(main):
    said = " + ".join("abcdefgh")
    only = await item(f"value + {said} + {said}", main, "x = ")

    assert len(only["label"]) == 60
    assert only["label"].endswith("…")
    assert only["textEdit"]["newText"] == f"value + {said} + {said}"


async def test_positions_are_in_the_clients_units(main):
    """Two for what lies beyond the first plane, in UTF-16."""
    only = await item("bcd", main, "s = '😋', a")

    assert only["textEdit"]["range"]["start"] == {"line": 0, "character": 10}


async def test_the_list_is_asked_for_anew_at_each_key(main):
    async with connected(FakeBackend(lambda prompt: ""), main.parent, NO_WAIT) as client:
        client.open(main, "x = ")

        assert await answer(client, main, "x = ") == {"isIncomplete": True, "items": []}


async def test_a_document_that_is_not_open_has_no_items(main):
    async with connected(FakeBackend(lambda prompt: "1"), main.parent, NO_WAIT) as client:
        assert (await answer(client, main, ""))["items"] == []


async def test_a_language_that_is_turned_off_has_no_items(main):
    options = {**NO_WAIT, "languages": {"disabled": ["python"]}}
    async with connected(FakeBackend(lambda prompt: "1"), main.parent, options) as client:
        client.open(main, "x = ")

        assert (await answer(client, main, "x = ", INVOKED))["items"] == []


# Who asks


@pytest.mark.parametrize(
    ("text", "kind", "is_patient"),
    [
        pytest.param("x = cel", INVOKED, False, id="a letter opens the menu"),
        pytest.param("x = cel", INCOMPLETE, False, id="a letter in an open menu"),
        pytest.param("x = y.", TRIGGER_CHARACTER, False, id="a dot opens the menu"),
        pytest.param("x = ", INVOKED, True, id="by hand, where typing opens none"),
        pytest.param("x = ", None, True, id="a client that does not say why"),
    ],
)
async def test_a_menu_that_opens_by_itself_has_two_seconds(main, text, kind, is_patient):
    backend = FakeBackend(lambda prompt: "abs(1)")
    async with connected(backend, main.parent, NO_WAIT) as client:
        client.open(main, text)
        await answer(client, main, text, kind)

    (max_ms,) = {request.max_ms for request in backend.requests if request.priority == "visible"}
    assert (max_ms is None or max_ms > 2000) is is_patient


async def test_asking_again_without_typing_is_asking_by_hand(main):
    """What LSP calls an invocation may be a letter that opened the menu; the same text again is not."""
    said = ["", "abs(1)"]
    backend = FakeBackend(lambda prompt: said.pop(0) if said else "")
    async with connected(backend, main.parent, {"inline": {"debounceMs": 0, "speculate": False}}) as client:
        client.open(main, "x = y")
        assert (await answer(client, main, "x = y", INVOKED))["items"] == []
        (only,) = (await answer(client, main, "x = y", INVOKED))["items"]

    assert only["label"] == "yabs(1)"


async def test_an_engine_that_hangs_holds_up_no_menu(main, monkeypatch):
    monkeypatch.setattr("lsp_server.pipeline.AUTOMATIC_SECONDS", 0.05)
    backend = FakeBackend(lambda prompt: "40 + 2")
    async with connected(backend, main.parent, NO_WAIT) as client:
        client.open(main, "x = ")
        backend.gate.clear()

        assert await answer(client, main, "x = ") == {"isIncomplete": True, "items": []}


async def test_a_newer_menu_ends_the_older_one(main):
    backend = FakeBackend(lambda prompt: "40 + 2")
    async with connected(backend, main.parent, NO_WAIT) as client:
        client.open(main, "x = ")
        backend.gate.clear()
        older = menu(client, main, "x = ")
        await asyncio.sleep(0)
        client.type(main, "y")
        newer = menu(client, main, "x = y")
        assert (await asyncio.wait_for(older, TIMEOUT_SECONDS))["result"]["items"] == []
        backend.gate.set()

        assert len((await asyncio.wait_for(newer, TIMEOUT_SECONDS))["result"]["items"]) == 1


# What becomes of it


async def test_accepting_the_item_is_counted(main):
    async with connected(FakeBackend(lambda prompt: "40 + 2"), main.parent, NO_WAIT) as client:
        client.open(main, "x = ")
        (only,) = (await answer(client, main, "x = "))["items"]
        command = only["command"]
        await client.request(
            "workspace/executeCommand", {"command": command["command"], "arguments": command["arguments"]}
        )
        counts = client.server.session.feedback.counts

    assert (counts.shown, counts.accepted, counts.accepted_chars) == (1, 1, len("40 + 2"))


async def test_typing_on_in_an_open_menu_shows_the_same_completion(main):
    async with connected(FakeBackend(lambda prompt: "forty(2)"), main.parent, NO_WAIT) as client:
        client.open(main, "x = ")
        (first,) = (await answer(client, main, "x = "))["items"]
        client.type(main, "for")
        (then,) = (await answer(client, main, "x = for"))["items"]
        counts = client.server.session.feedback.counts

    assert (first["label"], then["label"]) == ("forty(2)", "forty(2)")
    assert then["command"] == first["command"]
    assert counts.shown == 1
