"""The text a plan is made of lacks what is to be written; what gives it away is noticed."""

from engine.api import Segment
from training.samples.sites import CursorSite, SiteKind
from training.samples.unwritten import leaks, without

TEXT = """import os


def run(path):
    first = open_store(path)
    if first:
        first.close()
    return first
"""


def site(part: str, kind: SiteKind = SiteKind.ELSEWHERE) -> CursorSite:
    start = TEXT.index(part)
    return CursorSite(kind, start, start + len(part), TEXT.count("\n", 0, start))


def test_the_first_sites_line_stays_begun_and_the_others_are_not_there() -> None:
    text, offset = without(TEXT, [site("open_store(path)"), site("first\n")])
    assert text[:offset].endswith("    first = ")
    assert text[offset:] == "\n    if first:\n        first.close()\n"


def test_what_is_missing_before_the_first_site_moves_its_cursor() -> None:
    text, offset = without(TEXT, [site("first\n"), site("open_store(path)"), site("os\n")])
    assert text[:offset].endswith("    return ")
    assert "open_store" not in text
    assert "import" not in text


def test_a_blocks_header_stays() -> None:
    text, _ = without(TEXT, [site("open_store(path)"), site("\n        first.close()", SiteKind.BLOCK)])
    assert "    if first:\n    return first" in text


def test_sites_that_overlap_are_taken_out_once() -> None:
    whole = site(TEXT[TEXT.index("open") : TEXT.index("close")], SiteKind.BLOCK)
    text, offset = without(TEXT, [site("open_store(path)"), whole])
    assert text == TEXT[:offset] + TEXT[offset + len("open_store(path)") :]


def test_a_segment_gives_a_line_away_unless_it_defines() -> None:
    def segment(kind: str) -> Segment:
        return Segment("other.py", "x = 1\n    first = open_store(path)\n", kind, "")

    asked = site("open_store(path)")
    assert leaks(TEXT, asked, [segment("similar")])
    assert not leaks(TEXT, asked, [segment("definition"), segment("repo_map")])
    assert not leaks(TEXT, site("return first"), [Segment("o.py", "return first\n", "similar", "")]), "short"
