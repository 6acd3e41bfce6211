"""Pictures of real runs: where the editor tests put what they saw.

They go to `build/pictures`, or to the folder that `GHOSTFILL_PICTURES` names; those of `editors/pictures`
were made with it.
"""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).parents[2]


def picture_path(name: str) -> Path:
    """Where the picture of this file name is to be written; an older one is overwritten."""
    folder = Path(os.environ.get("GHOSTFILL_PICTURES") or ROOT / "build" / "pictures")
    folder.mkdir(parents=True, exist_ok=True)
    return folder / name
