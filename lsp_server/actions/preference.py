"""Which of several changes a model finds the likeliest: it fills the holes that they would fill.

Knows the engine; whether a change mends anything has been proven before.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from context.syntax.tree import common_prefix, common_suffix
from engine.api import Completion, StopRules
from lsp_server.actions.edit import Edit
from lsp_server.hole import Hole

if TYPE_CHECKING:
    from lsp_server.actions.infill import Infill

NUM_ANSWERS = 4
MAX_TOKENS = 12
NEVER = float("-inf")
MAX_BEFORE, MAX_AFTER = 2_000, 1_000
"""Characters that the model is shown around a hole: it is asked about several."""


async def likeliest(infill: Infill, text: str, edits: Sequence[Edit]) -> list[tuple[float, Edit]]:
    """The changes with their log-probabilities, the likeliest first; those that the model would not make keep
    their order at the end.
    """
    holes: dict[tuple[int, int], list[Edit]] = {}
    for edit in edits:
        small = smallest(text, edit)
        holes.setdefault((small.start, small.end), []).append(edit)
    scores: dict[Edit, float] = {}
    for (start, end), rivals in holes.items():
        answers = await _answers(infill, text, start, end)
        for edit in rivals:
            scores[edit] = max((_score(each, smallest(text, edit).text) for each in answers), default=NEVER)
        await asyncio.sleep(0)
    return sorted(((scores[edit], edit) for edit in edits), key=lambda row: -row[0])


def smallest(text: str, edit: Edit) -> Edit:
    """The same change without what stays as it is; a word is changed as a whole."""
    old = text[edit.start : edit.end]
    before = common_prefix(old, edit.text)
    while before and (_is_word(old[before - 1 : before])):
        before -= 1
    after = common_suffix(old, edit.text, min(len(old), len(edit.text)) - before)
    while after and _is_word(old[len(old) - after]):
        after -= 1
    return Edit(edit.start + before, edit.end - after, edit.text[before : len(edit.text) - after])


def _is_word(char: str) -> bool:
    return char.isalnum() or char == "_"


async def _answers(infill: Infill, text: str, start: int, end: int) -> tuple[Completion, ...]:
    hole = Hole.at(text[:start] + text[end:], start)
    rules = StopRules(
        line_prefix=hole.line_prefix, line_suffix=hole.line_suffix, next_lines=hole.next_lines()
    )
    near = replace(infill, plan=None)
    before, after = hole.prefix[-MAX_BEFORE:], hole.suffix[:MAX_AFTER]
    return await near.ask(before, after, rules=rules, max_tokens=MAX_TOKENS, num_answers=NUM_ANSWERS)


def _score(answer: Completion, wanted: str) -> float:
    """How likely the model says just this."""
    if answer.text.strip() != wanted.strip():
        return NEVER
    return sum(score.logprob for score in answer.scores) + (answer.end_logprob or 0.0)
