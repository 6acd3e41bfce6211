"""The set-ups of docs/ as a user copies them, and a `ghostfill` on PATH as pipx puts it there.

Knows no editor.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import sys
from pathlib import Path
from typing import Any

from cli_home import Home

DOCS = Path(__file__).parents[2] / "docs"
RECORDER = Path(__file__).with_name("record_lsp.py")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
"""Language and text of a code block."""


def snippet(page: str, heading: str, language: str) -> str:
    """The text of the one code block of this language in a section."""
    text = (DOCS / page).read_text(encoding="utf-8")
    _, _, section = text.partition(f"\n## {heading}\n")
    section = section.partition("\n## ")[0]
    (body,) = [body for name, body in FENCE.findall(section) if name == language]
    return str(body)


def user_environment(home: Home, record: Path) -> dict[str, str]:
    """The environment of a user who has installed ghostfill: the home's, with the program on PATH.

    The program writes every message to `record`. Every completion is offered, sure or not, and at once.
    """
    folder = home.folder / "bin"
    folder.mkdir(exist_ok=True)
    program = folder / "ghostfill"
    environment: dict[str, str] = home.environment(HOME=str(home.folder))
    # Our packages are found by the server alone, not by the Python of an editor.
    python_path = environment.pop("PYTHONPATH")
    command = [sys.executable, str(RECORDER), str(record), *home.command()]
    lines = ["#!/bin/sh", f"export PYTHONPATH={shlex.quote(python_path)}", f'exec {shlex.join(command)} "$@"']
    program.write_text("\n".join([*lines, ""]), encoding="utf-8")
    program.chmod(0o755)
    home.config.parent.mkdir(parents=True, exist_ok=True)
    home.config.write_text("[inline]\nmin_confidence = 0.0\ndebounce_ms = 0\n", encoding="utf-8")
    return environment | {"PATH": f"{folder}{os.pathsep}{environment['PATH']}"}


def recorded(record: Path, sender: str) -> list[dict[str, Any]]:
    """The messages that `client` or `server` has sent so far."""
    if not record.exists():
        return []
    lines = [json.loads(line) for line in record.read_text(encoding="utf-8").splitlines()]
    return [line["message"] for line in lines if line["from"] == sender]
