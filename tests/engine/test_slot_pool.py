"""Whose slots the pool gives to whom: buffers that share files keep theirs, the longest unused goes."""

from __future__ import annotations

import torch

from engine.runtime.kv_cache import BLOCK_TOKENS, Slot, SlotPool

SHARED = list(range(1000, 1400))
A, B = "file:///a.py", "file:///b.py"


def make_pool(num_slots: int = 4, max_blocks: int = 100) -> SlotPool:
    return SlotPool(lambda: Slot(1, torch.float32), num_slots=num_slots, max_tokens=max_blocks * BLOCK_TOKENS)


def fill(pool: SlotPool, ids: list[int], owner: str | None = None) -> tuple[Slot, int]:
    slot, reused = pool.acquire(ids, owner=owner)
    keys = torch.tensor(ids[reused:], dtype=torch.float32)[None, None, :, None].expand(1, 1, -1, 2)
    slot.cache.update(keys, keys, 0)
    slot.commit(ids[reused:])
    return slot, reused


def keys_of(slot: Slot) -> list[float]:
    keys = slot.cache.layers[0].keys
    assert keys is not None
    return [float(key) for key in keys[0, 0, : len(slot), 0]]


def test_documents_that_share_most_of_their_prompts_take_nothing_from_each_other() -> None:
    """However often one is typed in behind the other: only what is new is read."""
    pool = make_pool()
    prompts = {A: [*SHARED, *range(50)], B: [*SHARED, *range(100, 150)]}
    fill(pool, prompts[A], A)
    assert fill(pool, prompts[B], B)[1] == len(SHARED), "copied, not read"

    for number in range(4):
        for owner in (A, B):
            prompts[owner] = [*prompts[owner], 7000 + number]
            slot, reused = fill(pool, prompts[owner], owner)
            assert reused == len(prompts[owner]) - 1
            assert keys_of(slot) == prompts[owner]


def test_a_prompt_that_another_documents_goes_on_from_stays() -> None:
    pool = make_pool()
    mine, _ = fill(pool, SHARED, A)

    theirs, reused = fill(pool, [*SHARED, 1, 2], B)

    assert (theirs is not mine, reused) == (True, len(SHARED))
    assert mine.token_ids == SHARED


def test_an_edit_in_the_same_document_rewinds_its_own_slot() -> None:
    pool = make_pool()
    slot, _ = fill(pool, [*SHARED, *range(50)], A)

    assert fill(pool, [*SHARED, 1, 2, 3], A) == (slot, len(SHARED))
    assert sum(len(each) > 0 for each in pool.slots) == 1


def test_where_two_do_not_fit_the_shared_part_is_taken_over() -> None:
    pool = make_pool(max_blocks=3)
    slot, _ = fill(pool, [*SHARED, *range(50)], A)

    assert fill(pool, [*SHARED, *range(100, 150)], B) == (slot, len(SHARED))


def test_touching_what_a_slot_holds_keeps_it_from_being_the_oldest() -> None:
    pool = make_pool(num_slots=2)
    old, _ = fill(pool, [1] * 50, A)
    fill(pool, [2] * 50, B)
    assert pool.touch([1] * 50)
    assert pool.touch([1] * 20)
    assert not pool.touch([1] * 51)
    assert not pool.touch([3])

    fill(pool, [3] * 50)

    assert old.token_ids == [1] * 50


def test_evicting_all_gives_all_memory_back() -> None:
    pool = make_pool()
    for number in range(4):
        fill(pool, [number] * 50)

    pool.evict_all()

    assert all(slot.capacity == len(slot) == 0 for slot in pool.slots)
    assert all(slot.cache.layers[0].keys is None for slot in pool.slots)
    assert fill(pool, [1] * 50)[1] == 0
