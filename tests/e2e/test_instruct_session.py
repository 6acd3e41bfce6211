"""An instruct model in the engine that completes: a real server and engine, the built-in weights.

Behind a template what they say is worth nothing; that it comes, in pieces, beside ghost text, is proved.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from cli_home import Home
from instruct_model import make_builtin_instruct, set_template
from lsp_client import LspClient, LspError

MAIN, UTILS = "main.py", "utils.py"
SECONDS = 120
CANCELLED = "-32800"
WORDS = "(not checked):\n\n"


@pytest.fixture
def instruct(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_builtin_instruct(tmp_path_factory.mktemp("models") / "instruct")


def opened(client: LspClient, workspace: Path) -> None:
    for name in (MAIN, UTILS):
        client.open((workspace / name).as_uri(), (workspace / name).read_text())


def asked(path: Path) -> dict[str, Any]:
    return {
        "textDocument": {"uri": path.as_uri()},
        "position": {"line": path.read_text().count("\n"), "character": 9999},
        "context": {"triggerKind": 1},
    }


def ghost_text(client: LspClient, path: Path) -> str:
    items = client.request("textDocument/inlineCompletion", asked(path), timeout=SECONDS)["items"]
    return str(items[0]["insertText"]) if items else ""


def explain(client: LspClient, path: Path, token: str = "one") -> int:
    """Asks for the function in the first line."""
    place = {"uri": path.as_uri(), "position": {"line": 0, "character": 6}}
    argument = {**place, "show": False, "token": token}
    return client.send_request(
        "workspace/executeCommand", {"command": "ghostfill.explain", "arguments": [argument]}
    )


def words_of(page: str) -> str:
    """What the instruct model said, of a page."""
    return page.partition(WORDS)[2].partition("\n\nGiven to the model")[0]


def until_it_speaks(client: LspClient, token: str = "one") -> str:
    def speaks(params: Any) -> bool:
        return params["token"] == token and bool(words_of(params["text"]).strip())

    told = client.wait_notification("ghostfill/didExplain", speaks, timeout=SECONDS)
    assert not told["done"]
    return words_of(told["text"])


def test_an_explanation_streams_and_ghost_text_goes_on(
    connect: Any, home: Home, workspace: Path, instruct: Path
) -> None:
    """One engine with both models: completions come while the words come, and are what they are without."""
    client = connect(chat={"model": str(instruct)})
    opened(client, workspace)
    pending = explain(client, workspace / UTILS)
    first = until_it_speaks(client)

    assert ghost_text(client, workspace / MAIN) == "_kelvin(celsius)"
    assert not client.has_answer(pending)

    found = client.wait_result(pending, timeout=SECONDS)
    said = words_of(found["text"])
    assert len(said) > len(first)
    assert f"**In the words of `{instruct.name}`** (not checked):" in found["text"]
    assert f"]({(workspace / UTILS).as_uri()})" in found["text"].split("Given to the model: ")[1]
    told = [params["text"] for params in client.take_notifications("ghostfill/didExplain")]
    assert len({words_of(text) for text in told}) > 2
    assert len(home.engine_pids()) == 1
    client.wait_notification("$/progress", lambda params: "loading instruct" in str(params["value"]))
    client.shutdown()


def test_an_engine_killed_under_an_explanation_is_told_and_comes_back(
    connect: Any, home: Home, workspace: Path, instruct: Path
) -> None:
    """The words so far stay, a sentence says that they broke off, and ghost text works again."""
    client = connect(chat={"model": str(instruct)})
    opened(client, workspace)
    pending = explain(client, workspace / UTILS)
    first = until_it_speaks(client)
    killed = home.engine_pids()
    for pid in killed:
        os.kill(pid, signal.SIGKILL)

    text = client.wait_result(pending, timeout=SECONDS)["text"]

    assert first.split("\n")[0] in text
    assert "*The answer broke off: " in text
    assert ghost_text(client, workspace / MAIN) == "_kelvin(celsius)"
    assert set(home.engine_pids()).isdisjoint(killed)
    client.shutdown()


def test_an_explanation_that_is_cancelled_leaves_the_engine_to_others(
    connect: Any, home: Home, workspace: Path, instruct: Path
) -> None:
    client = connect(chat={"model": str(instruct)})
    opened(client, workspace)
    pending = explain(client, workspace / UTILS)
    until_it_speaks(client)

    client.cancel(pending)

    with pytest.raises(LspError, match=CANCELLED):
        client.wait_result(pending, timeout=SECONDS)
    again = explain(client, workspace / UTILS, "two")
    assert until_it_speaks(client, "two")
    assert words_of(client.wait_result(again, timeout=SECONDS)["text"])
    client.shutdown()


@pytest.mark.parametrize(
    ("template", "sentence"),
    [(None, "is not an instruct model"), ("{% if %}", "cannot be read")],
    ids=["a base model", "a broken template"],
)
def test_a_model_that_cannot_answer_is_told_and_the_rest_stands(
    connect: Any, workspace: Path, instruct: Path, template: str | None, sentence: str
) -> None:
    """The page has its facts and the line of the model that completes; ghost text never noticed."""
    set_template(instruct, template)
    client = connect(chat={"model": str(instruct)})
    opened(client, workspace)

    text = client.wait_result(explain(client, workspace / UTILS), timeout=SECONDS)["text"]

    assert "# `celsius_to_kelvin`" in text
    assert "*The instruct model was asked in vain: " in text
    assert sentence in text
    assert ghost_text(client, workspace / MAIN) == "_kelvin(celsius)"
    client.shutdown()
