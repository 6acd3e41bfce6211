"""Times are taken on a workspace of its own, in places that can be drawn again."""

import pytest

from benchmarks.context_quality import timing
from benchmarks.context_quality.packages import Package
from context import Plan
from engine.api import Segment

NUM_FILES = 3


@pytest.fixture
def root(tmp_path):
    for num in range(NUM_FILES):
        text = "".join(f"def make_{num}_{line}(size):\n    return size + {line}\n" for line in range(60))
        (tmp_path / f"mod_{num}.py").write_text(text, encoding="utf-8")
    (tmp_path / "short.py").write_text("x = 1\n", encoding="utf-8")
    return tmp_path


def test_files_that_are_long_enough_are_opened_once_and_planned_in_several_times(root):
    found = timing.times(root, seed=1)
    assert found["context_files"] == NUM_FILES + 1
    assert found["context_plans"] == NUM_FILES * (timing.PLACES_PER_FILE - 1)
    assert found["context_ms_p95"] >= found["context_ms_p50"] > 0
    assert found["context_first_ms_p50"] > 0
    assert found["context_mib"] > 1


def test_a_percentile_is_the_value_below_which_that_share_lies():
    assert timing.percentile([5.0, 1.0, 3.0, 2.0, 4.0], 0.5) == 3.0
    assert timing.percentile([float(num) for num in range(100)], 0.95) == 95.0
    assert timing.percentile([7.0], 0.95) == 7.0


def test_packages_lie_beside_one_another_in_one_folder(tmp_path, monkeypatch):
    def unpacked(package):
        source = tmp_path / "sources" / package.name
        (source / package.name).mkdir(parents=True, exist_ok=True)
        (source / package.name / "__init__.py").write_text(f"name = '{package.name}'\n", encoding="utf-8")
        return source

    monkeypatch.setattr(Package, "unpacked", unpacked)
    (tmp_path / "cache").mkdir()
    monkeypatch.setattr(timing, "cache_folder", lambda: tmp_path / "cache")
    first, again = (timing.together([Package("a", "1"), Package("b", "2")]) for _ in range(2))
    assert first == again
    assert sorted(path.relative_to(first).as_posix() for path in first.rglob("*.py")) == [
        "a/__init__.py",
        "b/__init__.py",
    ]


def test_what_is_kept_ends_at_the_first_segment_that_is_new() -> None:
    one, two, three = (Segment(f"{name}.py", name, "definition", "", 88) for name in ("a", "b", "c"))
    before = Plan("x.py", (one, two), 200, 1000, True, ())

    assert timing.kept_share(before, before) == 1.0
    assert timing.kept_share(before, Plan("x.py", (one, three), 200, 1000, True, ())) == 0.5
    assert timing.kept_share(before, Plan("x.py", (three, one, two), 300, 1000, True, ())) == 0.0
