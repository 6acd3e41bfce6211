"""What a model says a function or class does: the text between its docstring's quotes, or in its JSDoc.

Knows which of its texts can stand there; writes no document.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from textwrap import dedent

from context.syntax.declarations import Declaration
from context.syntax.described import CLOSES, OPENS, QUOTES, DocSlot
from engine.api import Completion
from lsp_server.actions.errors import ActionError
from lsp_server.actions.infill import Infill
from lsp_server.actions.selection import Selection
from lsp_server.hole import Hole
from lsp_server.trim import FORCED
from lsp_server.trimming.leaks import cut_header, cut_marks
from lsp_server.trimming.repetition import cut_loops
from lsp_server.trimming.secret_shapes import drop_secrets

MAX_TOKENS = 96
MAX_LINES = 6
"""Of the first paragraph: what a small model says of arguments is made up."""
NUM_ANSWERS = 3
MIN_WORDS = 2
NEAR_CHARS = 200
"""A description and the name of what it describes are no further from each other."""
_WORD = re.compile(r"[^\W\d_]{2,}")
_SENTENCE_END = re.compile(r"[.!?](?=\s|$)")
_SECTION = re.compile(r"\s*(?:[@:]\w|(?:Args|Arguments|Parameters|Returns|Raises|Yields|Examples?):?\s*$)")
_STAR = re.compile(r"^[ \t]*\*(?!/)[ \t]?")


async def descriptions(infill: Infill, selection: Selection, declaration: Declaration) -> list[str]:
    """What can stand as its description, the likeliest first: lines without quotes, stars and margin.

    What stands there already is hidden from the model.
    """
    slot = declaration.slot
    if slot is None:
        raise ActionError(f"The code of {declaration.name} is too broken to tell where a description goes.")
    text = selection.text
    prefix, suffix = f"{text[: slot.start]}{slot.before}", f"{slot.after}{text[slot.end :]}"
    completions = await infill.ask(
        prefix if slot.is_docstring else prefix.rstrip(" "),
        suffix,
        stop=(QUOTES,) if slot.is_docstring else (CLOSES,),
        max_tokens=MAX_TOKENS,
        num_answers=NUM_ANSWERS,
    )
    hole = Hole.at(prefix + suffix, len(prefix))
    cleaned = (_cleaned(each, hole, slot, infill.path) for each in completions)
    found = dict.fromkeys(each for each in cleaned if each and _says_something(each, declaration))
    segments = infill.plan.segments if infill.plan is not None else ()
    elsewhere = [hole.text, *(segment.text for segment in segments)]
    return [each for each in found if not any(_is_borrowed(each, declaration.name, t) for t in elsewhere)]


def written(slot: DocSlot, lines: str, newline: str) -> str:
    """A description with its quotes, to stand instead of the slot's range."""
    first, *rest = lines.split("\n")
    if slot.is_docstring:
        body = newline.join([first, *(f"{slot.indent}{line}".rstrip() for line in rest)])
        body += f"{newline}{slot.indent}" if rest else ""
    elif not rest:
        body = first if slot.start != slot.end else f" {first}"
    else:
        body = "".join(f"{newline}{slot.indent} * {line}".rstrip(" ") for line in [first, *rest])
        body += f"{newline}{slot.indent}"
    return f"{slot.before}{body}{slot.after}"


def _cleaned(completion: Completion, hole: Hole, slot: DocSlot, path: str) -> str:
    text = completion.text.replace("\r\n", "\n").replace("\r", "\n")
    text = text.partition(QUOTES if slot.is_docstring else CLOSES)[0]
    for cut in (cut_marks, cut_header, cut_loops, drop_secrets):
        text = cut(text, hole, path)
    if completion.finish_reason in FORCED:
        text = _whole_sentences(text)
    text = _flush_left(text) if slot.is_docstring else "\n".join(_unstarred(text))
    return _ended("\n".join(_summary(text)).strip(), slot)


def _is_borrowed(lines: str, name: str, text: str) -> bool:
    """Whether a text says the same, and of something that has another name."""
    first = lines.partition("\n")[0]
    at = text.find(first)
    return at >= 0 and name not in text[max(0, at - NEAR_CHARS) : at + len(first) + NEAR_CHARS]


def _summary(text: str) -> list[str]:
    """The lines of the first paragraph, up to what is said of arguments."""
    lines = [line.rstrip() for line in text.strip().split("\n\n")[0].split("\n")]
    ends = [number for number, line in enumerate(lines) if _SECTION.match(line)]
    return lines[: min([MAX_LINES, *ends])]


def _flush_left(text: str) -> str:
    first, newline, rest = text.strip().partition("\n")
    return first + newline + dedent(rest)


def _unstarred(text: str) -> Iterator[str]:
    for line in text.replace(OPENS, "").split("\n"):
        yield _STAR.sub("", line).strip()


def _whole_sentences(text: str) -> str:
    """What was cut short ends with its last sentence; without one, with its last line or word."""
    ends = [match.end() for match in _SENTENCE_END.finditer(text)]
    if ends:
        return text[: ends[-1]]
    head, newline, _ = text.strip().rpartition("\n")
    return head if newline else text.rpartition(" ")[0]


def _ended(text: str, slot: DocSlot) -> str:
    """Nothing that would end the quotes early, or mean something else inside of them."""
    if slot.is_docstring:
        text = text.rstrip('"').rstrip()
        if text.count('"') % 2:
            text = text.replace('"', "'")
    if text and "\n" not in text and text[-1].isalnum():
        text += "."
    return "" if slot.is_docstring and "\\" in text else text


def _says_something(text: str, declaration: Declaration) -> bool:
    """More than the name, and no code."""
    words = _WORD.findall(text)
    is_code = re.match(r"(?:def|class|return|import|from|function|const|let|@)\b.*[:({=]", text) is not None
    return len(words) >= MIN_WORDS and text.rstrip(".") != declaration.name and not is_code
