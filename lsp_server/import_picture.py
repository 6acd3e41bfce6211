"""The imports around a file as an inline SVG: importers left, the file in the middle, its imports right.

Pure: from `ImportsAround` to markup. Colours are the page's style classes; text is measured as monospace.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from context.imports_around import ImportsAround
from lsp_server.markup import attributes, esc, tag

CHAR_WIDTH = 7.0
"""Of the picture's 11.5 px monospace, rounded up."""
MAX_LABEL = 26
NODE_HEIGHT, PITCH = 24, 32
PADDING, GAP, TOP, BOTTOM = 10, 84, 44, 26
INDEX_NAMES = ("__init__", "index", "mod", "lib", "main")
"""Files that are known by their folder."""
HEADINGS = {-2: "two steps up", -1: "import it", 0: "this file", 1: "it imports", 2: "two steps down"}


@dataclass(frozen=True, slots=True)
class Box:
    """Where a file is drawn."""

    path: str
    label: str
    distance: int
    x: float
    y: float
    width: float

    @property
    def middle(self) -> float:
        """The height at which edges meet it."""
        return self.y + NODE_HEIGHT / 2


def import_picture(around: ImportsAround, chosen: Collection[str]) -> str:
    """The picture, with the files of which text is sent filled; empty where no import is known."""
    if len(around.nodes) < 2:
        return ""
    boxes = _boxes(around)
    width = max(box.x + box.width for box in boxes.values()) + GAP  # where curves within a column go
    bottom = max(box.y for box in boxes.values()) + NODE_HEIGHT
    height = bottom + (BOTTOM if around.left_out else PADDING)
    parts = [
        *(_edge(boxes[importer], boxes[imported]) for importer, imported in around.edges),
        *(_node(box, is_chosen=box.path in chosen) for box in boxes.values()),
        *_headings(boxes.values()),
        *_left_out(around, boxes.values()),
    ]
    about = (
        f"Import graph around {around.nodes[0].path}: {len(around.nodes)} files, {len(around.edges)} imports."
    )
    size = attributes(viewBox=f"0 0 {width:.0f} {height:.0f}", width=f"{width:.0f}", height=f"{height:.0f}")
    frame = attributes(class_="imports", role="img", aria_label=about, style=f"min-width:{width * 0.8:.0f}px")
    return f"<svg{size}{frame}>{''.join(parts)}</svg>"


def labels_of(paths: Sequence[str]) -> dict[str, str]:
    """For each path as few trailing parts as tell it from the others, at most `MAX_LABEL` columns.

    A file of another folder than the first one's is told with its folder.
    """
    home = paths[0].rpartition("/")[0]
    return {path: _elided(_unique_end(path, paths, home)) for path in paths}


def _unique_end(path: str, paths: Sequence[str], home: str) -> str:
    parts = path.split("/")
    stem = parts[-1].partition(".")[0]
    is_bare = "/".join(parts[:-1]) == home and stem not in INDEX_NAMES
    for number in range(1 if is_bare else 2, len(parts)):
        end = "/".join(parts[-number:])
        if not any(other != path and f"/{other}".endswith(f"/{end}") for other in paths):
            return end
    return path


def _elided(label: str) -> str:
    """With a part taken out if it is too wide; the name at the end says most."""
    if _columns(label) <= MAX_LABEL:
        return label
    head, tail = label[:8], label[8:]
    while _columns(head) + 1 + _columns(tail) > MAX_LABEL:
        tail = tail[1:]
    return f"{head}…{tail}"


def _columns(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def _boxes(around: ImportsAround) -> dict[str, Box]:
    labels = labels_of([node.path for node in around.nodes])
    layers: dict[int, list[str]] = {}
    for node in around.nodes:
        layers.setdefault(node.distance, []).append(node.path)
    tallest = max(len(paths) for paths in layers.values())
    height: dict[str, float] = {}
    boxes: dict[str, Box] = {}
    x_of = _columns_at(layers, labels)
    for distance in sorted(layers, key=abs):
        paths = _ordered(layers[distance], around.edges, height)
        top = TOP + (tallest - len(paths)) * PITCH / 2
        for row, path in enumerate(paths):
            height[path] = top + row * PITCH
            x, width = x_of[distance]
            boxes[path] = Box(path, labels[path], distance, x, height[path], width)
    return boxes


def _columns_at(layers: Mapping[int, list[str]], labels: Mapping[str, str]) -> dict[int, tuple[float, float]]:
    """Left side and width of each column: as wide as its widest label or heading."""
    found: dict[int, tuple[float, float]] = {}
    x: float = PADDING
    for distance in sorted(layers):
        widest = max(_columns(labels[path]) for path in layers[distance])
        width = max(widest, len(HEADINGS[distance])) * CHAR_WIDTH + 2 * PADDING
        found[distance] = (x, width)
        x += width + GAP
    return found


def _ordered(
    paths: Iterable[str], edges: Iterable[tuple[str, str]], height: Mapping[str, float]
) -> list[str]:
    """By the mean height of the neighbours that are placed already, so that few edges cross; then by path."""
    heights: dict[str, list[float]] = {path: [] for path in paths}
    for one, other in edges:
        for path, neighbour in ((one, other), (other, one)):
            if path in heights and neighbour in height:
                heights[path].append(height[neighbour])

    def mean(path: str) -> float:
        known = heights[path]
        return sum(known) / len(known) if known else 0.0

    return sorted(heights, key=lambda path: (mean(path), path))


def _edge(start: Box, end: Box) -> str:
    """From the importer's right side to the imported file's left side, or round about."""
    x1, x2 = start.x + start.width, end.x
    bend1, bend2 = (x2 - x1) / 2, (x1 - x2) / 2
    if start.distance == end.distance:
        x2 = end.x + end.width
        bend1 = bend2 = min(GAP * 0.8, 24 + abs(end.middle - start.middle) / 6)
    elif start.distance > end.distance:
        x1, x2 = start.x, end.x + end.width
        bend1, bend2 = (x2 - x1) / 2, (x1 - x2) / 2
    kind = "side" if start.distance >= end.distance else "far"
    if 0 in (start.distance, end.distance):
        kind = "near"
    y1, y2 = start.middle, end.middle
    points = (x1 + bend1, y1), (x2 + bend2, y2), (x2, y2)
    curve = " ".join(f"{x:.0f} {y:.0f}" for x, y in points)
    return f'<path class="edge {kind}" d="M{x1:.0f} {y1:.0f}C{curve}"/>'


def _node(box: Box, *, is_chosen: bool) -> str:
    kind = "self" if box.distance == 0 else "chosen" if is_chosen else "other"
    shape = attributes(x=f"{box.x:.0f}", y=f"{box.y:.0f}", width=f"{box.width:.0f}", height=NODE_HEIGHT, rx=5)
    place = attributes(x=f"{box.x + box.width / 2:.0f}", y=f"{box.middle + 4:.0f}")
    title = tag("title", esc(box.path))
    return tag("g", f"{title}<rect{shape}/><text{place}>{esc(box.label)}</text>", class_=f"node {kind}")


def _headings(boxes: Collection[Box]) -> Iterable[str]:
    for distance in sorted({box.distance for box in boxes}):
        box = next(box for box in boxes if box.distance == distance)
        yield _caption(box, 20, HEADINGS[distance])


def _left_out(around: ImportsAround, boxes: Collection[Box]) -> Iterable[str]:
    for distance, number in around.left_out:
        lowest = max((box for box in boxes if box.distance == distance), key=lambda box: box.y, default=None)
        if lowest is not None:
            yield _caption(lowest, lowest.y + NODE_HEIGHT + 18, f"and {number:,} more")


def _caption(box: Box, y: float, text: str) -> str:
    place = attributes(class_="caption", x=f"{box.x + box.width / 2:.0f}", y=f"{y:.0f}")
    return f"<text{place}>{esc(text)}</text>"
