"""How long a request waits for the next key: nothing, or long enough to know a pause."""

import math
import random
from collections.abc import Sequence
from itertools import pairwise
from statistics import median_low

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.debounce import MAX_DEBOUNCE_S, PATIENCE, START_LATENCY_S, START_RHYTHM_S, Rhythm
from marked import hole

MID_LINE = hole("total = |")


def rhythm_of(interval_s: float, latency_s: float) -> Rhythm:
    rhythm = Rhythm()
    for number in range(40):
        rhythm.note_key(number * interval_s)
        rhythm.note_answer(latency_s)
    return rhythm


def wait(interval_s: float, latency_s: float) -> float:
    return rhythm_of(interval_s, latency_s).debounce_s(MID_LINE, "auto")


def test_at_first_it_asks_at_once() -> None:
    rhythm = Rhythm()

    assert (rhythm.rhythm_s, rhythm.latency_s) == (START_RHYTHM_S, START_LATENCY_S)
    assert rhythm.debounce_s(MID_LINE, "auto") == 0


@pytest.mark.parametrize("latency_s", [0.02, 0.06, 0.1, 0.25])
def test_an_engine_that_often_answers_before_the_next_key_is_asked_at_once(latency_s: float) -> None:
    assert wait(0.18, latency_s) == 0


@pytest.mark.parametrize("latency_s", [0.3, 0.5, 2.0])
def test_a_slower_engine_is_asked_when_the_user_pauses(latency_s: float) -> None:
    assert 0.18 < wait(0.18, latency_s) <= MAX_DEBOUNCE_S


def test_a_fast_typist_pauses_sooner() -> None:
    assert wait(0.1, 0.4) < wait(0.15, 0.4)


@pytest.mark.parametrize("marked", ["|", "    |", "x = 1\n\t|", "|)"])
def test_at_the_start_of_a_line_even_a_slow_engine_is_asked_at_once(marked: str) -> None:
    rhythm = rhythm_of(0.18, 2.0)

    assert rhythm.debounce_s(hole(marked), "auto") == 0
    assert rhythm.debounce_s(MID_LINE, "auto") > 0


@pytest.mark.parametrize("fixed", [0, 75, 400.0])
@pytest.mark.parametrize("marked", ["|", "total = |"])
def test_a_fixed_number_of_milliseconds_wins(fixed: float, marked: str) -> None:
    assert rhythm_of(0.18, 2.0).debounce_s(hole(marked), fixed) == fixed / 1000


def test_pauses_and_the_editors_own_edits_are_not_typing() -> None:
    rhythm = Rhythm()
    at = 0.0
    for interval in [0.1, 0.001, 5.0, 0.1, 0.0, 3600.0, 0.1, 2.0, 0.001]:
        at += interval
        rhythm.note_key(at)

    assert rhythm.rhythm_s == pytest.approx(0.1)


def test_old_habits_are_forgotten() -> None:
    rhythm = rhythm_of(0.3, 1.0)
    for number in range(30):
        rhythm.note_key(1000 + number * 0.1)
        rhythm.note_answer(0.02)

    assert rhythm.rhythm_s == pytest.approx(0.1)
    assert rhythm.latency_s == 0.02


SECONDS = st.floats(0.0, 5.0)


@given(st.lists(SECONDS, max_size=60), st.lists(SECONDS, max_size=60))
def test_rhythm_and_latency_are_medians_of_what_is_recent(
    intervals: list[float], latencies: list[float]
) -> None:
    """Against sorting everything that was ever noted."""
    rhythm = Rhythm()
    times = [sum(intervals[:count]) for count in range(len(intervals) + 1)]
    for at in times:
        rhythm.note_key(at)
    for latency in latencies:
        rhythm.note_answer(latency)

    typed = [b - a for a, b in pairwise(times) if 0.02 <= b - a <= 1][-30:]
    assert rhythm.rhythm_s == _upper_median(typed, START_RHYTHM_S)
    assert rhythm.latency_s == _upper_median(latencies[-20:], START_LATENCY_S)


def _upper_median(values: Sequence[float], default: float) -> float:
    return -median_low([-value for value in values]) if values else default


@given(st.floats(0.03, 0.9), st.floats(0.0, 30.0), st.floats(0.0, 30.0))
def test_a_slower_engine_is_never_asked_sooner(interval_s: float, one: float, other: float) -> None:
    faster, slower = sorted((one, other))

    assert 0 <= wait(interval_s, faster) <= wait(interval_s, slower) <= MAX_DEBOUNCE_S


@given(st.floats(0.03, 0.9), st.floats(0.0, 30.0))
def test_it_is_nothing_or_longer_than_a_key_takes(interval_s: float, latency_s: float) -> None:
    """A wait that the next key usually ends would delay answers and still be cancelled."""
    seconds = wait(interval_s, latency_s)

    assert seconds == 0 or seconds > interval_s or seconds == MAX_DEBOUNCE_S


# The reason for all or nothing, by simulation


def typing(num_keys: int) -> list[float]:
    """Log-normal intervals with a median of 180 ms; one in sixteen is a pause."""
    random_ = random.Random(5)
    keys = (random_.lognormvariate(math.log(0.18), 0.45) for _ in range(num_keys))
    return [random_.lognormvariate(math.log(0.9), 0.6) if random_.random() < 1 / 16 else key for key in keys]


def engine_seconds_lost(intervals: Sequence[float], latency_s: float, debounce_s: float) -> float:
    """What the engine works for answers that the next key cancels."""
    ends = debounce_s + latency_s
    return sum(interval - debounce_s for interval in intervals if debounce_s < interval < ends)


def seconds_shown(intervals: Sequence[float], latency_s: float, debounce_s: float) -> float:
    """How long answers stand before the next key."""
    return sum(max(0.0, interval - debounce_s - latency_s) for interval in intervals)


@pytest.mark.parametrize("latency_s", [0.02, 0.06, 0.1, 0.15])
@pytest.mark.parametrize("fixed_s", [0.04, 0.075])
def test_with_a_fast_engine_any_short_wait_loses_on_both_counts(latency_s: float, fixed_s: float) -> None:
    intervals = typing(2000)

    assert engine_seconds_lost(intervals, latency_s, 0) <= engine_seconds_lost(intervals, latency_s, fixed_s)
    assert seconds_shown(intervals, latency_s, 0) > seconds_shown(intervals, latency_s, fixed_s)


@pytest.mark.parametrize("latency_s", [0.3, 0.5, 1.0])
def test_with_a_slow_engine_waiting_for_a_pause_saves_most_of_the_lost_work(latency_s: float) -> None:
    intervals = typing(2000)
    rhythm = rhythm_of(sorted(intervals)[1000], latency_s)
    assert latency_s > PATIENCE * rhythm.rhythm_s
    debounce_s = rhythm.debounce_s(MID_LINE, "auto")

    at_once = engine_seconds_lost(intervals, latency_s, 0)
    assert engine_seconds_lost(intervals, latency_s, debounce_s) < at_once / 4
    assert seconds_shown(intervals, latency_s, debounce_s) > seconds_shown(intervals, latency_s, 0) / 2
