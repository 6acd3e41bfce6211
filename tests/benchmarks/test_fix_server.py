"""What a server is asked and what is made of its edit; at the end a real one with a model of no use."""

import time
from collections import Counter
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from benchmarks.context_quality.corpus import Corpus
from benchmarks.fix_quality import measure as measure_module
from benchmarks.fix_quality.checkers import ruff
from benchmarks.fix_quality.checks import Score
from benchmarks.fix_quality.faults import Diagnostic, Fault, Kind, Slip
from benchmarks.fix_quality.fixer import Fixer, argument, edited
from benchmarks.fix_quality.kept import kept_file, read, write
from benchmarks.fix_quality.measure import MODEL, USELESS, Order, measure
from benchmarks.fix_quality.useless import useless_model
from benchmarks.replay.client import Arrival, Client
from benchmarks.replay.document import Document
from benchmarks.replay.scene import staged

ORIGINAL = 'amount = 1\nx = "𝄞", amount\n'
SAID = Diagnostic("a.py", 1, 9, 1, 15, "F821", "Undefined name `amuont`", "Ruff")
FAULT = Fault(
    "shop", Kind.NAME, "a.py", Slip(ORIGINAL.rindex("amount"), "amount", "amuont"), ORIGINAL, (SAID,)
)


class ScriptedServer:
    """Stands in for a client and its server; notes what lies on disk while it is asked."""

    def __init__(self, path, script):
        self.path, self.script = path, script
        self.sent, self.arrived, self.on_disk = [], [], []

    def notify(self, method, params):
        self.sent.append((method, params))

    def send(self, method, params):
        self.sent.append((method, params))
        self.on_disk.append(self.path.read_text(encoding="utf-8"))
        number = len(self.sent)
        self.arrived.append({"method": "window/logMessage", "params": {}})
        self.arrived.append({"id": number, "method": "workspace/configuration", "params": {}})
        self.arrived.append({"id": number, **self.script(params["arguments"][0])})
        return number

    def arrivals(self, until):
        for message in self.arrived:
            yield Arrival(time.perf_counter(), message)
        self.arrived = []


def edit(uri, start, end, text):
    places = {"start": {"line": 1, "character": start}, "end": {"line": 1, "character": end}}
    return {"changes": {uri: [{"range": places, "newText": text}]}}


@pytest.fixture
def ask(tmp_path):
    def run(script):
        path = tmp_path / "a.py"
        path.write_text(ORIGINAL, encoding="utf-8")
        server = ScriptedServer(path, script)
        return server, Fixer(server, tmp_path).fix(FAULT)

    return run


def test_the_server_gets_the_fault_and_what_the_checker_says_and_its_edit_is_applied(ask):
    def script(of):
        return {"result": {"edit": edit(of["uri"], 12, 14, "ou"), "applied": False, "message": "Fix"}}

    server, found = ask(script)
    assert (found.text, found.message) == (ORIGINAL, "Fix")
    assert [method for method, _ in server.sent] == [
        "textDocument/didOpen",
        "workspace/executeCommand",
        "textDocument/didClose",
    ]
    asked = server.sent[1][1]
    assert asked["command"] == "ghostfill.fix"
    of = asked["arguments"][0]
    assert of["apply"] is False
    places = {"start": {"line": 1, "character": 10}, "end": {"line": 1, "character": 16}}  # UTF-16
    assert of["range"] == places
    told = {"range": places, "severity": 1, "code": "F821", "source": "Ruff", "message": SAID.message}
    assert of["diagnostics"] == [told]


def test_no_right_file_lies_where_the_server_could_read_it(ask, tmp_path):
    server, _ = ask(lambda of: {"result": {"edit": None, "applied": False, "message": "no"}})
    assert server.on_disk == [FAULT.planted] == [server.sent[0][1]["textDocument"]["text"]]
    assert (tmp_path / "a.py").read_text(encoding="utf-8") == ORIGINAL


def test_no_edit_and_an_error_are_no_offer(ask):
    _, found = ask(lambda of: {"result": {"edit": None, "applied": False, "message": "Nothing helps."}})
    assert (found.text, found.message) == (None, "Nothing helps.")
    _, found = ask(lambda of: {"error": {"code": -32803, "message": "No engine is running."}})
    assert (found.text, found.message) == (None, "No engine is running.")


def test_an_edit_of_another_file_stops_the_run(ask):
    def script(of):
        return {"result": {"edit": edit("file:///other.py", 0, 0, "x"), "applied": False, "message": ""}}

    with pytest.raises(RuntimeError, match=r"edits .'file:///other.py'"):
        ask(script)


def test_several_edits_in_both_forms_are_applied_where_they_were_meant(tmp_path):
    document = Document(tmp_path / "a.py", "python", "ab\ncd\n")

    def at(line, start, end, text):
        places = {"start": {"line": line, "character": start}, "end": {"line": line, "character": end}}
        return {"range": places, "newText": text}

    edits = [at(1, 0, 1, "C"), at(0, 0, 0, "import x\n"), at(0, 1, 2, "B!")]
    assert edited(document, {"changes": {document.uri: edits}}) == "import x\naB!\nCd\n"
    versioned = {"textDocument": {"uri": document.uri, "version": 0}, "edits": edits}
    assert edited(document, {"documentChanges": [versioned]}) == "import x\naB!\nCd\n"


def test_the_cursor_is_at_the_first_diagnostic(tmp_path):
    document = Document(tmp_path / "a.py", "python", FAULT.planted)
    wide = Diagnostic("a.py", 1, 0, 9, 9, "", "m", "mypy")  # mypy may point behind the last line
    found = argument(document, [SAID, wide])
    assert found["range"] == found["diagnostics"][0]["range"]
    assert found["diagnostics"][1]["range"]["end"] == {"line": 2, "character": 0}


class PerfectServer:
    """Knows every original, under one of the conditions."""

    def __init__(self, condition):
        self.condition = condition
        self.asked = Counter()

    def fix(self, fault):
        self.asked[fault.slip] += 1
        text = fault.original if self.condition == MODEL else None
        return measure_module.Answer(text, "", 0.5)


@pytest.fixture
def shop(tmp_path, monkeypatch):
    root = tmp_path / "shop-1.0"
    (root / "shop").mkdir(parents=True)
    body = "\n\n".join(
        f"def total_{n}(prices):\n    amount = sum(prices)\n    return amount" for n in range(30)
    )
    (root / "shop" / "__init__.py").write_text(f"{body}\n")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return Corpus.read("shop", "python", root)


def test_every_fault_is_given_to_both_models_and_asked_once_after_warming_up(shop, monkeypatch, capsys):
    servers = []

    @contextmanager
    def server(package, options, runtime):
        servers.append(PerfectServer(USELESS if "engine" in options else MODEL))
        yield servers[-1]

    monkeypatch.setattr(measure_module, "_server", server)
    order = Order([shop], 2, (Kind.COLON, Kind.VARIABLE))
    measured = measure(order)
    assert [each.condition for each in servers] == [USELESS, MODEL]
    for each in servers:
        assert sorted(each.asked.values()) == [1, 1, 1, 2]
    assert [row.condition for row in measured.rows] == [USELESS] * 4 + [MODEL] * 4
    assert {row.score for row in measured.rows[4:]} == {Score(True, True, True, True, True)}
    assert {row.score for row in measured.rows[:4]} == {Score(False)}
    assert "2 planted and checked" in capsys.readouterr().err
    assert measure(order).rows == measured.rows
    assert "2 kept from another run" in capsys.readouterr().err


def test_kept_faults_are_those_of_the_same_question_alone(shop):
    file = kept_file([shop], Kind.NAME, 2, 1)
    assert read(file, [shop]) is None
    fault = Fault("shop", Kind.NAME, "shop/__init__.py", FAULT.slip, shop.files["shop/__init__.py"], (SAID,))
    write(file, [fault], 7)
    assert read(file, [shop]) == ([fault], 7)
    others = [
        ([shop], Kind.COLON, 2, 1),
        ([shop], Kind.NAME, 3, 1),
        ([shop], Kind.NAME, 2, 2),
        ([], Kind.NAME, 2, 1),
    ]
    assert len({file, *(kept_file(*other) for other in others)}) == 5


class Real(NamedTuple):
    workspace: Path
    fixer: Fixer


@pytest.fixture
def real(tmp_path):
    """A server with a model of no use, in a copy of a small package."""
    package = tmp_path / "shop"
    package.mkdir()
    (package / "a.py").write_text(ORIGINAL, encoding="utf-8")
    with ExitStack() as stack:
        options = stack.enter_context(useless_model())
        scene = stack.enter_context(staged(package))
        client = stack.enter_context(Client(scene.environment, scene.workspace, scene.log))
        client.initialize(scene.workspace, options)
        yield Real(scene.workspace, Fixer(client, scene.workspace))


def test_a_real_server_with_a_model_of_no_use_fixes_what_needs_none(real):
    assert real.fixer.fix(FAULT).text == ORIGINAL


def test_what_only_the_right_file_knew_is_not_found_again(real):
    """The server has read the right file from disk, and must have forgotten it."""
    text = "import os\nimport zlibx as zx\n\n\ndef main(path):\n    return zx.crc(os.stat(path))\n"
    (real.workspace / "b.py").write_text(text, encoding="utf-8")
    assert real.fixer.fix(FAULT).text == ORIGINAL  # all is read by now

    def fix(line, name):
        slip = Slip(text.index(line), line, "")
        said = tuple(each for each in ruff("b.py", slip.made(text)) if name in each.message)
        return real.fixer.fix(Fault("shop", Kind.IMPORT, "b.py", slip, text, said)).text

    for _ in range(2):
        assert "zlibx" not in (fix("import zlibx as zx\n", "`zx`") or "")
        assert "import os\n" in fix("import os\n", "`os`")
