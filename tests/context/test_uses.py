"""uses: what the current file uses, blind to the line that is being typed."""

from context.uses import line_bounds, uses_of, without_line


def test_names_are_counted_outside_imports_and_chains_by_their_head() -> None:
    uses = uses_of("import numpy as np\nfrom a import (\n    b,\n)\nb(np.linalg.norm(b), x.b)\n\n", 200)

    assert dict(uses.names) == {"b": 2, "np": 1, "x": 1}
    assert uses.chains == {"np": (("linalg", "norm"),), "x": (("b",),)}
    assert {"linalg", "norm"} <= uses.words


def test_the_line_at_the_cursor_says_nothing() -> None:
    text = "from a import b\nb.first()\nb.sec\nb.third()\n"
    offset = text.index("sec") + 2

    uses = uses_of(text, offset)

    assert uses.chains == {"b": (("first",), ("third",))}
    assert uses == uses_of(text.replace("b.sec", "whatever(else_"), offset)


def test_a_docstring_line_at_the_cursor_does_not_turn_strings_into_code() -> None:
    text = '"""Opens\n\nimport not_this\n"""\nimport this\n'

    assert [row.module for row in uses_of(text, 3).facts.imports] == ["this"]


def test_a_cursor_outside_the_text_is_moved_inside() -> None:
    assert line_bounds("ab\ncd", 99) == (3, 5)
    assert line_bounds("ab\ncd", -5) == (0, 2)
    assert line_bounds("", 7) == (0, 0)
    assert without_line("ab\ncd\nef", 4) == "ab\n\nef"


def test_of_a_giant_file_head_and_surroundings_are_read() -> None:
    filler = "value = 1\n" * 100_000
    text = f"import at_the_top\n{filler}import near\nnear.thing()\n\n{filler}import far\n"
    offset = text.index("near.thing()") + len("near.thing()\n")

    uses = uses_of(text, offset)

    assert [row.module for row in uses.facts.imports] == ["at_the_top", "near"]
    assert uses.chains["near"] == (("thing",),)
