"""Python's own parser has the last word on Python, and runs nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from context.syntax.described import Span
from lsp_server.actions.edit import Edit
from lsp_server.actions.python_check import MAX_WHOLE, PythonCheck, error_line, first_error, part_around

LONG = "\n".join(f"@cache\ndef f{number}(x):\n    return (\n        x,\n    )\n" for number in range(5_000))
"""More than 20,000 lines."""


@pytest.mark.parametrize(
    ("text", "statement", "new", "accepted"),
    [
        pytest.param("if x\n    y\n", "if x", "if x:", (True, True), id="cured"),
        pytest.param("if x\n    y\n", "if x", "if x +", (False, False), id="not cured"),
        pytest.param("if x\n    y\nz = (\n", "if x", "if x:", (True, False), id="another one below"),
        pytest.param("z = (\n\nif x\n    y\n", "if x", "if y", (True, False), id="another one above"),
        pytest.param(
            "def f():\n    return 1\n", "return 1", "yield 1\nreturn 1", (False, False), id="margin"
        ),
        pytest.param("x = 1\n", "x = 1", "return 1", (False, False), id="parses, and is no Python"),
    ],
)
def test_python_has_the_last_word(text: str, statement: str, new: str, accepted: tuple[bool, bool]) -> None:
    at = text.index(statement)
    end = at + len(statement)
    assert PythonCheck.of(text, Span(at, end)).accepts(Edit(at, end, new)) == accepted


def test_compiling_runs_nothing(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    assert error_line(f"open({str(mark)!r}, 'w')\n") is None
    assert not mark.exists()


@pytest.mark.parametrize("text", ["x = '\\d'\n", "assert (1, 'x')\n", "0x1for x in y\n"])
def test_warnings_are_no_errors(text: str) -> None:
    assert error_line(text) is None


@pytest.mark.parametrize("text", ["\0", "(" * 5_000, "-" * 200_000 + "1", "x = 1\n" * 3 + "def"])
def test_odd_texts_have_an_error_and_do_not_raise(text: str) -> None:
    assert error_line(text) is not None


def test_of_a_long_text_only_what_stands_around_the_change_is_compiled() -> None:
    at = LONG.index("f2500")
    part = part_around(LONG, Span(at, at + 5))

    assert LONG[slice(*part)].startswith("@cache\ndef f2500(x):")
    assert part.start <= at < part.end
    assert part.end - part.start < 200


@pytest.mark.parametrize("where", ["f0", "f2500", "f4999"])
def test_an_error_in_a_long_text_is_known_by_its_line(where: str) -> None:
    text = LONG.replace(f"{where}(x):", f"{where}(x)")
    at = text.index(f"{where}(x)")
    check = PythonCheck.of(text, Span(at, at + len(where) + 3))

    assert check.error is not None
    assert check.error.line == text.count("\n", 0, at) == (first_error(text) or check.error).line
    end = at + len(where) + 3
    assert check.accepts(Edit(end, end, ":")) == (True, True)
    assert check.accepts(Edit(end, end, ";")) == (False, False)


def test_a_change_elsewhere_than_the_span_is_checked_where_it_is() -> None:
    at = LONG.index("f4999")
    check = PythonCheck.of(LONG, Span(at, at + 5))
    assert check.accepts(Edit(0, 0, "import os\n")) == (True, True)
    assert check.accepts(Edit(0, 0, "import os os\n")) == (False, False)


def test_a_long_text_without_statements_at_its_left_margin_is_compiled_whole() -> None:
    text = "x = [\n" + "    1,\n" * MAX_WHOLE + "]\n"
    assert part_around(text, Span(len(text) // 2, len(text) // 2)) == Span(0, len(text))
