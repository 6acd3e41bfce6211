"""Which bracket closes what is not open, and what is code at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.brackets import MAX_PREFIX_CHARS, Brackets, code_of


@pytest.mark.parametrize(
    ("line", "code"),
    [
        pytest.param("x = 'a (b' + \"c\" + `d`", "x = '' + \"\" + ``", id="literals"),
        pytest.param("x = '' + \"\"", "x = '' + \"\"", id="empty literals"),
        pytest.param("f(rb'(', F'(', u'(')", "f(rb'', F'', u'')", id="literals with prefixes"),
        pytest.param("x = '''a 'b' ''' + c", "x = '''' + c", id="a triple quote"),
        pytest.param('x = """a\\"""" + c', 'x = """" + c', id="an escaped quote before a triple one"),
        pytest.param("x = 'a\\\\' + b", "x = '' + b", id="an escaped backslash"),
        pytest.param("a  # it's", "a", id="a comment of Python"),
        pytest.param("a;  // it's", "a;", id="a comment of JavaScript"),
        pytest.param("f(a, /* it's */ b)", "f(a, /*/ b)", id="a block comment"),
        pytest.param("a // b(c)", "a // b(c)", id="a division"),
        pytest.param("this.#a + #b(c)", "this.#a + #b(c)", id="private names"),
        pytest.param("a#b  c# d", "a#b  c# d", id="marks within words"),
        pytest.param("we don't (know)", "we don't (know)", id="an apostrophe"),
        pytest.param("/\\(\\\\/", "/\\\\", id="escapes outside of literals"),
        pytest.param("'a\\", "'", id="an escape of nothing"),
        pytest.param("", "", id="nothing"),
    ],
)
def test_code_is_what_stands_outside_of_literals_and_comments(line: str, code: str) -> None:
    """With the marks that begin a literal and the last one that ends it."""
    assert code_of(line) == code


def first_too_many(closers: str, text: str, line_prefix: str = "") -> int | None:
    return Brackets(closers, line_prefix).feed(text)


@given(text=st.text("()ab", max_size=40), num_closers=st.integers(0, 3))
def test_with_one_kind_of_bracket_it_is_a_count(text: str, num_closers: int) -> None:
    depths = [
        num_closers + text.count("(", 0, end) - text.count(")", 0, end) for end in range(1, len(text) + 1)
    ]
    expected = next((index for index, depth in enumerate(depths) if depth < 0), None)

    assert first_too_many(")" * num_closers, text) == expected


nested = st.recursive(
    st.sampled_from(["", "a", "'('", '"]"', "a, b"]),
    lambda inner: st.builds(
        lambda pair, a, b: pair[0] + a + pair[1] + b, st.sampled_from(["()", "[]", "{}"]), inner, inner
    ),
)


@given(parts=st.lists(nested, max_size=4), closers=st.text(")]}", max_size=4), extra=st.sampled_from(")]}"))
def test_balanced_text_between_the_closers_goes_on_until_one_too_many(
    parts: list[str], closers: str, extra: str
) -> None:
    text = "".join(part + closer for part, closer in zip([*parts, *[""] * 4], closers, strict=False))

    assert first_too_many(closers, text) is None
    assert first_too_many(closers, text + extra) == len(text)


@given(
    text=st.text("([{}])'\"`\\#/* a\n", max_size=40),
    cut=st.integers(0, 40),
    closers=st.text(")]}", max_size=3),
)
def test_any_split_finds_the_same_bracket(text: str, cut: int, closers: str) -> None:
    brackets, cut = Brackets(closers, ""), min(cut, len(text))

    found = brackets.feed(text[:cut])
    if found is None:
        rest = brackets.feed(text[cut:])
        found = None if rest is None else cut + rest

    assert found == first_too_many(closers, text)


def test_a_long_line_before_the_cursor_is_read_at_its_end_only() -> None:
    assert first_too_many("", ")", "'" + "a" * MAX_PREFIX_CHARS) == 0
    assert first_too_many("", ")", "'" + "a" * (MAX_PREFIX_CHARS - 1)) is None
