"""Two arguments in the wrong order: neighbours of one call, swapped. Knows brackets, no grammar."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from context.syntax.described import Span
from lsp_server.actions.edit import Edit
from lsp_server.actions.faults import Fault
from lsp_server.actions.rules.proposal import Proposal
from lsp_server.trimming.lexemes import Balance, Kind, lex

_TYPES = re.compile(
    r"(?i)Argument (?P<number>\d+)"
    r"(?: to [`'\"](?P<callee>[^`'\"]+)[`'\"](?: of [`'\"](?P<owner>[^`'\"]+)[`'\"])?)?"
    r" has incompatible type (?P<given>.+?); expected (?P<wanted>.+)"
)
_OTHER_TYPES = re.compile(
    r"(?i)is not assignable to (?:parameter|argument)|no overload variant|argument of type"
)
_WORDS = re.compile(r"[^\W\d_]+")


def callee_of(message: str) -> tuple[str, str]:
    """The function that a message about an argument is about, and its class; both may be empty."""
    match = _TYPES.search(message)
    return (match["callee"] or "", match["owner"] or "") if match else ("", "")


def is_about_types(message: str) -> bool:
    """Whether it says that an argument is of another type than the parameter."""
    return bool(_TYPES.search(message) or _OTHER_TYPES.search(message))


def other_orders(
    text: str, span: Span, path: str, faults: Sequence[Fault], parameters: Sequence[Sequence[str]]
) -> Iterator[Proposal]:
    """Arguments beside each other in a statement, swapped; the likelier, the better the types and the names
    of the parameters fit afterwards.
    """
    rows = [(fault, _TYPES.search(fault.message)) for fault in faults if is_about_types(fault.message)]
    numbers = {int(match["number"]) for _, match in rows if match}
    callees = {match["callee"].rpartition(".")[2] for _, match in rows if match and match["callee"]}
    calls = list(_calls(text, span, path))
    for callee, arguments in calls:
        if callees & {other for other, _ in calls} and callee not in callees:
            continue
        if not any(
            one.start <= fault.end and fault.start <= one.end for fault, _ in rows for one in arguments
        ):
            continue
        for at, (one, other) in enumerate(pairwise(arguments)):
            if not (_is_plain(text[slice(*one)]) and _is_plain(text[slice(*other)])):
                continue
            if numbers and not numbers & {at + 1, at + 2}:
                continue
            gain = _gain(text[slice(*one)], text[slice(*other)], at, parameters)
            is_crossed = {at + 1, at + 2} <= numbers
            swapped = f"{text[slice(*other)]}{text[one.end : other.start]}{text[slice(*one)]}"
            yield Proposal(1.0 - 0.5 * is_crossed - 0.4 * gain, Edit(one.start, other.end, swapped))


def _gain(one: str, other: str, at: int, parameters: Sequence[Sequence[str]]) -> float:
    """How much better two arguments fit the names of the parameters once they are swapped."""
    gains = [
        _alike(one, row[at + 1]) + _alike(other, row[at]) - _alike(one, row[at]) - _alike(other, row[at + 1])
        for row in parameters
        if at + 1 < len(row)
    ]
    return max(gains, default=0.0) if all(gain >= 0 for gain in gains) else 0.0


def _alike(argument: str, parameter: str) -> float:
    said = {word.casefold() for word in _WORDS.findall(argument)}
    wanted = {word.casefold() for word in _WORDS.findall(parameter)}
    return len(said & wanted) / len(wanted) if wanted else 0.0


def _is_plain(argument: str) -> bool:
    """Neither by name nor the rest of a list."""
    return bool(argument) and not argument.startswith("*") and not re.match(r"[^\W\d]\w*\s*=(?!=)", argument)


def _calls(text: str, span: Span, path: str) -> Iterator[tuple[str, list[Span]]]:
    """The name and the arguments of each call that lies in a statement."""
    lexemes = lex(text[slice(*span)], path)
    closers = dict(Balance(lexemes).pairs)
    code = [each for each in lexemes if each.is_code]
    for number, opener in enumerate(code):
        before = code[number - 1] if number else None
        is_call = (
            opener.text == "(" and before is not None and (before.kind is Kind.WORD or before.text in ")]")
        )
        end = closers.get(opener.start)
        if before is None or not is_call or end is None:
            continue
        found, depth = [], 0
        start: int | None = None
        last = opener.end
        for each in code[number + 1 :]:
            if each.start >= end or (each.text == "," and depth == 0):
                if start is not None:
                    found.append(Span(span.start + start, span.start + last))
                start = None
                if each.start >= end:
                    break
                continue
            depth += (each.kind is Kind.OPENER) - (each.kind is Kind.CLOSER)
            start, last = (each.start if start is None else start), each.end
        yield before.text, found
