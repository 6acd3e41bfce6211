"""`complete` on a small workspace, with the real built-in model."""

import json
from pathlib import Path

import pytest

from cli_home import Home, RunCli
from engine.backends.local import LocalBackend
from engine.launch import EngineSpec
from lsp_server.answer import Ask, Trigger
from lsp_server.cli.workbench import Workbench
from lsp_server.documents import DocumentSnapshot
from lsp_server.engine_link import EngineLink
from lsp_server.pipeline import Pipeline
from lsp_server.planner import Planner
from lsp_server.settings import Settings
from lsp_server.status import Status

PLACE = "main.py:6:24"
LEADER = "    kelvin = celsius_to"


def test_complete_prints_the_completion_and_what_it_cost(ghostfill: RunCli, kelvin: Path) -> None:
    """One JSON object on stdout, nothing else there."""
    done = ghostfill("complete", PLACE, "--json", cwd=kelvin)

    report = json.loads(done.stdout)
    timings = report["timings"]
    assert done.returncode == 0, done.stderr
    assert report["file"] == str(kelvin / "main.py")
    assert [file["path"] for file in report["files"] if file["chosen"]] == ["utils.py"]
    assert timings["prompt_tokens"] == timings["reused_tokens"] + timings["prefilled_tokens"]
    assert 0 < report["context_tokens"] < timings["prompt_tokens"]
    assert report["total_ms"] >= report["engine_ms"] > 0


def test_complete_shows_the_ghost_text_where_it_would_stand(ghostfill: RunCli, kelvin: Path) -> None:
    """And says what was spent, in a pipe without escape sequences."""
    text = json.loads(ghostfill("complete", PLACE, "--json", cwd=kelvin).stdout)["text"]
    done = ghostfill("complete", PLACE, cwd=kelvin)

    assert text
    assert f"{LEADER}▏{text}" in done.stdout
    assert "prompt tokens" in done.stdout
    assert "\x1b" not in done.stdout


async def test_complete_says_what_the_language_server_says(
    home: Home, kelvin: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same place through the server's pipeline gives the same text."""
    monkeypatch.setenv("GHOSTFILL_RUNTIME_DIR", str(home.runtime))
    file, settings, backend = kelvin / "main.py", Settings(), LocalBackend(EngineSpec())
    text = file.read_text()
    offset = text.index(LEADER) + len(LEADER)
    async with Workbench(settings, kelvin, backend) as bench:
        worked = await bench.complete(file, text, offset)
        planner = Planner(bench.context)
        link = EngineLink(backend, Status(lambda _: None), None, print)
        pipeline = Pipeline(settings, bench.context, planner, link)
        snapshot = DocumentSnapshot(file.as_uri(), file, "python", 1, text)
        answer = await pipeline.answer(Ask(snapshot, offset, Trigger.INVOKED))
        planner.close()

    assert worked.text
    assert answer.offers
    assert answer.offers[0].text == worked.text


def test_both_commands_share_one_engine(home: Home, kelvin: Path) -> None:
    """Equal settings, one process: the second command finds the engine of the first."""
    pids = []
    for command in ("complete", "context"):
        home.run(command, PLACE, "--json", cwd=kelvin)
        pids.append(home.engine_pids())

    assert pids[0]
    assert pids[0] == pids[1]
