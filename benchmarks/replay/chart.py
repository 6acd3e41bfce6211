"""A line chart as SVG text, readable on a light and on a dark page. Knows nothing of what it draws."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

COLOURS = ("#0969da", "#bc4c00", "#1a7f37", "#8250df")
GREY = "#818b98"
MAX_POINTS = 200
"""Of one line; more are thinned out evenly."""

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Axis:
    """What one axis says."""

    label: str
    most: float = 1.0


def line_chart(title: str, x: Axis, y: Axis, lines: Mapping[str, Sequence[Point]]) -> str:
    """Lines by name from (0, 0) to the axes' ends; what lies beyond is cut off."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    # Text stays text, which keeps the file small; no date, so that equal charts are equal files.
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": title, "text.parse_math": False}):
        figure = Figure(figsize=(5.8, 3.8), layout="constrained")
        axes = figure.add_subplot(
            title=title, xlabel=x.label, ylabel=y.label, xlim=(0, x.most), ylim=(0, y.most)
        )
        for colour, (name, points) in zip(COLOURS, lines.items(), strict=False):
            axes.plot(*zip(*_thinned(points), strict=True), label=name, color=colour)
        axes.grid(color=GREY, alpha=0.3)
        axes.tick_params(colors=GREY)
        for text in (axes.title, axes.xaxis.label, axes.yaxis.label):
            text.set_color(GREY)
        for spine in axes.spines.values():
            spine.set_color(GREY)
        axes.legend(labelcolor="linecolor", frameon=False)
        drawn = io.StringIO()
        figure.savefig(drawn, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    return drawn.getvalue()


def _thinned(points: Sequence[Point]) -> list[Point]:
    if len(points) <= MAX_POINTS:
        return list(points)
    last = len(points) - 1
    return [points[round(num * last / (MAX_POINTS - 1))] for num in range(MAX_POINTS)]
