"""imports: a statement names the files that it means, workspace by workspace in tests/golden/imports."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from context.extract import extract
from context.imports import resolver
from context.languages import is_manifest, language_of

GOLDEN = Path(__file__).parent.parent / "golden" / "imports"
ROOT = "/home/me/project"


def golden_cases() -> list[Any]:
    workspaces = {file.stem: tomllib.loads(file.read_text("utf-8")) for file in sorted(GOLDEN.glob("*.toml"))}
    return [
        pytest.param(workspace["files"], case, id=f"{stem}-{case['name']}")
        for stem, workspace in workspaces.items()
        for case in workspace["case"]
    ]


@pytest.mark.parametrize(("files", "case"), golden_cases())
def test_golden(files: dict[str, str], case: dict[str, Any]) -> None:
    language = language_of(case["from"])
    rows = {path: language_of(path) for path in files}
    family = [f"{ROOT}/{path}" for path, row in rows.items() if row and row.family == language.family]
    manifests = {f"{ROOT}/{path}": text for path, text in files.items() if is_manifest(Path(path).name)}
    modules = resolver(language.family, family, [ROOT], manifests)
    assert case["from"] in files

    statements = extract(case["text"], language).imports
    found = {name for row in statements for name in modules.files_of(f"{ROOT}/{case['from']}", row)}

    assert statements
    assert found == {f"{ROOT}/{name}" for name in case["names"]}
