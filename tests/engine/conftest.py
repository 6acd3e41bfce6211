"""Models shared by the engine's tests: small random ones and the built-in, all float32 on the CPU."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.model_folder import ModelFolder
from engine.runtime.lane import Lane
from engine.runtime.model import LoadedModel, load_model
from engine.runtime.worker import Worker
from engine_checkpoints import make_deepseek_checkpoint, make_llama
from engine_jobs import CHUNK


@pytest.fixture(scope="session")
def small_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random Llama with grouped heads on disk."""
    return make_llama(tmp_path_factory.mktemp("small") / "model")


@pytest.fixture(scope="session")
def small(small_folder: Path) -> LoadedModel:
    """The same in memory."""
    return load_model(ModelFolder.open(str(small_folder)), device="cpu", dtype="float32")


@pytest.fixture
def worker(small: LoadedModel) -> Iterator[Worker]:
    """A worker of the small model, with chunks of 16 tokens."""
    made = Worker(Lane(small, chunk_tokens=CHUNK, memory_gb=1))
    yield made
    made.close()


@pytest.fixture(scope="session")
def builtin() -> LoadedModel:
    """The built-in model."""
    return load_model(ModelFolder.open("builtin"), device="cpu", dtype="float32")


@pytest.fixture(scope="session")
def deepseek_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A DeepSeek-Coder 1.3B shape on disk."""
    return make_deepseek_checkpoint(tmp_path_factory.mktemp("deepseek") / "deepseek-coder-1.3b-base")
