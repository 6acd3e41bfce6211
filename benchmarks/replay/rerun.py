"""A recorded session played to a real server at its own times: what could an oracle user have accepted?

The recording decides what is typed, so nothing is really accepted. A suggestion that was there for `SEEN_S`
before the next edit is judged by what then was typed at its place; the keys that an accepted part stands for
count as saved, and what is shown during them is not judged. That is an upper estimate: after accepting, those
keys would not have been pressed and their suggestions would not have been computed. A suggestion behind a
typing mistake is wrong. Files come into being, on disk too, when the recording first shows them.
"""

from __future__ import annotations

import time
from pathlib import Path

from benchmarks.keystroke import Engine
from benchmarks.replay.client import Client, Json
from benchmarks.replay.conversation import Asked, Conversation
from benchmarks.replay.document import Document
from benchmarks.replay.ghost import longest_right
from benchmarks.replay.live import DRAIN_S, options
from benchmarks.replay.processor import Stopwatch
from benchmarks.replay.recording import Step, read
from benchmarks.replay.scene import Scene, staged
from benchmarks.replay.session import Session
from benchmarks.replay.user import SEEN_S, Tally
from context.languages import language_of

NAME = "recording"


def rerun(path: Path, condition: str, minutes: float) -> Session:
    """So many minutes of a recording."""
    steps = [step for step in read(path) if step.seconds <= 60 * minutes]
    session = Session(NAME, condition)
    with staged(None) as scene, Client(scene.environment, scene.workspace, scene.log) as client:
        client.initialize(scene.workspace, options(condition))
        conversation = Conversation(client)
        stage = _Stage(scene, conversation)
        viewer = Viewer(steps)
        conversation.warm_up(stage.open(steps[0]))
        engine = Engine(scene.runtime)
        engine.wait_ready()
        watch = Stopwatch((client.process.pid, engine.pid))
        begun = time.perf_counter() - steps[0].seconds
        for number, step in enumerate(steps[1:], 1):
            due = begun + step.seconds
            for asked in conversation.arrivals(due):
                viewer.see(asked)
            viewer.look(time.perf_counter())
            stage.play(step)
            viewer.note_step(number, is_asked=step.key_end is not None)
        conversation.drain(DRAIN_S)
        session.note_time(watch)
        session.tally = viewer.tally
        session.asked, session.refusals = conversation.asked, conversation.refusals
        engine.stop()
    return session


class Viewer:
    """Looks at each suggestion once, and knows from the recording what comes. Pure."""

    def __init__(self, steps: list[Step]) -> None:
        self._steps = steps
        self._number = 0
        self._skipped: set[int] = set()
        """Keys that an accepted part stands for."""
        self._current: Asked | None = None
        self._last_result: tuple[str, str] | None = None
        self.tally = Tally()

    def note_step(self, number: int, *, is_asked: bool) -> None:
        """An edit was made; after a typed key there was a request."""
        self._number, self._current = number, None
        if is_asked:
            self.tally.keys += 1
            self.tally.pressed += number not in self._skipped
            self.tally.lines += "\n" in self._steps[number].edits[0].text

    def see(self, asked: Asked) -> None:
        """The answer for the text as it is."""
        self._current = asked

    def look(self, now: float) -> None:
        """Just before the next edit."""
        asked = self._current
        if asked is None or asked.ghost is None or asked.answered is None or self._number in self._skipped:
            return
        if now - asked.answered < SEEN_S:
            self.tally.flashed += 1
            return
        text = asked.document.text
        cursor = asked.origin + len(asked.before)
        head = text[: asked.origin] + asked.before[: asked.ghost.start] + asked.ghost.text
        result = (asked.document.uri, head + text[cursor + asked.ghost.replaces :])
        if result != self._last_result:
            self._last_result = result
            self._judge(asked)

    def _judge(self, asked: Asked) -> None:
        assert asked.ghost is not None, "looked at only where there is one"
        kept = asked.before[: asked.ghost.start]
        part = longest_right(asked.ghost.text, lambda text: asked.target.startswith(kept + text))
        is_right = asked.is_first_line_right()
        self.tally.shown += 1
        self.tally.wrong_first_line += not is_right
        if part is not None:
            length = len(kept) + part.length - len(asked.before)
            saved = {key for at, key in self._steps[self._number].came_by if at < length}
            if len(saved) > part.num_keys:
                self._skipped |= saved
                self.tally.pressed += part.num_keys
                self.tally.takes[part.portion] += 1
                self.tally.accepted += 1
                return
        self.tally.agreed += bool(is_right)
        self.tally.wrong += not is_right


class _Stage:
    """The documents of the recording, on disk and in the editor."""

    def __init__(self, scene: Scene, conversation: Conversation) -> None:
        self._scene = scene
        self._conversation = conversation
        self._documents: dict[str, Document] = {}

    def play(self, step: Step) -> None:
        """Make a step's edits, and ask where they are a typed key."""
        document = self._documents.get(step.path)
        if document is None:
            self.open(step)
        elif step.content is not None:
            document.text = step.content
            self._conversation.change(document, [{"text": step.content}])
        else:
            self._conversation.change(document, _changes(document, step))
            if (cursor := step.key_end) is not None:
                origin = document.text.rfind("\n", 0, cursor) + 1
                before = document.text[origin:cursor]
                self._conversation.ask(document, origin, before, before + step.came, follows=False)

    def open(self, step: Step) -> Document:
        """The recording shows a file for the first time."""
        path = self._scene.workspace / step.path
        path.parent.mkdir(parents=True, exist_ok=True)
        text = step.content or ""
        path.write_text(text, encoding="utf-8", newline="")
        language = language_of(path.name)
        document = Document(path, language.id if language else "plaintext", text)
        self._documents[step.path] = document
        self._conversation.open(document)
        return document


def _changes(document: Document, step: Step) -> list[Json]:
    """From the last to the first, so that none moves another."""
    return [document.replace(edit.start, edit.end, edit.text) for edit in reversed(step.edits)]
