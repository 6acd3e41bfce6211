"""The picture of the imports around a file: places, labels, and what is filled."""

from __future__ import annotations

import random
import re
from itertools import combinations
from xml.etree import ElementTree

import pytest

from context.imports_around import ImportNode, ImportsAround, imports_around
from lsp_server.import_picture import MAX_LABEL, import_picture, labels_of

NUMBERS = ("x", "y", "width", "height")


def around(**distance: int) -> ImportsAround:
    return ImportsAround(tuple(ImportNode(f"pkg/{name}.py", number) for name, number in distance.items()))


def boxes(svg: str) -> dict[str, tuple[float, float, float, float]]:
    """By path: left, top, right, bottom."""
    found = {}
    for group in ElementTree.fromstring(svg).iter("g"):
        x, y, width, height = (float(group.find("rect").attrib[name]) for name in NUMBERS)
        found[group.find("title").text] = (x, y, x + width, y + height)
    return found


def test_importers_stand_left_of_the_file_and_imports_right() -> None:
    found = boxes(import_picture(around(me=0, models=1, cli=-1, base=2, main=-2), set()))

    order = sorted(found, key=lambda path: found[path][0])
    assert order == [f"pkg/{name}.py" for name in ("main", "cli", "me", "models", "base")]


def test_each_file_says_whether_text_of_it_is_sent() -> None:
    svg = import_picture(around(me=0, a=1, b=1), {"pkg/a.py", "pkg/me.py"})

    classes = {
        group.find("title").text: group.attrib["class"] for group in ElementTree.fromstring(svg).iter("g")
    }
    assert classes == {"pkg/me.py": "node self", "pkg/a.py": "node chosen", "pkg/b.py": "node other"}


def test_no_picture_without_a_neighbour() -> None:
    assert import_picture(around(me=0), set()) == ""
    assert import_picture(ImportsAround(), set()) == ""


def test_files_that_are_not_shown_are_counted_under_their_column() -> None:
    nodes = ImportsAround(
        (ImportNode("me.py", 0), ImportNode("t.py", -1)), (("t.py", "me.py"),), ((-1, 1234),)
    )

    assert "and 1,234 more" in import_picture(nodes, set())


def test_no_two_boxes_overlap_no_label_leaves_its_box_and_all_is_inside() -> None:
    """On random graphs with long, wide and equal names."""
    for seed in range(40):
        chance = random.Random(seed)
        stems = [
            "a",
            "models",
            "__init__",
            "an_extremely_long_module_name_for_a_label",
            "模块数据库连接与其他很长的名字",
        ]
        names = sorted(
            {
                f"{chance.choice('pq')}/{chance.choice('xyz')}/{chance.choice(stems)}{i % 9}.py"
                for i in range(50)
            }
        )
        graph = {name: set(chance.sample(names, chance.randrange(8))) for name in names}
        importers = {name: {other for other in names if name in graph[other]} for name in names}
        shown = imports_around(names[0], graph.__getitem__, importers.__getitem__)

        svg = import_picture(shown, set())

        found = boxes(svg)
        _, _, width, height = map(float, ElementTree.fromstring(svg).attrib["viewBox"].split())
        assert len(found) == len(shown.nodes)
        for (left, top, right, bottom), (left2, top2, right2, bottom2) in combinations(found.values(), 2):
            assert right < left2 or right2 < left or bottom < top2 or bottom2 < top
        for group in ElementTree.fromstring(svg).iter("g"):
            left, top, right, bottom = found[group.find("title").text]
            columns = sum(2 if ord(char) > 0x2E80 else 1 for char in group.find("text").text)
            assert columns * 6.9 < right - left
            assert left >= 0
            assert right <= width
            assert bottom <= height
        for curve in ElementTree.fromstring(svg).iter("path"):
            xs = [float(number) for number in re.findall(r"(-?\d+) -?\d+", curve.attrib["d"])]
            assert min(xs) >= 0
            assert max(xs) <= width


@pytest.mark.parametrize(
    ("paths", "labels"),
    [
        (["p/me.py", "p/a.py"], ["me.py", "a.py"]),
        (["p/me.py", "p/sub/a.py"], ["me.py", "sub/a.py"]),
        (["p/me.py", "x/p/a.py", "y/p/a.py"], ["me.py", "x/p/a.py", "y/p/a.py"]),
        (["p/me.py", "p/__init__.py", "p/q/index.ts"], ["me.py", "p/__init__.py", "q/index.ts"]),
        (["me.py", "__init__.py"], ["me.py", "__init__.py"]),
    ],
)
def test_labels_are_as_short_as_tells_them_apart(paths: list[str], labels: list[str]) -> None:
    assert list(labels_of(paths).values()) == labels


def test_a_label_that_is_too_wide_keeps_its_end() -> None:
    label = labels_of(["p/" + "very_" * 20 + "long.py", "p/b.py"])["p/" + "very_" * 20 + "long.py"]

    assert len(label) == MAX_LABEL
    assert label.startswith("very_ver…")
    assert label.endswith("long.py")
