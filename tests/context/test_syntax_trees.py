"""syntax: a tree per open document, for languages with a grammar, made when first asked for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from context.languages import language_named
from context.syntax import SyntaxTrees
from context.syntax import tree as syntax_tree
from context.syntax import trees as syntax

PYTHON = language_named("python")
JAVASCRIPT = language_named("javascript")
ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts that were parsed from nothing."""
    found: list[str] = []
    parse = syntax_tree.SyntaxTree.parse.__func__

    def noted(cls: type, parser: object, text: str) -> object:
        found.append(text)
        return parse(cls, parser, text)

    monkeypatch.setattr(syntax_tree.SyntaxTree, "parse", classmethod(noted))
    return found


def test_a_language_without_a_grammar_has_no_place() -> None:
    trees = SyntaxTrees()

    assert trees.place("a", None, "x", 1) is None
    assert trees.place("a", language_named("go"), "x", 1) is None
    assert trees.breaks("a", language_named("go"), "x", 1, 1, ")") is False
    assert trees.breaks("a", None, "x", 1, 1, ")") is False


def test_a_text_too_large_has_no_place() -> None:
    trees = SyntaxTrees()
    text = "x = 1\n" * (syntax.MAX_CHARS // 6)

    assert trees.place("a", PYTHON, text, 0) is not None
    assert trees.place("a", PYTHON, text + "y = 22\n", 0) is None
    assert trees.breaks("a", PYTHON, text + "y = 22\n", 0, 0, ")") is False


def test_a_text_that_no_person_wrote_has_no_place() -> None:
    assert SyntaxTrees().place("a", JAVASCRIPT, "a=b+c;" * 1_000, 6) is None


def test_a_document_too_dear_to_parse_gets_no_more_answers_until_it_is_closed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    trees = SyntaxTrees()
    monkeypatch.setattr(syntax, "MAX_SECONDS", -1.0)

    first = trees.place("a", PYTHON, "x = (", 5)
    second = trees.place("a", PYTHON, "x = (y", 6)
    broken = trees.breaks("a", PYTHON, "x = 1\n", 5, 5, ")")
    other = trees.place("b", PYTHON, "x = (", 5)
    trees.forget("a")

    assert first is not None
    assert second is None
    assert broken is False
    assert other == first
    assert trees.place("a", PYTHON, "x = (", 5) == first


def test_a_document_is_parsed_once_and_then_follows_its_edits(parsed: list[str]) -> None:
    trees = SyntaxTrees()

    for text in ("x = 1\n", "x = 1\ny", "x = 1\ny = (", "x = 1\n"):
        trees.place("a", PYTHON, text, len(text))
        trees.breaks("a", PYTHON, text, len(text), len(text), ")")
    trees.place("b", PYTHON, "z\n", 0)

    assert parsed == ["x = 1\n", "z\n"]


def test_a_closed_document_is_forgotten(parsed: list[str]) -> None:
    trees = SyntaxTrees()

    trees.place("a", PYTHON, "x\n", 0)
    trees.forget("a")
    trees.forget("a")
    trees.place("a", PYTHON, "x\n", 0)

    assert parsed == ["x\n", "x\n"]


def test_the_document_asked_for_longest_ago_gives_way(parsed: list[str]) -> None:
    trees = SyntaxTrees()
    keys = [str(number) for number in range(syntax.MAX_DOCUMENTS)]
    for key in [*keys, "0", "one more", "0"]:
        trees.place(key, PYTHON, f"{key}\n", 0)
    num_parsed = len(parsed)

    trees.place("1", PYTHON, "1\n", 0)

    assert num_parsed == syntax.MAX_DOCUMENTS + 1
    assert len(parsed) == num_parsed + 1


def test_a_document_that_changes_its_language_is_read_anew() -> None:
    trees = SyntaxTrees()
    text = "x = function () {"

    before = trees.place("a", PYTHON, text, len(text))
    after = trees.place("a", JAVASCRIPT, text, len(text))

    assert (before and before.opens_block, after and after.opens_block) == (False, True)


def test_what_is_put_in_for_a_try_is_not_kept() -> None:
    trees = SyntaxTrees()
    text = "def f():\n    \n"

    assert trees.breaks("a", PYTHON, text, 13, 13, "x = (1))")
    assert trees.place("a", PYTHON, text, 13) == SyntaxTrees().place("b", PYTHON, text, 13)
    assert not trees.breaks("a", PYTHON, text, 13, 13, "x = (1)")


def test_no_grammar_is_loaded_before_it_is_asked_for() -> None:
    code = "import sys, context.syntax; sys.exit(any('tree_sitter' in name for name in sys.modules))"

    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0
