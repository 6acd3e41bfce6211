"""Recall counts a definition only where it stands, under its own class, and a name only as a whole word."""

from pathlib import Path

import pytest

from benchmarks.context_quality.corpus import Corpus
from benchmarks.context_quality.recall import Found, figures, found_at, holds_definition, holds_name
from benchmarks.context_quality.sites import Definition, Origin, Site
from engine.api import Segment
from lsp_server.hole import Hole

SOURCE = """class Price:
    def rounded(
        self,
        places: int = 2,
    ) -> float:
        return self.value

    def __init__(self):
        self.value = 1


class Other:
    def rounded(self):
        return 0


def rounded(price):
    return price
"""
METHOD, OTHERS_METHOD, FUNCTION = (Definition("a.py", line, "rounded") for line in (1, 12, 16))
PARAMETER, ATTRIBUTE = Definition("a.py", 3, "places", is_parameter=True), Definition("a.py", 8, "value")
SHORTENED = "class Price:\n    def rounded(self, places: int = 2) -> float: ...\n"


def segment(text, path="a.py"):
    return [Segment(path, text, "definition", "")]


@pytest.mark.parametrize(
    ("definition", "text", "is_there"),
    [
        (METHOD, SHORTENED, True),
        (METHOD, SOURCE, True),
        (METHOD, "class Other:\n    def rounded(self): ...\n", False),
        (METHOD, "def rounded(price): ...\n", False),
        (OTHERS_METHOD, SHORTENED, False),
        (OTHERS_METHOD, "class Other:\n    def rounded(self): ...\n", True),
        (FUNCTION, "def rounded(price): ...\n", True),
        (FUNCTION, SHORTENED, False),
        (FUNCTION, "total = rounded(price)\n", False),
        (PARAMETER, SHORTENED, True),
        (PARAMETER, "class Price:\n    def rounded(self, ...): ...\n", False),
        (PARAMETER, "class Other:\n    def rounded(self, places): ...\n", False),
        (ATTRIBUTE, "class Price:\n    def __init__(self): ...\n        self.value = 1\n", True),
        (ATTRIBUTE, "print(price.value)\n", False),
    ],
)
def test_a_definition_is_there_if_its_line_is_under_its_class(definition, text, is_there):
    assert holds_definition(SOURCE, definition, segment(text)) is is_there


def test_a_definition_in_a_segment_of_another_file_is_not_there():
    assert not holds_definition(SOURCE, FUNCTION, segment(SOURCE, "b.py"))


def test_a_window_that_begins_inside_a_class_counts_by_the_unique_whole_line():
    assert holds_definition(SOURCE, METHOD, segment("    def rounded(\n        self,\n"))
    assert not holds_definition(SOURCE, METHOD, segment("    def rounded(self):\n"))


def test_a_name_is_there_only_as_a_whole_word():
    assert holds_name("rounded", segment("x = rounded(2)\n", "b.py"))
    assert not holds_name("round", segment("x = rounded(2)\n"))


def test_figures_count_by_budget_and_apart_where_the_name_is_new_to_the_file():
    def found(budget, has_definition, text):
        site = Site(
            "p", "python", "c.py", "rounded", Origin.CROSS_FILE, (METHOD,), "rounded()", Hole(text, 0)
        )
        return Found(site, budget, has_definition, has_name=True)

    counted = figures(
        [found(4096, False, "\nrounded\n"), found(4096, True, "\nrounded_up\n"), found(1024, True, "")]
    )
    assert (counted["def_at_4k"], counted["name_at_4k"], counted["novel_def_at_4k"]) == (0.5, 1.0, 1.0)
    assert (counted["recall_n"], counted["recall_novel_n"], counted["def_at_1k"]) == (2, 1, 1.0)


def test_one_of_several_definitions_is_enough_and_a_renamed_name_counts_as_either():
    corpus = Corpus("p", "python", Path(), {"a.py": SOURCE})
    hole = Hole("", 0)
    site = Site("p", "python", "c.py", "alias", Origin.CROSS_FILE, (METHOD, FUNCTION), "alias()", hole)
    found = found_at(corpus, site, 1024, segment("def rounded(price): ...\n"))
    assert (found.has_definition, found.has_name) == (True, True)
    found = found_at(corpus, site, 1024, segment("alias(2)\n", "b.py"))
    assert (found.has_definition, found.has_name) == (False, True)
    found = found_at(corpus, site, 1024, segment("aliased(2)\n"))
    assert (found.has_definition, found.has_name) == (False, False)
