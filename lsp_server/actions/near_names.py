"""Names that a wrong one may stand for: those in sight that are nearly the same. Pure; asks no model."""

from __future__ import annotations

import re
from collections.abc import Collection

from context.syntax.described import Span
from lsp_server.actions.faults import Fault

MIN_BEGUN = 3
"""Letters of a name that may be the beginning of another."""
MAX_SLIPS, LETTERS_PER_SLIP = 3, 4
"""One slip in a short name, two in eight letters."""
_NAME = re.compile(r"[^\W\d]\w*")
_QUOTED = re.compile(r"[`'\"“‘]([^\W\d]\w*)[`'\"”’]")
_SUBJECT = re.compile(
    r"(?i)\b(?:attribute|member|argument|parameter|property|name|variable|identifier)(?: named)? "
    r"[`'\"“‘](?P<name>[^\W\d]\w*)[`'\"”’]"
)
_UNKNOWN = re.compile(
    r"(?i)undefined|not defined|cannot find|can't find|could not find|no attribute|no member|unresolved|"
    r"unknown|not exist|not a known|unexpected keyword|did you mean|no name|has no|is not accessed on|"
    r"no parameter named|no argument"
)


def wrong_name(text: str, fault: Fault) -> Span | None:
    """The one name that a fault is about, if it says that nothing is called so."""
    if not _UNKNOWN.search(fault.message):
        return None
    subject = _SUBJECT.search(fault.message)
    quoted = [subject["name"]] if subject else _QUOTED.findall(fault.message)
    said = set(quoted) or set(_NAME.findall(fault.message))
    names = [*_NAME.finditer(text[fault.start : fault.end])]
    found = [match for match in names if match[0] in said] or names
    if not found:
        return None
    last = found[-1]  # of `module.atribute` the attribute
    return Span(fault.start + last.start(), fault.start + last.end())


def near_names(name: str, known: Collection[str]) -> list[tuple[float, str]]:
    """The names most like it, each with its distance: the slips of the pen for each letter."""
    limit = _limit(name)
    rows = ((slips(name, other, limit), other) for other in known if other != name and len(other) > 1)
    return sorted((num / len(name), other) for num, other in rows if num <= limit)


def is_near(name: str, other: str) -> bool:
    """Whether one may be the other misspelt."""
    limit = _limit(name)
    return name != other and slips(name, other, limit) <= limit


def _limit(name: str) -> int:
    return max(1, min(MAX_SLIPS, len(name) // LETTERS_PER_SLIP))


def is_related(name: str, other: str) -> bool:
    """Whether one may have been meant by the other: misspelt, abbreviated, or with a word less."""
    one, another = (re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", each).casefold() for each in (name, other))
    words, others = ({*each.split("_")} - {""} for each in (one, another))
    shorter, longer = sorted((one, another), key=len)
    is_short = len(shorter) >= MIN_BEGUN and longer.startswith(shorter)
    is_part = bool(words and others) and (words <= others or others <= words)
    return is_near(name, other) or is_short or is_part


def slips(one: str, other: str, limit: int) -> int:
    """How many letters must be changed, left out, put in or swapped; more than `limit` is any number."""
    if abs(len(one) - len(other)) > limit or len({*one} ^ {*other}) > 2 * limit:
        return limit + 1
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        now = [i]
        for j, wanted in enumerate(other, 1):
            cost = min(row[j] + 1, now[j - 1] + 1, row[j - 1] + (letter != wanted))
            if before and j > 1 and letter == other[j - 2] and one[i - 2] == wanted:
                cost = min(cost, before[j - 2] + 1)
            now.append(cost)
        if min(now) > limit:
            return limit + 1
        before, row = row, now
    return row[-1]


def common_beginning(name: str, known: Collection[str]) -> int:
    """How many of its first characters some other name in sight begins with; the end of them is doubtful."""
    for size in range(len(name) - 1, 1, -1):
        if any(word != name and word.startswith(name[:size]) for word in known):
            return size
    return 0
