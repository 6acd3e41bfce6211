"""`ghostfill.showContext`: the live buffer explained, as an answer and as a page that the client may show."""

from __future__ import annotations

import asyncio
import json
import stat
import threading
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.backends.base import EngineInfo, OnProgress
from engine.fake import FakeBackend
from engine.fim import FORMATS
from engine.layout import Layout
from inprocess import TIMEOUT_SECONDS, Client, connected

UTILS = "def celsius_to_kelvin(degrees: float) -> float:\n    return degrees + 273.15\n"
MAIN = "from utils import celsius_to_kelvin\n\n\ndef report(celsius):\n    kelvin = celsius_to"
CAN_SHOW = {"window": {"showDocument": {"support": True}}}


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("GHOSTFILL_RUNTIME_DIR", str(tmp_path / "run"))
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "utils.py").write_text(UTILS)
    (folder / "main.py").write_text(MAIN)
    return folder


@pytest.fixture
async def client(workspace: Path) -> AsyncIterator[Client]:
    async with connected(FakeBackend(lambda prompt: "_kelvin(celsius)"), workspace) as client:
        yield client


def execute(client: Client, *arguments: Any) -> asyncio.Future[dict[str, Any]]:
    params = {"command": "ghostfill.showContext", "arguments": list(arguments)}
    return client.send("workspace/executeCommand", params)[1]


async def shown(client: Client, *arguments: Any) -> dict[str, Any]:
    answer = await asyncio.wait_for(execute(client, *arguments), TIMEOUT_SECONDS)
    assert "error" not in answer, answer
    result: dict[str, Any] = answer["result"]
    return result


async def refused(client: Client, *arguments: Any) -> str:
    answer = await asyncio.wait_for(execute(client, *arguments), TIMEOUT_SECONDS)
    return str(answer["error"]["message"])


async def test_the_live_buffer_is_explained_at_the_given_place(client: Client, workspace: Path) -> None:
    """Not the file on disk."""
    main = workspace / "main.py"
    client.open(main)
    client.type(main, "_k")

    place = {"line": 4, "character": 9}
    result = await shown(client, {"uri": main.as_uri(), "position": place})

    report = result["report"]
    assert (report["file"], report["line"], report["column"]) == ("main.py", 5, 10)
    assert {segment["path"] for segment in report["segments"]} == {"utils.py"}
    around = {row["kind"]: row["text"] for row in report["around"]}
    assert around.pop("prefix") + around.pop("healed") == MAIN[: MAIN.index("kelvin = ") + 5]
    assert around == {"suffix": "n = celsius_to_k"}
    assert [tuple(edge) for edge in report["imports"]["edges"]] == [("main.py", "utils.py")]


async def test_the_report_is_of_what_the_next_completion_sends(client: Client, workspace: Path) -> None:
    """Same plan, same prompt: asked right after a completion, all of it but the answer is cached."""
    main = workspace / "main.py"
    client.open(main)
    assert await client.ghost_text(main, trigger=1) == "_kelvin(celsius)"

    report = (await shown(client))["report"]

    backend = client.server.session.link._backend
    assert report["prompt_tokens"] == report["cached_tokens"] == len(backend.requests[-1].prompt_ids)
    sent = [row for row in (*report["segments"], *report["around"]) if row["start"] is not None]
    assert {row["cached"] for row in sent} == {"yes"}


class AnchoredBackend(FakeBackend):
    """A model trained on PSM."""

    async def ready(self, on_progress: OnProgress | None = None) -> EngineInfo:
        info = await super().ready(on_progress)
        return replace(info, layout=Layout(info.tokenizer, FORMATS["deepseek-coder"]))


async def test_the_next_completion_keeps_the_documents_anchor(workspace: Path) -> None:
    """What was typed since, lines of it, stands behind the rest of the prompt."""
    main = workspace / "main.py"
    backend = AnchoredBackend(lambda prompt: "_kelvin(celsius)")
    async with connected(backend, workspace) as client:
        client.open(main)
        await client.ghost_text(main, trigger=1)
        client.type(main, "_k\n    re")

        place = {"line": 5, "character": len("    re")}
        report = (await shown(client, {"uri": main.as_uri(), "position": place}))["report"]

    around = {row["kind"]: row["text"] for row in report["around"]}
    line = MAIN.rindex("\n") + 1
    assert around["prefix"] == MAIN[:line]
    assert around["tail"] + around["healed"] == MAIN[line:] + "_k\n    re"
    assert report["cached_tokens"] > 0


async def test_without_an_argument_it_is_the_document_and_place_last_seen(
    client: Client, workspace: Path
) -> None:
    main, utils = workspace / "main.py", workspace / "utils.py"
    client.open(main)
    client.open(utils)
    assert (await shown(client))["report"]["file"] == "utils.py"
    await client.ghost_text(main)
    report = (await shown(client))["report"]
    assert (report["file"], report["line"]) == ("main.py", 5)
    client.notify("textDocument/didFocus", {"textDocument": {"uri": utils.as_uri()}})
    assert (await shown(client, None))["report"]["file"] == "utils.py"
    client.type(main, "_")
    assert (await shown(client))["report"]["file"] == "main.py"
    client.notify("textDocument/didClose", {"textDocument": {"uri": main.as_uri()}})
    assert "No document is open" in await refused(client)


async def test_the_page_is_a_private_file_per_document(client: Client, workspace: Path) -> None:
    main = workspace / "main.py"
    client.open(main)

    first, second = await shown(client), await shown(client)

    page = Path(first["path"])
    assert first["path"] == second["path"]
    assert first["uri"] == page.as_uri()
    assert stat.S_IMODE(page.stat().st_mode) == 0o600
    assert "def celsius_to_kelvin" in page.read_text(encoding="utf-8")
    assert not page.is_relative_to(workspace)


async def test_a_client_that_can_show_documents_is_asked_to(workspace: Path) -> None:
    """Outside of the editor, and not if it says that it shows the report itself."""
    backend = FakeBackend(lambda prompt: "")
    async with connected(backend, workspace, **CAN_SHOW) as client:
        asked = []
        receive = client.write

        def write(data: bytes) -> None:
            message = json.loads(data.partition(b"\r\n\r\n")[2])
            if message.get("method") != "window/showDocument":
                return receive(data)
            asked.append(message["params"])
            client._receive({"id": message["id"], "result": {"success": False}})
            return None

        client.write = write
        client.open(workspace / "main.py")
        silent = await shown(client, {"show": False})
        assert asked == []
        result = await shown(client)

    assert asked == [{"uri": result["uri"], "external": True}]
    assert silent["uri"] == result["uri"]


async def test_a_client_that_cannot_show_documents_is_not_asked(client: Client, workspace: Path) -> None:
    client.open(workspace / "main.py")

    await shown(client)

    assert "window/showDocument" not in [method for method, _ in client.notifications]
    assert client.shown == []


@pytest.mark.parametrize(
    "argument", [{}, [], 7, "file", {"position": 3}, {"position": {"line": "x"}}, {"uri": None}]
)
async def test_an_argument_that_says_nothing_is_none(client: Client, workspace: Path, argument: Any) -> None:
    client.open(workspace / "main.py")

    assert (await shown(client, argument))["report"]["file"] == "main.py"


@pytest.mark.parametrize("place", [{"line": 10**6, "character": 0}, {"line": -3, "character": -9}])
async def test_a_place_outside_of_the_text_is_the_nearest_inside(
    client: Client, workspace: Path, place: dict[str, int]
) -> None:
    main = workspace / "main.py"
    client.open(main)

    report = (await shown(client, {"uri": main.as_uri(), "position": place}))["report"]

    assert report["line"] in (1, 5)


async def test_what_is_not_open_is_said(client: Client) -> None:
    assert "No document is open" in await refused(client)
    assert "is not open here" in await refused(client, {"uri": "file:///elsewhere.py"})


async def test_a_private_file_is_not_explained(client: Client, workspace: Path) -> None:
    """Nothing of it is written anywhere."""
    secret = workspace / ".env"
    secret.write_text("TOKEN=1")
    client.open(secret)

    assert "Nothing is sent for this document" in await refused(client)
    assert not (workspace.parent / "state" / "ghostfill" / "context").exists()


async def test_a_document_without_a_file_is_explained_without_context(client: Client) -> None:
    document = {"uri": "untitled:Untitled-1", "languageId": "python", "version": 0, "text": "x = 1\n"}
    client.notify("textDocument/didOpen", {"textDocument": document})

    report = (await shown(client))["report"]

    assert (report["file"], report["segments"]) == ("untitled:Untitled-1", [])
    assert any("Repository context is off" in note for note in report["notes"])


async def test_while_no_engine_answers_the_tokenizer_of_the_model_is_enough(workspace: Path) -> None:
    backend = FakeBackend(lambda prompt: "")
    backend.is_dead = True
    async with connected(backend, workspace) as client:
        client.open(workspace / "main.py")

        report = (await shown(client))["report"]

    assert report["cached_tokens"] is None
    assert {segment["path"] for segment in report["segments"]} == {"utils.py"}
    assert any("No engine is running" in note for note in report["notes"])


async def test_the_page_is_made_off_the_event_loop(
    client: Client, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While it is being made and written, the server answers others."""
    from lsp_server import shown_context

    is_reached, release = threading.Event(), threading.Event()
    write = shown_context._write

    def held(*arguments: Any) -> Path:
        is_reached.set()
        assert release.wait(TIMEOUT_SECONDS)
        return write(*arguments)

    monkeypatch.setattr(shown_context, "_write", held)
    main = workspace / "main.py"
    client.open(main)
    page = execute(client)
    assert await asyncio.to_thread(is_reached.wait, TIMEOUT_SECONDS)

    assert await client.ghost_text(main, trigger=1) == "_kelvin(celsius)"

    assert not page.done()
    release.set()
    assert (await asyncio.wait_for(page, TIMEOUT_SECONDS))["result"]["report"]["file"] == "main.py"


async def test_a_page_that_cannot_be_written_is_a_sentence_for_the_user(
    client: Client, workspace: Path
) -> None:
    client.open(workspace / "main.py")
    (workspace.parent / "state").write_text("no folder")

    assert "cannot be used" in await refused(client)
