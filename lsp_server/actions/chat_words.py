"""An instruct model's explanation, as it goes below the facts: told while it comes, with what it was given,
and where it ended early. Knows no page of facts and no wire.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from engine.api import FinishReason, Segment
from lsp_server.actions.chat_prompt import (
    ChatPrompt,
    chat_prompt,
    diagnostics_lines,
    hide_secrets,
    quoted_code,
)
from lsp_server.actions.errors import ActionError
from lsp_server.actions.facts import Facts, facts_notes
from lsp_server.actions.safe_markdown import code, link, model_markdown, prose
from lsp_server.actions.subject import Subject
from lsp_server.planner import INDEX_SECONDS

if TYPE_CHECKING:
    from lsp_server.session import Session

OnText = Callable[[str], None]
"""Told all of the words so far, as Markdown."""
MAX_TOKENS = 1024
MAX_AROUND = 6_000
"""Characters of the same file around the subject."""
TELL_SECONDS = 0.05
"""Words that come closer together are told together."""
SYSTEM = (
    "You explain code to a programmer who works on it. Answer in Markdown, short and to the point: first in "
    "a sentence or two what the code is for, then how it does it, then what may surprise. Use the names of "
    "the code. Say only what the code shows; say so where you cannot know. No links, no images, no HTML."
)


@dataclass(frozen=True, slots=True)
class Words:
    """What is to stand below the facts."""

    text: str
    """Markdown."""
    files: tuple[Path, ...] = ()
    """Of other files, those the model was given something of."""
    is_answer: bool = False
    """The model said something."""


async def chat_words(session: Session, facts: Facts, on_text: OnText) -> Words:
    """Asks the instruct model; what goes wrong is said in the words."""
    chat = session.chat
    try:
        await chat.ready()
        prompt = _prompt(session, facts, await _segments(session, facts.subject))
    except ActionError as error:
        return Words(f"*The instruct model was not asked: {prose(str(error))}*")
    told = Telling(_title(session), on_text)
    reason = ""
    try:
        answer = await chat.ask(prompt.messages, max_tokens=MAX_TOKENS, on_text=told.add)
        told.text = answer.text
        if answer.finish_reason is FinishReason.BUDGET:
            reason = "The answer was cut here: it is as long as an answer may be."
    except ActionError as error:
        reason = f"{'The answer broke off' if told.text else 'The instruct model was asked in vain'}: {error}"
    finally:
        told.close()  # who is cancelled keeps the words so far
    is_answer = bool(told.text.strip())
    said = [told.page] if is_answer else []
    if not is_answer and not reason:
        reason = "The instruct model was asked, and its answer is empty."
    if reason:
        said.append(f"*{prose(reason)}*")
    given = await asyncio.to_thread(_given, session, facts, prompt.paths)
    said.append(f"Given to the model: {', '.join(text for text, _ in given)}.")
    return Words("\n\n".join(said), tuple(path for _, path in given if path is not None), is_answer)


class Telling:
    """Words under a title, told soon after they come, and not for each."""

    def __init__(self, title: str, on_text: OnText) -> None:
        self.text = ""
        self._title = title
        self._on_text = on_text
        self._timer: asyncio.TimerHandle | None = None

    @property
    def page(self) -> str:
        """Title and words, as Markdown."""
        return f"{self._title}\n\n{model_markdown(self.text)}"

    def add(self, piece: str) -> None:
        """More words."""
        self.text += piece
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(TELL_SECONDS, self._tell)

    def close(self) -> None:
        """Tells what was not told yet."""
        if self._timer is not None:
            self._timer.cancel()
            self._tell()

    def _tell(self) -> None:
        self._timer = None
        self._on_text(self.page)


def _title(session: Session) -> str:
    return f"**In the words of {code(session.chat.name)}** (not checked):"


def _prompt(session: Session, facts: Facts, segments: tuple[Segment, ...]) -> ChatPrompt:
    """Raises ActionError where the code alone is too long."""
    subject, limit = facts.subject, session.chat.prompt_chars
    first, last = subject.lines
    language = subject.language_id
    above, below = (hide_secrets(text) for text in subject.around(min(MAX_AROUND, limit // 4)))
    around = [
        quoted_code(facts.path, text, line, language)
        for text, line in ((above, first - above.count("\n")), (below, last + 1))
        if text.strip()
    ]
    return chat_prompt(
        SYSTEM,
        _question(subject),
        f"The code: {quoted_code(facts.path, hide_secrets(subject.code), first, language)}",
        limit_chars=limit,
        segments=segments,
        facts=facts_notes(facts),
        diagnostics=diagnostics_lines(subject.snapshot, subject.faults),
        around="\n\n".join(["Around it in the same file:", *around]) if around else "",
    )


def _question(subject: Subject) -> str:
    what = f"{code(subject.name)} of the code" if subject.declaration else "the code"
    if not subject.faults:
        return f"Explain {what}."
    return (
        f"Explain what is reported of {what}: what it means here, why it is so, and how to put it right. "
        "Then explain what the code does, as far as that helps."
    )


async def _segments(session: Session, subject: Subject) -> tuple[Segment, ...]:
    """What the repository says to it; nothing without the engine that completes, which counts its tokens."""
    try:
        async with asyncio.timeout(INDEX_SECONDS):
            info = await session.link.info(wait=True)
            if info is None:
                return ()
            plan = await session.pipeline.plan(subject.snapshot, subject.span.start, info, None)
    except TimeoutError:
        return ()
    return plan.segments if plan is not None else ()


def _given(session: Session, facts: Facts, paths: tuple[str, ...]) -> list[tuple[str, Path | None]]:
    """Each file that the model was given something of, its own first: as a link, and where it is."""
    known = {session.context.relative(path): path for path in facts.files}
    found = []
    for path in dict.fromkeys([facts.path, *paths]):
        places = (root / path for root in session.roots)
        place = known.get(path) or next((each for each in places if each.is_file()), None)
        found.append((code(path) if place is None else link(path, place.as_uri()), place))
    return found
