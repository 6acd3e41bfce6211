"""The demo's workspace and the places where it asks: main.py with a piece of it cut away. Asks no engine.

The places were chosen before any model was asked: where a person pauses, and where what comes next uses
names of the other files.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent / "demo_workspace"
MAIN = "main.py"


@dataclass(frozen=True, slots=True)
class Site:
    """Where the cursor stands, as text of main.py that occurs once, and how much is cut away behind it."""

    before: str
    num_lines: int = 1
    """The rest of the cursor's line, and so many lines less one below it."""


SITES = (
    Site("        station = WeatherStation."),
    Site("        low, high, unit = "),
    Site("    summaries = "),
    Site("    trend = moving_average("),
    Site("    hottest = station."),
    Site("    dry_days = "),
    Site('    for log_file in sorted(folder.glob("*.csv")):\n        ', num_lines=2),
)
TYPING_SITE = Site('    print(f"{station.name}, {len(station.readings)} readings")\n    ')
"""Where the simulated typist types what the author wrote."""


@dataclass(frozen=True, slots=True)
class Cut:
    """A file with a hole, and what was there."""

    text: str
    offset: int
    author: str
    """What stood in the hole."""

    @property
    def line(self) -> int:
        """The cursor's line, from 1."""
        return self.text.count("\n", 0, self.offset) + 1

    def lines_before(self, num_lines: int) -> str:
        """The end of the text before the cursor: the cursor's line and the lines above it."""
        return "\n".join(self.text[: self.offset].split("\n")[-num_lines:])


def cut(text: str, site: Site) -> Cut:
    """The text without what the author wrote at `site`; raises ValueError unless that is one place."""
    if text.count(site.before) != 1:
        raise ValueError(f"{site.before!r} occurs {text.count(site.before)} times")
    offset = text.index(site.before) + len(site.before)
    end = offset
    for _ in range(site.num_lines):
        end = text.index("\n", end + 1)
    return Cut(text[:offset] + text[end:], offset, text[offset:end])


def unpack(folder: Path) -> Path:
    """Copy the workspace into `folder`; returns the path of main.py there."""
    shutil.copytree(FOLDER, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    return folder / MAIN
