"""`ghostfill.fix`: what is wrong is written anew, as little of it as will do. Knows no wire."""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress
from typing import TYPE_CHECKING

from context.syntax.declarations import declarations_at
from context.syntax.described import Span
from engine.api import Completion, FinishReason
from lsp_server.actions.by_rule import Scene, proposals
from lsp_server.actions.candidates import Judge, Ranks, best_first
from lsp_server.actions.change import Change
from lsp_server.actions.edit import Edit
from lsp_server.actions.errors import ActionError, NoAnswerError
from lsp_server.actions.faults import FaultGroup
from lsp_server.actions.infill import Infill, begin, too_late, within_time
from lsp_server.actions.near_names import common_beginning, is_related, wrong_name
from lsp_server.actions.preference import NEVER, likeliest, smallest
from lsp_server.actions.proof import Proof, Proven
from lsp_server.actions.rewrite.instruct_fix import InstructFix
from lsp_server.actions.selection import Selection
from lsp_server.hole import Hole
from lsp_server.names_in_sight import known_words
from lsp_server.trim import trim

if TYPE_CHECKING:
    from lsp_server.session import Session

NUM_ANSWERS = 4
MAX_TOKENS = 96
MAX_HOLES = 7
CLEARLY = 0.25
"""So much less doubt decides between two changes that prove equally good."""
GUESS = 0.9
"""With so much doubt only the model decides between several."""
MAX_WEIGHED = 5
"""Changes that the model chooses from."""
_NO_FIX = "Nothing was found that fixes this without breaking something else: nothing was changed."
_MORE = "An instruct model may do better: chat.model names one, chat.url where one is served."
_REST_OF_WORD = re.compile(r"\w*")
_WORD = re.compile(r"[^\W\d]\w*")


async def fix(session: Session, selection: Selection, group: FaultGroup) -> Change:
    """The change that fixes what is wrong in one statement; raises ActionError."""
    proof = await Proof.of(selection, group)
    mended = await _mended(session, selection, group, proof)
    rivals = _rivals(mended)
    is_guess = bool(rivals) and mended[0].doubt >= GUESS
    best = rivals[0] if len(rivals) == 1 else None
    if best is None and (rivals or not session.chat.is_set):
        best = await _by_model(session, selection, group, proof, rivals, is_guess=is_guess)
    elif best is None:
        best = await _with_instruct_model(session, selection, group, proof)
    if best is None:
        raise NoAnswerError(f"{_NO_FIX} {_MORE}")
    return Change(selection.snapshot, *best, f"Fix: {group.faults[0].message}")


async def _with_instruct_model(
    session: Session, selection: Selection, group: FaultGroup, proof: Proof
) -> Edit | None:
    """What it makes of the statement, else what is filled in, else what it makes of the function."""
    model = await InstructFix.of(session, selection, group, proof)
    best = await model.statement()
    if best is None:
        with suppress(ActionError):  # the instruct model may be elsewhere, and there
            best = await _by_model(session, selection, group, proof, [])
    best = best or await model.function()
    if best is None:
        raise NoAnswerError(f"{_NO_FIX} {model.reason}")
    return best


async def _mended(session: Session, selection: Selection, group: FaultGroup, proof: Proof) -> list[Proven]:
    """What rules propose, as far as it holds."""
    text, snapshot = selection.text, selection.snapshot
    for uri in session.server.workspace.text_documents:
        session.read_overlay(uri)  # what was typed last counts
    at = group.faults[0].start
    functions = declarations_at(selection.tree, selection.language.family, at, at)
    scene = Scene(
        context=session.context,
        file=snapshot.path,
        path=session.context.relative(snapshot.file_name),
        language=selection.language,
        text=text,
        group=group,
        around=Span(functions[0].start, functions[0].end) if functions else Span(0, len(text)),
        error=proof.python.error if proof.python else None,
        is_broken=proof.is_broken,
        known=frozenset(known_words(Hole(text, group.span.start), "", (), snapshot.file_name.name)),
    )
    return await proof.proven(await asyncio.to_thread(proposals, scene))


def _rivals(mended: list[Proven]) -> list[Edit]:
    """The best of what holds, and what is not clearly worse."""
    if not mended:
        return []
    best = mended[0]
    equal = [each for each in mended if each.verdict == best.verdict and each.doubt < best.doubt + CLEARLY]
    return [each.edit for each in equal[:MAX_WEIGHED]]


async def _by_model(
    session: Session,
    selection: Selection,
    group: FaultGroup,
    proof: Proof,
    rivals: list[Edit],
    *,
    is_guess: bool = False,
) -> Edit | None:
    """What the model chooses of several changes that hold, or else writes itself.

    Of guesses it must know one by itself.
    """
    text, span = selection.text, proof.span
    ranks: Ranks = {}
    known: set[str] = set()
    try:
        async with within_time():
            infill = await begin(session, selection, group.diagnostics)
            if rivals:
                score, best = (await likeliest(infill, text, rivals))[0]
                return best if score > NEVER or not is_guess else None
            segments = infill.plan.segments if infill.plan else ()
            rest = Hole.at(text[: span.start] + text[span.end :], span.start)
            known = known_words(rest, "", segments, infill.path)
            judge = Judge(selection.tree, span, group.faults, infill.path, known)
            is_done = False
            for hole in _holes(text, span, group, known, is_broken=proof.is_broken):
                if is_done:
                    break
                is_done = await _note(judge, ranks, await _rewritten(infill, text, span, hole))
    except TimeoutError:
        if not ranks and not rivals:
            raise too_late() from None
    except ActionError:
        if not rivals:
            raise
    if rivals:
        return None if is_guess else rivals[0]
    edits = [Edit(*span, each) for each in best_first(ranks)]
    return await proof.first_accepted([each for each in edits if _keeps_names(text, group, each, known)])


def _keeps_names(text: str, group: FaultGroup, edit: Edit, known: set[str]) -> bool:
    """Whether what stands instead of an unknown name may be what was meant; any other name would mend it."""
    small = smallest(text, edit)
    for fault in group.faults:
        name = wrong_name(text, fault)
        if name is not None and small.start <= name.start and name.end <= small.end:
            words = _WORD.findall(small.text)
            if not any(each in known and is_related(text[slice(*name)], each) for each in words):
                return False
    return True


async def _note(judge: Judge, ranks: Ranks, statements: list[str]) -> bool:
    """Judge them, letting keystrokes through in between; whether no more need be looked for."""
    is_done = False
    for each in statements:
        if each not in ranks:
            rank = ranks[each] = judge.rank(each)
            is_done = is_done or (rank is not None and judge.is_slip(each, rank))
            await asyncio.sleep(0)
    return is_done


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
