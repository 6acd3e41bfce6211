"""Figures, tables and charts say what the sessions hold."""

import xml.etree.ElementTree as ElementTree

import pytest

from benchmarks.replay import table
from benchmarks.replay.chart import Axis, line_chart
from benchmarks.replay.conversation import Asked
from benchmarks.replay.coverage import Graded, curve, graded, point, suggested
from benchmarks.replay.document import Document
from benchmarks.replay.ghost import Ghost, Portion
from benchmarks.replay.session import Session
from benchmarks.replay.user import Flicker, FlickerKind, Tally

ISSUE_KEYS = {
    "keys",
    "keys_saved_context",
    "keys_saved_none",
    "free_answer_share",
    "flicker",
    "wrong_per_shown",
    "shown",
    "accepted",
    "max_ms",
}


@pytest.fixture
def asked(tmp_path):
    def make(before, text=None, seconds=0.1, **note):
        document = Document(tmp_path / "a.py", "python", "")
        each = Asked(document, 1, 0, before, "return value", follows=True, sent=0.0, answered=seconds)
        each.ghost = Ghost(text, len(before)) if text else None
        each.note = note
        return each

    return make


def test_an_answer_counts_once_however_long_it_is_typed_along(asked):
    answers = graded(
        [
            asked("re", "turn value", confidence=0.9, source="engine", id="1"),
            asked("ret", "urn value", confidence=0.9, source="typedThrough", id="1"),
            asked("retu", "rn value", confidence=0.9, source="cache", id="1"),
            asked("re", confidence=0.2, source="engine", hidden="try", id=None),
            asked("re", confidence=0.2, source="engine", hidden="try", id=None),
            asked("ret", confidence=0.3, source="engine", hidden="urn value\n  more", id=None),
            asked("ret", source="engine", reason="nothing", confidence=None, hidden=""),
        ]
    )
    assert answers == [Graded(0.9, True, True), Graded(0.2, False, False), Graded(0.3, True, True)]


def test_right_words_are_useful_if_they_save_keys(asked):
    (partly,) = graded([asked("re", "turn other", confidence=0.5, source="engine")])
    assert (partly.is_right, partly.is_useful) == (False, True)
    (too_little,) = graded([asked("retur", "n other", confidence=0.5, source="engine")])
    assert not too_little.is_useful


def test_a_higher_threshold_shows_less_and_the_suggested_one_is_the_lowest_that_does():
    answers = [Graded(num / 10, num >= 5, num >= 4) for num in range(10)]
    assert (point(answers, 0.0).coverage, point(answers, 0.0).right) == (1.0, 0.5)
    assert (point(answers, 0.5).coverage, point(answers, 0.5).right) == (0.5, 1.0)
    assert point(answers, 0.4).useful == 1.0
    assert suggested(answers) is None  # too few to say
    many = answers * 5
    found = suggested(many)
    assert 0.2 < found <= 0.3  # one useless of seven shown
    assert 1 - point(many, found - 0.01).useful >= 0.25
    assert suggested([Graded(0.9, False, False)] * 50) is None
    assert [each.num_shown for each in curve(answers)] == list(range(1, 11))


def sessions(asked):
    made = []
    for source in ("flask", "click"):
        for condition, pressed in (("context", 60), ("none", 80)):
            tally = Tally(100, 10, pressed, 20, 12, 3, 5, 6, 1)
            tally.takes[Portion.WHOLE] = 12
            tally.flickers = [Flicker(FlickerKind.CHANGED, "a | `b`", "x\ny", "z")]
            answers = [
                asked("re", "turn value", 0.2, confidence=0.9, source="engine", id=source, ms={"plan": 7.0}),
                asked("ret", "urn value", 0.01, source="typedThrough", ms={}),
                asked("x", seconds=0.4, source="none", reason="the trigger"),
            ]
            made.append(Session(source, condition, tally, answers, [], cpu_s=3.0))
    return made


def test_figures_hold_the_keys_of_the_issue(asked):
    figures = table.figures(sessions(asked), [])
    assert figures.keys() >= ISSUE_KEYS
    assert (figures["keys"], figures["shown"], figures["accepted"], figures["flicker"]) == (200, 40, 24, 2)
    assert figures["keys_saved_context"] == pytest.approx((200 - 120 - 10) / 200)
    assert figures["keys_saved_context_cost0"] == pytest.approx((200 - 120) / 200)
    assert figures["keys_saved_none"] == pytest.approx((200 - 160 - 10) / 200)
    assert figures["wrong_per_shown"] == 0.25
    assert figures["free_answer_share"] == 0.5
    assert figures["max_ms"] == 400.0
    assert figures["cpu_s_per_1000_keys_context"] == 30.0


def test_the_recording_has_its_own_figures(asked):
    recorded = Session("recording", "context", Tally(50, 5, 40, 4, 2, 1, 1))
    figures = table.figures([], [recorded])
    assert figures["recording_context_saved"] == pytest.approx(9 / 50)
    assert "recording" in table.markdown([], [recorded])


def test_the_page_shows_packages_reasons_stages_thresholds_and_flicker(asked):
    page = table.markdown(sessions(asked), [], ["replay-coverage.svg"])
    for text in ("| flask |", "| all |", "the trigger 4", "engine: plan", "| 0.5 |", "`a \\| 'b'`", "x↵y"):
        assert text in page
    assert "![replay-coverage.svg](results/replay-coverage.svg)" in page
    rows = [line for line in page.split("\n") if line.startswith("|")]
    assert all(line.endswith("|") for line in rows)


def test_charts_are_small_pictures_that_name_each_condition(asked):
    drawn = table.charts(sessions(asked), [])
    assert drawn.keys() == {"replay-coverage.svg", "replay-latency.svg"}
    for text in drawn.values():
        said = "".join(ElementTree.fromstring(text).itertext()).split()
        assert {"context", "none"} <= set(said)
        assert len(text) < 60_000


def test_a_chart_is_the_same_each_time_and_says_what_it_is_told():
    """Also what looks like markup or mathematics."""
    points = [(num / 100, num / 500) for num in range(1000)]
    chart = line_chart("a <b>", Axis("x"), Axis("y $1$"), {"one & all": points})

    assert chart == line_chart("a <b>", Axis("x"), Axis("y $1$"), {"one & all": points})
    said = "".join(ElementTree.fromstring(chart).itertext())
    assert all(text in said for text in ("a <b>", "one & all", "y $1$"))
    assert len(chart) < 30_000
