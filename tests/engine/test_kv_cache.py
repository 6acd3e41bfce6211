"""Slots hold what was written; the pool finds the longest common prefix as a naive search does."""

from __future__ import annotations

import random

import pytest
import torch

from engine.errors import ModelError
from engine.runtime.kv_cache import BLOCK_TOKENS, Slot, SlotPool, common_length

DOCUMENT = list(range(100, 700))


def write(slot: Slot, ids: list[int]) -> None:
    """What a model of two layers does: keys that name layer and id, values their negatives."""
    for index in range(2):
        keys = torch.tensor(ids, dtype=torch.float32)[None, None, :, None].expand(1, 3, -1, 4) + 1000 * index
        seen, _ = slot.cache.update(keys, -keys, index)
        expected = torch.tensor([*slot.token_ids, *ids], dtype=torch.float32) + 1000 * index
        assert torch.equal(seen[0, 0, :, 0], expected)
    slot.commit(ids)


def is_whole(slot: Slot) -> bool:
    """Whether every layer's buffers hold exactly the slot's ids."""
    expected = torch.tensor(slot.token_ids, dtype=torch.float32)[None, None, :, None].expand(1, 3, -1, 4)
    return all(
        torch.equal(layer.keys[:, :, : len(slot)], expected + 1000 * index)
        and torch.equal(layer.values[:, :, : len(slot)], -expected - 1000 * index)
        for index, layer in enumerate(slot.cache.layers)
    )


def make_pool(num_slots: int = 4, max_tokens: int = 100 * BLOCK_TOKENS) -> SlotPool:
    return SlotPool(lambda: Slot(2, torch.float32), num_slots=num_slots, max_tokens=max_tokens)


def fill(pool: SlotPool, ids: list[int]) -> Slot:
    slot, reused = pool.acquire(ids)
    write(slot, ids[reused:])
    return slot


def test_extending_writes_in_place_and_growing_keeps_what_was_written() -> None:
    slot = Slot(2, torch.float32)
    write(slot, list(range(10)))
    buffer = slot.cache.layers[0].keys
    write(slot, list(range(10, 200)))
    assert slot.cache.layers[0].keys is buffer

    write(slot, list(range(200, 3 * BLOCK_TOKENS)))

    assert slot.cache.layers[0].keys is not buffer
    assert is_whole(slot)


def test_rewinding_moves_nothing_and_the_next_tokens_overwrite_the_tail() -> None:
    slot = Slot(2, torch.float32)
    write(slot, [1, 2, 3, 4, 5])
    buffer = slot.cache.layers[1].values

    slot.rewind(2)
    write(slot, [8, 9])

    assert slot.token_ids == [1, 2, 8, 9]
    assert slot.cache.layers[1].values is buffer
    assert is_whole(slot)


def test_a_pass_that_failed_half_way_leaves_the_slot_as_it_was() -> None:
    slot = Slot(2, torch.float32)
    write(slot, [1, 2, 3])

    slot.cache.update(torch.ones(1, 3, 5, 4), torch.ones(1, 3, 5, 4), 0)  # the second layer never came

    assert slot.cache.get_seq_length() == 3
    write(slot, [4])
    assert is_whole(slot)


def test_a_copy_shares_no_memory() -> None:
    original, copy = Slot(2, torch.float32), Slot(2, torch.float32)
    write(original, DOCUMENT)

    copy.copy_from(original, 300)
    write(copy, [7, 8])

    assert copy.token_ids == [*DOCUMENT[:300], 7, 8]
    assert is_whole(copy)
    assert is_whole(original)


def test_a_copy_that_fails_half_way_leaves_an_empty_slot(monkeypatch: pytest.MonkeyPatch) -> None:
    original, copy = Slot(2, torch.float32), Slot(2, torch.float32)
    write(original, DOCUMENT)
    write(copy, [1, 2, 3])
    monkeypatch.setattr(copy.cache.layers[1], "copy_from", lambda *_: 1 / 0)

    with pytest.raises(ZeroDivisionError):
        copy.copy_from(original, 300)

    assert copy.token_ids == []


def test_an_evicted_slot_gives_its_memory_back() -> None:
    slot = Slot(2, torch.float32)
    write(slot, DOCUMENT)

    slot.evict()

    assert (len(slot), slot.capacity) == (0, 0)
    assert all(layer.keys is None and layer.values is None for layer in slot.cache.layers)
    write(slot, [1])
    assert is_whole(slot)


def test_the_whole_prompt_is_never_reused_so_that_logits_exist() -> None:
    pool = make_pool()
    fill(pool, DOCUMENT)

    assert pool.acquire(DOCUMENT)[1] == len(DOCUMENT) - 1
    assert pool.acquire(DOCUMENT[:10])[1] == 9
    assert pool.acquire([5])[1] == 0


def test_typing_on_reuses_the_documents_own_slot() -> None:
    pool = make_pool()
    slot = fill(pool, DOCUMENT)

    again, reused = pool.acquire([*DOCUMENT, 1, 2])

    assert again is slot
    assert reused == len(DOCUMENT)


def test_another_document_with_the_same_context_gets_a_copy_and_both_stay() -> None:
    pool = make_pool()
    first = fill(pool, DOCUMENT)
    other = [*DOCUMENT[:200], *range(2000, 2300)]

    slot, reused = pool.acquire(other)

    assert slot is not first
    assert reused == 200
    assert first.token_ids == DOCUMENT
    assert slot.token_ids == other[:200]
    assert is_whole(slot)


def test_a_shared_begin_mark_alone_steals_no_slot_while_another_is_free() -> None:
    pool = make_pool(num_slots=3)
    documents = [[0, *range(start, start + 50)] for start in (100, 200, 300)]

    slots = [fill(pool, ids) for ids in documents]

    assert len({id(slot) for slot in slots}) == 3
    assert [slot.token_ids for slot in slots] == documents


def test_when_all_are_taken_the_least_recently_used_goes() -> None:
    pool = make_pool(num_slots=2)
    old = fill(pool, [1] * 50)
    kept = fill(pool, [2] * 50)
    fill(pool, [1] * 60)
    newest = fill(pool, [3] * 50)

    assert newest is kept
    assert old.token_ids == [1] * 60


def test_slots_together_stay_within_the_budget() -> None:
    pool = make_pool(num_slots=3, max_tokens=4 * BLOCK_TOKENS)
    first = fill(pool, [1] * (2 * BLOCK_TOKENS))
    second = fill(pool, [2] * BLOCK_TOKENS)

    fill(pool, [3] * (3 * BLOCK_TOKENS))

    assert sum(slot.capacity for slot in pool.slots) <= 4 * BLOCK_TOKENS
    assert len(first) == 0
    assert second.token_ids == [2] * BLOCK_TOKENS


def test_a_prompt_beyond_the_budget_is_refused_and_harms_nothing() -> None:
    pool = make_pool(max_tokens=2 * BLOCK_TOKENS)
    slot = fill(pool, [1] * 100)

    with pytest.raises(ModelError, match=r"raise engine.memoryGb"):
        pool.acquire([1] * (2 * BLOCK_TOKENS + 1))

    assert slot.token_ids == [1] * 100


@pytest.mark.parametrize("max_blocks", [3, 5, 100], ids=["tight", "some", "ample"])
@pytest.mark.parametrize("seed", range(4))
def test_the_pool_reuses_what_a_naive_search_over_all_slots_finds(seed: int, max_blocks: int) -> None:
    chance = random.Random(seed)
    pool = make_pool(num_slots=3, max_tokens=max_blocks * BLOCK_TOKENS)
    prompts: list[list[int]] = [[0]]

    for _ in range(60):
        ids = edited(chance, chance.choice(prompts[-6:]))
        longest = max(naive_common_length(slot.token_ids, ids) for slot in pool.slots)
        slot, reused = pool.acquire(ids)
        assert reused == min(longest, len(ids) - 1)
        assert slot.token_ids == ids[:reused]
        write(slot, ids[reused:])
        prompts.append(ids)
        assert all(is_whole(each) for each in pool.slots if len(each))
        assert sum(each.capacity for each in pool.slots) <= pool.max_tokens


@pytest.mark.parametrize("seed", range(20))
def test_common_length_equals_counting_one_by_one(seed: int) -> None:
    chance = random.Random(seed)
    a = [chance.randrange(3) for _ in range(chance.randrange(80))]
    b = edited(chance, a)

    assert common_length(a, b) == naive_common_length(a, b)
    assert common_length(a, a) == len(a)


def edited(chance: random.Random, ids: list[int]) -> list[int]:
    """Some of the ids replaced, inserted or deleted at a random place; up to two blocks long."""
    place = chance.randrange(len(ids) + 1)
    middle = [chance.randrange(5) for _ in range(chance.choice([1, 3, 200]))]
    return [*ids[:place], *middle, *ids[place + chance.choice([0, 1, 100, 500]) :]][: 2 * BLOCK_TOKENS]


def naive_common_length(a: list[int], b: list[int]) -> int:
    count = 0
    while count < min(len(a), len(b)) and a[count] == b[count]:
        count += 1
    return count


def test_what_is_cached_is_what_a_naive_comparison_finds_and_looking_changes_nothing() -> None:
    chance = random.Random(7)
    pool = make_pool(num_slots=3)
    for _ in range(60):
        start = DOCUMENT[: chance.randrange(1, 300)]
        fill(pool, [*start, *(chance.randrange(100) for _ in range(chance.randrange(1, 40)))])
        before = [(list(slot.token_ids), slot.capacity, slot.last_used) for slot in pool.slots]
        asked = [*DOCUMENT[: chance.randrange(1, 400)], *(chance.randrange(100) for _ in range(5))]

        found = pool.cached_tokens(asked)

        naive = 0
        for ids, _, _ in before:
            shared = 0
            while shared < min(len(ids), len(asked)) and ids[shared] == asked[shared]:
                shared += 1
            naive = max(naive, shared)
        assert found == naive
        assert [(list(slot.token_ids), slot.capacity, slot.last_used) for slot in pool.slots] == before


def test_nothing_is_cached_in_an_empty_pool_and_of_an_empty_prompt() -> None:
    pool = make_pool()
    assert pool.cached_tokens(DOCUMENT) == 0

    fill(pool, DOCUMENT)

    assert pool.cached_tokens([]) == 0
    assert pool.cached_tokens(DOCUMENT) == len(DOCUMENT)


def test_a_prompt_is_cached_as_far_as_the_next_request_reuses_it() -> None:
    pool = make_pool()
    fill(pool, DOCUMENT[:300])
    asked = [*DOCUMENT[:200], *range(90)]

    cached = pool.cached_tokens(asked)

    assert cached == pool.acquire(asked)[1] == 200
