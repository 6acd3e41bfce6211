"""The Emacs versions to test with, ERT files run in batch, and the package installed as a user installs it.

Knows nothing of servers.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from terminal import require

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "editors" / "emacs"
ERT_FILES = Path(__file__).parent / "emacs"
NEWER = ROOT / "build" / "editors" / "emacs-newer" / "emacs"
VERSIONS = ("stable", "newer")
TEST_NAME = re.compile(r"^\(ert-deftest ([^ ]+) \(\)", re.MULTILINE)


def emacs(version: str) -> str:
    """The program of a version; without it the test is skipped, and fails where CI promised one."""
    if version == "stable":
        return require("emacs", "emacs-nox elpa-eglot")
    program = os.environ.get("GHOSTFILL_EMACS_NEWER") or str(NEWER)
    if shutil.which(program) is None:
        pytest.skip(f"no newer Emacs at {program}: it is not in the stable distribution (.ci/emacs-newer)")
    return program


def run_batch(
    program: str, *arguments: str, environment: Mapping[str, str] | None = None, folder: Path = ERT_FILES
) -> subprocess.CompletedProcess[str]:
    """Emacs in batch without any configuration."""
    return subprocess.run(
        [program, "--batch", "-Q", *arguments],
        cwd=folder,
        env=dict(environment or os.environ),
        capture_output=True,
        text=True,
        errors="replace",
        timeout=200,
        stdin=subprocess.DEVNULL,
    )


def ert_names(file: str) -> list[str]:
    """The tests that an ERT file defines."""
    return TEST_NAME.findall((ERT_FILES / file).read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Outcome:
    """What a run of an ERT file said, and which of its tests passed."""

    passed: frozenset[str]
    output: str

    def about(self, name: str) -> str:
        """The part of the output that is about one test."""
        at = self.output.find(f"Test {name} backtrace:")
        return self.output[at:][:6000] if at >= 0 else self.output[-6000:]


def run_ert(program: str, file: str, environment: Mapping[str, str]) -> Outcome:
    """Runs all tests of a file in one Emacs."""
    done = run_batch(
        program,
        *("-L", str(PACKAGE), "-L", str(ERT_FILES), "-l", file, "-f", "ert-run-tests-batch-and-exit"),
        environment=environment,
    )
    passed = re.findall(r"^ +passed +\d+/\d+ +(\S+)", done.stderr + done.stdout, re.MULTILINE)
    return Outcome(frozenset(passed), done.stdout + done.stderr)


def emacs_home(folder: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """The environment of a user of Emacs whose home is this folder."""
    folder.mkdir(parents=True, exist_ok=True)
    changes = {
        "HOME": str(folder),
        "GHOSTFILL_PYTHON": sys.executable,
        "GHOSTFILL_FAKE": str(ROOT / "tests" / "fake_lsp_server.py"),
    }
    unwanted = ("EMACSLOADPATH", "XDG_CONFIG_HOME")
    return {key: value for key, value in environment.items() if key not in unwanted} | changes


@cache
def _installed(program: str, folder: Path) -> str:
    """Installs the package by the README's command; gives what Emacs said."""
    command = f'(progn (package-initialize) (package-install-file "{PACKAGE}"))'
    done = run_batch(program, "--eval", command, environment=emacs_home(folder, os.environ), folder=folder)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def install_package(program: str, folder: Path) -> str:
    """Installs the package for the user whose home is `folder`; gives what Emacs said."""
    folder.mkdir(parents=True, exist_ok=True)
    return _installed(program, folder)
