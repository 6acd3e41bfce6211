"""Which whole statements a range touches."""

from __future__ import annotations

import pytest

from context.grammars import parser_of
from context.languages import language_of
from context.syntax.tree import SyntaxTree
from context.syntax.whole_statements import whole_statements

PYTHON = """\
import os


@cached
def f(a):
    b = [
        a,
        é,
    ]
    for each in b:
        print(each)
        if each:
            return 1
        else:
            return 2
    x = 1; y = 2

    # a comment
    return b


class C:
    def m(self):
        return 1

    def n(self): return 2
"""
SCRIPT = """\
function f(a) {
  const b = a.map((x) => {
    return x + 1;
  });
  if (a) { g(a); }
  switch (a) {
    case 1:
      h();
      break;
    default:
      k();
  }
  return b;
}
const one = 1; const two = 2;
"""


def found(marked: str, name: str = "a.py") -> str | None:
    """Of a text whose range is between two `|`."""
    before, picked, after = marked.split("|")
    text = before + picked + after
    language = language_of(name)
    assert language is not None
    assert language.grammar is not None
    tree = SyntaxTree.parse(parser_of(language.grammar), text)
    span = whole_statements(tree, language.family, len(before), len(before) + len(picked))
    return text[slice(*span)] if span is not None else None


def picked(text: str, part: str) -> str:
    return text.replace(part, f"|{part}|", 1)


@pytest.mark.parametrize(
    ("part", "first", "last"),
    [
        pytest.param("a,\n", "b = [", "]", id="a part of a statement"),
        pytest.param("]\n    for", "b = [", "            return 2", id="the ends of two"),
        pytest.param("print", "print(each)", "print(each)", id="a statement in a block"),
        pytest.param("return 1\n        els", "if each:", "            return 2", id="two branches"),
        pytest.param("else", "if each:", "            return 2", id="between branches"),
        pytest.param("y = 2", "x = 1; y = 2", "y = 2", id="what shares the line"),
        pytest.param("    x = 1; y = 2\n", "x = 1; y = 2", "y = 2", id="a whole line"),
        pytest.param("\n    # a comment\n", "# a comment", "# a comment", id="a comment"),
        pytest.param("cached", "@cached", "    return b", id="a decorator"),
        pytest.param("f(a", "@cached", "    return b", id="a function's header"),
        pytest.param("import os\n\n\n", "import os", "import os", id="blank lines"),
        pytest.param("return 2\n", "return 2", "return 2", id="the last of a block"),
        pytest.param("self): return 2", "def n(self): return 2", "return 2", id="a function of one line"),
        pytest.param("1\n\n    def n", "def m(self):", "def n(self): return 2", id="two methods"),
    ],
)
def test_statements_of_python_are_whole(part: str, first: str, last: str) -> None:
    lines = found(picked(PYTHON, part))
    assert lines is not None
    assert (lines.startswith(first), lines.endswith(last)) == (True, True), lines


@pytest.mark.parametrize(
    ("part", "first", "last"),
    [
        pytest.param("x + 1", "return x + 1;", "return x + 1;", id="inside of a callback"),
        pytest.param("map", "const b", "});", id="around a callback"),
        pytest.param("g(a)", "if (a) { g(a); }", "}", id="a block on its line"),
        pytest.param("k()", "default:", "k();", id="a case"),
        pytest.param("h();\n      break;\n    def", "case 1:", "k();", id="two cases"),
        pytest.param("two", "const one", "two = 2;", id="what shares the line"),
        pytest.param("f(a)", "function f", "return b;\n}", id="a function"),
    ],
)
def test_statements_of_javascript_are_whole(part: str, first: str, last: str) -> None:
    lines = found(picked(SCRIPT, part), "a.js")
    assert lines is not None
    assert (lines.startswith(first), lines.endswith(last)) == (True, True), lines


def test_a_statement_of_one_line_is_that_line_alone() -> None:
    assert found(picked(PYTHON, "return b")) == "return b"
    assert found(picked(PYTHON.replace("\n", "\r\n"), "return b")) == "return b"


@pytest.mark.parametrize("marked", ["||", "a = 1\n|\n|\nb = 2\n", "a = 1\n  ||  \n", "a = 1\n||"])
def test_there_is_no_statement_where_there_is_no_code(marked: str) -> None:
    assert found(marked) is None


def test_in_broken_code_it_is_the_lines_of_the_range() -> None:
    assert found("def f(a:\n    x = (|1\n    y| = 2\n    z = 3\n") == "x = (1\n    y = 2"
