"""The doctor names the largest known model that fits, for the device that the settings name."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from engine.known_models import KNOWN_MODELS
from lsp_server.cli import largest_model
from lsp_server.cli.check import State
from lsp_server.cli.largest_model import GIB, check_largest, find_room
from lsp_server.settings import EngineSettings, Settings


@pytest.fixture(autouse=True)
def ram(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine of 64 GiB without a driver."""
    monkeypatch.setattr(largest_model, "_ram_bytes", lambda: 64 * GIB)
    monkeypatch.setattr("lsp_server.cli.largest_model.shutil.which", lambda _: None)


def probe(*gibibytes: float, **more: Any) -> dict[str, Any]:
    """What torch says on a machine with such GPUs."""
    gpus = [{"name": "GPU", "total_gib": size, "free_gib": size} for size in gibibytes]
    return {"devices": gpus, "mps": False, "mps_bytes": 0, "bandwidth": 30e9, "cpu_bf16": True} | more


def test_a_gpu_is_measured_by_its_memory_and_told_what_to_write() -> None:
    found = check_largest(Settings(), probe(139.8))

    assert (found.state, found.facts["quantize"]) == (State.OK, None)
    assert found.message.startswith(
        "deepseek-ai/deepseek-coder-33b-base (licence deepseek): 62.1 GiB of weights"
    )
    assert "3.9 GiB of keys and values; fits 139.8 GiB of GPU memory" in found.message
    assert "ghostfill pull deepseek-ai/deepseek-coder-33b-base" in found.advice
    assert 'model = "deepseek-ai/deepseek-coder-33b-base"' in found.advice


def test_a_larger_model_that_fits_in_int8_alone_is_named_beside_it() -> None:
    first, second = check_largest(Settings(), probe()).advice.splitlines()

    assert "int8" not in first
    assert second.startswith("In int8 a larger one fits: ")
    assert 'quantize = "int8" under [engine]' in second


def test_with_quantize_set_only_int8_counts() -> None:
    found = check_largest(Settings(engine=EngineSettings(quantize="int8")), probe(24))

    assert found.facts["quantize"] == "int8"
    assert found.facts["model"] == "Qwen/Qwen2.5-Coder-7B"
    assert "of weights in int8" in found.message
    assert len(found.advice.splitlines()) == 1


def test_the_model_in_use_needs_no_advice() -> None:
    assert check_largest(Settings(model="deepseek-ai/deepseek-coder-33b-base"), probe(139.8)).advice == ""


def test_a_cpu_is_measured_by_half_its_ram_and_its_bandwidth() -> None:
    found = check_largest(Settings(), probe())

    sizes = {model.name: model.parameters for model in KNOWN_MODELS}
    assert sizes[found.facts["model"]] < 3e9
    assert "tokens/s; fits 32.0 GiB, half of the RAM, and 30 GB/s (measured)" in found.message


def test_a_cpu_without_bfloat16_is_told_in_float32() -> None:
    assert "of weights in float32" in check_largest(Settings(), probe(cpu_bf16=False, bandwidth=90e9)).message


def test_without_torch_the_bandwidth_is_assumed_and_said_to_be() -> None:
    assert "(assumed)" in check_largest(Settings(), {}).message


def test_a_cpu_too_slow_for_any_says_so() -> None:
    found = check_largest(Settings(), probe(bandwidth=1e9))

    assert found.state is State.OK
    assert "the built-in one: no other fits" in found.message


@pytest.mark.parametrize(
    ("device", "given", "kind", "gibibytes"),
    [
        ("auto", probe(24, 80), "cuda", 24),
        ("cuda:1", probe(24, 80), "cuda", 80),
        ("cuda", probe(24, 80), "cuda", 24),
        ("cpu", probe(24), "cpu", 32),
        ("auto", probe(mps=True, mps_bytes=48 * GIB), "mps", 48),
        ("auto", probe(mps=True), "mps", 32),
        ("auto", probe(), "cpu", 32),
    ],
)
def test_the_room_is_that_of_the_device_in_the_settings(
    device: str, given: dict[str, Any], kind: str, gibibytes: float
) -> None:
    room = find_room(device, given)

    assert room is not None
    assert (room.kind, room.memory_bytes) == (kind, gibibytes * GIB)
    assert (room.bandwidth is not None) == (kind == "cpu")


def test_without_torch_the_driver_is_asked_for_the_gpus(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\necho 24564\necho 81559\n")
    program.chmod(0o700)
    monkeypatch.setattr("lsp_server.cli.largest_model.shutil.which", lambda _: str(program))

    room = find_room("cuda:1", {})

    assert room is not None
    assert (room.kind, room.memory_bytes) == ("cuda", 81559 * 2**20)


def test_a_driver_that_does_not_answer_is_no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    def hang(*_: Any, **__: Any) -> Any:
        raise subprocess.TimeoutExpired("nvidia-smi", 1)

    monkeypatch.setattr("lsp_server.cli.largest_model.shutil.which", lambda _: "nvidia-smi")
    monkeypatch.setattr(subprocess, "run", hang)

    room = find_room("auto", {})

    assert room is not None
    assert room.kind == "cpu"


def test_a_system_that_does_not_tell_its_memory_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(largest_model, "_ram_bytes", lambda: None)

    assert check_largest(Settings(), {}).state is State.OK


def test_a_containers_limit_counts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.undo()
    limit = tmp_path / "memory.max"
    monkeypatch.setattr(largest_model, "CGROUP_LIMITS", (str(limit),))
    limit.write_text("max\n")
    machine = largest_model._ram_bytes()
    limit.write_text("1048576\n")

    assert machine is not None
    assert machine > 2**20
    assert largest_model._ram_bytes() == 2**20
