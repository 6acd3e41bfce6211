"""plans: what a file is shown, in order and with reasons, as tests/golden/context_plans says.

A case names every segment but excerpts, or excerpts alone.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

GOLDEN = Path(__file__).parent.parent / "golden" / "context_plans"
BUDGET = 800


def golden_cases() -> list[Any]:
    workspaces = {file.stem: tomllib.loads(file.read_text("utf-8")) for file in sorted(GOLDEN.glob("*.toml"))}
    return [
        pytest.param(workspace["files"], case, id=f"{stem}-{case['name']}")
        for stem, workspace in workspaces.items()
        for case in workspace["case"]
    ]


@pytest.mark.parametrize(("files", "case"), golden_cases())
def test_golden(workspace, files: dict[str, str], case: dict[str, Any]) -> None:
    context = workspace.open(files)

    plan = workspace.plan(context, case["file"], case["text"], case.get("budget", BUDGET))

    found = [
        {"path": row.path, "kind": row.kind, "reason": row.reason, "text": row.text}
        for row in plan.segments
        if (row.kind == "similar") is case.get("is_about_excerpts", False)
    ]
    assert found == case["segments"]
    assert plan.num_tokens <= case.get("budget", BUDGET)
