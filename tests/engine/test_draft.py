"""Drafts: what is proposed, and how much of it, against slow and obvious searches."""

from __future__ import annotations

from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.runtime.draft import LONGEST_NGRAM, MAX_DRAFTED, Draft, Drafter, DraftLength

few_ids = st.lists(st.integers(0, 3), max_size=14)


# What is proposed


def proposal(prompt_ids: list[int], drafts: list[list[int]], answer: list[int], limit: int) -> list[int]:
    """The oracle: every place that holds what was said last, one by one."""
    if drafts and drafts[0][: len(answer)] == answer and len(drafts[0]) > len(answer):
        return drafts[0][len(answer) :][:limit]
    said = prompt_ids + answer
    for size in range(LONGEST_NGRAM, 0, -1):
        for text in (*drafts, said):
            for end in range(len(text) - 1, size - 1, -1):
                if size <= len(said) and text[end - size : end] == said[-size:]:
                    return text[end : end + limit]
    return []


@given(prompt_ids=few_ids, drafts=st.lists(few_ids, max_size=3), answer=few_ids, limit=st.integers(1, 9))
def test_the_longest_match_is_proposed_drafts_before_the_prompt_and_late_before_early(
    prompt_ids: list[int], drafts: list[list[int]], answer: list[int], limit: int
) -> None:
    drafter = Drafter(prompt_ids, drafts)
    for number, token_id in enumerate(answer):
        assert drafter.propose(limit).ids == proposal(prompt_ids, drafts, answer[:number], limit)
        drafter.add(token_id)

    assert drafter.propose(limit).ids == proposal(prompt_ids, drafts, answer, limit)


def test_the_first_draft_is_taken_from_its_start_and_found_again_behind_a_difference() -> None:
    drafter = Drafter([9], [[1, 2, 3, 4, 5]])
    assert drafter.propose(2) == Draft([1, 2], "aligned")

    for token_id in (1, 7, 3):
        drafter.add(token_id)

    assert drafter.propose() == Draft([4, 5], "draft1")


def test_no_proposal_is_longer_than_the_largest_pass() -> None:
    assert len(Drafter([], [list(range(99))]).propose(99).ids) == MAX_DRAFTED


def test_ids_of_the_largest_vocabularies_can_be_proposed() -> None:
    """Those that as characters would be surrogates, too."""
    ids = [0xD800, 0xDFFF, 260_000, 0x10FFFF]

    assert Drafter([0xD800], [ids]).propose().ids == ids


# How much of it


@given(
    rights=st.lists(st.integers(0, MAX_DRAFTED), max_size=30),
    costs=st.lists(st.floats(0.1, 2.0), min_size=16, max_size=16).map(lambda more: [*accumulate(more)]),
    available=st.integers(0, MAX_DRAFTED),
)
def test_a_draft_is_as_long_as_gives_the_most_tokens_for_the_time(
    rights: list[int], costs: list[float], available: int
) -> None:
    """The oracle plays every length with the rate that was learnt."""
    length = DraftLength(costs)
    for num_right in rights:
        length.observe("prompt3", num_right, MAX_DRAFTED)
    rate = length.rate("prompt3")

    chosen = length.choose(Draft([0] * available, "prompt3"))

    gains = [sum(rate**i for i in range(size + 1)) / costs[size] for size in range(available + 1)]
    assert 0 < rate < 1
    assert gains[chosen] == pytest.approx(max(gains))


def test_a_source_that_is_wrong_is_no_longer_drafted_from_until_it_is_right_again() -> None:
    length, draft = DraftLength([1.0, 1.3, 1.6, 1.9]), Draft([1, 2, 3], "prompt1")
    for _ in range(30):
        length.observe("prompt1", 0, 3)
    assert length.choose(draft) == 0
    assert length.choose(Draft([1, 2, 3], "aligned")) > 0

    for _ in range(100):
        length.observe("prompt1", 1, 1)

    assert length.choose(draft) == 3
