"""Print a report for every weather station that has a log in a folder."""

from __future__ import annotations

import argparse
from pathlib import Path

from station import DaySummary, WeatherStation
from weather_utils import moving_average, to_fahrenheit


def load_stations(folder: Path) -> list[WeatherStation]:
    """The stations whose logs lie in a folder, in order of their file names."""
    stations = []
    for log_file in sorted(folder.glob("*.csv")):
        station = WeatherStation.from_log(log_file)
        stations.append(station)
    return stations


def describe(summary: DaySummary, fahrenheit: bool) -> str:
    """One line about a day."""
    low, high, unit = summary.low_celsius, summary.high_celsius, "°C"
    if fahrenheit:
        low, high, unit = to_fahrenheit(low), to_fahrenheit(high), "°F"
    return f"{summary.day:%d %b}  {low:5.1f} to {high:5.1f} {unit}  {summary.rain_mm:5.1f} mm"


def print_report(station: WeatherStation, fahrenheit: bool) -> None:
    """Print days, trend and extremes of one station."""
    print(f"{station.name}, {len(station.readings)} readings")
    summaries = station.daily_summaries()
    for summary in summaries:
        print("  " + describe(summary, fahrenheit))
    trend = moving_average([summary.mean_celsius for summary in summaries], window=7)
    if trend:
        print(f"  last week's mean: {trend[-1]:.1f} °C")
    hottest = station.hottest_day()
    print(f"  hottest day: {describe(hottest, fahrenheit)}")
    dry_days = station.longest_dry_spell()
    print(f"  longest dry spell: {dry_days} days")


def main() -> None:
    """Read the command line and print the reports."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--fahrenheit", action="store_true")
    options = parser.parse_args()
    for station in load_stations(options.folder):
        print_report(station, options.fahrenheit)


if __name__ == "__main__":
    main()
