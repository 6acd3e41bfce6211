"""Ghost text in a real Emacs in batch, against a scripted server: a test for each ERT test in `emacs/`."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

import pytest

from emacs_driver import ERT_FILES, VERSIONS, Outcome, emacs, emacs_home, ert_names, run_ert

FILES = sorted(path.name for path in ERT_FILES.glob("*-tests.el"))
TESTS = [
    pytest.param(version, file, name, id=f"{version}-{name}")
    for version in VERSIONS
    for file in FILES
    for name in ert_names(file)
]


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> object:
    """Runs an ERT file once, whatever number of its tests are asked about."""
    home = tmp_path_factory.mktemp("emacs") / "home"

    @cache
    def run(version: str, file: str) -> Outcome:
        return run_ert(emacs(version), file, emacs_home(Path(home), os.environ))

    return run


@pytest.mark.parametrize(("version", "file", "name"), TESTS)
def test_ert(outcome: object, version: str, file: str, name: str) -> None:
    assert callable(outcome)
    result: Outcome = outcome(version, file)
    assert name in result.passed, result.about(name)
