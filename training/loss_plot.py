"""loss.svg from loss.tsv and validation.tsv. Draws nothing where matplotlib is not installed."""

from __future__ import annotations

import csv
from importlib.util import find_spec
from pathlib import Path


def draw_losses(losses: Path, validation: Path, picture: Path) -> None:
    """Over millions of tokens: the loss of every role, and the middles of every validation folder."""
    rows = _rows(losses)
    if find_spec("matplotlib") is None or len(rows) < 2:
        return
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.subplots()
    for name in (name for name in rows[0] if name.startswith("loss_")):
        points = [
            (float(row["tokens"]) / 1e6, float(row[name])) for row in rows if row[name] not in ("", "nan")
        ]
        if points:
            axes.plot(*zip(*_smooth(points), strict=True), linewidth=1, label=name.removeprefix("loss_"))
    checks = _rows(validation)
    for folder in dict.fromkeys(row["folder"] for row in checks):
        points = [
            (float(row["tokens"]) / 1e6, float(row["loss"]))
            for row in checks
            if row["folder"] == folder and row["group"] == "middle"
        ]
        if points:
            axes.plot(*zip(*points, strict=True), "o--", label=f"{folder}, middle")
    axes.set(xlabel="million tokens", ylabel="loss per token", title=losses.parent.name)
    axes.grid(alpha=0.3)
    axes.legend()
    FigureCanvasSVG(figure).print_svg(picture)


def _smooth(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """A running mean, so that a trend is seen through the noise of steps."""
    mean, out = points[0][1], []
    for x, y in points:
        mean = 0.9 * mean + 0.1 * y
        out.append((x, mean))
    return out


def _rows(file: Path) -> list[dict[str, str]]:
    if not file.exists():
        return []
    with file.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream, delimiter="\t"))
