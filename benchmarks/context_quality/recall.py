"""How often the definition that the answer begins with is in our context. Needs no model, only its tokenizer.

Over cross-file sites of Python packages: is the line that defines the name in the packed text, and does the
name occur in it at all? Knows nothing of what a model makes of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.context_quality.conditions.ghostfill import Ghostfill
from benchmarks.context_quality.corpus import Corpus
from benchmarks.context_quality.score import mean
from benchmarks.context_quality.sites import Definition, Origin, Site, choose, names_of
from engine.api import Segment

SITES_PER_FILE = 8
_OWNER = re.compile(r"[ \t]*class[ \t]+(\w+)")
_FUNCTION = re.compile(r"[ \t]*(?:async[ \t]+)?def[ \t]+\w+")


@dataclass(frozen=True, slots=True)
class Found:
    """What a plan holds of one site's name."""

    site: Site
    budget_tokens: int
    has_definition: bool
    has_name: bool


def look(
    corpus: Corpus, budgets: Sequence[int], count_tokens: Callable[[str], int], seed: int, per_file: int
) -> Iterable[Found]:
    """Plans at cross-file sites of one package, at every budget."""
    sites = list(choose(corpus, names_of(corpus), frozenset({Origin.CROSS_FILE}), seed, per_file))
    context = Ghostfill(corpus.root, count_tokens)
    try:
        for site in sites:
            for budget in budgets:
                segments = context.segments(site, budget)
                yield found_at(corpus, site, budget, segments)
    finally:
        context.close()


def as_json(found: Found) -> dict[str, Any]:
    """One plan for study."""
    site = found.site
    return {
        "package": site.package,
        "path": site.path,
        "line": site.hole.prefix.count("\n") + 1,
        "before": site.hole.line_prefix,
        "wanted": site.answer,
        "name": site.name,
        "is_novel": site.is_novel,
        "definitions": [f"{place.path}:{place.line + 1}" for place in site.definitions],
        "budget_tokens": found.budget_tokens,
        "has_definition": found.has_definition,
        "has_name": found.has_name,
    }


def found_at(corpus: Corpus, site: Site, budget: int, segments: Sequence[Segment]) -> Found:
    """One of several definitions is enough, and of a name renamed by an import one of both."""
    places = site.definitions
    has_definition = any(holds_definition(corpus.files[place.path], place, segments) for place in places)
    has_name = any(holds_name(name, segments) for name in {site.name, *(place.name for place in places)})
    return Found(site, budget, has_definition, has_name)


def figures(found: Sequence[Found]) -> dict[str, float]:
    """`def_at_4k` and its sisters; the `novel_` ones are of names that occur nowhere else in their file."""
    named: dict[str, float] = {}
    for budget in sorted({item.budget_tokens for item in found}):
        here = [item for item in found if item.budget_tokens == budget]
        novel = [item for item in here if item.site.is_novel]
        label = f"at_{budget // 1024}k"
        named[f"def_{label}"] = mean([item.has_definition for item in here])
        named[f"name_{label}"] = mean([item.has_name for item in here])
        named[f"novel_def_{label}"] = mean([item.has_definition for item in novel])
        named[f"novel_name_{label}"] = mean([item.has_name for item in novel])
        named["recall_n"], named["recall_novel_n"] = len(here), len(novel)
    return named


def holds_name(name: str, segments: Iterable[Segment]) -> bool:
    """The name occurs as a whole word."""
    pattern = re.compile(rf"\b{re.escape(name)}\b")
    return any(pattern.search(segment.text) for segment in segments)


def holds_definition(text: str, definition: Definition, segments: Iterable[Segment]) -> bool:
    """The line of `text` that defines a name stands in a segment of its file, under the same class.

    A line counts if it is the same up to the name, since signatures may be shortened or joined behind it. A
    parameter counts if the signature of its function holds it.
    """
    lines, name = text.split("\n"), definition.name
    own = [segment.text for segment in segments if segment.path == definition.path]
    if definition.is_parameter:
        return any(_holds_parameter(lines, definition.line, name, part) for part in own)
    return any(_holds_line(lines, definition.line, name, part.split("\n")) for part in own)


def _holds_line(lines: Sequence[str], num: int, name: str, part: Sequence[str]) -> bool:
    wanted, owner = _start(lines[num], name), _owner(lines, num)
    for here, line in enumerate(part):
        if line == lines[num] and lines.count(line) == 1:
            return True
        if wanted and _start(line, name) == wanted and _owner(part, here) == owner:
            return True
    return False


def _holds_parameter(lines: Sequence[str], num: int, name: str, text: str) -> bool:
    first = next((at for at in range(num, -1, -1) if _FUNCTION.match(lines[at])), None)
    if first is None:
        return False
    head = _FUNCTION.match(lines[first])
    assert head is not None, "just matched"
    part, owner = text.split("\n"), _owner(lines, first)
    for here, line in enumerate(part):
        if line.strip().startswith(head.group().strip() + "(") and _owner(part, here) == owner:
            return re.search(rf"\b{re.escape(name)}\b", _signature(part, here)) is not None
    return False


def _signature(lines: Sequence[str], first: int) -> str:
    """From `def` to the bracket that closes its parameters."""
    depth, taken = 0, ""
    for char in "\n".join(lines[first : first + 80]):
        taken += char
        depth += (char in "([{") - (char in ")]}")
        if char in ")]}" and depth == 0:
            break
    return taken


def _start(line: str, name: str) -> str:
    """The line up to the name and with it; empty if it does not hold it."""
    match = re.search(rf"\b{re.escape(name)}\b", line)
    return line[: match.end()].strip() if match else ""


def _owner(lines: Sequence[str], num: int) -> str:
    """The class around a line, by indentation."""
    indent = len(lines[num]) - len(lines[num].lstrip())
    for at in range(num - 1, -1, -1):
        line = lines[at]
        if not line.strip() or len(line) - len(line.lstrip()) >= indent:
            continue
        owner = _OWNER.match(line)
        if owner is not None:
            return owner.group(1)
        if line.lstrip()[:1] not in (")", "]", "}"):
            indent = len(line) - len(line.lstrip())
    return ""
