"""The Neovims that the tests drive: Debian stable's, and a newer one where somebody has put it.

`.ci/neovim-newer build/editors/neovim-newer` puts it there; $GHOSTFILL_NVIM_NEWER names another.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from terminal import require

NEWER = Path(__file__).parents[2] / "build" / "editors" / "neovim-newer" / "nvim"

BOTH = ("stable", "newer")
"""For a parametrised fixture."""


def require_nvim() -> str:
    """The machine's Neovim. Skips without it; fails where CI promised one."""
    return require("nvim", "neovim")


def require_newer_nvim() -> str:
    """The newer Neovim. Skips without it, in CI too: it is of a suite that changes every day."""
    program = Path(os.environ.get("GHOSTFILL_NVIM_NEWER") or NEWER)
    if not os.access(program, os.X_OK):
        pytest.skip(f"no newer Neovim: {program} is not there (.ci/neovim-newer makes it)")
    return str(program)


def require_either(which: str) -> str:
    """One of `BOTH`."""
    return require_newer_nvim() if which == "newer" else require_nvim()
