"""What this machine trains with: its device, whether blocks can be compiled, and memory that is kept.

Knows nothing of models.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import sys
from importlib.util import find_spec

import torch

_MALLOPT_TRIM_THRESHOLD = -1
_MALLOPT_MMAP_MAX = -4


def choose_device(name: str) -> torch.device:
    """`auto`, or a name of torch; raises ValueError if it is not there."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    device = torch.device(name)
    if device.type == "cuda" and not torch.cuda.is_available():
        raise ValueError("No CUDA device is here: leave --device out, or say cpu.")
    if device.type == "cpu":
        _keep_memory()
    else:
        torch.set_float32_matmul_precision("high")
    return device


def can_compile(device: torch.device) -> bool:
    """Whether what torch.compile needs is installed."""
    if device.type == "cuda":
        return find_spec("triton") is not None
    return shutil.which(os.environ.get("CXX", "g++")) is not None


def _keep_memory() -> None:
    """glibc gives large arrays back and fetches them again: clearing their pages cost half a run."""
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        if hasattr(libc, "mallopt"):
            libc.mallopt(_MALLOPT_MMAP_MAX, 0)
            libc.mallopt(_MALLOPT_TRIM_THRESHOLD, 2**31 - 1)
