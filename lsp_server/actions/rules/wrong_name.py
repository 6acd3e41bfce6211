"""A name that is none: what a checker proposes instead, or the names in sight that are most like it.

Pure; asks no model and no index. Whether a name is bound where it goes is for others to say.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from context.syntax.described import Span
from lsp_server.actions.edit import Edit
from lsp_server.actions.faults import Fault
from lsp_server.actions.near_names import is_related, near_names, wrong_name
from lsp_server.actions.rules.proposal import Proposal

MAX_PROPOSED = 4
HINTED = 0.0
MIN_LETTERS = 4
_HINT = re.compile(r"(?i)(?:did you mean|maybe|perhaps you meant)[^\w]*[`'\"“‘](?P<name>[^\W\d]\w*)")
_ATTRIBUTE = re.compile(r"\.\s*([^\W\d]\w*)")
_KEYWORD = re.compile(r"(?<=[(,\s])([^\W\d]\w*)\s*=(?!=)")
_PLAIN = re.compile(r"(?<![\w.])[^\W\d]\w*")
_ARGUMENT = re.compile(r"(?i)keyword|no parameter|no argument|argument named|unexpected argument")


def other_names(
    text: str, fault: Fault, around: Span, members: Collection[str], words: Collection[str]
) -> Iterator[Proposal]:
    """Another name for the one that a fault is about, the likeliest first.

    `around` is the function that it stands in; `members` may follow a dot, `words` may stand anywhere.
    """
    for place in _places(text, fault):
        name = text[slice(*place)]
        hint = _HINT.search(fault.message)
        if hint is not None and hint["name"] != name:
            yield Proposal(HINTED, Edit(*place, hint["name"]))
        is_member = text[: place.start].rstrip().endswith(".")
        is_argument = not is_member and bool(_ARGUMENT.search(fault.message))
        if is_member:
            near, far = set(_ATTRIBUTE.findall(text)), {*members}
        elif is_argument:
            # Of what is called from outside of the workspace only other calls tell something.
            seen = set(_KEYWORD.findall(text)) if len(name) >= MIN_LETTERS and not words else set()
            near, far = seen, {*words}
            for other in words:
                if is_related(name, other) and other != name:
                    yield Proposal(0.3 + abs(len(other) - len(name)) / 50, Edit(*place, other))
        else:
            near, far = set(_PLAIN.findall(text[slice(*around)])), {*_PLAIN.findall(text), *words}
        for distance, other in near_names(name, near | far)[:MAX_PROPOSED]:
            yield Proposal(0.1 + distance + (0 if other in near else 0.15), Edit(*place, other))


def _places(text: str, fault: Fault) -> list[Span]:
    found = wrong_name(text, fault)
    return [] if found is None else [found]
