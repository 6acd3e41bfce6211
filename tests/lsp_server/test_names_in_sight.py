"""What a completion says against the names in sight is doubted, up to where the user has typed it."""

import pytest

from engine.api import Segment
from lsp_server.names_in_sight import UNKNOWN, Doubt, doubts
from marked import hole

SEGMENTS = (Segment("shop/cart.py", "class Basket:\n    def total(self): ...\n", "definition", "imported"),)


def found(at: str, text: str, path: str = "a.py", *, is_prose: bool = False) -> tuple[Doubt, ...]:
    return doubts(text, hole(at), SEGMENTS, path, is_prose=is_prose)


@pytest.mark.parametrize(
    ("at", "text", "end"),
    [
        pytest.param("host_regex = 1\nhost_re|\n", ".match(total)", 1, id="a begun word declared finished"),
        pytest.param("host_regex = 1\nhost_re|\n", "sult = 1", 4, id="a begun word finished otherwise"),
        pytest.param("Bas|\n", "e()", 1, id="a name of the other files begins like it"),
    ],
)
def test_a_begun_word_is_finished_as_something_in_sight(at: str, text: str, end: int) -> None:
    """Nothing of it is believed while a known word begins in the same way."""
    assert Doubt(end, 0.0) in found(at, text)


@pytest.mark.parametrize(
    ("at", "text"),
    [
        pytest.param("host_regex = 1\nhost_re|\n", "gex.total()", id="the known word"),
        pytest.param("other = 1\no|\n", "bject()", id="a builtin"),
        pytest.param("def brand_new|\n", "(self):", id="nothing known begins like it"),
        pytest.param("x = |\n", "Basket().total()", id="names of the other files"),
        pytest.param("x = |\n", "[i for i in range(10)]", id="single letters and keywords"),
        pytest.param("x = |\n", "'gone to lunch'  # whatever", id="what strings and comments say"),
        pytest.param("x = 'lunch'\nx.|\n", "append(lunch)", id="members of the language's own types"),
    ],
)
def test_what_is_known_is_not_doubted(at: str, text: str) -> None:
    assert found(at, text) == ()


def test_a_name_that_nothing_in_sight_knows_is_doubted_up_to_its_end() -> None:
    assert found("x = |\n", "compute_it(1)\nother()") == (Doubt(len("compute_it"), UNKNOWN),)


def test_prose_may_use_any_word_but_not_finish_a_known_one_otherwise() -> None:
    assert found("# he said |\n", "something wonderful", is_prose=True) == ()
    assert found("# whichever\n# whi|\n", "lst it rains", is_prose=True) == (Doubt(3, 0.0),)


def test_javascript_knows_its_own_words() -> None:
    assert found("x = |\n", "await Promise.all(undefined)", "a.js") == ()
    assert found("x = |\n", "await nothing()", "a.js") == (Doubt(len("await nothing"), UNKNOWN),)
