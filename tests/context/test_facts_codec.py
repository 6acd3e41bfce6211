"""facts_codec: facts come back exactly as they were, and damaged bytes say so."""

import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from context import facts_codec
from context.extract import extract
from context.facts_codec import FactsError, decode, encode, facts_version
from context.languages import language_named
from context.symbols import Definition, FileFacts, Import, Kind

PYTHON = language_named("python")
assert PYTHON is not None
TEXT = '''\
"""A module."""
from __future__ import annotations
from .a import b as c, d
__all__ = ["C"]
class C(d):
    """Doc."""
    x: int = 1
    def f(self, café: str) -> str:
        return café
'''

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
numbers = st.integers(-1, 2**40)


def of_type(hint: object) -> st.SearchStrategy[Any]:
    """Values of a type, so that a new field is tried too."""
    if hint is str:
        return texts
    if hint is int:
        return numbers
    if get_origin(hint) is tuple:
        inner = get_args(hint)
        if inner[-1] is ...:
            return st.lists(of_type(inner[0]), max_size=3).map(tuple)
        return st.tuples(*map(of_type, inner))
    if get_origin(hint) in (Union, UnionType):
        return st.one_of(*map(of_type, get_args(hint)))
    if hint in (FileFacts, Import, Definition):
        return st.builds(hint, **{name: of_type(each) for name, each in get_type_hints(hint).items()})
    return st.from_type(hint)  # type: ignore[arg-type]


@given(of_type(FileFacts))
def test_facts_come_back_as_they_were(facts: FileFacts) -> None:
    back = decode(encode(facts))

    assert back == facts
    assert [type(each) for each in (*back.imports, *back.definitions)] == [
        type(each) for each in (*facts.imports, *facts.definitions)
    ]
    assert all(type(each.kind) is Kind for each in back.definitions)


def test_what_facts_remember_of_themselves_is_not_written() -> None:
    facts = extract(TEXT, PYTHON)
    fresh = encode(facts)

    assert facts.top_level
    assert facts.members
    assert facts.bound
    assert encode(facts) == fresh
    assert vars(decode(fresh)).keys() == {field.name for field in fields(FileFacts)}


def test_a_file_without_facts_is_not_an_empty_file() -> None:
    assert decode(encode(None)) is None
    assert decode(encode(FileFacts())) == FileFacts()


def test_damaged_bytes_are_told_apart_or_still_facts() -> None:
    """Each cut, and each byte changed: never another error, never a value of another type."""
    data = encode(extract(TEXT, PYTHON))
    damaged = [data[:length] for length in range(len(data))]
    damaged += [data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :] for at in range(len(data))]
    refused = 0
    for each in damaged:
        try:
            assert isinstance(decode(each), FileFacts | None)
        except FactsError:
            refused += 1

    assert refused >= len(data)


@pytest.mark.parametrize("data", [b"", b"not facts", b"\x93\x01\x02\x03", b"\xc0\xc0", b"\xff" * 100])
def test_bytes_that_are_no_facts_are_refused(data: bytes) -> None:
    with pytest.raises(FactsError):
        decode(data)


def test_the_version_is_the_same_in_every_process() -> None:
    code = "from context.facts_codec import facts_version; print(facts_version().hex())"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
        check=True,
    )

    assert done.stdout.strip() == facts_version().hex()


def test_the_version_changes_with_code_queries_and_grammars(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And with nothing else of the room."""
    files = [name for name in facts_codec._SOURCES if name.endswith(".py")]
    for name in (*files, "rank.py", "extract/python.py", "queries/go/tags.scm"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("1")
    monkeypatch.setattr(facts_codec, "__file__", str(tmp_path / "facts_codec.py"))
    facts_version.cache_clear()
    seen = [facts_version()]

    def again() -> bytes:
        facts_version.cache_clear()
        seen.append(facts_version())
        return seen[-1]

    try:
        (tmp_path / "rank.py").write_text("2")
        assert again() == seen[0]
        (tmp_path / "symbols.py").write_text("2")
        again()
        (tmp_path / "extract/python.py").write_text("2")
        again()
        (tmp_path / "queries/go/tags.scm").write_text("2")
        again()
        monkeypatch.setattr(facts_codec, "version", lambda name: "99.0")
        again()
        assert len(set(seen)) == 5
    finally:
        facts_version.cache_clear()
