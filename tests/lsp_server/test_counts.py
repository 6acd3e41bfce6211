"""Counts have plain names, add up, and say of latencies no more than they know."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.counts import LATENCY_BOUNDS_MS, Counts, Key, Latency, Tally, empty_name, latency_name


@pytest.mark.parametrize(
    ("language", "kept"),
    [
        ("python", "python"),
        ("c++", "c++"),
        ("Objective-C", "objective-c"),
        ("", "other"),
        ("/home/me/secret.py", "other"),
        ("secret.py", "other"),
        ("x" * 33, "other"),
        ("pass word", "other"),
        ("python\n", "other"),
    ],
)
def test_a_language_is_a_plain_word_or_other(language, kept):
    """A client may call a language what it likes."""
    assert Key.of(language, "engine", "shown").language == kept


@pytest.mark.parametrize("text", ["api_key = 'hunter2'", "", "Password", "a" * 41, "x\ny"])
def test_code_cannot_become_a_reason(text):
    assert empty_name(text) == "empty.other"


def test_a_reason_keeps_its_words():
    key = Key.of("python", "none", empty_name("not sure"))

    assert Counts.of({key: 2}).empty == {"not sure": 2}


@given(
    st.text(max_size=50), st.text(max_size=50), st.text(max_size=50), st.floats(min_value=0, max_value=1e9)
)
def test_every_key_that_can_be_made_is_plain(language, source, reason, ms):
    """So whatever was written is read again."""
    for name in ("shown", empty_name(reason), latency_name(ms)):
        assert Key.of(language, source, name).is_plain


@pytest.mark.parametrize(
    "key",
    [
        Key("python", "engine", "empty"),
        Key("python", "engine", "latency"),
        Key("python", "engine", "latency.7"),
        Key("python", "engine", "reused"),
        Key("python", "engine", "empty.def f(x)"),
        Key("main.py", "engine", "shown"),
        Key("python", "/tmp", "shown"),
    ],
)
def test_a_key_that_cannot_be_made_is_not_plain(key):
    assert not key.is_plain


@given(st.lists(st.floats(min_value=0, max_value=5000), max_size=40), st.sampled_from([0.5, 0.9, 0.95, 1.0]))
def test_a_percentile_is_the_bound_above_the_one_that_sorting_finds(all_ms, share):
    """The oracle sorts what the buckets have forgotten."""
    tally = Tally(Key.of("python", "engine", latency_name(ms)) for ms in all_ms)

    told = Counts.of(tally).latency.percentile(share)

    rank = next((n for n in range(1, len(all_ms) + 1) if n >= share * len(all_ms)), None)
    exact = sorted(all_ms)[rank - 1] if rank else None
    bounds = [bound for bound in LATENCY_BOUNDS_MS if exact is not None and bound >= exact]
    assert told == (bounds[0] if bounds else None)


def test_nothing_was_slow_where_nothing_was_answered():
    assert Latency().percentile(0.5) is None


def test_shares_are_unknown_of_nothing():
    counts = Counts()

    assert (counts.accepted_share, counts.without_engine_share, counts.reused_share) == (None, None, None)


def test_counts_of_all_languages_and_sources_add_up():
    tally = Tally(
        {
            Key.of("python", "engine", "shown"): 2,
            Key.of("python", "cache", "shown"): 1,
            Key.of("rust", "engine", "shown"): 4,
            Key.of("rust", "engine", "accepted"): 3,
        }
    )

    assert (Counts.of(tally).shown, Counts.of(tally).accepted_share) == (7, round(3 / 7, 4))


def test_what_is_taken_back_on_another_day_does_not_count_below_zero():
    assert Counts.of({Key.of("python", "engine", "shown"): -1}).shown == 0
