"""What the doctor says of the largest known model that fits this machine. Starts and downloads nothing.

Knows memory and its bandwidth, as a probe of torch told them or as the system does; imports no torch.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine.known_models import Fit, Room, largest_fit
from lsp_server.cli.check import Check, State, ok
from lsp_server.settings import Settings, user_file

NAME = "largest model"
GIB = 2**30
ASSUMED_BANDWIDTH = 20e9
"""Bytes a second of an ordinary machine's memory, where nothing was measured."""
SHARE_OF_RAM = 0.5
"""Of a machine that also has to edit, compile and test."""
CGROUP_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


def check_largest(settings: Settings, probe: Mapping[str, Any]) -> Check:
    """The largest known model for the device that the settings name; `probe` is what torch said, or empty."""
    room = find_room(settings.device, probe)
    if room is None:
        return ok(NAME, "not known, as this system does not tell its memory")
    place = _describe_room(room, is_measured="bandwidth" in probe)
    forms = ["int8"] if settings.engine.quantize else [None, "int8"]
    fits = [fit for form in forms if (fit := largest_fit(room, form))]
    if not fits:
        return ok(NAME, f"the built-in one: no other fits {place}")
    best, *quantized = fits
    advice = "" if best.model.name == settings.model else _how_to(best)
    if quantized and quantized[0].model.parameters > best.model.parameters:
        advice += f"\nIn int8 a larger one fits: {_describe(quantized[0])}. {_how_to(quantized[0])}"
    facts = {"model": best.model.name, "quantize": best.quantize, "memory_bytes": room.memory_bytes}
    return Check(NAME, State.OK, f"{_describe(best)}; fits {place}", advice.strip(), facts)


def find_room(device: str, probe: Mapping[str, Any]) -> Room | None:
    """What the device that will be used offers; None if that cannot be known."""
    gpus = _gpu_bytes(probe)
    if device != "cpu" and gpus:
        index = int(device.partition(":")[2] or 0) if device.startswith("cuda") else 0
        return Room("cuda", gpus[min(index, len(gpus) - 1)])
    ram = _ram_bytes()
    if device != "cpu" and probe.get("mps"):
        shared = probe.get("mps_bytes") or (ram and int(SHARE_OF_RAM * ram))
        return Room("mps", shared) if shared else None
    if not ram:
        return None
    bandwidth = float(probe.get("bandwidth") or ASSUMED_BANDWIDTH)
    return Room("cpu", int(SHARE_OF_RAM * ram), bandwidth, number_bytes=2 if probe.get("cpu_bf16") else 4)


def _gpu_bytes(probe: Mapping[str, Any]) -> list[int]:
    """Memory of each GPU: by torch, or by the driver where no torch is installed."""
    if probe:
        return [int(gpu["total_gib"] * GIB) for gpu in probe["devices"]]
    program = shutil.which("nvidia-smi")
    if program is None:
        return []
    command = [program, "--query-gpu=memory.total", "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
        return [int(line) * 2**20 for line in done.stdout.split()]
    except (OSError, subprocess.SubprocessError, ValueError):
        return []


def _ram_bytes() -> int | None:
    """Of this machine, or of the container that we run in."""
    try:
        ram = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None
    for file in CGROUP_LIMITS:
        try:
            ram = min(ram, int(Path(file).read_text(encoding="ascii")))
        except (OSError, ValueError):
            continue  # no such file, or `max`
    return ram


def _describe(fit: Fit) -> str:
    model, form = fit.model, fit.quantize or ("float32" if fit.number_bytes == 4 else "bfloat16")
    speed = f", {fit.tokens_per_second:.0f} tokens/s" if fit.tokens_per_second else ""
    return (
        f"{model.name} (licence {model.licence}): {fit.weight_bytes / GIB:.1f} GiB of weights in {form}, "
        f"{fit.kv_bytes / GIB:.1f} GiB of keys and values{speed}"
    )


def _describe_room(room: Room, *, is_measured: bool) -> str:
    gib = room.memory_bytes / GIB
    if room.bandwidth is None:
        return f"{gib:.1f} GiB of GPU memory"
    source = "measured" if is_measured else "assumed"
    return f"{gib:.1f} GiB, half of the RAM, and {room.bandwidth / 1e9:.0f} GB/s ({source})"


def _how_to(fit: Fit) -> str:
    quantize = f' and quantize = "{fit.quantize}" under [engine]' if fit.quantize else ""
    return f'ghostfill pull {fit.model.name}, then model = "{fit.model.name}"{quantize} in {user_file()}.'
