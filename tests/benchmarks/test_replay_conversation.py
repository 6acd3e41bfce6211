"""What the editor says on the wire: the server's copy of the text is the editor's after every message."""

import os
import time
from pathlib import Path

import pytest

from benchmarks.replay.client import Arrival, Client
from benchmarks.replay.conversation import Conversation
from benchmarks.replay.document import Document, from_utf16, utf16
from benchmarks.replay.keyboard import Typing
from benchmarks.replay.live import type_one
from benchmarks.replay.processor import Stopwatch, cpu_seconds
from benchmarks.replay.rhythm import Rhythm
from benchmarks.replay.session import cancelled_share, free_share, quantile, stage_ms
from benchmarks.replay.user import User

AROUND = ("# ünïcode 𝄞 before: 𝄞", "\n# and behind\n")
TARGET = "\n𝄞 = call(a, [\n    1,\n])\n\ndef f():\n    return '𝄞' + 𝄞"


class QuickRhythm(Rhythm):
    def delay_s(self, place, *, is_pause):
        return 0.002


class ScriptedServer:
    """Stands in for a client and its server: keeps the text from the edits, answers at once by a script."""

    def __init__(self, script, note=None):
        self.script, self.note = script, note
        self.sent, self.text, self.arrived = [], "", []
        self.document = None

    def notify(self, method, params):
        self.sent.append((method, params))
        if method == "textDocument/didOpen":
            self.text = params["textDocument"]["text"]
        if method == "textDocument/didChange":
            for change in params["contentChanges"]:
                here = Document(self.document.path, "python", self.text)
                start, end = (here.offset(change["range"][end]) for end in ("start", "end"))
                self.text = self.text[:start] + change["text"] + self.text[end:]
            assert self.text == self.document.text

    def send(self, method, params):
        self.sent.append((method, params))
        number = len(self.sent)
        if method == "textDocument/inlineCompletion":
            here = Document(self.document.path, "python", self.text)
            offset = here.offset(params["position"])
            items = self.script(here, offset)
            if items is not None:
                if self.note:
                    where = {"uri": self.document.uri, "version": self.document.version}
                    told = where | {"trigger": "automatic"} | self.note
                    self.arrive({"method": "ghostfill/didAnswer", "params": told})
                self.arrive({"id": number, "result": {"items": items}})
        return number

    def arrive(self, message):
        self.arrived.append(Arrival(time.perf_counter(), message))

    def arrivals(self, until):
        while self.arrived:
            yield self.arrived.pop(0)
        time.sleep(max(0, until - time.perf_counter()))


def perfect(length):
    def script(here, offset):
        done = len(here.text) - len(AROUND[1]) - len(AROUND[0])
        typed = here.text[len(AROUND[0]) : offset]
        if not TARGET.startswith(typed):
            return []
        at = here.position(offset)
        text = TARGET[len(typed) :][:length]
        command = {"title": "", "command": "ghostfill.accepted", "arguments": [{"id": "7"}]}
        behind = here.position(offset + done - len(typed)) if len(text) + len(typed) == len(TARGET) else at
        return (
            [{"insertText": text, "range": {"start": at, "end": behind}, "command": command}] if text else []
        )

    return script


@pytest.fixture
def play(tmp_path):
    def run(script, *, auto_close=True, note=None):
        server = ScriptedServer(script, note)
        conversation = Conversation(server)
        document = server.document = Document(tmp_path / "a.py", "python", "".join(AROUND))
        conversation.open(document)
        user = User(Typing(TARGET, AROUND[0], auto_close=auto_close), seen_s=0.0)
        type_one(conversation, document, len(AROUND[0]), user, QuickRhythm(""))
        conversation.drain(0.2)
        assert document.text == server.text == TARGET.join(AROUND)
        return server, conversation, user.finish()

    return run


@pytest.mark.parametrize("auto_close", [False, True])
def test_every_edit_reaches_the_server_as_it_is_made(play, auto_close):
    server, conversation, tally = play(lambda here, offset: [], auto_close=auto_close)
    assert tally.saved(1) == 0
    methods = [method for method, _ in server.sent]
    assert methods.count("textDocument/didChange") == methods.count("textDocument/inlineCompletion")
    assert len(conversation.asked) == methods.count("textDocument/inlineCompletion")


def test_a_whole_answer_is_accepted_by_its_command_and_told_as_shown(play):
    server, _, tally = play(perfect(None))
    assert tally.saved(1) > 0.9
    commands = [params for method, params in server.sent if method == "workspace/executeCommand"]
    assert commands == [{"command": "ghostfill.accepted", "arguments": [{"id": "7"}]}]
    assert sum(method == "textDocument/didShowCompletion" for method, _ in server.sent) == 1


def test_a_part_is_told_in_utf16_units_from_the_start(play):
    def half_wrong(here, offset):
        typed = here.text[len(AROUND[0]) : offset]
        at = here.position(offset)
        return [{"insertText": "𝄞 = call(b", "range": {"start": at, "end": at}}] if typed == "\n" else []

    server, _, tally = play(half_wrong)
    partly = [params for method, params in server.sent if method.endswith("PartiallyAcceptCompletion")]
    assert [params["acceptedLength"] for params in partly] == [utf16("𝄞 = call")] == [9]
    assert tally.takes.total() == 1


def test_what_is_unanswered_at_the_next_key_is_cancelled_and_counted(play):
    server, conversation, tally = play(lambda here, offset: None)
    cancelled = sum(method == "$/cancelRequest" for method, _ in server.sent)
    assert cancelled == len(conversation.asked)
    assert cancelled_share(conversation.asked) == 1.0
    assert tally.shown == 0


def test_notes_are_laid_beside_their_answers(play):
    note = {"source": "cache", "ms": {"total": 1.0}, "confidence": 0.5}
    _, conversation, _ = play(perfect(4), note=note)
    assert free_share(conversation.asked) == 1.0
    assert free_share(conversation.asked, following=True) == 1.0
    assert stage_ms(conversation.asked, "total") == []
    note["source"] = "engine"
    _, conversation, _ = play(perfect(4), note=note)
    assert free_share(conversation.asked) == 0.0
    assert set(stage_ms(conversation.asked, "total")) == {1.0}


def test_hidden_text_is_judged_like_shown_text(play):
    _, conversation, _ = play(
        lambda here, offset: [], note={"hidden": "𝄞 = call(a, [\nmore", "source": "engine"}
    )
    first = [each.is_first_line_right() for each in conversation.asked]
    assert first.count(True) == 1
    assert None not in first


def test_an_answer_that_comes_too_late_is_nobodys(play):
    late = []

    def script(here, offset):
        late.append(offset)
        return None if len(late) % 2 else []

    _, conversation, _ = play(script)
    assert 0.4 < cancelled_share(conversation.asked) < 0.6


def test_positions_are_utf16_both_ways(tmp_path):
    text = "a𝄞b\r\n\nü𝄞"
    document = Document(tmp_path / "a", "python", text)
    for offset in [0, 1, 2, 3, 5, 6, 7, 8]:
        assert document.offset(document.position(offset)) == offset
    assert document.position(8) == {"line": 2, "character": 3}
    assert from_utf16(text, utf16(text[:3])) == 3


def test_quantiles_are_of_what_there_is():
    assert quantile([], 0.5) is None
    assert quantile([3, 1, 2], 0.5) == 2
    assert quantile(range(100), 0.95) == 95


def test_the_real_server_is_greeted_and_left(tmp_path):
    environment = {"GHOSTFILL_RUNTIME_DIR": str(tmp_path / "run"), "XDG_CACHE_HOME": str(tmp_path)}
    with Client(environment, tmp_path, tmp_path / "log") as client:
        client.initialize(tmp_path, {"inline": {"enabled": False}})
        document = Document(tmp_path / "a.py", "python", "x = 1\n")
        conversation = Conversation(client)
        conversation.open(document)
        conversation.change(document, [document.replace(0, 0, "y")])
        conversation.ask(document, 0, "y", "yx", follows=False)
        conversation.drain(20)
        (asked,) = conversation.asked
        assert asked.answered is not None
        assert asked.ghost is None
        with pytest.raises(RuntimeError, match="no/such/method"):
            client.ask("no/such/method", None)
    assert client.process.returncode == 0
    assert not conversation.refusals


@pytest.mark.skipif(not Path("/proc/stat").exists(), reason="needs /proc")
def test_processor_time_is_our_own_or_that_of_others():
    mine, other = Stopwatch([os.getpid()]), Stopwatch([])
    until = time.process_time() + 0.1
    while time.process_time() < until:
        pass
    assert mine.own_seconds() >= 0.08
    assert other.own_seconds() == 0
    assert other.other_seconds() >= 0.08
    assert cpu_seconds([2**30]) == 0
