"""Fixtures of the command line: the console script, a small workspace."""

from pathlib import Path

import pytest

from cli_home import Home, RunCli


@pytest.fixture
def ghostfill(home: Home) -> RunCli:
    """Runs the console script."""
    return home.run


@pytest.fixture
def kelvin(tmp_path: Path) -> Path:
    """A workspace whose main.py needs a function of its utils.py."""
    (tmp_path / "pyproject.toml").write_text("")
    (tmp_path / "utils.py").write_text(
        "def celsius_to_kelvin(degrees: float) -> float:\n"
        '    """Absolute temperature."""\n'
        "    return degrees + 273.15\n"
    )
    (tmp_path / "main.py").write_text(
        "from utils import celsius_to_kelvin\n\n\n"
        "def report(celsius: float) -> None:\n"
        '    """Print the absolute temperature."""\n'
        "    kelvin = celsius_to\n"
        "    print(kelvin)\n"
    )
    return tmp_path
