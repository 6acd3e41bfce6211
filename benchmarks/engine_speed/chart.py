"""What a key costs by the length of the prompt, a line per peer. SVG, readable on light and dark pages."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

from benchmarks.replay.chart import GREY, Point

COLOURS = ("#0969da", "#54aeff", "#bc4c00", "#f2a65a", "#1a7f37", "#8250df", "#818b98")


def key_chart(title: str, lines: Mapping[str, Sequence[Point]]) -> str:
    """Milliseconds over tokens, both logarithmic; names stand beside the plot."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    # Text stays text, which keeps the file small; no date, so that equal charts are equal files.
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": title, "text.parse_math": False}):
        figure = Figure(figsize=(7.2, 4.2), layout="constrained")
        axes = figure.add_subplot(
            title=title,
            xlabel="tokens of prompt and answer",
            ylabel="ms from key to 16 tokens",
            xscale="log",
            yscale="log",
        )
        for colour, (name, points) in zip(COLOURS, lines.items(), strict=False):
            axes.plot(*zip(*points, strict=True), label=name, color=colour, marker="o", markersize=4)
        ticks = sorted({int(x) for points in lines.values() for x, _ in points})
        axes.set_xticks(
            ticks, [f"{tick // 1024}K" if tick >= 1024 else str(tick) for tick in ticks], minor=False
        )
        axes.set_xticks([], minor=True)
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axes.grid(color=GREY, alpha=0.3)
        axes.tick_params(colors=GREY, which="both")
        for text in (axes.title, axes.xaxis.label, axes.yaxis.label):
            text.set_color(GREY)
        for spine in axes.spines.values():
            spine.set_color(GREY)
        figure.legend(labelcolor="linecolor", frameon=False, loc="outside right center", fontsize="small")
        drawn = io.StringIO()
        figure.savefig(drawn, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    return drawn.getvalue()
