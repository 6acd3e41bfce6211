"""The lines that a fault is about."""

from __future__ import annotations

import pytest

from context.grammars import parser_of
from context.languages import language_of
from context.syntax import SyntaxTrees
from context.syntax.statements import faults_between, num_faults, statement_lines
from context.syntax.tree import SyntaxTree


def tree_of(text: str, name: str) -> SyntaxTree:
    language = language_of(name)
    assert language is not None
    assert language.grammar is not None
    return SyntaxTree.parse(parser_of(language.grammar), text)


def lines(text: str, wrong: str, name: str = "a.py") -> str:
    start = text.index(wrong)
    family = "python" if name == "a.py" else "javascript"
    return text[slice(*statement_lines(tree_of(text, name), family, start, start + len(wrong)))]


@pytest.mark.parametrize(
    ("wrong", "found"),
    [
        ("nme", "print(nme)"),
        ("two", "total = add(\n        one,\n        two,\n    )"),
        ("colour", "if colour and (\n        small\n    ):"),
        ("smal", "if colour and (\n        small\n    ):"),
        ("else", "else:"),
        ("sel", "def f(sel):"),
        ("1 ; y", "x = 1 ; y = 2"),
    ],
)
def test_python(wrong: str, found: str) -> None:
    """A simple statement with all its lines, of a compound one the header."""
    text = (
        "def f(sel):\n    print(nme)\n    total = add(\n        one,\n        two,\n    )\n"
        "    if colour and (\n        small\n    ):\n        pass\n    else:\n        pass\nx = 1 ; y = 2\n"
    )
    assert lines(text, wrong) == found


@pytest.mark.parametrize(
    ("wrong", "found"),
    [
        ("nme", "console.log(nme)"),
        ("two", "const total = add(\n    one,\n    two,\n  )"),
        ("colour", "if (colour) {"),
        ("els", "} else {"),
        ("sel", "function f(sel) {"),
    ],
)
def test_javascript(wrong: str, found: str) -> None:
    text = (
        "function f(sel) {\n  console.log(nme)\n  const total = add(\n    one,\n    two,\n  )\n"
        "  if (colour) {\n    pass()\n  } else {\n    pass()\n  }\n}\n"
    )
    assert lines(text, wrong, "a.js") == found


def test_in_broken_code_the_lines_of_the_range() -> None:
    assert lines("def f():\n    x = (1\n    y = 2\n", "(1") == "x = (1"


def test_the_margin_of_the_first_line_stays() -> None:
    assert lines("def f():\n    x = 1\n", "    x") == "x = 1"


def test_an_empty_line_is_an_empty_span() -> None:
    assert lines("x = 1\n\ny = 2\n", "\n") == "x = 1"
    tree = tree_of("x = 1\n\ny = 2\n", "a.py")
    assert statement_lines(tree, "python", 6, 6) == (6, 6)


def test_the_tree_of_a_document_follows_its_edits() -> None:
    """As if it were parsed from nothing each time."""
    trees, language = SyntaxTrees(), language_of("a.py")
    for text in ("x = 1\n", "x = f(\n", "def f(:\n    é = 1\n", "", "x = 1\n"):
        kept = trees.tree("a", language, text)
        assert kept is not None
        assert (kept.text, str(kept.root)) == (text, str(tree_of(text, "a.py").root))
    assert trees.tree("b", language_of("a.go"), "x") is None
    assert trees.tree("a", language, "x = 1\n" * 100_000) is None


def test_faults_are_counted_and_placed() -> None:
    broken = "x = 1\ny = f(\nz = 2\n"
    assert num_faults(tree_of("x = 1\n", "a.py")) == 0
    assert num_faults(tree_of(broken, "a.py")) > 0
    assert faults_between(tree_of(broken, "a.py"), 0, 4) == []
    assert faults_between(tree_of(broken, "a.py"), 0, len(broken)) != []
