"""Rows as figures, tables and a chart. Knows nothing of how they came about."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from benchmarks.context_quality.bootstrap import interval
from benchmarks.context_quality.score import mean
from benchmarks.fix_quality.chart import bar_chart
from benchmarks.fix_quality.faults import Kind
from benchmarks.fix_quality.measure import MODEL, USELESS, Measured, Row

TARGETS = {"parses": 0.9, "diagnostic_gone": 0.4}
CHART = "fix_quality-kinds.svg"
NOTE = """\
Small faults, planted one at a time in packages that the built-in model never saw, and given to
`ghostfill.fix` with what a checker says of them: ruff (syntax errors, rules F and E9), or where ruff sees
nothing (attributes and arguments) mypy with the package in sight. Slips that the checker does not report are
no faults and are left out; how many of those tried stands in the last column. Each fault is one slip of a
kind, so that a rule which knows the kind does well: what people write is more various.

- `offered`: there was an edit.
- `parses`: of those offered, what Python reads afterwards.
- `diagnostic gone`, of all: it parses, the checker no longer says what was to be fixed, and nothing new.
- `right`, of all: the same program as before the fault, wherever imports stand, and where a variable's
  definition was renamed under either name.
- `identical`, of all: to the original file, to the letter.
- `no model`: the same with a model of no use, which leaves what the front end finds by itself.

Seconds are from request to edit, without loading. Intervals (95 %) are by packages."""
_HEAD = (
    *("n", "offered", "parses", "diagnostic gone", "right", "identical", "s, median", "s, p95"),
    *("no model: gone", "right"),
)
_Value = Callable[[Row], bool]
SHARES: dict[str, _Value] = {
    "offered": lambda row: row.score.is_offered,
    "diagnostic_gone": lambda row: row.score.is_gone,
    "right": lambda row: row.score.is_right,
    "identical": lambda row: row.score.is_identical,
}
"""Of all faults."""
BY_KIND = ("n", "offered", "parses", "diagnostic_gone", "right", "identical")
"""Figures of each kind; the table has more."""


def figures(measured: Measured) -> dict[str, Any]:
    """The keys of the issue, and the same by kind."""
    kinds = {}
    for kind, rows in _by_kind(measured):
        of_kind = _of(rows)
        kinds[str(kind)] = {key: of_kind[key] for key in BY_KIND}
    unreported = sum(measured.unreported.values())
    return _of(measured.rows) | {"unreported": unreported, "by_kind": kinds}


def markdown(measured: Measured, charts: Sequence[str] = ()) -> str:
    """By kind and by package, and how sure it is."""
    rows = measured.rows
    kinds = [
        _cells(kind, *_row(found), str(measured.unreported.get(kind, 0)))
        for kind, found in _by_kind(measured)
    ]
    whole = _cells("all", *_row(rows), str(sum(measured.unreported.values())))
    packages = list(dict.fromkeys(row.fault.package for row in rows))
    of_package = [
        _cells(name, *_row([row for row in rows if row.fault.package == name])) for name in packages
    ]
    parts = (
        ("By kind of fault", (*_head(("fault", *_HEAD, "not reported")), *kinds, whole)),
        ("By package", (*_head(("package", *_HEAD)), *of_package)),
        ("All", (*_head(("measure", "share", "95 % interval", "wanted")), *_intervals(rows))),
    )
    tables = ["\n".join((f"### {title}", "", *lines, "")) for title, lines in parts]
    return "\n".join((NOTE, "", *tables, *(f"![{name}](results/{name})\n" for name in charts)))


def charts(measured: Measured) -> dict[str, str]:
    """What is gone and right by kind, by file name."""
    found = list(_by_kind(measured))
    shares = {
        "diagnostic gone": [_of(rows)["diagnostic_gone"] for _, rows in found],
        "the right program": [_of(rows)["right"] for _, rows in found],
        "gone without a model": [_of(rows)["diagnostic_gone_no_model"] for _, rows in found],
    }
    return {CHART: bar_chart("What becomes of small faults", [kind for kind, _ in found], shares)}


def as_json(row: Row) -> dict[str, Any]:
    """One row for study."""
    fault, slip = row.fault, row.fault.slip
    line = fault.original.count("\n", 0, slip.start)
    return {
        "package": fault.package,
        "kind": fault.kind,
        "condition": row.condition,
        "path": fault.path,
        "line": line + 1,
        "old": slip.old,
        "new": slip.new,
        "original_line": fault.original.split("\n")[line],
        "told": [f"{each.line + 1}: {each.code} {each.message}" for each in fault.told()],
        "edit": _changed(fault.planted, row.answer.text),
        "message": row.answer.message,
        "seconds": round(row.answer.seconds, 2),
        "offered": row.score.is_offered,
        "parses": row.score.parses,
        "diagnostic_gone": row.score.is_gone,
        "right": row.score.is_right,
        "identical": row.score.is_identical,
    }


def _of(rows: Sequence[Row]) -> dict[str, Any]:
    found, useless = _under(MODEL, rows), _under(USELESS, rows)
    offered = [row for row in found if row.score.is_offered]
    seconds = sorted(row.answer.seconds for row in found)
    return {
        "n": len(found),
        "offered": mean([row.score.is_offered for row in found]),
        "parses": mean([row.score.parses for row in offered]),
        "diagnostic_gone": mean([row.score.is_gone for row in found]),
        "right": mean([row.score.is_right for row in found]),
        "identical": mean([row.score.is_identical for row in found]),
        "s_p50": round(statistics.median(seconds), 2) if seconds else 0.0,
        "s_p95": round(seconds[int(0.95 * len(seconds))], 2) if seconds else 0.0,
        "diagnostic_gone_no_model": mean([row.score.is_gone for row in useless]),
        "right_no_model": mean([row.score.is_right for row in useless]),
    }


def _row(rows: Sequence[Row]) -> Iterator[str]:
    for key, value in _of(rows).items():
        yield str(value) if key == "n" else f"{value:.1f}" if key.startswith("s_") else f"{value:.3f}"


def _intervals(rows: Sequence[Row]) -> Iterator[str]:
    found = _under(MODEL, rows)
    measures = {name: (found, value) for name, value in SHARES.items()}
    measures["parses"] = ([row for row in found if row.score.is_offered], lambda row: row.score.parses)
    for name, (of, value) in measures.items():
        values = [float(value(row)) for row in of]
        low, high = interval(values, [row.fault.package for row in of])
        target = f"at least {TARGETS[name]}" if name in TARGETS else ""
        yield _cells(name.replace("_", " "), f"{mean(values):.3f}", f"{low:.3f} to {high:.3f}", target)


def _by_kind(measured: Measured) -> Iterator[tuple[Kind, list[Row]]]:
    for kind in Kind:
        if rows := [row for row in measured.rows if row.fault.kind is kind]:
            yield kind, rows


def _under(condition: str, rows: Sequence[Row]) -> list[Row]:
    return [row for row in rows if row.condition == condition]


def _changed(old: str, new: str | None) -> list[str] | None:
    """The lines that an edit took and brought, without those around them."""
    if new is None:
        return None
    before, after = old.split("\n"), new.split("\n")
    most = min(len(before), len(after))
    first = next((at for at in range(most) if before[at] != after[at]), most)
    last = next((at for at in range(most - first) if before[-1 - at] != after[-1 - at]), most - first)
    took = [f"-{line}" for line in before[first : len(before) - last]]
    return took + [f"+{line}" for line in after[first : len(after) - last]]


def _head(names: Sequence[str]) -> tuple[str, str]:
    return _cells(*names), _cells(*("---" for _ in names))


def _cells(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"
