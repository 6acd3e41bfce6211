"""Rows as tables and figures. Knows nothing of how they came about."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from benchmarks.context_quality.bootstrap import interval, mcnemar
from benchmarks.context_quality.score import Row, exact_match, helped_and_hurt, mean
from benchmarks.context_quality.sites import Origin

NONE, GHOSTFILL = "none", "ghostfill"
HEAD = (
    "| condition | context | exact | edit sim. | next name | helped | hurt | p | over none | ours over it |",
    "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
)


def markdown(rows: Sequence[Row]) -> str:
    """One table per class, language and budget; 95 % intervals by packages behind the differences."""
    parts: list[str] = []
    for origin in Origin:
        of_origin = [row for row in rows if row.site.origin == origin]
        languages = sorted({row.site.language for row in of_origin})
        groups = [*([None] if len(languages) > 1 else []), *languages]
        for language in groups:
            chosen = [row for row in of_origin if language in (None, row.site.language)]
            for budget in sorted({row.budget_tokens for row in chosen} - {0}):
                num = len(_of(chosen, NONE, budget)) or len(_of(chosen, GHOSTFILL, budget))
                title = f"{origin}, {language or 'all languages'}, {budget} tokens, {num} sites"
                parts.append("\n".join((f"### {title}", "", *HEAD, *_lines(chosen, budget), "")))
    return "\n".join(parts)


def figures(rows: Sequence[Row]) -> dict[str, Any]:
    """The keys of the issue, over cross-file sites at the largest budget; smaller ones with a suffix."""
    crossing = [row for row in rows if row.site.origin == Origin.CROSS_FILE]
    budgets = sorted({row.budget_tokens for row in crossing} - {0})
    named: dict[str, Any] = {}
    for budget in reversed(budgets):
        is_largest = budget == budgets[-1]
        suffix = "" if is_largest else f"_{budget // 1024}k"
        of_budget = {name: _of(crossing, name, budget) for name in _conditions(crossing)}
        if is_largest:
            named |= {"n": max(map(len, of_budget.values())), "budget_tokens": budget}
        shown = {name: found for name, found in of_budget.items() if is_largest or name != NONE}
        named |= {f"em_{name}{suffix}": exact_match(found) for name, found in shown.items()}
        if of_budget.get(NONE) and of_budget.get(GHOSTFILL):
            counts = helped_and_hurt(of_budget[GHOSTFILL], of_budget[NONE])
            named[f"helped{suffix}"], named[f"hurt{suffix}"] = counts
    return named


def as_json(row: Row) -> dict[str, Any]:
    """One row for study."""
    site = row.site
    return {
        "package": site.package,
        "language": site.language,
        "path": site.path,
        "line": site.hole.prefix.count("\n") + 1,
        "before": site.hole.line_prefix,
        "wanted": site.answer,
        "name": site.name,
        "origin": str(site.origin),
        "is_novel": site.is_novel,
        "condition": row.condition,
        "budget_tokens": row.budget_tokens,
        "context_tokens": row.context_tokens,
        "answer": row.answer,
        "is_exact": row.score.is_exact,
        "similarity": round(row.score.similarity, 4),
        "is_name_right": row.score.is_name_right,
    }


def _lines(rows: Sequence[Row], budget: int) -> Iterable[str]:
    none, ours = _of(rows, NONE, budget), _of(rows, GHOSTFILL, budget)
    for name in _conditions(rows):
        found = _of(rows, name, budget)
        taken = mean([row.context_tokens for row in found])
        cells = [name, f"{taken:.0f}", f"{exact_match(found):.3f}"]
        cells.append(f"{mean([row.score.similarity for row in found]):.3f}")
        cells.append(f"{mean([row.score.is_name_right for row in found]):.3f}")
        if none and name != NONE:
            helped, hurt = helped_and_hurt(found, none)
            cells += [str(helped), str(hurt), f"{mcnemar(helped, hurt):.3f}", _difference(found, none)]
        else:
            cells += [""] * 4
        cells.append(_difference(ours, found) if ours and name != GHOSTFILL else "")
        yield f"| {' | '.join(cells)} |"


def _difference(left: Sequence[Row], right: Sequence[Row]) -> str:
    pairs = zip(left, right, strict=True)
    values = [float(a.score.is_exact) - float(b.score.is_exact) for a, b in pairs]
    low, high = interval(values, [row.site.package for row in left])
    return f"{mean(values):+.3f} ({low:+.3f} to {high:+.3f})"


def _of(rows: Sequence[Row], condition: str, budget: int) -> list[Row]:
    """The rows of a condition at a budget; without context there is only one budget."""
    wanted = 0 if condition == NONE else budget
    return [row for row in rows if row.condition == condition and row.budget_tokens == wanted]


def _conditions(rows: Sequence[Row]) -> list[str]:
    return list(dict.fromkeys(row.condition for row in rows))
