"""On a GPU: two models' jobs take turns step by step, each as if it were alone, also while a third loads."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from engine.api import Priority
from engine.model_folder import ModelFolder
from engine.runtime.lane import Lane
from engine.runtime.memory import free_bytes
from engine.runtime.model import LoadedModel, load_model
from engine.runtime.worker import Worker
from engine_checkpoints import make_llama
from engine_jobs import Ask, prompt, run

DEVICE = "cuda"
LONG = 400


def load(folder: Path) -> LoadedModel:
    return load_model(ModelFolder.open(str(folder)), device=DEVICE, dtype="float32")


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Heads of a size that flash attention takes; other weights each."""
    home = tmp_path_factory.mktemp("lanes")
    shape = {"head_dim": 64, "max_position_embeddings": 4096}
    return [make_llama(home / str(seed), seed=seed, **shape) for seed in range(3)]


@pytest.fixture
def worker(folders: list[Path]) -> Iterator[Worker]:
    made = Worker(Lane(load(folders[0])))
    yield made
    made.close()


@pytest.fixture
def chat_lane(folders: list[Path], worker: Worker) -> Lane:
    return Lane(load(folders[1]), num_slots=2, kv_bytes=2**28, counters=worker.counters)


def chat_on(lane: Lane, **wanted: object) -> Ask:
    ask = Ask(prompt(5, 300), max_tokens=LONG, priority=Priority.CHAT, **wanted)
    ask.job = replace(ask.job, lane=lane, chunk_tokens=128)
    return ask


def test_completions_in_the_middle_of_a_chat_answer_change_neither(worker: Worker, chat_lane: Lane) -> None:
    alone = chat_on(chat_lane)
    run(worker, alone)
    completed = Ask(prompt(9), max_tokens=20)
    run(worker, completed)
    for lane in (worker.lane, chat_lane):
        lane.evict_all()
    between = [Ask(prompt(9), max_tokens=20) for _ in range(4)]

    def ask_now_and_then(num_tokens: int) -> bool:
        if num_tokens % 50 == 0 and num_tokens // 50 <= len(between):
            worker.submit(between[num_tokens // 50 - 1].job)
        return False

    chat = chat_on(chat_lane, on_token=ask_now_and_then)
    steps_before = worker.counters.decode_steps
    outcome = run(worker, chat)

    assert outcome.error is None
    assert chat.tokens == alone.tokens
    for ask in between:
        assert ask.outcome().error is None
        assert ask.tokens == completed.tokens
    # Nothing was computed twice: the steps of chat, and those of the completions.
    assert worker.counters.decode_steps - steps_before <= LONG + 4 * 20


def test_a_model_that_loads_and_leaves_disturbs_nobody(
    worker: Worker, chat_lane: Lane, folders: list[Path]
) -> None:
    """Recorded graphs of the one, allocations and copies of the other."""
    alone = chat_on(chat_lane)
    run(worker, alone)
    chat_lane.evict_all()
    loading = threading.Thread(target=lambda: Lane(load(folders[2]), kv_bytes=2**28).release())
    loading.start()

    chat = chat_on(chat_lane)
    outcome = run(worker, chat)
    loading.join()

    assert outcome.error is None
    assert chat.tokens == alone.tokens


def test_what_slots_gave_back_counts_as_free(worker: Worker, chat_lane: Lane) -> None:
    run(worker, chat_on(chat_lane))
    filled = free_bytes(chat_lane.loaded.device)
    held = int(chat_lane.held()["kv_tokens_reserved"] * chat_lane.loaded.kv_bytes_per_token)

    chat_lane.evict_all()

    assert free_bytes(chat_lane.loaded.device) - filled >= held * 0.9
