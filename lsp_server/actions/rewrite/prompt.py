"""What an instruct model is asked so that it writes lines anew: they stand marked in what is around them.

Pure. Knows the words of the question; knows neither the model nor what a good answer is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from context.syntax.declarations import declarations_at
from context.syntax.described import Span
from engine.api import Message, Segment
from lsp_server.actions.chat_prompt import (
    HIDDEN_SECRET,
    chat_prompt,
    diagnostics_lines,
    hide_secrets,
)
from lsp_server.actions.errors import NoAnswerError
from lsp_server.actions.faults import Fault
from lsp_server.actions.safe_markdown import block, code
from lsp_server.actions.selection import Selection
from lsp_server.hole import margin_of, with_plain_line_ends
from lsp_server.trimming.secret_shapes import secrets_in

MAX_AROUND = 6_000
"""Characters that the function around the lines may have; else as many lines around as fit."""
OUTLINE = "You need first to write a step-by-step outline and then write the code."
"""The words by which DeepSeek Coder's authors have it think first."""
_SYSTEM = "You are a careful programmer who writes lines of {language} code anew."
_WRONG = "Correct what is wrong in"
_ASKED = "The user asks for this: {note}\n\nDo it in"
_QUESTION = """\
{task} the lines between `{first}` and `{last}`, which are these:

{lines}

{answer} Give all of these lines as they have to be, indented as they are, in one code fence. Change nothing \
else in them, repeat no line around them, and leave nothing out."""
_AT_ONCE = "Answer with code alone."
_THOUGHT = f"{OUTLINE} The code comes last."


@dataclass(frozen=True, slots=True)
class RewritePrompt:
    """What is sent, and the lines that it sets around those to rewrite."""

    messages: tuple[Message, ...]
    marks: tuple[str, str]


def rewrite_prompt(
    selection: Selection,
    span: Span,
    path: str,
    *,
    faults: Sequence[Fault] = (),
    note: str = "",
    segments: Sequence[Segment] = (),
    limit_chars: int,
    is_thought_through: bool = False,
) -> RewritePrompt:
    """The question for new text of whole lines; raises ActionError if it cannot be put within the limit."""
    text, language = selection.text, selection.language
    marks = _marks(text, language.comment)
    first = text.rfind("\n", 0, span.start) + 1
    lines = text[first : span.end]
    question = _QUESTION.format(
        task=_ASKED.format(note=note) if note else _WRONG,
        first=marks[0],
        last=marks[1],
        lines=_shown(lines, language.id),
        answer=_THOUGHT if is_thought_through else _AT_ONCE,
    )
    around = _around(selection, Span(first, span.end), min(MAX_AROUND, limit_chars // 2))
    margin = margin_of(lines)
    marked = (
        f"{text[around.start : first]}{margin}{marks[0]}\n{lines}\n{margin}{marks[1]}"
        f"{text[span.end : around.end]}"
    )
    index = selection.snapshot.line_index
    numbers = f"lines {index.line_at(around.start) + 1} to {index.line_at(around.end) + 1}"
    prompt = chat_prompt(
        _SYSTEM.format(language=language.id),
        question,
        f"{code(path)}, {numbers} (and two marks):\n\n{_shown(marked, language.id)}",
        limit_chars=limit_chars,
        segments=segments,
        diagnostics=diagnostics_lines(selection.snapshot, faults),
    )
    return RewritePrompt(prompt.messages, marks)


def with_secrets(new: str, text: str, span: Span) -> str:
    """New text for a range with the credentials back in their places that the prompt has hidden; raises
    NoAnswerError where it cannot be told which is which.
    """
    old = text[slice(*span)]
    secrets = [old[start:end] for start, end in secrets_in(old)]
    parts = new.split(HIDDEN_SECRET)
    if len(parts) == 1 or (not secrets and HIDDEN_SECRET in text):
        return new
    if len(parts) - 1 != len(secrets):
        raise NoAnswerError(
            "The instruct model's answer has not all of the credentials that were hidden from it."
        )
    return "".join(part + secret for part, secret in zip(parts, [*secrets, ""], strict=True))


def _marks(text: str, leader: str) -> tuple[str, str]:
    """Two lines that the document has not."""
    more, less = ">>>", "<<<"
    while f"{leader} {more} " in text or f"{leader} {less} " in text:
        more, less = f"{more}>", f"{less}<"
    return f"{leader} {more} the lines to rewrite", f"{leader} {less} end of them"


def _around(selection: Selection, lines: Span, max_chars: int) -> Span:
    """Whole lines: the function or class around, or of a longer one as many on both sides as fit."""
    text = selection.text
    found = declarations_at(selection.tree, selection.language.family, *lines)
    if len(found) == 1 and found[0].end - found[0].start <= max_chars:
        start, end = found[0].start, found[0].end
    else:
        start, end = lines.start - max_chars // 2, lines.end + max_chars // 2
        start = text.find("\n", start, lines.start) + 1 if start > 0 else 0
        end = max(lines.end, text.rfind("\n", lines.end, end)) if end < len(text) else len(text)
    start = min(lines.start, text.rfind("\n", 0, start) + 1)
    stop = text.find("\n", max(lines.end, end))
    return Span(start, stop if stop >= 0 else len(text))


def _shown(lines: str, language_id: str) -> str:
    return block(hide_secrets(with_plain_line_ends(lines)), language_id)
