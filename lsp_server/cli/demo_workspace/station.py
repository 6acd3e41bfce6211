"""A weather station and what its log says about the days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from weather_utils import Reading, group_by_day, load_readings

DRY_DAY_MM = 0.2


@dataclass(frozen=True)
class DaySummary:
    """The weather of one day."""

    day: date
    low_celsius: float
    high_celsius: float
    rain_mm: float

    @classmethod
    def from_readings(cls, day: date, readings: list[Reading]) -> DaySummary:
        """Sum up the readings of a day."""
        temperatures = [reading.celsius for reading in readings]
        rain_mm = sum(reading.rain_mm for reading in readings)
        return cls(day, min(temperatures), max(temperatures), rain_mm)

    @property
    def mean_celsius(self) -> float:
        """Halfway between low and high, as almanacs have it."""
        return (self.low_celsius + self.high_celsius) / 2


class WeatherStation:
    """A place where readings are taken."""

    def __init__(self, name: str, readings: list[Reading]) -> None:
        self.name = name
        self.readings = readings

    @classmethod
    def from_log(cls, log_file: Path) -> WeatherStation:
        """The station that wrote a log, named like the file."""
        return cls(log_file.stem.replace("_", " ").title(), load_readings(log_file))

    def daily_summaries(self) -> list[DaySummary]:
        """One summary for each day with readings, in order."""
        days = group_by_day(self.readings)
        return [DaySummary.from_readings(day, days[day]) for day in sorted(days)]

    def hottest_day(self) -> DaySummary:
        """The day with the highest temperature."""
        return max(self.daily_summaries(), key=lambda summary: summary.high_celsius)

    def longest_dry_spell(self) -> int:
        """Most days in a row with hardly any rain."""
        longest = current = 0
        for summary in self.daily_summaries():
            current = current + 1 if summary.rain_mm < DRY_DAY_MM else 0
            longest = max(longest, current)
        return longest
