"""The table of packages: what a row may say, and what the committed rows say."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from benchmarks.context_quality.packages import FOR_TUNING, REPORTED
from training.sources.errors import TableError
from training.sources.spdx import is_permissive
from training.sources.table import (
    HeldOut,
    Registry,
    Source,
    normalised,
    read_held_out,
    read_lock,
    read_table,
)

HEADER = "language\tregistry\tname\tversion\tlicence\n"
GOOD = "python\tpypi\tsix\t1.17.0\tMIT\n"


def table(folder: Path, rows: str, header: str = HEADER) -> Path:
    path = folder / "sources.tsv"
    path.write_text(header + rows, encoding="utf-8")
    return path


def held_out(folder: Path, rows: str = "") -> Path:
    path = folder / "held_out.tsv"
    path.write_text("registry\tname\twhy\n" + rows, encoding="utf-8")
    return path


def test_a_row_becomes_a_source(tmp_path: Path) -> None:
    rows = read_table(table(tmp_path, GOOD), held_out(tmp_path))
    assert rows == (Source("python", Registry.PYPI, "six", "1.17.0", "MIT"),)


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        ("python\tpypi\tsix\t1.17.0\n", "5 cells"),
        ("python\tpypi\tsix\t\tMIT\n", "none empty"),
        ("python\tpypi\tsix \t1.17.0\tMIT\n", "none empty"),
        ("\n", "5 cells"),
        ("cobol\tpypi\tsix\t1.17.0\tMIT\n", "'cobol' is not one of"),
        ("python\tcpan\tsix\t1.17.0\tMIT\n", "'cpan' is not one of"),
        ("python\tpypi\t../six\t1.17.0\tMIT\n", "no name that pypi knows"),
        ("javascript\tnpm\t--help\t1.17.0\tMIT\n", "no name that npm knows"),
        ("c\tdebian\tzlib;ls\t1.17.0\tMIT\n", "no name that debian knows"),
        ("python\tpypi\tsix\t>=1.17\tMIT\n", "one exact version"),
        ("python\tpypi\tsix\tlatest\tMIT\n", "one exact version"),
        ("python\tpypi\tsix\t1.17.0\tGPL-3.0-only\n", "not a permissive SPDX expression"),
        ("python\tpypi\tsix\t1.17.0\tMIT AND LGPL-2.1-only\n", "not a permissive SPDX expression"),
        ("python\tpypi\tsix\t1.17.0\tBSD\n", "not a permissive SPDX expression"),
        ("python\tpypi\tSix\t1.16.0\tMIT\n", "stands on line 2 too"),
        ("python\tpypi\tFlask.Thing\t1.0\tMIT\n", "held out (measured)"),
    ],
)
def test_a_row_that_cannot_be_used_is_named_by_its_line(tmp_path: Path, row: str, complaint: str) -> None:
    path = table(tmp_path, GOOD + row)
    with pytest.raises(TableError, match=r"sources\.tsv, line 3") as caught:
        read_table(path, held_out(tmp_path, "pypi\tflask_thing\tmeasured\n"))
    assert complaint in str(caught.value)


def test_a_header_that_is_another_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="line 1"):
        read_table(table(tmp_path, GOOD, "name\tversion\n"), held_out(tmp_path))


def test_a_table_that_is_not_there_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="restore it"):
        read_table(tmp_path / "none.tsv", held_out(tmp_path))


def test_a_lock_with_no_digest_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "lock.tsv"
    path.write_text("key\tfile\tsha256\npypi-six-1\tsix.whl\tabc\n")
    with pytest.raises(TableError, match=r"lock\.tsv, line 2"):
        read_lock(path)


@pytest.mark.parametrize(
    ("source", "key"),
    [
        (Source("python", Registry.PYPI, "Zope.Interface", "7.2", "ZPL-2.1"), "pypi-zope-interface-7.2"),
        (Source("javascript", Registry.NPM, "@babel/core", "7.0.0", "MIT"), "npm-babel+core-7.0.0"),
        (Source("c", Registry.DEBIAN, "zlib", "1:1.2.13~a", "Zlib"), "debian-zlib-1_1.2.13~a"),
    ],
)
def test_a_key_is_one_safe_name_of_a_file(source: Source, key: str) -> None:
    assert source.key == key
    assert Path(key).name == key


def test_the_committed_table_is_large_enough_and_every_row_may_be_used() -> None:
    rows = read_table()
    counts = Counter(row.language for row in rows)
    assert counts["python"] >= 300
    assert len(rows) - counts["python"] >= 150
    assert all(is_permissive(row.licence) for row in rows)
    assert len({row.key.lower() for row in rows}) == len(rows), "two rows share a folder"


def test_the_lock_names_every_row_and_no_other() -> None:
    assert set(read_lock()) == {row.key for row in read_table()}


def test_every_package_that_is_measured_is_held_out() -> None:
    known = {(each.registry, normalised(each.registry, each.name)) for each in read_held_out()}
    for package in (*REPORTED, *FOR_TUNING):
        registry = Registry.PYPI if package.language == "python" else Registry.NPM
        assert (registry, package.name) in known


def test_no_committed_row_is_held_out_under_any_spelling() -> None:
    """The oracle: names with every mark taken out, whatever the registry."""

    def bare(name: str) -> str:
        return "".join(each for each in name.lower() if each.isalnum())

    kept_out: dict[str, HeldOut] = {f"{each.registry} {bare(each.name)}": each for each in read_held_out()}
    assert not [row.name for row in read_table() if f"{row.registry} {bare(row.name)}" in kept_out]
