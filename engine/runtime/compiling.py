"""How loops over memory are compiled, and what all of them share. Knows numba, and nothing to compile."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numba
import numpy as np

_F = TypeVar("_F", bound=Callable[..., Any])
_OPTIONS: dict[str, Any] = {"fastmath": {"contract"}, "nogil": True, "error_model": "numpy"}
"""Contracted: a product and a sum are one instruction. Nothing else may be reordered."""
LINE = 64
"""Bytes of a cache line."""
AHEAD = 8192
"""Memory is asked for so many bytes before it is used: by itself a processor stops at the end of a page."""


def compiled(function: _F, *, is_cached: bool = False) -> _F:
    """The function, compiled for the types that it is first called with, or taken from numba's cache."""
    return numba.njit(cache=is_cached, **_OPTIONS)(function)  # type: ignore[no-any-return]


@compiled
def numbers(num: int) -> Any:
    """Room for float32 at a multiple of 64: vectors across two cache lines take twice as long to load."""
    room = np.empty(num + 16, np.float32)
    start = (-room.ctypes.data) % 64 // 4
    return room[start : start + num]
