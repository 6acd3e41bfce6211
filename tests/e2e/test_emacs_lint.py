"""The Emacs package: compiled without a warning, documented, and installed by one command."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from emacs_driver import PACKAGE, VERSIONS, emacs, emacs_home, install_package, run_batch

FILES = sorted(path.name for path in PACKAGE.glob("*.el"))
FIND_EGLOT = """
(progn (require 'package)
       (when (< emacs-major-version 29)
         (add-to-list 'package-directory-list "/usr/share/emacs/site-lisp/elpa"))
       (package-initialize))
"""


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """A copy: compiled files must not lie about in the checkout."""
    folder = tmp_path / "package"
    folder.mkdir()
    for file in FILES:
        text = (PACKAGE / file).read_text(encoding="utf-8")
        (folder / file).write_text(text.replace("; no-byte-compile: t", ""), encoding="utf-8")
    return folder


@pytest.mark.parametrize("version", VERSIONS)
def test_it_compiles_without_a_warning(version: str, sources: Path) -> None:
    strict = "(setq byte-compile-error-on-warn t)"
    done = run_batch(
        emacs(version),
        *("--eval", FIND_EGLOT, "--eval", strict, "-L", str(sources), "-f", "batch-byte-compile", *FILES),
        folder=sources,
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    assert len(list(sources.glob("*.elc"))) == len(FILES)


@pytest.mark.parametrize("version", VERSIONS)
def test_checkdoc_finds_nothing(version: str, sources: Path) -> None:
    names = " ".join(f'"{file}"' for file in FILES)
    check = f"(mapc #'checkdoc-file '({names}))"
    done = run_batch(emacs(version), "--eval", "(require 'checkdoc)", "--eval", check, folder=sources)
    assert done.stdout + done.stderr == ""


@pytest.mark.parametrize("version", VERSIONS)
def test_one_command_installs_it_and_its_commands_are_there(version: str, tmp_path: Path) -> None:
    program, home = emacs(version), tmp_path / "home"
    said = install_package(program, home)
    assert "rror" not in said.replace("-error", "")
    look = """
      (progn (package-initialize)
             (princ (list (package-installed-p 'ghostfill) (commandp 'global-ghostfill-mode)
                          (featurep 'ghostfill) (commandp 'ghostfill-mode))))
    """
    environment = emacs_home(home, {"PATH": "/usr/bin:/bin"})
    assert run_batch(program, "--eval", look, environment=environment, folder=home).stdout == "(t t nil t)"


@pytest.mark.parametrize("file", FILES)
def test_the_headers_are_as_packages_want_them(file: str) -> None:
    text = (PACKAGE / file).read_text(encoding="utf-8")
    first, last = text.split("\n")[0], text.rstrip("\n").split("\n")[-1]
    assert re.fullmatch(
        rf";;; {file} --- [A-Z].*[^.] -\*- lexical-binding: t(; no-byte-compile: t)? -\*-", first
    )
    assert last == f";;; {file} ends here"
    assert "SPDX-License-Identifier: MIT" in text
    assert f"(provide '{file.removesuffix('.el')})" in text
    defined = re.findall(
        r"^\((?:cl-)?def(?:un|macro|var|var-local|const|custom|face|group|class)\*? ([^ )]+)",
        text,
        re.MULTILINE,
    )
    foreign = {
        "company-candidates",
        "flycheck-current-errors",
        "evil-local-mode",
        "multiple-cursors-mode",
        "global-ghostfill-mode",
    }
    assert [name for name in defined if not name.startswith("ghostfill") and name not in foreign] == []
    assert len(text.split("\n")) < 300


def test_the_main_file_says_what_a_package_is() -> None:
    text = (PACKAGE / "ghostfill.el").read_text(encoding="utf-8")
    for header in ("Author", "Version", "Package-Requires", "Keywords"):
        assert re.search(rf"^;; {header}: \S", text, re.MULTILINE)
