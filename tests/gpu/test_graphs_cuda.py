"""On a GPU: recorded passes equal computed ones, graphs are really used, a cancel is soon seen."""

from __future__ import annotations

import random
import time
from pathlib import Path
from typing import Any

import pytest
import torch

from engine.model_folder import ModelFolder
from engine.runtime import reference
from engine.runtime.decode import Decoder
from engine.runtime.graphs import GraphedForward
from engine.runtime.kv_cache import Slot
from engine.runtime.model import LoadedModel, load_model
from engine_checkpoints import make_llama

IDS = 320


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Grouped heads of a size that flash attention takes."""
    return make_llama(
        tmp_path_factory.mktemp("gpu") / "model",
        head_dim=64,
        max_position_embeddings=8192,
        initializer_range=0.1,
    )


def load(folder: Path, dtype: str, device: str = "cuda", **options: Any) -> LoadedModel:
    return load_model(ModelFolder.open(str(folder)), device=device, dtype=dtype, **options)


def graphed(loaded: LoadedModel) -> GraphedForward:
    assert isinstance(loaded.forward, GraphedForward)
    return loaded.forward


def read_at_random(loaded: LoadedModel, ids: list[int], seed: int) -> dict[int, torch.Tensor]:
    """Logits by place over random parts and rewinds."""
    chance, slot, rows = random.Random(seed), loaded.new_slot(), {}
    while len(slot) < len(ids):
        part = ids[len(slot) :][: chance.choice([1, 1, 2, 3, 5, 8, 16, 40, 300])]
        found = loaded.forward(slot, part, len(part))
        slot.commit(part)
        rows |= {len(slot) - len(part) + index: row for index, row in enumerate(found)}
        if chance.random() < 0.2:
            slot.rewind(max(0, len(slot) - chance.randrange(60)))
    return rows


@pytest.mark.parametrize("seed", range(3))
def test_float32_on_the_gpu_equals_the_model_with_no_cache(seed: int, folder: Path) -> None:
    torch.manual_seed(seed)
    loaded = load(folder, "float32")
    ids = torch.randint(2, IDS, (2500,)).tolist()

    rows = read_at_random(loaded, ids, seed)

    oracle = reference.logits(loaded, ids)
    assert max(float((row - oracle[place]).abs().max()) for place, row in rows.items()) < 2e-3
    assert graphed(loaded).is_recording  # or the equality above proved less than it says


@pytest.mark.parametrize("quantize", [None, "int8"])
def test_bfloat16_chooses_like_float32_except_between_near_ties(quantize: str | None, folder: Path) -> None:
    ids = torch.randint(2, IDS, (1500,)).tolist()
    exact = reference.logits(load(folder, "float32", device="cpu"), ids)

    rows = read_at_random(load(folder, "bfloat16", quantize=quantize), ids, 0)

    lost = [float(exact[place].max() - exact[place][int(row.argmax())]) for place, row in rows.items()]
    assert max(lost) < (0.2 if quantize is None else 0.4) * float(exact.std())


def test_steps_that_feed_each_other_equal_single_ones_across_recordings(folder: Path) -> None:
    """From 1,000 to 1,060: the number of keys read changes on the way."""
    loaded = load(folder, "float32")
    ids = torch.randint(2, IDS, (1000,)).tolist()
    slot = loaded.new_slot()
    Decoder(loaded).prefill(slot, ids, lambda: None)
    slot.reserve(1200)

    steps = graphed(loaded).decode(slot, 7, 60)

    assert steps is not None
    found = [token_id for token_id, _ in steps]
    token_id, expected = 7, []
    for _ in range(60):
        row = loaded.forward(slot, [token_id])[0]
        slot.commit([token_id])
        token_id = int(row.argmax())
        expected.append(token_id)
    assert found == expected


def test_buffers_that_move_are_recorded_anew(folder: Path) -> None:
    loaded = load(folder, "float32")
    ids = torch.randint(2, IDS, (600,)).tolist()
    slots: list[Slot] = []
    for _ in range(6):
        slot = loaded.new_slot()
        for place in range(0, 600, 8):
            found = loaded.forward(slot, ids[place : place + 8])
            slot.commit(ids[place : place + 8])
        assert (found[0] - reference.logits(loaded, ids)[-1]).abs().max() < 2e-3
        slots.append(slot)
        slots[random.Random(len(slots)).randrange(len(slots))].evict()


def test_a_chunk_is_over_when_its_pass_returns(folder: Path) -> None:
    """Kernels queued ahead would keep the device busy after a cancel: nothing may be left to wait for."""
    loaded = load(folder, "bfloat16")
    slot, ids = loaded.new_slot(), torch.randint(2, IDS, (4096,)).tolist()
    loaded.forward(slot, ids)

    loaded.forward(slot, ids)
    started = time.perf_counter()
    torch.cuda.synchronize()

    assert time.perf_counter() - started < 0.025  # the promise itself


def test_without_graphs_the_same_comes_out(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = torch.randint(2, IDS, (300,)).tolist()
    recorded = read_at_random(load(folder, "float32"), ids, 0)

    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("no graphs today")

    monkeypatch.setattr("torch.cuda.CUDAGraph", fail)
    loaded = load(folder, "float32")
    eager = read_at_random(loaded, ids, 0)

    assert not graphed(loaded).is_recording
    assert max(float((eager[place] - row).abs().max()) for place, row in recorded.items()) < 2e-3
