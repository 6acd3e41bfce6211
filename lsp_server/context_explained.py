"""From a plan to the report on the request that would be sent: laid out as for the engine, but not sent.

Knows the same rooms as the pipeline; starts no engine and knows no LSP.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path

from context import Plan, RepoContext
from context.imports_around import ImportsAround
from context.languages import language_of
from engine.anchor import Anchor
from engine.api import Segment
from engine.backends.base import EngineInfo
from engine.fim import Part, Piece, assemble
from engine.layout import MARK_TOKENS, Budget, Prompt, without_closers
from lsp_server.context_report import Cached, ContextReport, Row, Section, Share
from lsp_server.folder_shares import folder_shares, warning_of
from lsp_server.hole import Hole
from lsp_server.line_index import LineIndex
from lsp_server.request import budget_for, build_request
from lsp_server.settings import Settings

HEALED = "regrown at the model's own token boundaries"
CLOSERS = "just behind the cursor: left to the model to write"

CachedTokens = Callable[[Sequence[int]], Awaitable[int | None]]


async def explain(
    settings: Settings,
    context: RepoContext,
    root: Path,
    path: Path,
    hole: Hole,
    plan: Plan | None,
    info: EngineInfo,
    cached_tokens: CachedTokens,
    anchor: Anchor | None = None,
) -> ContextReport:
    """The report on the request for `hole`; raises nothing that a keystroke would not raise.

    A model that cannot fill in the middle is asked at the end of a text: the report then shows the prefix.
    `anchor` is the one of the document's last prompt.
    """
    if info.refusal:
        hole = Hole(hole.prefix, hole.offset)
    relative = context.relative(path)
    # On the event loop, as for a keystroke: the layout's memory is not for two threads.
    prompt = build_request(settings, info, hole, relative, plan, anchor=anchor).prompt
    cached = await cached_tokens(prompt.ids)

    def build() -> ContextReport:
        return build_report(
            root=str(root),
            path=relative,
            hole=hole,
            plan=plan,
            prompt=prompt,
            info=info,
            budget=budget_for(settings, info),
            cached_tokens=cached,
            imports=context.imports_around(path),
        )

    return await asyncio.to_thread(build)


def build_report(
    *,
    root: str,
    path: str,
    hole: Hole,
    plan: Plan | None,
    prompt: Prompt,
    info: EngineInfo,
    budget: Budget,
    cached_tokens: int | None,
    imports: ImportsAround,
) -> ContextReport:
    """The report on `prompt`, laid out from `plan` for the hole in the file at workspace-relative `path`."""
    language = language_of(path)
    leader = language.comment if language else "#"
    rows = tuple(_rows(path, hole, plan, prompt, info, leader, cached_tokens))
    sources = [(row.path, row.num_tokens) for row in rows if row.is_repository and row.is_sent]
    folders = folder_shares(sources, path)
    lines = LineIndex.of(hole.text)
    line = lines.line_at(hole.offset)
    limit = budget.context + budget.prefix + budget.suffix + budget.answer + MARK_TOKENS
    is_complete = plan.is_complete if plan else True
    return ContextReport(
        file=path,
        root=root,
        line=line + 1,
        column=hole.offset - lines.start(line) + 1,
        model=info.model,
        device=info.device,
        is_engine_running=bool(info.pid),
        is_complete=is_complete,
        prompt_tokens=len(prompt.ids),
        cached_tokens=cached_tokens,
        limit_tokens=limit,
        context_limit_tokens=budget.context,
        rows=rows,
        shares=_shares(rows, len(prompt.ids), budget.answer, limit),
        folders=folders,
        considered=plan.considered if plan else (),
        imports=imports,
        notes=tuple(_notes(plan, rows, info, warning_of(folders))),
    )


def _notes(plan: Plan | None, rows: Sequence[Row], info: EngineInfo, warning: str) -> Iterator[str]:
    if info.refusal:
        yield f"Nothing is sent from the middle of a file: {info.refusal}"
    if plan is None:
        yield "Repository context is off (context.enabled), or the document is no file of the workspace."
    elif not plan.is_complete:
        yield "The index was not complete when this was planned; try again."
    elif not any(row.is_repository for row in rows):
        yield "No other file has anything to say here."
    if warning:
        yield warning
    if not info.pid:
        yield f"No engine is running: counted with the tokenizer of {info.model}, for {info.device}."


def _shares(rows: Sequence[Row], prompt_tokens: int, answer_tokens: int, limit: int) -> tuple[Share, ...]:
    taken = dict.fromkeys(Section, 0)
    for row in rows:
        taken[row.section] += row.num_tokens if row.is_sent else 0
    taken[Section.MARKS] = prompt_tokens - sum(taken.values())
    taken[Section.ANSWER] = answer_tokens
    taken[Section.UNUSED] = max(0, limit - prompt_tokens - answer_tokens)
    return tuple(Share(section, number) for section, number in taken.items())


def _rows(
    path: str,
    hole: Hole,
    plan: Plan | None,
    prompt: Prompt,
    info: EngineInfo,
    leader: str,
    cached_tokens: int | None,
) -> Iterator[Row]:
    sections = _sections(plan)
    sent = iter(prompt.segments)
    is_sent = {id(segment) for segment in prompt.segments}
    for segment, section in sections:
        if id(segment) not in is_sent:
            cost = info.tokenizer.count(info.layout.fim.segment_text(segment, leader))
            yield _segment_row(segment, section, cost, Cached.NO, None)
    section_of = {id(segment): section for segment, section in sections}
    start = 0
    for part, size in _sizes(path, hole, prompt, info, leader):
        cached = _cached(start, start + size, cached_tokens)
        if part is Part.CONTEXT:
            segment = next(sent)
            yield _segment_row(segment, section_of[id(segment)], size, cached, start)
        elif part in (Part.PREFIX, Part.TAIL) or (part is Part.SUFFIX and prompt.suffix_tokens):
            text = info.tokenizer.decode(prompt.ids[start : start + size])
            section = Section.SUFFIX if part is Part.SUFFIX else Section.PREFIX
            reason = _around(hole, prompt, info, part, text)
            yield Row(section, path, str(part), reason, size, cached, text, start)
        start += size
    yield from _kept_back(path, hole, prompt, info)


def _kept_back(path: str, hole: Hole, prompt: Prompt, info: EngineInfo) -> Iterator[Row]:
    """What stands at the cursor and not in the prompt."""
    reasons = {
        Section.PREFIX: ("healed", prompt.heal, HEALED),
        Section.SUFFIX: ("closers", _hidden_closers(hole, info), CLOSERS),
    }
    for section, (kind, text, reason) in reasons.items():
        if text:
            yield Row(section, path, kind, reason, info.tokenizer.count(text), Cached.NO, text)


def _segment_row(
    segment: Segment, section: Section, num_tokens: int, cached: Cached, start: int | None
) -> Row:
    kind, reason = segment.kind, segment.reason
    return Row(section, segment.path, kind, reason, num_tokens, cached, segment.text, start)


def _sections(plan: Plan | None) -> list[tuple[Segment, Section]]:
    if plan is None:
        return []

    def section(index: int, segment: Segment) -> Section:
        if index < plan.num_frozen:
            return Section.FROZEN
        return Section.SIMILAR if segment.kind == "similar" else Section.NEAR

    return [(segment, section(index, segment)) for index, segment in enumerate(plan.segments)]


def _sizes(path: str, hole: Hole, prompt: Prompt, info: EngineInfo, leader: str) -> list[tuple[Part, int]]:
    """The parts of the prompt in order, with their tokens."""
    layout = info.layout
    tail_tokens = info.tokenizer.count(_shown(hole, prompt)[1])
    known = {
        Part.PREFIX: prompt.prefix_tokens - tail_tokens,
        Part.SUFFIX: prompt.suffix_tokens,
        Part.TAIL: tail_tokens,
    }
    prefix, suffix, tail = ("." if number else "" for number in known.values())

    def size(piece: Piece) -> int:
        if piece.part is Part.MARK:
            return 1
        return known.get(piece.part) or info.tokenizer.count(piece.text)

    sizes: list[tuple[Part, int]] = []
    # The layout leaves out a header that is too long for the budget.
    for header in (path, None):
        pieces = assemble(layout.fim, layout.order, prompt.segments, header, prefix, suffix, leader, tail)
        sizes = [(piece.part, size(piece)) for piece in pieces]
        if sum(number for _, number in sizes) == len(prompt.ids):
            break
    return sizes


def _shown(hole: Hole, prompt: Prompt) -> tuple[str, str]:
    """What stands before the cursor, without the text to heal: up to the anchor, and behind it."""
    text = hole.prefix.removesuffix(prompt.heal)
    at = len(prompt.anchor.prefix) if prompt.anchor else len(text)
    return text[:at], text[at:]


def _hidden_closers(hole: Hole, info: EngineInfo) -> str:
    if not info.layout.fim.hides_closers:
        return ""
    return hole.suffix[: len(hole.suffix) - len(without_closers(hole.suffix))]


def _cached(start: int, end: int, cached_tokens: int | None) -> Cached:
    if cached_tokens is None:
        return Cached.UNKNOWN
    if end <= cached_tokens:
        return Cached.YES
    return Cached.PARTLY if start < cached_tokens else Cached.NO


def _around(hole: Hole, prompt: Prompt, info: EngineInfo, part: Part, text: str) -> str:
    """Which lines of the current file are sent."""
    if part is Part.SUFFIX:
        last = _line(hole, hole.offset) + text.rstrip("\n").count("\n")
        start = "the end of the cursor's line" if _hidden_closers(hole, info) else "the cursor"
        return f"this file, from {start} to line {last}"
    prefix, tail = _shown(hole, prompt)
    end = len(prefix + tail) if part is Part.TAIL else len(prefix)
    first = _line(hole, end) - text.count("\n")
    if part is Part.PREFIX and tail:
        return f"this file, from line {first} to line {_line(hole, end - 1)}"
    return f"this file, from line {first} to {'just before ' if prompt.heal else ''}the cursor"


def _line(hole: Hole, offset: int) -> int:
    return hole.text.count("\n", 0, offset) + 1
