"""Which packages are measured, at which versions. The reported set and the one to tune on never meet."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from benchmarks.workspace import unpacked_npm, unpacked_wheel


@dataclass(frozen=True, slots=True)
class Package:
    """A pinned archive."""

    name: str
    version: str
    language: str = "python"

    def unpacked(self) -> Path:
        """Its files' folder; raises RuntimeError if it cannot be downloaded."""
        unpack = unpacked_wheel if self.language == "python" else unpacked_npm
        return unpack(self.name, self.version)


REPORTED = (
    Package("flask", "3.1.0"),
    Package("click", "8.1.8"),
    Package("httpx", "0.28.1"),
    Package("starlette", "0.46.2"),
    Package("rich", "14.0.0"),
    Package("marshmallow", "3.26.1"),
    Package("express", "5.1.0", "javascript"),
    Package("koa", "3.0.1", "javascript"),
    Package("axios", "1.9.0", "javascript"),
)
FOR_TUNING = (
    Package("jinja2", "3.1.6"),
    Package("werkzeug", "3.1.3"),
    Package("requests", "2.32.3"),
    Package("attrs", "25.3.0"),
    Package("typer", "0.15.4"),
    Package("tqdm", "4.67.1"),
    Package("fastify", "5.3.3", "javascript"),
    Package("commander", "14.0.0", "javascript"),
    Package("mocha", "11.5.0", "javascript"),
)
LARGE = (
    Package("transformers", "4.51.3"),
    Package("sympy", "1.14.0"),
    Package("django", "5.2.1"),
    Package("networkx", "3.4.2"),
    Package("twisted", "24.11.0"),
)
"""Together more than 5,000 Python files: to measure time on."""
