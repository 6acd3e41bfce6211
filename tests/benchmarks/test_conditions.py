"""The baselines choose what their descriptions say, within the budget, and never the target file."""

import random

import pytest

from benchmarks.context_quality.conditions.base import filled
from benchmarks.context_quality.conditions.bm25 import Bm25Windows
from benchmarks.context_quality.conditions.imports import ImportedFiles
from benchmarks.context_quality.conditions.nearby import imported_files, visited_files
from benchmarks.context_quality.conditions.open_tabs import OpenTabs, best_window
from benchmarks.context_quality.conditions.oracle import Oracle
from benchmarks.context_quality.conditions.ring import LIKE_CURSOR, Ring, line_likeness
from benchmarks.context_quality.conditions.windows import Bm25, Window, windows_of, words_of
from benchmarks.context_quality.corpus import Corpus
from benchmarks.context_quality.sites import Definition, Origin, Site
from engine.api import Segment
from lsp_server.hole import Hole

ALL = (OpenTabs, Bm25Windows, Ring, ImportedFiles, Oracle)
FILES = {
    "shop/__init__.py": "from .cart import Cart\n",
    "shop/cart.py": "from .prices import Price\nimport shop.tax\n\ndef total(cart):\n    return ",
    "shop/prices.py": "class Price:\n    def rounded(self, places):\n        return self.value\n",
    "shop/tax.py": "def add_tax(price, rate):\n    more = 1 + rate\n    return price * more\n",
    "far/away/zoo.py": "".join(f"def zebra_{num}(stripe):\n    return stripe\n" for num in range(40)),
}


def cost(segment):
    return len(segment.text) + len(segment.path)


@pytest.fixture
def corpus(tmp_path):
    return Corpus("shop", "python", tmp_path, FILES)


@pytest.fixture
def site():
    text = FILES["shop/cart.py"] + "\n"
    hole = Hole(text, len(text) - 1)
    answer = "add_tax(cart.price, cart.rate)"
    return Site(
        "shop",
        "python",
        "shop/cart.py",
        "add_tax",
        Origin.CROSS_FILE,
        (Definition("shop/tax.py", 0, "add_tax"),),
        answer,
        hole,
    )


@pytest.mark.parametrize("condition", ALL)
@pytest.mark.parametrize("budget", [0, 30, 120, 4000])
def test_every_condition_keeps_to_its_budget_and_off_the_target(corpus, site, condition, budget):
    segments = condition(corpus, cost).segments(site, budget)
    assert sum(map(cost, segments)) <= budget
    assert all(segment.path != site.path and segment.text.endswith("\n") for segment in segments)
    assert bool(segments) or budget < 4000


@pytest.mark.parametrize("condition", ALL)
def test_no_condition_reads_the_target_from_the_corpus(corpus, site, condition):
    spoilt = Corpus("shop", "python", corpus.root, FILES | {site.path: site.answer + "\n" * 80})
    assert condition(spoilt, cost).segments(site, 500) == condition(corpus, cost).segments(site, 500)


def test_pieces_fill_a_budget_best_last_and_the_last_one_is_cut_to_whole_lines():
    pieces = [Segment("a", "best\n", "chunk", ""), Segment("b", "one\ntwo\nthree\n", "chunk", "")]
    kept = filled([*pieces, Segment("c", "x\n", "chunk", "")], 6 + 9, cost)
    assert [(segment.path, segment.text) for segment in kept] == [("b", "one\ntwo\n"), ("a", "best\n")]


def test_the_oracle_shows_the_definition_of_the_answer_nearest_to_the_hole(corpus, site):
    assert "def add_tax" in Oracle(corpus, cost).segments(site, 100)[-1].text


def test_imports_are_found_by_the_rules_of_each_language(corpus, site):
    assert imported_files(corpus, site) == ["shop/prices.py", "shop/tax.py"]
    text = "const a = require('./prices')\nimport b, { c } from '../far/zoo.js'\nimport 'express'\n"
    files = {"lib/prices.js": "", "far/zoo.js": "", "lib/cart.js": text, "lib/express.js": ""}
    other = Corpus("shop", "javascript", corpus.root, files)
    here = Site("shop", "javascript", "lib/cart.js", "x", Origin.CROSS_FILE, (), "x", Hole(text, len(text)))
    assert imported_files(other, here) == ["lib/prices.js", "far/zoo.js"]


def test_files_visited_last_are_imports_then_the_same_folder_then_the_rest(corpus, site):
    assert visited_files(corpus, site) == [
        "shop/prices.py",
        "shop/tax.py",
        "shop/__init__.py",
        "far/away/zoo.py",
    ]


def test_the_best_window_is_that_of_a_search_through_all_of_them():
    chance = random.Random(5)
    for _ in range(60):
        lines = [frozenset(chance.choices("abcdefgh", k=2)) for _ in range(chance.randrange(1, 20))]
        asked = frozenset(chance.choices("abcdefgh", k=3))
        size = chance.randrange(1, 8)
        starts = range(max(1, len(lines) - size + 1))
        unions = [frozenset().union(*lines[start : start + size]) for start in starts]
        likeness = [len(union & asked) / len(union | asked) for union in unions]
        best = max(likeness)
        assert best_window(lines, asked, size) == (best, likeness.index(best) if best else 0)


def test_bm25_ranks_rare_words_over_frequent_ones_and_never_gives_the_excluded_file():
    windows = [Window("a", "common rare"), Window("b", "common common"), Window("c", "common rare rare")]
    index = Bm25([*windows, *[Window("d", "common")] * 5])
    ranked = index.ranked(["rare", "common"], without_path="c")
    assert ranked[0] is windows[0]
    assert "c" not in {window.path for window in ranked}
    assert index.ranked(["absent"], without_path="") == []


def test_windows_cover_every_line_of_a_file():
    text = "\n".join(str(num) for num in range(45))
    windows = windows_of("a", text, 20, 20)
    assert "\n".join(window.text for window in windows) == text
    assert windows_of("a", "\n\n\n", 20, 20) == []


def test_words_are_whole_names_and_their_parts():
    assert words_of("getUserName = HTTP_client2") == [
        *("getusername", "get", "user", "name"),
        *("http_client2", "http", "client", "2"),
    ]


def test_the_ring_drops_chunks_that_repeat_the_lines_around_the_cursor(corpus, site):
    twin = FILES["shop/cart.py"] + "\n"
    more = Corpus("shop", "python", corpus.root, FILES | {"shop/twin.py": twin})
    assert line_likeness(twin.split("\n"), site.hole.text.split("\n")) > LIKE_CURSOR
    paths = {segment.path for segment in Ring(more, cost).segments(site, 4000)}
    assert "shop/tax.py" in paths
    assert "shop/twin.py" not in paths


def test_the_ring_keeps_one_of_two_equal_chunks(corpus, site):
    more = Corpus("shop", "python", corpus.root, FILES | {"shop/copy.py": FILES["shop/tax.py"]})
    paths = [segment.path for segment in Ring(more, cost).segments(site, 4000)]
    assert ("shop/tax.py" in paths) != ("shop/copy.py" in paths)
