"""Bars by kind of fault as SVG text, readable on a light and on a dark page. Knows only names and shares."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

from benchmarks.replay.chart import COLOURS, GREY

_THICK = 0.8
"""All bars of one kind together; between kinds lies 1."""


def bar_chart(title: str, kinds: Sequence[str], shares: Mapping[str, Sequence[float]]) -> str:
    """Shares of 1 by name, a group of bars for each kind, the first kind on top."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    # Text stays text, which keeps the file small; no date, so that equal charts are equal files.
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": title, "text.parse_math": False}):
        figure = Figure(figsize=(6.6, 4.8), layout="constrained")
        axes = figure.add_subplot(title=title, xlabel="share of faults", xlim=(0, 1))
        thick = _THICK / max(1, len(shares))
        for at, (colour, (name, values)) in enumerate(zip(COLOURS, shares.items(), strict=False)):
            places = [place - _THICK / 2 + thick * (at + 0.5) for place in range(len(values))]
            axes.barh(places, list(values), height=thick, label=name, color=colour)
        axes.set_yticks(range(len(kinds)), list(kinds))
        axes.invert_yaxis()
        axes.grid(color=GREY, alpha=0.3, axis="x")
        axes.set_axisbelow(True)
        axes.tick_params(colors=GREY)
        for text in (axes.title, axes.xaxis.label):
            text.set_color(GREY)
        for spine in axes.spines.values():
            spine.set_color(GREY)
        figure.legend(labelcolor="linecolor", frameon=False, loc="outside lower center", ncols=len(shares))
        drawn = io.StringIO()
        figure.savefig(drawn, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    return drawn.getvalue()
