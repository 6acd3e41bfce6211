"""What an instruct model's answer says of the lines that it was asked to rewrite. Pure.

Knows the shapes that answers have; raises NoAnswerError, with a sentence, for one that cannot be used.
Nothing it gives leaves those lines; whether it parses is for the judge.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence

from context.syntax.described import Span
from engine.api import ChatAnswer, FinishReason
from lsp_server.actions.errors import NoAnswerError
from lsp_server.actions.rewrite.blocks import FOREIGN_TAGS, Block, blocks, has_fence
from lsp_server.actions.rewrite.diff import is_diff, patched
from lsp_server.actions.rewrite.place import RewritePlace
from lsp_server.hole import Hole
from lsp_server.trimming.leaks import cut_marks

RESEMBLES = 0.5
"""Without a fence only what is so much like the old lines is taken for code."""
WITHOUT_CODE = "The instruct model answered without code."
TOO_LONG = "The instruct model's answer reached its limit before its code was complete."
LEFT_OUT = 'The instruct model\'s answer leaves code out ("…", "rest unchanged").'
ODD = "The instruct model's answer holds what is no code: fences, or characters that nobody sees."
_LEFT_OUT = re.compile(
    r"(?ix) \s* (?:\.\.\.|…) \s* $"
    r"| \s* (?:\#|//|/\*|\{/\*|<!--) \s* (?:"
    r"  \.\.\.|…|your\ code\ here|same\ as\ (?:before|above)|unchanged\b"
    r"  |.*\b(?:rest\ of\ (?:the|your|this)|existing|remaining)"
    r"\ (?:code|function|method|class|file|lines|implementation)\b"
    r"  |.*\b(?:remains?|is|are|stays?|code)\ (?:the\ same|unchanged|omitted)\b"
    r"  |.*\bomitted\ for\ brevity\b)"
)
_SHOWN = "⟨U+"
"""Stands in prompts for a character that nobody sees."""
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})


def read_answer(answer: ChatAnswer, text: str, span: Span, marks: Sequence[str] = ()) -> list[str]:
    """New texts for a range of a document, by the margins that they may have; the most certain first.

    `marks` are lines that only the prompt has, around those to rewrite.
    """
    place = RewritePlace.of(text, span)
    said = answer.text.replace("\r\n", "\n").replace("\r", "\n")
    said = cut_marks(said.removeprefix("\ufeff"), Hole(text, 0), "")
    is_whole = answer.finish_reason in (FinishReason.EOS, FinishReason.STOP)
    found: list[tuple[float, list[str]]] = []
    errors: list[NoAnswerError] = []
    for block in _codes(said, place, is_whole=is_whole):
        try:
            lines = [line for line in block.lines if line.strip() not in marks]
            new = patched(lines, place) if is_diff(block.tag, lines) else lines
            found.append(_texts(new, place, text))
        except NoAnswerError as error:
            errors.append(error)
    if not found:
        raise errors[0] if errors else NoAnswerError(WITHOUT_CODE if is_whole else TOO_LONG)
    return max(found, key=lambda each: each[0])[1]


def _codes(said: str, place: RewritePlace, *, is_whole: bool) -> Iterator[Block]:
    """Each piece of an answer that may be the new lines."""
    for block in blocks(said):
        is_code = block.tag not in FOREIGN_TAGS and any(line.strip() for line in block.lines)
        if is_code and (block.is_closed or is_whole):
            yield block
    if is_whole and not has_fence(said):
        lines = said.strip("\n").split("\n")
        if len(lines) == 1:
            lines = [lines[0].strip().strip("`")]
        if place.likeness(lines) >= RESEMBLES:
            yield Block("", tuple(lines), True)


def _texts(lines: Sequence[str], place: RewritePlace, text: str) -> tuple[float, list[str]]:
    """How much like the old lines they are, and what of them can stand in the range."""
    cut = place.cut(lines)
    known = {*place.above, *place.old, *place.below}
    new = "\n".join(line for line in cut.lines if line not in known)
    if any(_LEFT_OUT.match(line) for line in new.split("\n")):
        raise NoAnswerError(LEFT_OUT)
    is_odd = has_fence(new) or (_SHOWN in new and _SHOWN not in text)
    if is_odd or any(_is_invisible(char) and char not in text for char in new):
        raise NoAnswerError(ODD)
    texts = place.texts(cut)
    if not texts:
        raise NoAnswerError("The instruct model's answer does not fit the place.")
    return place.likeness(cut.lines), texts


def _is_invisible(char: str) -> bool:
    return char not in "\t\n" and unicodedata.category(char) in _INVISIBLE
