"""What an instruct model explains: what is selected, what the cursor is in, or what is reported."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from action_scene import (  # noqa: F401  (the fixtures)
    MAIN,
    UNDEFINED,
    WRONG_LINE,
    FakeChat,
    actions,
    backend_fixture,
    chat_fixture,
    client_fixture,
    done,
    refused,
    span,
    titles,
    workspace_fixture,
)
from context.syntax.described import Span
from inprocess import Client
from lsp_server.actions.subject import Subject, selected_lines
from lsp_server.documents import DocumentSnapshot

GO = 'package main\n\nimport "fmt"\n\nfunc main() {\n\tfmt.Println(1)\n}\n\nvar x = 1\n'


def lines(first: int, last: int, start: int = 0, end: int = 0) -> dict[str, Any]:
    return {"start": {"line": first, "character": start}, "end": {"line": last, "character": end}}


def open_go(client: Client, path: Path, text: str = GO) -> str:
    document = {"uri": path.as_uri(), "languageId": "go", "version": 0, "text": text}
    client.notify("textDocument/didOpen", {"textDocument": document})
    return path.as_uri()


def quoted(chat: FakeChat) -> str:
    """What the prompt calls the code, with where it is."""
    code = chat.prompt.split("The code: ")[1]
    head, _, rest = code.partition("```")
    return head.strip() + "\n" + rest.partition("\n")[2].partition("\n```")[0]


async def test_lines_of_a_function_are_explained_as_lines(
    client: Client, chat: FakeChat, workspace: Path
) -> None:
    uri = (workspace / "main.py").as_uri()
    found = await done(client, "explain", uri=uri, range=lines(4, 5, 9, 6), show=False)

    assert found["title"] == "lines 5 to 6 in main.py"
    assert quoted(chat) == (
        "`main.py`, lines 5 to 6:\n    kelvin = celsius_to_kelvn(celsius)\n    print(kelvin)"
    )
    assert "def report(celsius):" in chat.prompt.split("The code: ")[0]
    assert chat.prompt.endswith("Explain the code.")
    assert "It **prints**" in found["text"]


async def test_a_selection_that_ends_before_a_line_is_without_it(
    client: Client, chat: FakeChat, workspace: Path
) -> None:
    uri = (workspace / "main.py").as_uri()
    found = await done(client, "explain", uri=uri, range=lines(4, 5), show=False)
    assert found["title"] == "line 5 in main.py"


async def test_several_functions_are_explained_together(
    client: Client, chat: FakeChat, workspace: Path
) -> None:
    uri = (workspace / "main.py").as_uri()
    client._change(uri, MAIN.replace("to_kelvn", "to_kelvin"))
    found = await done(client, "explain", uri=uri, range=lines(3, 10), show=False)

    assert found["title"] == "lines 4 to 10 in main.py"
    assert "**What is called here:**" in found["text"]
    assert "[`utils.py:1`]" in found["text"]
    assert "called at" not in found["text"]
    assert "def again" in quoted(chat)


async def test_a_selected_function_is_that_function(client: Client, chat: FakeChat, workspace: Path) -> None:
    uri = (workspace / "main.py").as_uri()
    for place in (lines(3, 6), lines(2, 7), lines(3, 5, 0, 99)):
        found = await done(client, "explain", uri=uri, range=place, show=False)
        assert found["title"] == "report in main.py"


async def test_outside_of_functions_a_diagnostic_leads_to_its_statement(
    client: Client, chat: FakeChat, workspace: Path
) -> None:
    uri = (workspace / "main.py").as_uri()
    client._change(uri, "import os\n\nTOTAL = sum(\n    [undefined_name]\n)\nREST = 1\n")
    wrong = {"range": span(3, 5, 19), "message": "Undefined name `undefined_name`"}
    found = await done(client, "explain", uri=uri, range=span(3, 5), diagnostics=[wrong], show=False)

    assert found["title"] == "lines 3 to 5 in main.py"
    assert "TOTAL = sum(" in quoted(chat)
    assert "REST" not in quoted(chat)
    assert "Explain what is reported of the code" in chat.prompt


async def test_of_a_function_too_long_for_the_model_the_reported_statement_is_left(
    client: Client, chat: FakeChat, workspace: Path
) -> None:
    uri = (workspace / "main.py").as_uri()
    client._change(uri, MAIN.replace("    print", "    x = 1\n" * 3_000 + "    print"))
    found = await done(client, "explain", uri=uri, range=span(4), diagnostics=[UNDEFINED], show=False)
    assert found["title"] == "line 5 in main.py"
    assert "It **prints**" in found["text"]


async def test_nothing_at_all_is_said_to_be_nothing(client: Client, chat: FakeChat, workspace: Path) -> None:
    uri = (workspace / "main.py").as_uri()
    assert "nothing is reported" in await refused(client, "explain", uri=uri, range=span(0))


async def test_lines_of_any_language_can_be_explained(
    client: Client, chat: FakeChat, workspace: Path
) -> None:
    uri = open_go(client, workspace / "notes.go")
    selected = await done(client, "explain", uri=uri, range=lines(5, 6), show=False)
    assert quoted(chat) == "`notes.go`, line 6:\n\tfmt.Println(1)"
    chat.asked.clear()
    at_cursor = await done(client, "explain", uri=uri, range=span(5, 1), show=False)

    assert selected["title"] == "line 6 in notes.go"
    assert at_cursor["title"] == "lines 5 to 7 in notes.go"
    assert "func main() {" in quoted(chat)
    assert selected["files"][0] == {"path": "notes.go", "uri": uri}


async def test_there_too_a_diagnostic_leads_to_its_lines_and_nothing_is_nothing(
    client: Client, chat: FakeChat, workspace: Path
) -> None:
    uri = open_go(client, workspace / "notes.go")
    wrong = {"range": span(8, 4, 5), "message": "x is not used"}
    found = await done(client, "explain", uri=uri, range=span(7), diagnostics=[wrong], show=False)

    assert found["title"] == "line 9 in notes.go"
    assert "- line 9: `x is not used`, at `var x = 1`" in chat.prompt
    assert "nothing at the cursor" in await refused(client, "explain", uri=uri, range=span(7))


async def test_a_document_without_a_file_is_explained(client: Client, chat: FakeChat) -> None:
    document = {"uri": "untitled:Untitled-1", "languageId": "python", "version": 0, "text": MAIN}
    client.notify("textDocument/didOpen", {"textDocument": document})
    found = await done(client, "explain", uri="untitled:Untitled-1", range=lines(4, 6), show=False)

    assert "It **prints**" in found["text"]
    assert "](" not in found["text"]
    assert found["files"] == []


@pytest.mark.parametrize("name", ["big.py", "big.go"])
async def test_generated_files_are_left_alone(
    client: Client, chat: FakeChat, workspace: Path, name: str
) -> None:
    uri = open_go(client, workspace / name, "x = 'generated, not written'\n" * 20_000)
    assert "too large, or looks generated" in await refused(client, "explain", uri=uri, range=lines(3, 6))
    assert await actions(client, workspace / name, lines(3, 6)) == []


async def test_private_files_are_not_sent(client: Client, chat: FakeChat, workspace: Path) -> None:
    client.open(workspace / ".env")
    uri = (workspace / ".env").as_uri()
    assert "private" in await refused(client, "explain", uri=uri, range=lines(0, 0, 0, 5))
    assert await actions(client, workspace / ".env", lines(0, 0, 0, 5)) == []
    assert chat.asked == []


async def test_the_light_bulb_offers_what_is_selected_and_asks_nobody(
    client: Client, chat: FakeChat, workspace: Path
) -> None:
    path, part = workspace / "main.py", lines(4, 5, 9, 6)
    found = await actions(client, path, part)

    assert titles(found)[-2:] == ["Explain 'report'", "Explain the selection"]
    whole, selection = (action["command"]["arguments"][0] for action in found[-2:])
    assert selection == {"uri": path.as_uri(), "range": part}
    assert (await done(client, "explain", **whole, show=False))["title"] == "report in main.py"
    assert (await done(client, "explain", **selection, show=False))["title"] == "lines 5 to 6 in main.py"
    assert len(chat.asked) == 2
    assert titles(await actions(client, path, lines(3, 10)))[-1] == "Explain the selection"
    assert titles(await actions(client, path, lines(3, 6)))[-1] == "Explain 'report'"
    assert titles(await actions(client, path, span(4)))[-1] == "Explain 'report'"


async def test_the_light_bulb_offers_a_problem_to_who_asks_by_hand(
    client: Client, chat: FakeChat, workspace: Path
) -> None:
    path, where = workspace / "main.py", span(WRONG_LINE)
    found = await actions(client, path, where, UNDEFINED)
    by_itself = await actions(client, path, where, UNDEFINED, triggerKind=2)

    assert titles(found)[-2:] == ["Explain 'report'", "Explain this problem"]
    assert titles(by_itself) == ['Fix with ghostfill: Undefined name "celsius_to_kelvn"']
    (argument,) = found[-1]["command"]["arguments"]
    assert (await done(client, "explain", **argument, show=False))["title"] == "report in main.py"
    assert "Undefined name" in chat.prompt


async def test_the_light_bulb_knows_other_languages_too(
    client: Client, chat: FakeChat, workspace: Path
) -> None:
    open_go(client, workspace / "notes.go")
    wrong = {"range": span(8, 4, 5), "message": "x is not used"}
    found = await actions(client, workspace / "notes.go", lines(4, 5), wrong)
    assert titles(found) == ["Explain the selection", "Explain this problem"]
    assert await actions(client, workspace / "notes.go", span(4)) == []


def snapshot(text: str) -> DocumentSnapshot:
    return DocumentSnapshot("file:///w/a.py", None, "python", 0, text)


@pytest.mark.parametrize(
    ("text", "picked", "span"),
    [
        ("a = 1\nb = 2\nc = 3\n", "b", (6, 11)),
        ("a = 1\nb = 2\nc = 3\n", "b = 2\n", (6, 11)),
        ("a = 1\n\n  b = 2  \n\nc = 3\n", "\n  b = 2  \n\n", (7, 14)),
        ("a = 1\r\nb = 2\r\nc = 3", "1\r\nb", (0, 12)),
        ("a = 1\n\n\n", "\n\n", None),
        ("a = 1", "", None),
    ],
)
def test_selected_lines_are_whole(text: str, picked: str, span: tuple[int, int] | None) -> None:
    start = text.index(picked)
    assert selected_lines(snapshot(text), start, start + len(picked)) == span


@pytest.mark.parametrize(
    ("size", "around"),
    [(100, ("1\n2\n3\n", "5\n6\n7")), (4, ("3\n", "5\n")), (6, ("3\n", "5\n")), (2, ("", "")), (0, ("", ""))],
)
def test_what_is_around_are_whole_lines_of_either_side(size: int, around: tuple[str, str]) -> None:
    assert Subject(snapshot("1\n2\n3\n4\n5\n6\n7"), Span(6, 7)).around(size) == around
