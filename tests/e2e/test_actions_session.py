"""Code actions over real pipes, with the real engine and model: what must hold whatever it says."""

from __future__ import annotations

import ast
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from cli_home import Home
from fake_chat_server import chat_server
from lsp_client import LspClient, LspError
from story import INVENTORY, LINE, write_workspace

CAPABILITIES = {
    "textDocument": {
        "inlineCompletion": {},
        "codeAction": {
            "codeActionLiteralSupport": {"codeActionKind": {"valueSet": []}},
            "dataSupport": True,
            "resolveSupport": {"properties": ["edit"]},
        },
    },
    "window": {"workDoneProgress": True, "showDocument": {"support": True}},
    "workspace": {
        "applyEdit": True,
        "workspaceEdit": {"documentChanges": True, "changeAnnotationSupport": {}},
    },
}
WRONG = "        print(item.name, formt_price(item.unit_price))\n"
MAIN = LINE.text.removesuffix("        ") + WRONG
UNDOCUMENTED = INVENTORY.replace('    """A price, tax included."""\n', "")
SECONDS = 90


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    main = write_workspace(tmp_path, MAIN)
    (tmp_path / "inventory.py").write_text(UNDOCUMENTED)
    return main


@contextmanager
def connected(home: Home, shop: Path, **options: Any) -> Iterator[LspClient]:
    folders = [{"uri": shop.parent.as_uri(), "name": "shop"}]
    with LspClient(home.command("serve"), cwd=str(shop.parent), env=home.environment()) as client:
        client.initialize(CAPABILITIES, workspaceFolders=folders, initializationOptions=options)
        for path in (shop, shop.with_name("inventory.py")):
            client.open(path.as_uri(), path.read_text())
        yield client


@pytest.fixture
def client(home: Home, shop: Path) -> Any:
    with connected(home, shop) as client:
        yield client


def position(text: str, picked: str) -> dict[str, int]:
    before = text[: text.index(picked)]
    return {"line": before.count("\n"), "character": len(before) - before.rfind("\n") - 1}


def at(text: str, picked: str) -> dict[str, Any]:
    start = position(text, picked)
    return {"start": start, "end": {**start, "character": start["character"] + len(picked)}}


def execute(client: LspClient, name: str, **argument: Any) -> Any:
    params = {"command": f"ghostfill.{name}", "arguments": [argument]}
    return client.request("workspace/executeCommand", params, timeout=SECONDS)


def applied(text: str, edit: dict[str, Any]) -> str:
    ((row,),) = [change["edits"] for change in edit["documentChanges"]]
    lines = text.split("\n")
    start, end = (
        sum(len(line) + 1 for line in lines[: place["line"]]) + place["character"]
        for place in (row["range"]["start"], row["range"]["end"])
    )
    return f"{text[:start]}{row['newText']}{text[end:]}"


def test_a_misspelt_name_of_another_file_is_fixed_from_the_light_bulb(client: LspClient, shop: Path) -> None:
    wrong = {"range": at(MAIN, "formt_price"), "message": '"formt_price" is not defined', "severity": 1}
    params = {
        "textDocument": {"uri": shop.as_uri()},
        "range": wrong["range"],
        "context": {"diagnostics": [wrong]},
    }
    fix, *others = client.request("textDocument/codeAction", params)

    assert fix["kind"] == "quickfix"
    assert [action["title"] for action in others] == ["Explain 'report' with ghostfill"]
    edit = client.request("codeAction/resolve", fix, timeout=SECONDS)["edit"]
    assert applied(MAIN, edit) == MAIN.replace("formt_price", "format_price")


def test_a_missing_bracket_is_put_where_the_text_parses_again(client: LspClient, shop: Path) -> None:
    broken = MAIN.replace("formt_price(item.unit_price))", "format_price(item.unit_price)")
    client.change(shop.as_uri(), 2, {"text": broken})

    edit = execute(client, "fix", uri=shop.as_uri(), range=at(broken, "print("), apply=False)["edit"]

    ast.parse(applied(broken, edit))


def test_a_docstring_is_put_where_python_reads_it(client: LspClient, shop: Path) -> None:
    """Applied by the client, for the version that it has."""
    uri = shop.with_name("inventory.py").as_uri()
    asked: list[Any] = []
    client.on_request("workspace/applyEdit", lambda params: asked.append(params) or {"applied": True})

    found = execute(client, "document", uri=uri, position=position(UNDOCUMENTED, "return unit_price"))

    assert found["applied"]
    assert asked[0]["edit"] == found["edit"]
    assert found["edit"]["documentChanges"][0]["textDocument"] == {"uri": uri, "version": 1}
    after = ast.parse(applied(UNDOCUMENTED, found["edit"]))
    (function,) = (each for each in after.body if getattr(each, "name", "") == "price_with_tax")
    assert isinstance(function, ast.FunctionDef)
    assert ast.get_docstring(function)
    del function.body[0]
    assert ast.dump(after) == ast.dump(ast.parse(UNDOCUMENTED))


def test_an_explanation_links_to_who_calls_and_is_shown(client: LspClient, shop: Path) -> None:
    text = MAIN.replace("formt_price", "format_price")
    client.change(shop.as_uri(), 2, {"text": text})
    shown: list[Any] = []
    client.on_request("window/showDocument", lambda params: shown.append(params) or {"success": True})
    uri = shop.with_name("inventory.py").as_uri()

    found = execute(client, "explain", uri=uri, position=position(UNDOCUMENTED, "return f"), token="one")

    assert found["title"] == "format_price in inventory.py"
    line = position(text, "print(item")["line"] + 1
    assert f"[`main.py:{line}`]({shop.as_uri()}#L{line}), in `report`" in found["text"]
    assert {"path": "main.py", "uri": shop.as_uri()} in found["files"]
    last = client.wait_notification("ghostfill/didExplain", lambda params: params["done"])
    assert last == {"token": "one", "text": found["text"], "done": True}
    client.shutdown()  # whatever it still asks for has come by then
    assert [each["uri"] for each in shown] == [found["uri"]]


def test_an_instruct_models_words_come_while_it_writes(home: Home, shop: Path) -> None:
    uri = shop.with_name("inventory.py").as_uri()
    explain = {"uri": uri, "position": position(UNDOCUMENTED, "return f"), "show": False, "token": "one"}
    with (
        chat_server(lambda messages: "It **writes** a price.") as chat,
        connected(home, shop, chat={"url": chat.url}) as client,
    ):
        chat.hold()
        pending = client.send_request(
            "workspace/executeCommand", {"command": "ghostfill.explain", "arguments": [explain]}
        )
        chat.let(3)
        early = client.wait_notification(
            "ghostfill/didExplain", lambda params: "It **writes**" in params["text"], timeout=SECONDS
        )
        chat.let(9)
        found = client.wait_result(pending, timeout=SECONDS)

    assert "price" not in early["text"].split("\n---\n")[1]
    assert "**In the words of `instruct`** (not checked):\n\nIt **writes** a price.\n\n" in found["text"]
    given = found["text"].split("Given to the model: ")[1]
    assert all(f"]({each['uri']})" in given for each in found["files"][:1])
    assert "def format_price" in chat.prompts[0]
    assert chat.bodies[0]["stream"]


def test_an_explanation_that_is_cancelled_lets_the_model_go(home: Home, shop: Path) -> None:
    explain = {"uri": shop.as_uri(), "position": position(MAIN, "formt"), "show": False, "token": "one"}
    with chat_server() as chat, connected(home, shop, chat={"url": chat.url}) as client:
        chat.hold()
        pending = client.send_request(
            "workspace/executeCommand", {"command": "ghostfill.explain", "arguments": [explain]}
        )
        chat.let(2)
        client.wait_notification(
            "ghostfill/didExplain", lambda params: params["text"].endswith("An\n"), timeout=SECONDS
        )
        client.cancel(pending)
        with pytest.raises(LspError, match="-32800"):
            client.wait_result(pending)
        last = client.wait_notification("ghostfill/didExplain", lambda params: params["done"])

        assert last["text"].endswith("An\n")
        assert chat.was_left.wait(SECONDS)


def test_without_the_instruct_model_that_is_set_the_rest_stands(home: Home, shop: Path) -> None:
    """A server that is not there: the page says so and goes on with what the built-in model has to say."""
    with connected(home, shop, chat={"url": "http://127.0.0.1:9", "model": "a/b"}) as client:
        place = {"uri": shop.as_uri(), "position": position(MAIN, "formt"), "show": False}
        text = execute(client, "explain", **place)["text"]

    assert "# `report`" in text
    assert "*The instruct model was" in text
    assert "127\\.0\\.0\\.1" in text
    assert "In the model's words" in text or "in vain" in text


def test_ghost_text_goes_before_a_description(client: LspClient, shop: Path) -> None:
    """A completion asked for while one is written is answered, whichever ends first."""
    inventory = shop.with_name("inventory.py")
    explain = {"uri": inventory.as_uri(), "position": position(UNDOCUMENTED, "return f"), "show": False}
    execute(client, "explain", **explain)  # the engine is up
    params = {"command": "ghostfill.explain", "arguments": [explain]}
    pending = client.send_request("workspace/executeCommand", params)
    asked = {
        "textDocument": {"uri": shop.as_uri()},
        "position": {"line": MAIN.count("\n"), "character": 0},
        "context": {"triggerKind": 1},
    }
    items = client.request("textDocument/inlineCompletion", asked, timeout=SECONDS)["items"]

    assert isinstance(items, list)
    assert client.wait_result(pending, timeout=SECONDS)["text"]


def test_cancelling_is_answered_at_once(client: LspClient, shop: Path) -> None:
    argument = {"uri": shop.as_uri(), "position": position(MAIN, "formt"), "show": False}
    params = {"command": "ghostfill.explain", "arguments": [argument]}
    pending = client.send_request("workspace/executeCommand", params)
    client.cancel(pending)

    with pytest.raises(LspError, match="-32800"):
        client.wait_result(pending)


def test_a_generated_file_of_20_000_lines_is_left_alone_in_no_time(client: LspClient, tmp_path: Path) -> None:
    path = tmp_path / "generated.py"
    text = "".join(
        f"def f{number}(a):\n    return [a, {number}, 'some text to fill it']\n" for number in range(10_000)
    )
    client.open(path.as_uri(), text)
    started = time.monotonic()
    params = {
        "textDocument": {"uri": path.as_uri()},
        "range": at(text, "f500("),
        "context": {"diagnostics": []},
    }

    assert client.request("textDocument/codeAction", params) == []
    with pytest.raises(LspError, match="too large"):
        execute(client, "document", uri=path.as_uri(), range=at(text, "f500("))
    assert time.monotonic() - started < SECONDS
