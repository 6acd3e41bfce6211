"""Where the cursor is after an acceptance, and what it needs before the next line."""

import pytest

from lsp_server.ahead import after_acceptance
from lsp_server.typed_through import Offer
from marked import hole


@pytest.mark.parametrize(
    ("start", "offered", "replaces", "place", "lead"),
    [
        pytest.param("x = |\n", "1", 0, "x = 1|\n", "\n", id="at top level"),
        pytest.param("def f():\n    x = |\n", "1", 0, "def f():\n    x = 1|\n", "\n    ", id="in a body"),
        pytest.param(
            "def f():\n  if |\n",
            "x:",
            0,
            "def f():\n  if x:|\n",
            "\n    ",
            id="after an opener, by the file's unit",
        ),
        pytest.param("def f():\n\tif |\n", "x:", 0, "def f():\n\tif x:|\n", "\n\t\t", id="with tabs"),
        pytest.param("x = f(|)\n", "a) + b", 1, "x = f(a) + b|\n", "\n", id="what is replaced is gone"),
        pytest.param(
            "|\n", "for a in b:\n    c()", 0, "for a in b:\n    c()|\n", "\n    ", id="after a block"
        ),
    ],
)
def test_the_place_and_the_lead(start: str, offered: str, replaces: int, place: str, lead: str) -> None:
    asked = after_acceptance(Offer(hole(start), offered, "1", replaces, end_probability=0.9))

    assert asked is not None
    assert (asked.hole, asked.lead) == (hole(place), lead)
    assert asked.beyond.prefix == asked.hole.prefix + lead


@pytest.mark.parametrize(
    ("start", "offered"),
    [
        pytest.param("f(|)\n", "a", id="inside brackets nobody goes to the next line"),
        pytest.param("def f():\n    return |\n", "1", id="how far left a line after a return stands is open"),
    ],
)
def test_where_the_user_decides_what_comes_next(start: str, offered: str) -> None:
    assert after_acceptance(Offer(hole(start), offered, "1", end_probability=0.9)) is None


def test_a_line_that_may_go_on_is_not_gone_beyond_unasked() -> None:
    """The next line is computed for who presses Enter, and not shown behind the unfinished one."""
    asked = after_acceptance(Offer(hole("x = |\n"), "1", "1", end_probability=0.3))

    assert asked is not None
    assert (asked.hole, asked.lead) == (hole("x = 1\n|\n"), "")
