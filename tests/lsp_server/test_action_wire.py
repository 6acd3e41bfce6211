"""Light bulb and commands as a client sees them, with a model that says what the test wants."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from engine.api import Priority
from engine.fake import FakeBackend
from inprocess import TIMEOUT_SECONDS, Client, connected

UTILS = "def celsius_to_kelvin(degrees: float) -> float:\n    return degrees + 273.15\n"
MAIN = (
    "from utils import celsius_to_kelvin\n\n\ndef report(celsius):\n    kelvin = celsius_to_kelvn(celsius)\n"
    "    print(kelvin)\n\n\ndef again(celsius):\n    report(celsius)\n"
)
WRONG_LINE = 4
RESOLVES = {"dataSupport": True, "resolveSupport": {"properties": ["edit"]}}
ACTIONS = {"codeActionLiteralSupport": {"codeActionKind": {"valueSet": []}}}
FULL = {
    "textDocument": {"codeAction": {**ACTIONS, **RESOLVES}, "inlineCompletion": {}},
    "workspace": {
        "applyEdit": True,
        "workspaceEdit": {"documentChanges": True, "changeAnnotationSupport": {}},
    },
}


def span(line: int, start: int = 0, end: int | None = None) -> dict[str, Any]:
    end = start if end is None else end
    return {"start": {"line": line, "character": start}, "end": {"line": line, "character": end}}


UNDEFINED = {"range": span(WRONG_LINE, 13, 29), "message": 'Undefined name "celsius_to_kelvn"', "severity": 1}


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("GHOSTFILL_RUNTIME_DIR", str(tmp_path / "run"))
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "utils.py").write_text(UTILS)
    (folder / "main.py").write_text(MAIN)
    (folder / "notes.go").write_text("package main\n\nfunc main() {}\n")
    (folder / ".env").write_text("KEY=1\n")
    return folder


@pytest.fixture
def backend() -> FakeBackend:
    return FakeBackend(lambda prompt: "Print the temperature.")


@pytest.fixture
async def client(workspace: Path, backend: FakeBackend) -> AsyncIterator[Client]:
    async with connected(backend, workspace, **FULL) as client:
        client.open(workspace / "main.py")
        await asyncio.sleep(0)
        yield client


async def actions(
    client: Client, path: Path, where: dict[str, Any], *diagnostics: Any, **context: Any
) -> list[dict[str, Any]]:
    params = {
        "textDocument": {"uri": path.as_uri()},
        "range": where,
        "context": {"diagnostics": list(diagnostics), **context},
    }
    found: list[dict[str, Any]] = await client.request("textDocument/codeAction", params)
    return found


def titles(found: list[dict[str, Any]]) -> list[str]:
    return [action["title"].removesuffix(" with ghostfill") for action in found]


def command(client: Client, name: str, **argument: Any) -> asyncio.Future[dict[str, Any]]:
    params = {"command": f"ghostfill.{name}", "arguments": [argument]}
    return client.send("workspace/executeCommand", params)[1]


async def done(client: Client, name: str, **argument: Any) -> dict[str, Any]:
    answer = await asyncio.wait_for(command(client, name, **argument), TIMEOUT_SECONDS)
    assert "error" not in answer, answer
    result: dict[str, Any] = answer["result"]
    return result


async def refused(client: Client, name: str, **argument: Any) -> str:
    answer = await asyncio.wait_for(command(client, name, **argument), TIMEOUT_SECONDS)
    return str(answer["error"]["message"])


def edited(text: str, edit: dict[str, Any]) -> str:
    """The text after a workspace edit of one document."""
    if "changes" in edit:
        (rows,) = edit["changes"].values()
    else:
        (change,) = edit["documentChanges"]
        rows = change["edits"]
    (row,) = rows
    starts = [0]
    for line in text.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    first, last = row["range"]["start"], row["range"]["end"]
    start, end = (starts[at["line"]] + at["character"] for at in (first, last))
    return f"{text[:start]}{row['newText']}{text[end:]}"


# The light bulb


async def test_the_light_bulb_asks_no_engine(client: Client, workspace: Path, backend: FakeBackend) -> None:
    backend.gate.clear()  # it would wait for ever
    asked = len(backend.requests)

    found = await actions(client, workspace / "main.py", span(WRONG_LINE, 13), UNDEFINED)

    assert titles(found) == [
        'Fix with ghostfill: Undefined name "celsius_to_kelvn"',
        "Document 'report'",
        "Explain 'report'",
    ]
    assert [action.get("kind") for action in found] == ["quickfix", "refactor.rewrite", None]
    assert all("edit" not in action for action in found)
    assert found[2]["command"]["command"] == "ghostfill.explain"
    assert found[2]["command"]["arguments"] == [
        {"uri": (workspace / "main.py").as_uri(), "range": span(WRONG_LINE, 13)}
    ]
    assert len(backend.requests) == asked


async def test_without_anything_wrong_there_is_no_fix(client: Client, workspace: Path) -> None:
    found = await actions(client, workspace / "main.py", span(WRONG_LINE, 13))
    assert titles(found) == ["Document 'report'", "Explain 'report'"]


async def test_outside_of_functions_there_is_nothing(client: Client, workspace: Path) -> None:
    assert await actions(client, workspace / "main.py", span(0)) == []


async def test_what_is_described_is_not_documented_again(client: Client, workspace: Path) -> None:
    client._change((workspace / "main.py").as_uri(), 'def f():\n    """Described."""\n')
    assert titles(await actions(client, workspace / "main.py", span(0))) == ["Explain 'f'"]


async def test_several_diagnostics_of_one_statement_are_one_fix(client: Client, workspace: Path) -> None:
    other = {"range": span(WRONG_LINE, 4, 10), "message": "something else"}
    elsewhere = {"range": span(WRONG_LINE + 1, 4, 9), "message": "in the next line"}

    found = await actions(client, workspace / "main.py", span(WRONG_LINE), UNDEFINED, other, elsewhere)

    assert titles(found)[:2] == [
        'Fix with ghostfill: Undefined name "celsius_to_kelvn"',
        "Fix with ghostfill: in the next line",
    ]
    assert [len(action["diagnostics"]) for action in found[:2]] == [2, 1]


async def test_a_syntax_error_needs_no_diagnostic(client: Client, workspace: Path) -> None:
    client._change((workspace / "main.py").as_uri(), "def f():\n    return g(1\n")
    found = await actions(client, workspace / "main.py", span(1, 8))
    assert "Fix with ghostfill: syntax error" in titles(found)


async def test_only_the_kinds_that_are_asked_for(client: Client, workspace: Path) -> None:
    async def of(*kinds: str) -> list[str]:
        found = await actions(client, workspace / "main.py", span(WRONG_LINE), UNDEFINED, only=list(kinds))
        return [action["kind"] for action in found]

    assert await of("quickfix") == ["quickfix"]
    assert await of("refactor") == ["refactor.rewrite"]
    assert await of("refactor.rewrite", "quickfix") == ["quickfix", "refactor.rewrite"]
    assert await of("source", "refactor.rewri") == []


@pytest.mark.parametrize("name", ["notes.go", ".env"])
async def test_other_languages_and_private_files_have_no_light_bulb(
    client: Client, workspace: Path, name: str
) -> None:
    path = workspace / name
    client.notify(
        "textDocument/didOpen",
        {"textDocument": {"uri": path.as_uri(), "languageId": "go", "version": 0, "text": path.read_text()}},
    )
    assert await actions(client, path, span(0), {**UNDEFINED, "range": span(0, 0, 3)}) == []


async def test_a_client_that_cannot_resolve_gets_commands(workspace: Path, backend: FakeBackend) -> None:
    async with connected(backend, workspace, textDocument={"codeAction": ACTIONS}) as client:
        client.open(workspace / "main.py")
        found = await actions(client, workspace / "main.py", span(WRONG_LINE), UNDEFINED)

    assert [action["command"]["command"] for action in found] == [
        "ghostfill.fix",
        "ghostfill.document",
        "ghostfill.explain",
    ]
    assert found[0]["command"]["arguments"][0]["diagnostics"] == [UNDEFINED]


async def test_a_client_without_literals_gets_bare_commands(workspace: Path, backend: FakeBackend) -> None:
    async with connected(backend, workspace) as client:
        client.open(workspace / "main.py")
        found = await actions(client, workspace / "main.py", span(WRONG_LINE), UNDEFINED)

    assert [action["command"] for action in found] == [
        "ghostfill.fix",
        "ghostfill.document",
        "ghostfill.explain",
    ]


# Edits


async def test_resolving_a_fix_gives_its_edit(client: Client, workspace: Path) -> None:
    """For this version of the document, to be confirmed."""
    fix, *_ = await actions(client, workspace / "main.py", span(WRONG_LINE, 13), UNDEFINED)
    edit = (await client.request("codeAction/resolve", fix))["edit"]

    assert edited(MAIN, edit) == MAIN.replace("to_kelvn", "to_kelvin")
    (change,) = edit["documentChanges"]
    assert change["textDocument"] == {"uri": (workspace / "main.py").as_uri(), "version": 0}
    (row,) = change["edits"]
    assert row["newText"] == "i"
    assert edit["changeAnnotations"][row["annotationId"]]["needsConfirmation"] is True


async def test_resolving_a_document_action_gives_its_edit(client: Client, workspace: Path) -> None:
    (_, document, _) = await actions(client, workspace / "main.py", span(WRONG_LINE, 13), UNDEFINED)
    edit = (await client.request("codeAction/resolve", document))["edit"]

    header = "def report(celsius):\n"
    assert edited(MAIN, edit) == MAIN.replace(header, f'{header}    """Print the temperature."""\n')


@pytest.mark.parametrize("data", [None, 3, {"command": "ghostfill.fix"}, {"command": 1, "argument": {}}])
async def test_an_action_of_somebody_else_is_given_back(client: Client, data: Any) -> None:
    action = {"title": "Theirs", "data": data}
    found = await client.request("codeAction/resolve", action)
    assert "edit" not in found
    assert found["title"] == "Theirs"


async def test_who_knows_no_versions_gets_plain_changes(workspace: Path, backend: FakeBackend) -> None:
    async with connected(backend, workspace) as client:
        client.open(workspace / "main.py")
        uri = (workspace / "main.py").as_uri()
        found = await done(client, "fix", uri=uri, range=span(WRONG_LINE, 13), diagnostics=[UNDEFINED])

    assert not found["applied"]
    assert list(found["edit"]) == ["changes"]
    assert edited(MAIN, found["edit"]) == MAIN.replace("to_kelvn", "to_kelvin")
    assert "lets no server apply" in found["message"]


async def test_an_infilled_fix_is_the_one_that_parses(
    client: Client, workspace: Path, backend: FakeBackend
) -> None:
    text = "def f(a):\n    return g(a\n"
    backend.script = lambda prompt: ")"
    client._change((workspace / "main.py").as_uri(), text)

    found = await done(
        client, "fix", uri=(workspace / "main.py").as_uri(), position=span(1)["start"], apply=False
    )

    assert edited(text, found["edit"]) == "def f(a):\n    return g(a)\n"
    chat = [request for request in backend.requests if request.priority is Priority.CHAT]
    assert chat
    assert all(request.document is None and request.max_tokens <= 96 for request in chat)


async def test_a_fix_that_fixes_nothing_is_not_made(
    client: Client, workspace: Path, backend: FakeBackend
) -> None:
    text = "def f(a):\n    return g(a\n"
    backend.script = lambda prompt: "(((("
    client._change((workspace / "main.py").as_uri(), text)

    found = await done(client, "fix", uri=(workspace / "main.py").as_uri(), position=span(1)["start"])

    assert (found["edit"], found["applied"]) == (None, False)
    assert "nothing was changed" in found["message"]


async def test_of_a_long_statement_only_the_wrong_line_is_written_anew(
    client: Client, workspace: Path
) -> None:
    text = "def f(price):\n    return [\n" + "        price,\n" * 40 + "        prise,\n    ]\n"
    client._change((workspace / "main.py").as_uri(), text)
    wrong = {"range": span(42, 8, 13), "message": "Undefined name `prise`"}

    uri = (workspace / "main.py").as_uri()
    found = await done(client, "fix", uri=uri, range=span(42), diagnostics=[wrong], apply=False)

    assert edited(text, found["edit"]) == text.replace("prise", "price")


async def test_windows_line_ends_stay(client: Client, workspace: Path, backend: FakeBackend) -> None:
    text = "def f(a):\r\n    return a\r\n"
    backend.script = lambda prompt: "What is\n    given."
    client._change((workspace / "main.py").as_uri(), text)

    found = await done(client, "document", uri=(workspace / "main.py").as_uri(), range=span(0), apply=False)

    (row,) = found["edit"]["documentChanges"][0]["edits"]
    assert row["newText"] == '    """What is\r\n    given.\r\n    """\r\n'
    assert row["range"] == span(1)


async def test_columns_are_the_clients(client: Client, workspace: Path) -> None:
    text = 'def f(price):\n    return "𝒳€", prise\n'
    client._change((workspace / "main.py").as_uri(), text)
    wrong = {"range": span(1, 18, 23), "message": "Undefined name `prise`"}

    uri = (workspace / "main.py").as_uri()
    found = await done(client, "fix", uri=uri, range=span(1, 18), diagnostics=[wrong], apply=False)

    (row,) = found["edit"]["documentChanges"][0]["edits"]
    assert (row["range"], row["newText"]) == (span(1, 21, 22), "c")


async def answer_applied(client: Client, is_applied: bool, seen: list[Any]) -> None:
    """Have the client answer what it is asked to apply."""
    write = client.write

    def answer(data: bytes) -> None:
        message = json.loads(data.partition(b"\r\n\r\n")[2])
        if message.get("method") != "workspace/applyEdit":
            write(data)
            return
        seen.append(message["params"])
        result = {"applied": is_applied, "failureReason": None if is_applied else "the user said no"}
        client._receive({"id": message["id"], "result": result})

    client.write = answer  # type: ignore[method-assign]


@pytest.mark.parametrize("is_applied", [True, False])
async def test_a_command_has_its_edit_applied(client: Client, workspace: Path, is_applied: bool) -> None:
    seen: list[Any] = []
    await answer_applied(client, is_applied, seen)
    uri = (workspace / "main.py").as_uri()

    found = await done(client, "document", uri=uri, range=span(WRONG_LINE))

    assert found["applied"] is is_applied
    assert ("the user said no" in found["message"]) is not is_applied
    assert [each["edit"] for each in seen] == [found["edit"]]


# The document as it is


async def test_a_document_that_changed_meanwhile_is_left_alone(
    client: Client, workspace: Path, backend: FakeBackend
) -> None:
    backend.gate.clear()
    uri = (workspace / "main.py").as_uri()
    pending = command(client, "document", uri=uri, range=span(WRONG_LINE))
    while not any(request.priority is Priority.CHAT for request in backend.requests):
        await asyncio.sleep(0.01)
    client._change(uri, "x = 1\n" + MAIN)
    backend.gate.set()

    answer = await asyncio.wait_for(pending, TIMEOUT_SECONDS)

    assert "changed while ghostfill worked" in answer["error"]["message"]


async def test_an_action_of_an_older_version_is_not_resolved(client: Client, workspace: Path) -> None:
    fix, *_ = await actions(client, workspace / "main.py", span(WRONG_LINE, 13), UNDEFINED)
    client._change((workspace / "main.py").as_uri(), "x = 1\n" + MAIN)

    answer = await asyncio.wait_for(client.send("codeAction/resolve", fix)[1], TIMEOUT_SECONDS)

    assert "changed since this was offered" in answer["error"]["message"]


@pytest.mark.parametrize("name", ["document", "explain"])
async def test_cancelling_stops_the_engine(
    client: Client, workspace: Path, backend: FakeBackend, name: str
) -> None:
    backend.gate.clear()
    argument = {"uri": (workspace / "main.py").as_uri(), "range": span(WRONG_LINE)}
    params = {"command": f"ghostfill.{name}", "arguments": [argument]}
    number, pending = client.send("workspace/executeCommand", params)
    while not any(request.priority is Priority.CHAT for request in backend.requests):
        await asyncio.sleep(0.01)
    cancelled = backend.num_cancelled
    client.notify("$/cancelRequest", {"id": number})

    assert (await asyncio.wait_for(pending, TIMEOUT_SECONDS))["error"]["code"] == -32800
    assert backend.num_cancelled == cancelled + 1


async def test_a_cancelled_resolve_is_answered(client: Client, workspace: Path, backend: FakeBackend) -> None:
    (action,) = await actions(client, workspace / "main.py", span(WRONG_LINE), only=["refactor"])
    backend.gate.clear()
    number, pending = client.send("codeAction/resolve", action)
    while not any(request.priority is Priority.CHAT for request in backend.requests):
        await asyncio.sleep(0.01)
    client.notify("$/cancelRequest", {"id": number})

    assert (await asyncio.wait_for(pending, TIMEOUT_SECONDS))["error"]["code"] == -32800


# Refusals


@pytest.mark.parametrize("name", ["fix", "document", "explain"])
async def test_what_is_refused_is_refused_with_a_sentence(client: Client, workspace: Path, name: str) -> None:
    uri = (workspace / "main.py").as_uri()

    assert "takes one object" in await refused(client, name)
    assert "needs a range" in await refused(client, name, uri=uri)
    assert "needs a range" in await refused(client, name, uri=uri, range={"start": 1, "end": None})
    assert "is not open" in await refused(client, name, uri="file:///no/such.py", range=span(0))

    client.server.session.switches.toggle(None)
    assert "off" in await refused(client, name, uri=uri, range=span(WRONG_LINE))


@pytest.mark.parametrize("name", ["fix", "document", "explain"])
async def test_languages_without_a_grammar_are_refused(client: Client, workspace: Path, name: str) -> None:
    path = workspace / "notes.go"
    text = path.read_text()
    document = {"uri": path.as_uri(), "languageId": "go", "version": 0, "text": text}
    client.notify("textDocument/didOpen", {"textDocument": document})

    assert "cannot read go" in await refused(client, name, uri=path.as_uri(), range=span(2))


@pytest.mark.parametrize("name", ["fix", "document", "explain"])
async def test_private_files_are_refused(client: Client, workspace: Path, name: str) -> None:
    client.open(workspace / ".env")
    uri = (workspace / ".env").as_uri()
    assert "private" in await refused(client, name, uri=uri, range=span(0))


@pytest.mark.parametrize("name", ["fix", "document", "explain"])
async def test_files_too_large_are_refused(client: Client, workspace: Path, name: str) -> None:
    client._change((workspace / "main.py").as_uri(), MAIN + "x = 1\n" * 100_000)
    uri = (workspace / "main.py").as_uri()
    assert "too large" in await refused(client, name, uri=uri, range=span(WRONG_LINE))


@pytest.mark.parametrize("name", ["document", "explain"])
async def test_a_selection_over_functions_and_one_outside_of_any(
    client: Client, workspace: Path, name: str
) -> None:
    uri = (workspace / "main.py").as_uri()
    both = {"start": {"line": 4, "character": 0}, "end": {"line": 9, "character": 3}}

    assert "reaches over several" in await refused(client, name, uri=uri, range=both)
    assert "no function or class here" in await refused(client, name, uri=uri, range=span(0))


async def test_nothing_wrong_is_nothing_to_fix(client: Client, workspace: Path) -> None:
    uri = (workspace / "main.py").as_uri()
    assert "known to be wrong" in await refused(client, "fix", uri=uri, range=span(WRONG_LINE))


async def test_what_the_client_told_before_counts(client: Client, workspace: Path) -> None:
    """Through ghostfill/didChangeDiagnostics, by line."""
    uri = (workspace / "main.py").as_uri()
    client.notify("ghostfill/didChangeDiagnostics", {"uri": uri, "diagnostics": [UNDEFINED]})

    found = await done(client, "fix", uri=uri, range=span(WRONG_LINE), apply=False)

    assert edited(MAIN, found["edit"]) == MAIN.replace("to_kelvn", "to_kelvin")


async def test_a_model_that_says_nothing(client: Client, workspace: Path, backend: FakeBackend) -> None:
    backend.script = lambda prompt: ""
    uri = (workspace / "main.py").as_uri()
    found = await done(client, "document", uri=uri, range=span(WRONG_LINE))
    (action,) = await actions(client, workspace / "main.py", span(WRONG_LINE), only=["refactor"])
    answer = await asyncio.wait_for(client.send("codeAction/resolve", action)[1], TIMEOUT_SECONDS)

    assert (found["edit"], found["applied"]) == (None, False)
    assert "nothing usable" in found["message"]
    assert answer["error"]["message"] == found["message"]


async def test_without_an_engine_only_facts_remain(workspace: Path, backend: FakeBackend) -> None:
    async with connected(backend, workspace, **FULL) as client:
        client.open(workspace / "main.py")
        backend.is_dead = True
        uri = (workspace / "main.py").as_uri()

        assert "ngine" in await refused(client, "document", uri=uri, range=span(WRONG_LINE))
        found = await done(client, "explain", uri=uri, range=span(WRONG_LINE), show=False)

    assert "def report(celsius):" in found["text"]
    assert "in vain" in found["text"]


# Explaining


async def test_facts_come_first_and_are_links(client: Client, workspace: Path) -> None:
    utils, main = (workspace / "utils.py").as_uri(), (workspace / "main.py").as_uri()
    client._change(main, MAIN.replace("to_kelvn", "to_kelvin"))

    found = await done(client, "explain", uri=main, range=span(WRONG_LINE), token="t", show=False)

    assert found["title"] == "report in main.py"
    assert f"[`utils.py:1`]({utils}#L1)" in found["text"]
    assert f"[`main.py:10`]({main}#L10), in `again`" in found["text"]
    assert "Print the temperature" in found["text"]
    assert "guess, not checked" in found["text"]
    assert found["files"] == [{"path": "main.py", "uri": main}, {"path": "utils.py", "uri": utils}]
    told = [params for method, params in client.notifications if method == "ghostfill/didExplain"]
    assert [each["done"] for each in told] == [False] * (len(told) - 1) + [True]
    assert {each["token"] for each in told} == {"t"}
    assert "utils.py" in told[0]["text"]
    assert "Print" not in told[0]["text"]
    assert told[-1]["text"] == found["text"]


async def test_the_page_is_kept_for_the_user_alone(client: Client, workspace: Path) -> None:
    from lsp_server.documents import uri_to_path

    found = await done(client, "explain", uri=(workspace / "main.py").as_uri(), range=span(WRONG_LINE))
    page = uri_to_path(found["uri"])

    assert page is not None
    assert any(str(page) in message for message in client.shown)  # this client can show no document
    assert page.suffix == ".md"
    assert page.read_text(encoding="utf-8") == found["text"]
    assert page.stat().st_mode & 0o077 == 0


async def test_diagnostics_are_said_in_words(client: Client, workspace: Path) -> None:
    uri = (workspace / "main.py").as_uri()
    found = await done(
        client, "explain", uri=uri, range=span(WRONG_LINE), diagnostics=[UNDEFINED], show=False
    )
    assert '- line 5: `Undefined name "celsius_to_kelvn"`' in found["text"]


async def test_a_hostile_repository_makes_no_links(
    client: Client, workspace: Path, backend: FakeBackend
) -> None:
    link = "[run](command:workbench.action.terminal.new)"
    backend.script = lambda prompt: f"Do it {link} <img src=x> now."
    text = f'def f(a="{link}"):\n    """```\n{link}\n<script>x</script>\n"""\n    return f(a)\n'
    client._change((workspace / "main.py").as_uri(), text)
    wrong = {"range": span(0, 4, 5), "message": f"` {link}"}

    found = await done(
        client,
        "explain",
        uri=(workspace / "main.py").as_uri(),
        range=span(0),
        diagnostics=[wrong],
        show=False,
    )

    outside = re.sub(r"\\[!-/:-@\[-`{-~]", "", _without_code(found["text"]))
    assert "Do it" in outside
    assert "<" not in outside
    assert {target.split(":")[0] for target in re.findall(r"\]\(([^)]*)", outside)} == {"file"}


def _without_code(markdown: str) -> str:
    """The text outside of fences and code spans, as CommonMark reads them."""
    lines, fence, kept = markdown.split("\n"), "", []
    for line in lines:
        mark = re.match(r"`{3,}", line)
        if not fence and mark:
            fence = mark[0]
        elif fence and line.strip() == fence:
            fence = ""
        elif not fence:
            kept.append(line)
    return re.sub(r"(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)", "", "\n".join(kept))


async def test_a_client_that_can_is_asked_to_show_the_page(workspace: Path, backend: FakeBackend) -> None:
    asked: list[str] = []
    async with connected(backend, workspace, window={"showDocument": {"support": True}}) as client:
        show = client.server.window_show_document
        client.server.window_show_document = lambda params, callback=None: asked.append(params.uri)  # type: ignore
        client.open(workspace / "main.py")
        uri = (workspace / "main.py").as_uri()
        await done(client, "explain", uri=uri, range=span(WRONG_LINE), show=False)
        assert asked == []
        found = await done(client, "explain", uri=uri, range=span(WRONG_LINE))
        client.server.window_show_document = show  # type: ignore

    assert asked == [found["uri"]]
