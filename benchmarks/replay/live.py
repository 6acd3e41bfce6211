"""Stretches typed into a real server in real time, by the oracle user. Prints nothing, sums up nothing."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.keystroke import Engine
from benchmarks.replay.client import Client
from benchmarks.replay.conversation import Conversation
from benchmarks.replay.document import Document
from benchmarks.replay.keyboard import KeyKind, Typing
from benchmarks.replay.processor import Stopwatch
from benchmarks.replay.rhythm import Rhythm
from benchmarks.replay.scene import staged
from benchmarks.replay.selfcheck import check_typed, check_workspace
from benchmarks.replay.session import CONTEXT, Session
from benchmarks.replay.stretches import Stretch
from benchmarks.replay.user import Act, User

FIRST_KEY_S = 1.0
"""Between opening a file and the first key in it."""
DRAIN_S = 5.0


def options(condition: str) -> dict[str, Any]:
    """`initializationOptions`; all settings are the defaults but one."""
    return {"context": {"enabled": condition == CONTEXT}, "client": {"answers": True}}


def type_all(source: Path, stretches: Sequence[Stretch], condition: str, seed: int) -> Session:
    """Type the stretches of one package one after the other; raises SelfCheckError."""
    session = Session(stretches[0].package, condition)
    with staged(source, stretches) as scene, Client(scene.environment, scene.workspace, scene.log) as client:
        check_workspace(scene.workspace, stretches)
        client.initialize(scene.workspace, options(condition))
        conversation = Conversation(client)
        engine = Engine(scene.runtime)
        for stretch in stretches:
            document = Document(scene.workspace / stretch.path, "python", stretch.without)
            conversation.open(document)
            conversation.warm_up(document)
            engine.wait_ready()
            watch = Stopwatch((client.process.pid, engine.pid))
            user = User(stretch.typing())
            type_one(conversation, document, stretch.start, user, Rhythm(f"{seed} {stretch.path}"))
            session.tally.add(user.finish())
            conversation.drain(DRAIN_S)
            session.note_time(watch)
            conversation.close(document)
            check_typed(stretch, document.text)
        session.asked, session.refusals = conversation.asked, conversation.refusals
        engine.stop()
    return session


def type_one(conversation: Conversation, document: Document, start: int, user: User, rhythm: Rhythm) -> None:
    """From the first key to the last; answers are seen as they arrive."""
    due = time.perf_counter() + FIRST_KEY_S
    while not user.is_done:
        for asked in conversation.arrivals(due):
            user.see(asked.ghost, asked.answered or due)
        before = user.typing
        act = user.act(time.perf_counter())
        _tell(conversation, document, start, before, act)
        is_pause = act.take is not None or (act.key is not None and act.key.kind is KeyKind.ENTER)
        due = time.perf_counter() + rhythm.delay_s(len(user.typing.before), is_pause=is_pause)
    conversation.cancel()


def _tell(conversation: Conversation, document: Document, start: int, before: Typing, act: Act) -> None:
    """What the editor sends: the edit, what was accepted, and the next request."""
    if act.key is not None and act.key.kind is KeyKind.DOWN:
        conversation.cancel()  # only the cursor has moved: editors ask again when something is typed
        return
    at, old, new = edit_between(before, act.typing)
    change = document.replace(start + at, start + at + len(old), new)
    conversation.change(document, [change])
    if act.take is not None:
        conversation.tell_taken(act.take)
    conversation.ask(document, start, act.typing.before, act.typing.target, follows=act.follows)


def edit_between(old: Typing, new: Typing) -> tuple[int, str, str]:
    """Where in the stretch the text differs, what stood there and what does now.

    A bracket that is typed over is replaced by itself, as editors do.
    """
    a, b = old.text, new.text
    if a == b:
        at = len(old.before)
        return at, a[at : len(new.before)], b[at : len(new.before)]
    most = min(len(a), len(b))
    left = next((i for i in range(most) if a[i] != b[i]), most)
    # an insertion among equal characters is where the cursor is
    left = min(left, len(old.before), len(new.before))
    right = next((i for i in range(most - left) if a[-1 - i] != b[-1 - i]), most - left)
    return left, a[left : len(a) - right], b[left : len(b) - right]
