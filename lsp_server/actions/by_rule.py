"""What rules propose for what is wrong in one statement: from a checker's words, the index, Python's parser.

Asks no model; proves nothing. For any thread.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from context.builtin_members import BUILTIN_MEMBERS
from context.languages import Language
from context.syntax.described import Span
from lsp_server.actions.edit import Edit
from lsp_server.actions.faults import Fault, FaultGroup
from lsp_server.actions.near_names import is_near, is_related, wrong_name
from lsp_server.actions.python_check import PythonError
from lsp_server.actions.rules.arguments import callee_of, is_about_types, other_orders
from lsp_server.actions.rules.bindings import unused_bindings, words_of
from lsp_server.actions.rules.margin import margins_to_try
from lsp_server.actions.rules.missing_import import missing_imports
from lsp_server.actions.rules.missing_token import tokens_to_try
from lsp_server.actions.rules.proposal import Proposal
from lsp_server.actions.rules.python_part import PythonPart
from lsp_server.actions.rules.wrong_name import other_names
from lsp_server.planner import INDEX_SECONDS

if TYPE_CHECKING:
    from context import RepoContext

SECONDS = 1.5
"""For trying out where a token may be missing."""
ODD = 1.0
"""The doubt in a text that parses, and that nobody writes so."""
UNSAID = 0.3
"""The doubt in a token that the message does not name."""
UNLIKE = 0.5
"""The doubt in a change of another kind than what Python complains of."""
PRECEDENT, LIKE = 0.4, 18
"""What it is worth that so many characters before a change stand so elsewhere."""
LINES_BELOW, LINES_AROUND = 10, 3
_CALLED = re.compile(r"[`'\"](?P<name>[^\W\d]\w*)[`'\"](?: of [`'\"](?P<owner>[^\W\d]\w*)[`'\"])?")
_FOR = re.compile(rf"\bfor {_CALLED.pattern}")
_OF_CLASS = re.compile(
    r"^[`'\"](?:type\[)?(?P<one>[^\W\d][\w.]*)\]?(?:\[.*\])?[`'\"] has no|"
    r"(?:class|type|Module|module) [`'\"](?:type\[)?(?P<other>[^\W\d][\w.]*)"
)
_BETWEEN = re.compile(r", ?[\w\"']|[()\[\]{}]|\s[=+%]\s")
_CALLEE = re.compile(r"([^\W\d]\w*)\s*\($")


@dataclass(frozen=True, slots=True)
class Scene:
    """A document and what is wrong in one statement of it."""

    context: RepoContext
    file: Path | None
    """None for a document that has none: the index knows nothing about it."""
    path: str
    """Workspace-relative."""
    language: Language
    text: str
    group: FaultGroup
    around: Span
    """The function around it."""
    error: PythonError | None
    """What Python does not understand."""
    is_broken: bool
    """Whether the document does not parse, in whatever language."""
    known: frozenset[str] = frozenset()
    """Words in sight."""


def proposals(scene: Scene) -> list[Proposal]:
    """All of them, the least doubtful first."""
    if scene.error is not None:
        found = _of_syntax(scene, scene.error)
    elif scene.is_broken:
        said = " ".join(fault.message for fault in scene.group.faults)
        found = iter(_ordered(scene, said, lines_to_try(scene)))
    else:
        found = _of_meaning(scene)
    best: dict[Edit, float] = {}
    for doubt, edit in found:
        best[edit] = min(doubt, best.get(edit, doubt))
    return sorted(Proposal(doubt, edit) for edit, doubt in best.items())


# What Python cannot read


def _of_syntax(scene: Scene, error: PythonError) -> Iterator[Proposal]:
    deadline = time.monotonic() + SECONDS
    lines = lines_to_try(scene)
    is_margin = "indent" in error.message
    part = PythonPart.around(scene.text, lines, error.line if is_margin else None)
    if part is None:
        return
    starts = _line_starts(scene.text)
    at = starts[min(error.line, len(starts) - 1)]
    margins = ((doubt + UNLIKE * (not is_margin), edit) for doubt, edit in margins_to_try(scene.text, at))
    tokens = _ordered(scene, error.message, lines)
    for doubt, edit in (*margins, *((doubt + UNLIKE * is_margin, edit) for doubt, edit in tokens)):
        odd = part.oddity(edit)
        if odd is not None:
            unlikely = ODD * odd + _doubt_of_string(scene.text, edit)
            yield Proposal(doubt + unlikely - PRECEDENT * _precedent(scene.text, edit), edit)
        if time.monotonic() > deadline:
            return


def _ordered(scene: Scene, said: str, lines: Span) -> list[Proposal]:
    """The tokens that are named first: there may be no time for all."""
    wanted = {char for char in ":,()[]{}\"'" if f"'{char}'" in said}
    pairs = {**dict(zip("([{", ")]}", strict=True)), **dict(zip(")]}", "([{", strict=True))}
    wanted |= {pairs[char] for char in wanted if char in pairs}
    wanted |= {*"\"'"} if "string" in said else {","} if "comma" in said else set()
    found = tokens_to_try(scene.text, lines, scene.path, scene.known)
    return sorted(Proposal(doubt + UNSAID * (edit.text not in wanted), edit) for doubt, edit in found)


def _precedent(text: str, edit: Edit) -> float:
    """How far back from a change the text reads as it does elsewhere, from 0 to 1."""
    now = edit.applied(text)
    end = edit.start + len(edit.text)
    after = now[end : end + 1]
    for size in range(LIKE, 0, -3):
        if f"{now[max(0, edit.start - size) : end]}{after}" in text:
            return size / LIKE
    return 0.0


def _doubt_of_string(text: str, edit: Edit) -> float:
    """Of a string that is made by a quote: what is between two strings often holds a comma."""
    if edit.text not in ("'", '"'):
        return 0.0
    line = text[text.rfind("\n", 0, edit.start) + 1 : edit.start]
    opens = line.count(edit.text) % 2 == 0
    rest = text[edit.start :].partition("\n")[0]
    inside = rest.partition(edit.text)[0] if opens else line.rpartition(edit.text)[2]
    is_glued = opens and line[-1:].isalnum()
    return min(0.3 * len(_BETWEEN.findall(inside)) + 0.5 * is_glued, 0.9)


def lines_to_try(scene: Scene) -> Span:
    """Whole lines around what is wrong, and those below that may be inside of what is not closed."""
    starts = _line_starts(scene.text)
    number = len(starts) - 1
    faults = [scene.text.count("\n", 0, each.start) for each in scene.group.faults]
    here = scene.error.line if scene.error is not None else faults[0]
    near = [line for line in faults if abs(line - here) <= LINES_BELOW]
    first, last = min([here, *near]), max([here, *near])
    lines = scene.text.split("\n")
    margin = _width(lines[min(first, number)])
    above = first - 1
    while above > 0 and first - above < LINES_AROUND and not lines[above].strip():
        above -= 1
    while (
        above > 0
        and first - above < LINES_BELOW
        and _width(lines[above]) >= margin > 0
        and _goes_on(lines[above])
    ):
        above -= 1
    below = last
    for line in range(last + 1, min(last + LINES_BELOW, number + 1)):
        if lines[line].strip() and _width(lines[line]) <= margin and lines[line].strip()[0] not in ")]}":
            break
        below = line
    end = starts[below] + len(lines[below])
    return Span(starts[max(0, above)], min(end + 1, len(scene.text)))


def _goes_on(line: str) -> bool:
    return line.rstrip().endswith((",", "(", "[", "{"))


def _width(line: str) -> int:
    line = line.expandtabs()
    return len(line) - len(line.lstrip())


def _line_starts(text: str) -> list[int]:
    starts = [0]
    for line in text.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    return starts[:-1]


# What a checker does not know


def _of_meaning(scene: Scene) -> Iterator[Proposal]:
    scene.context.wait_ready(INDEX_SECONDS)
    places = [(fault, wrong_name(scene.text, fault)) for fault in scene.group.faults]
    for fault, place in places:
        if place is not None:
            yield from _of_name(scene, fault, place)
    if not any(place for _, place in places) and any(
        is_about_types(fault.message) for fault in scene.group.faults
    ):
        yield from _of_order(scene)


def _of_name(scene: Scene, fault: Fault, place: Span) -> Iterator[Proposal]:
    text = scene.text
    name = text[slice(*place)]
    before = text[: place.start].rstrip()
    if before.endswith("."):
        yield from other_names(text, fault, scene.around, _members(scene, fault, name), ())
    elif re.match(r"\s*=(?!=)", text[place.end :]) and before.endswith(("(", ",")):
        yield from other_names(text, fault, scene.around, (), _parameters(scene, fault, place))
    else:
        yield from other_names(text, fault, scene.around, (), scene.known)
        if scene.file is not None and scene.language.family:
            yield from missing_imports(scene.context, scene.file, scene.language, text, name, place.end)
        if scene.language.family == "python":
            yield from _of_bindings(scene, place, name)


def _of_bindings(scene: Scene, place: Span, name: str) -> Iterator[Proposal]:
    """What the function sets and never uses may be the same thing under another name."""
    words = {word for known in scene.known - {name} for word in words_of(known)}
    for each in unused_bindings(scene.text, place.start):
        if each.place.start < place.start and is_related(name, each.name):
            is_word = all(word in words for word in words_of(name))
            yield Proposal(0.05 if is_word else 0.3, Edit(*each.place, name))
            yield Proposal(0.3 if is_word else 0.05, Edit(*place, each.name))


def _members(scene: Scene, fault: Fault, name: str) -> Sequence[str]:
    match = _OF_CLASS.search(fault.message)
    owner = (match["one"] or match["other"] or "").rpartition(".")[2] if match else ""
    builtin = BUILTIN_MEMBERS.get(scene.language.family, frozenset())
    found = scene.context.members_like(owner, lambda other: is_near(name, other))
    return [*found, *(other for other in builtin if is_near(name, other))]


def _parameters(scene: Scene, fault: Fault, place: Span) -> list[str]:
    """What the function that is called takes, as the checker or the text names it."""
    match = _FOR.search(fault.message)
    callee, owner = (match["name"], match["owner"] or "") if match else (_callee(scene.text, place.start), "")
    return [each for row in scene.context.parameters_of(callee, owner) for each in row] if callee else []


def _callee(text: str, offset: int) -> str:
    """The name before the bracket that is open at an offset."""
    depth = 0
    for at in range(offset - 1, max(-1, offset - 2_000), -1):
        depth += (text[at] in ")]}") - (text[at] in "([{")
        if depth < 0:
            match = _CALLEE.search(text[max(0, at - 100) : at + 1])
            return match[1] if match else ""
    return ""


def _of_order(scene: Scene) -> Iterator[Proposal]:
    callee, owner = next(
        (found for fault in scene.group.faults if (found := callee_of(fault.message))[0]), ("", "")
    )
    parameters = scene.context.parameters_of(callee, owner) if callee else ()
    yield from other_orders(scene.text, scene.group.span, scene.path, scene.group.faults, parameters)
