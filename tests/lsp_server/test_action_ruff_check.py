"""Ruff is asked about texts, and nobody else is: no configuration, no other program, no raised error."""

from __future__ import annotations

import os
import stat
import sys
import sysconfig
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from lsp_server.actions import ruff_check
from lsp_server.actions.ruff_check import Finding, RuffCheck, Verdict, ruff_program

UNDEFINED = "import os\n\n\ndef f(price):\n    return prize\n"
MESSAGE = "Undefined name `prize`"


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    ruff_program.cache_clear()
    yield tmp_path / "state"
    ruff_program.cache_clear()


def checked(text: str, *messages: str, line: int = 4, path: str = "a.py") -> RuffCheck:
    check = RuffCheck.of(text, path, (line, line), messages)
    assert check is not None
    return check


def test_it_is_the_one_beside_our_own_python() -> None:
    program = ruff_program()
    assert program is not None
    assert program.parent == Path(sysconfig.get_path("scripts"))


def test_what_was_wrong_is_gone_and_nothing_new_came() -> None:
    check = checked(UNDEFINED, MESSAGE)
    assert check.wanted == Counter([Finding("F821", MESSAGE)])

    verdict = check.verdict(UNDEFINED.replace("prize", "price"))

    assert verdict == Verdict(0, 0, 1)  # `os` is still not used
    assert check.is_cured(verdict)


@pytest.mark.parametrize(
    ("new", "verdict"),
    [
        ("return prise", Verdict(1, 0, 1)),
        ("return prize  # changed", Verdict(0, 0, 2)),
        ("x = price", Verdict(0, 1, 1)),
        ("return price\n    import re", Verdict(0, 1, 1)),
        ("return (price", Verdict(1, 0, 0)),
    ],
)
def test_what_is_no_cure(new: str, verdict: Verdict) -> None:
    check = checked(UNDEFINED, MESSAGE)
    found = check.verdict(UNDEFINED.replace("return prize", new))
    assert found is not None
    assert found[:2] == verdict[:2]
    assert not check.is_cured(found)


def test_of_two_cures_the_one_that_leaves_less_is_better() -> None:
    """A name that was imported, and not used because it was misspelt."""
    text = "import os\n\n\ndef f(name, so):\n    return oss.path\n"
    check = checked(text, "Undefined name `oss`")
    one, other = (check.verdict(text.replace("oss", name)) for name in ("os", "so"))
    assert one is not None
    assert other is not None
    assert one < other


def test_what_a_text_that_does_not_parse_says_besides_is_unknown() -> None:
    check = checked("import os\nif x\n    y\n", "expected ':'", line=1)
    assert check.is_broken
    verdict = check.verdict("import os\nif x:\n    y\n")
    assert verdict is not None
    assert verdict.num_left == 0
    assert check.is_cured(verdict)


def test_another_fault_in_the_same_lines_may_stay() -> None:
    check = checked(UNDEFINED, '"Item" has no attribute "cost"')
    assert not check.wanted
    assert check.is_cured(Verdict(0, 0, 2))


def test_lines_that_move_are_no_news() -> None:
    text = "import re\nx = 1\nimport re\n\nprint(re, prize)\n"
    check = checked(text, MESSAGE)
    assert any("line" in finding.message for finding in check.before)
    verdict = check.verdict("import os\n" + text.replace("prize", "os"))
    assert verdict is not None
    assert verdict.num_wrong == 0


def test_a_stub_is_read_as_one() -> None:
    text = "def f() -> Later: ...\nclass Later: ...\n"
    assert not checked(text, line=0, path="a.pyi").before
    assert checked(text, line=0, path="a.py").before


# What the workspace holds is not obeyed


def test_no_configuration_is_read(tmp_path: Path, state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not of the working directory, not of the folder that it runs in, not of the environment."""
    everywhere = [tmp_path, state / "ghostfill", tmp_path / "home" / ".config" / "ruff"]
    for folder in everywhere:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        (folder / "ruff.toml").write_text('lint.ignore = ["F821"]\nextend-exclude = ["*"]\n')
        (folder / ".gitignore").write_text("*\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home" / ".config"))
    for variable in ("RUFF_CONFIG", "ruff_config"):
        monkeypatch.setenv(variable, str(tmp_path / "ruff.toml"))
    monkeypatch.setenv("RUFF_OUTPUT_FILE", str(tmp_path / "out.json"))
    monkeypatch.setenv("RUFF_NO_CACHE", "false")

    assert checked(UNDEFINED, MESSAGE).wanted
    assert not (tmp_path / "out.json").exists()
    assert not list(tmp_path.rglob(".ruff_cache"))


@pytest.mark.skipif(sys.platform == "win32", reason="scripts are started otherwise there")
def test_another_ruff_is_never_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mark = tmp_path / "mark"
    for folder in (tmp_path, tmp_path / ".venv" / "bin", tmp_path / "bin"):
        folder.mkdir(parents=True, exist_ok=True)
        fake = folder / "ruff"
        fake.write_text(f"#!/bin/sh\ntouch {mark}\necho '[]'\n")
        fake.chmod(fake.stat().st_mode | stat.S_IXUSR)
    (tmp_path / "ruff.py").write_text(f"open({str(mark)!r}, 'w')\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VIRTUAL_ENV", str(tmp_path / ".venv"))
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{tmp_path / 'bin'}{os.pathsep}.")

    assert checked(UNDEFINED, MESSAGE).wanted
    assert not mark.exists()


# Without it there is no opinion


def test_without_ruff_there_is_no_opinion(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sysconfig, "get_path", lambda name: str(tmp_path))
    assert RuffCheck.of(UNDEFINED, "a.py", (4, 4), [MESSAGE]) is None


@pytest.mark.skipif(sys.platform == "win32", reason="scripts are started otherwise there")
@pytest.mark.parametrize(
    "script",
    [
        "exit 2",
        "echo nonsense",
        "echo '{}'",
        "kill -9 $$",
        "exec sleep 60",
    ],
)
def test_one_that_fails_has_no_opinion(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    fake = tmp_path / "ruff"
    fake.write_text(f"#!/bin/sh\n{script}\n")
    fake.chmod(0o700)
    monkeypatch.setattr(ruff_check, "ruff_program", lambda: fake)
    monkeypatch.setattr(ruff_check, "SECONDS", 0.3)
    assert RuffCheck.of(UNDEFINED, "a.py", (4, 4), [MESSAGE]) is None


def test_rows_of_another_shape_are_left_out() -> None:
    assert ruff_check._finding({"code": "F821", "message": 3}) is None
    assert ruff_check._finding("F821") is None


@pytest.mark.parametrize("text", ["", "\0", "\ud800 = 1\n", "x = 1\n" * 20_000, "(" * 5_000])
def test_odd_texts_do_not_raise(text: str) -> None:
    check = RuffCheck.of(text, "a.py", (0, 0), [])
    assert check is None or check.verdict(text) is not None
