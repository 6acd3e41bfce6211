"""The rough lexemes that the cuts look at."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.trimming.lexemes import Balance, Kind, lex

PATHS = ("", "a.py", "a.js", "a.rs", "a.el", "a.ml")


@given(st.text(alphabet="ab1 \n\t\\'\"`/*#(){}[];rf<", max_size=40), st.sampled_from(PATHS))
def test_lexemes_joined_are_the_text(text: str, path: str) -> None:
    lexemes = lex(text, path)

    assert "".join(lexeme.text for lexeme in lexemes) == text
    assert [lexeme.start for lexeme in lexemes] == [0, *(lexeme.end for lexeme in lexemes)][: len(lexemes)]


@pytest.mark.parametrize(
    ("path", "text", "strings"),
    [
        ("a.py", "x = f'a(' + \"b\\\"\" # it's", ["f'a('", '"b\\""']),
        ("a.py", '"""a\n"b"\n""" + c', ['"""a\n"b"\n"""']),
        ("a.py", "the user's name isn't 'known'", ["'known'"]),
        ("a.js", "a.replace(/['\"]/g, `(\n`) / b / c", ["/['\"]/g", "`(\n`"]),
        ("a.js", "// don't\nx /* isn't */ = 'a'", ["'a'"]),
        ("a.rs", "fn f<'a>(x: &'a str) { '(' }", ["'('"]),
    ],
)
def test_strings_are_told_from_what_looks_like_them(path: str, text: str, strings: list[str]) -> None:
    assert [lexeme.text for lexeme in lex(text, path) if lexeme.kind is Kind.STRING] == strings


def test_what_does_not_end_is_not_whole() -> None:
    assert [lexeme.is_whole for lexeme in lex("'a", "a.py")] == [False]
    assert [lexeme.is_whole for lexeme in lex("/* a", "a.js")] == [False]
    assert [lexeme.is_whole for lexeme in lex("'a\nc 'd", "a.py") if lexeme.is_code] == [False, True, False]


def test_brackets_find_their_partners() -> None:
    balance = Balance(lex("a) [b (c) ')' {"))

    assert [lexeme.start for lexeme in balance.unopened] == [1]
    assert [lexeme.start for lexeme in balance.unclosed] == [3, 14]
    assert balance.pairs == [(6, 8)]
