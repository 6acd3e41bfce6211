"""Readings of a weather station: loading, grouping and converting them."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path


@dataclass(frozen=True)
class Reading:
    """One line of a station's log."""

    taken_at: datetime
    celsius: float
    rain_mm: float


def load_readings(log_file: Path) -> list[Reading]:
    """Every readable line of a CSV log, oldest first."""
    readings = []
    with log_file.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            reading = parse_reading(row)
            if reading is not None:
                readings.append(reading)
    return sorted(readings, key=lambda reading: reading.taken_at)


def parse_reading(row: dict[str, str]) -> Reading | None:
    """A reading from a row of the log, or None if the sensor wrote nonsense."""
    try:
        return Reading(
            taken_at=datetime.fromisoformat(row["time"]),
            celsius=float(row["celsius"]),
            rain_mm=float(row["rain_mm"] or 0),
        )
    except (KeyError, ValueError):
        return None


def group_by_day(readings: Iterable[Reading]) -> dict[date, list[Reading]]:
    """The readings of each day."""
    days: dict[date, list[Reading]] = defaultdict(list)
    for reading in readings:
        days[reading.taken_at.date()].append(reading)
    return dict(days)


def moving_average(values: Sequence[float], window: int) -> list[float]:
    """The mean of each run of `window` values."""
    sums = [sum(values[start : start + window]) for start in range(len(values) - window + 1)]
    return [total / window for total in sums]


def to_fahrenheit(celsius: float) -> float:
    """Degrees Fahrenheit for degrees Celsius."""
    return celsius * 9 / 5 + 32
