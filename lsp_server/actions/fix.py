"""`ghostfill.fix`: what is wrong is written anew, as little of it as will do. Knows no wire."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from context.syntax.described import Span
from context.syntax.statements import num_faults
from engine.api import Completion, FinishReason
from lsp_server.actions.candidates import Judge, PythonCheck, Ranks, best_first
from lsp_server.actions.change import Change
from lsp_server.actions.errors import NoAnswerError
from lsp_server.actions.faults import FaultGroup
from lsp_server.actions.infill import Infill, begin, too_late, within_time
from lsp_server.actions.near_names import common_beginning, near_names, wrong_name
from lsp_server.actions.selection import Selection
from lsp_server.hole import Hole
from lsp_server.names_in_sight import known_words
from lsp_server.trim import trim

if TYPE_CHECKING:
    from lsp_server.session import Session

NUM_ANSWERS = 4
MAX_TOKENS = 96
MAX_HOLES = 7
MAX_COMPILED = 8
"""Candidates that Python is asked about."""
_NO_FIX = (
    "None of the model's answers fixes this without breaking something else: nothing was changed. "
    "An instruct model will do better here, once chat.model can name one."
)
_REST_OF_WORD = re.compile(r"\w*")


async def fix(session: Session, selection: Selection, group: FaultGroup) -> Change:
    """The change that fixes what is wrong in one statement; raises ActionError."""
    text, span = selection.text, group.span
    check = None
    if selection.language.family == "python":
        check = await asyncio.to_thread(PythonCheck.of, text, span)
        if check.error is not None:
            span = _with_margin(text, span)
            check = replace(check, span=span)
    ranks: Ranks = {}
    try:
        async with within_time():
            infill = await begin(session, selection, group.diagnostics)
            segments = infill.plan.segments if infill.plan else ()
            rest = Hole.at(text[: span.start] + text[span.end :], span.start)
            known = known_words(rest, "", segments, infill.path)
            judge = Judge(selection.tree, span, group.faults, infill.path, known)
            is_broken = num_faults(selection.tree) > 0 or (check is not None and check.error is not None)
            is_done = await _note(judge, ranks, _renamed(text, span, group, known))
            for hole in _holes(text, span, group, known, is_broken=is_broken):
                if is_done:
                    break
                is_done = await _note(judge, ranks, await _rewritten(infill, text, span, hole))
    except TimeoutError:
        if not ranks:
            raise too_late() from None
    best = await asyncio.to_thread(_accepted, check, best_first(ranks)[:MAX_COMPILED])
    if best is None:
        raise NoAnswerError(_NO_FIX)
    return Change(selection.snapshot, *span, best, f"Fix: {group.faults[0].message}")


async def _note(judge: Judge, ranks: Ranks, statements: list[str]) -> bool:
    """Judge them, letting keystrokes through in between; whether no more need be looked for."""
    is_done = False
    for each in statements:
        if each not in ranks:
            rank = ranks[each] = judge.rank(each)
            is_done = is_done or (rank is not None and judge.is_slip(each, rank))
            await asyncio.sleep(0)
    return is_done


def _accepted(check: PythonCheck | None, ranked: list[str]) -> str | None:
    """The first that leaves no error, else the first that brings none."""
    if check is None:
        return ranked[0] if ranked else None
    second = None
    for each in ranked:
        is_better, is_whole = check.accepts(each)
        if is_whole:
            return each
        second = second or (each if is_better else None)
    return second


def _with_margin(text: str, span: Span) -> Span:
    """Python's errors may be about the margin."""
    return Span(text.rfind("\n", 0, span.start) + 1, span.end)


def _renamed(text: str, span: Span, group: FaultGroup, known: set[str]) -> list[str]:
    """The statement with a name in sight instead of one that is none."""
    names = (wrong_name(text, fault) for fault in group.faults)
    return [
        f"{text[span.start : name.start]}{near}{text[name.end : span.end]}"
        for name in names
        if name is not None and span.start <= name.start <= name.end <= span.end
        for near in near_names(text[slice(*name)], known)
    ]


def _holes(text: str, span: Span, group: FaultGroup, known: set[str], *, is_broken: bool) -> list[Span]:
    """What to write anew: what is wrong, from there on, the end of the line, all of it.

    Where the text does not parse, first the places where something may be missing. Of a name that is none its
    first letters stay, as far as a name in sight begins with them.
    """
    start = min(max(span.start, min(fault.start for fault in group.faults)), span.end)
    end = min(max(start, *(fault.end for fault in group.faults)), span.end)
    code = span.start + len(text[slice(*span)]) - len(text[slice(*span)].lstrip())
    gap = span.start + len(text[span.start : start].rstrip(" "))
    holes: list[Span] = []
    for name in (wrong_name(text, fault) for fault in group.faults):
        if name is not None and span.start <= name.start <= name.end <= span.end:
            size = common_beginning(text[slice(*name)], known)
            holes += [Span(name.start + size, name.end)] if size else []
    if is_broken:
        holes += [Span(span.end, span.end), Span(gap, gap)]
    if start > code or end < span.end:
        holes += [Span(start, end), Span(start, span.end)]
    holes += [Span(code, span.end), span]
    return list(dict.fromkeys(holes))[:MAX_HOLES]


async def _rewritten(infill: Infill, text: str, span: Span, hole: Span) -> list[str]:
    """The statement with each of the model's answers in it."""
    rest = Hole.at(text[: hole.start] + text[hole.end :], hole.start)
    is_one_line = "\n" not in text[slice(*hole)]
    rules = rest.stop_rules("never" if is_one_line else "always", text.count("\n", *span) + 2)
    completions = await infill.ask(
        rest.prefix,
        rest.suffix,
        rules=rules,
        max_tokens=min(MAX_TOKENS, 24 + (hole.end - hole.start)),
        num_answers=NUM_ANSWERS,
    )
    return [
        each for completion in completions for each in _statements(completion, text, span, hole, infill.path)
    ]


def _statements(completion: Completion, text: str, span: Span, hole: Span, path: str) -> list[str]:
    """The answer as it is, without the rest of the line, its first word alone inside of a word, and as ghost
    text is trimmed; what reaches out of the statement is left out.
    """
    before, after = text[span.start : hole.start], text[hole.end : span.end]
    whole = completion.text.replace("\r\n", "\n")
    is_heard = completion.finish_reason in (FinishReason.EOS, FinishReason.STOP)
    found = [f"{before}{whole.rstrip() if not after else whole}{after}"] if is_heard else []
    if after.strip() and (repeated := whole.rfind(after.strip())) > 0:
        found.append(
            f"{before}{whole[:repeated].rstrip(' ') if after[0] == ' ' else whole[:repeated]}{after}"
        )
    if text[slice(*hole)].isidentifier():
        word = _REST_OF_WORD.match(whole)
        found.append(f"{before}{word[0] if word else ''}{after}")
    rest = Hole.at(text[: hole.start] + text[hole.end :], hole.start)
    trimmed = trim(whole, rest, completion.finish_reason, path=path)
    if trimmed.text and trimmed.replaces <= len(after):
        found.append(f"{before}{trimmed.text}{after[trimmed.replaces :]}")
    return found
