"""uses: what the current file uses, blind to the line that is being typed."""

from context import uses
from context.languages import language_named
from context.uses import line_bounds

PYTHON = language_named("python")


def uses_of(text: str, offset: int) -> uses.Uses:
    return uses.uses_of(text, offset, PYTHON)


def test_names_are_counted_outside_imports_and_chains_by_their_head() -> None:
    found = uses_of("import numpy as np\nfrom a import (\n    b,\n)\nb(np.linalg.norm(b), x.b)\n\n", 200)

    assert found.names == {"b": (4, 4), "np": (4,), "x": (4,)}
    assert found.chains == {"np": ((("linalg", "norm"), 4),), "x": ((("b",), 4),)}
    assert {"linalg", "norm"} <= found.words


def test_the_line_at_the_cursor_says_nothing() -> None:
    text = "from a import b\nb.first()\nb.sec\nb.third()\n"
    offset = text.index("sec") + 2

    found = uses_of(text, offset)

    assert found.chains == {"b": ((("first",), 1), (("third",), 3))}
    assert found.line == 2
    assert found == uses_of(text.replace("b.sec", "whatever(else_"), offset)


def test_a_docstring_line_at_the_cursor_does_not_turn_strings_into_code() -> None:
    text = '"""Opens\n\nimport not_this\n"""\nimport this\n'

    assert [row.module for row in uses_of(text, 3).facts.imports] == ["this"]


def test_a_cursor_outside_the_text_is_moved_inside() -> None:
    assert line_bounds("ab\ncd", 99) == (3, 5)
    assert line_bounds("ab\ncd", -5) == (0, 2)
    assert line_bounds("", 7) == (0, 0)
    assert uses.without_line("ab\ncd\nef", 4, PYTHON) == "ab\n\nef"


def test_of_a_giant_file_head_and_surroundings_are_read() -> None:
    filler = "value = 1\n" * 100_000
    text = f"import at_the_top\n{filler}import near\nnear.thing()\n\n{filler}import far\n"
    offset = text.index("near.thing()") + len("near.thing()\n")

    found = uses_of(text, offset)

    assert [row.module for row in found.facts.imports] == ["at_the_top", "near"]
    assert [path for path, _ in found.chains["near"]] == [("thing",)]
    assert found.line == found.names["near"][0] + 1
