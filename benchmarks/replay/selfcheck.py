"""Checks of the replay itself: a broken instrument stops the run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmarks.replay.stretches import Stretch


class SelfCheckError(Exception):
    """The replay would not measure what it says."""


def check_stretches(stretches: Sequence[Stretch]) -> None:
    """Without ghost text, every stretch comes out as it stood in the file; raises SelfCheckError."""
    for stretch in stretches:
        typing = stretch.typing()
        for _ in range(20 * len(stretch.target) + 100):
            if (key := typing.next_key()) is None:
                break
            typing = typing.pressed(key)
        check_typed(stretch, stretch.text[: stretch.start] + typing.text + stretch.text[stretch.end :])


def check_typed(stretch: Stretch, text: str) -> None:
    """The document is the file again; raises SelfCheckError."""
    if text != stretch.text:
        raise SelfCheckError(f"{stretch.path} was not typed as it stood in {stretch.package}")


def check_workspace(workspace: Path, stretches: Sequence[Stretch]) -> None:
    """Nothing that the server may read holds what is typed; raises SelfCheckError."""
    wanted = [(stretch, stretch.target.strip().encode()) for stretch in stretches]
    for path in sorted(workspace.rglob("*")):
        if path.is_file():
            content = path.read_bytes()
            for stretch, target in wanted:
                if target in content:
                    raise SelfCheckError(f"{path.relative_to(workspace)} holds the stretch of {stretch.path}")
