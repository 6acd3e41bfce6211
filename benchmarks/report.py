"""How a benchmark ends: one JSON object as the last line, a file in `results` after a full run."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
PAGE = Path(__file__).parent / "README.md"
INTRODUCTION = """# Figures

Made by the full runs of `python -m benchmarks.NAME`; this page is written by them. Times are medians unless
the name says otherwise, `_ms` and `_s` are units, and a machine shared with others is noisy: trust ratios.
"""


def finish(name: str, figures: dict[str, Any], *, quick: bool, details: str = "") -> None:
    """Print the result; a full run also keeps it, with `details` (Markdown) for the page alone."""
    result = {"name": name, "figures": figures, "machine": machine(), "commit": commit(), "quick": quick}
    if not quick:
        RESULTS.mkdir(exist_ok=True)
        kept = result | ({"details": details} if details else {})
        (RESULTS / f"{name}.json").write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
        PAGE.write_text(page(), encoding="utf-8")
    print(json.dumps(result))


def page() -> str:
    """Every kept result as a table; figures of parts stand in its details."""
    parts = [INTRODUCTION]
    for path in sorted(RESULTS.glob("*.json")):
        result = json.loads(path.read_text(encoding="utf-8"))
        machine = ", ".join(f"{key} {value}" for key, value in result["machine"].items())
        single = {key: value for key, value in result["figures"].items() if not isinstance(value, dict)}
        rows = [f"| {key} | {value} |" for key, value in single.items()]
        made = f"`python -m benchmarks.{result['name']}` at {result['commit']}: {machine}."
        table = ("| figure | value |", "| --- | --- |", *rows)
        parts.append("\n".join((f"## {result['name']}", "", made, "", *table, "")))
        parts += [result["details"]] if "details" in result else []
    return "\n".join(parts)


def machine() -> dict[str, Any]:
    """The processor, its cores, memory in GiB and the Python version."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "python": platform.python_version(),
    }


def commit() -> str:
    """The commit of the checkout, or `unknown` in an installed package."""
    done = subprocess.run(  # noqa: PLW1510
        ["git", "rev-parse", "--short", "HEAD"],
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip() or "unknown"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
