"""Where a server works while it is measured: folders of its own, and files without what is typed."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.replay.stretches import Stretch

OWN_FOLDERS = {
    "GHOSTFILL_RUNTIME_DIR": "run",
    "XDG_CACHE_HOME": "cache",
    "XDG_STATE_HOME": "state",
    "XDG_CONFIG_HOME": "config",
}


@dataclass(frozen=True, slots=True)
class Scene:
    """A workspace and the environment of its server."""

    workspace: Path
    runtime: Path
    environment: dict[str, str]
    log: Path
    """For what the server says on stderr."""


@contextmanager
def staged(source: Path | None, stretches: Sequence[Stretch] = ()) -> Iterator[Scene]:
    """A copy of `source` without the stretches, or an empty workspace; gone when it is left.

    The server's index, engine, statistics and settings are its own: nothing that it knew before helps it.
    """
    # short, as a socket's path must be
    with tempfile.TemporaryDirectory(prefix="gf") as folder:
        root = Path(folder).resolve()
        workspace = root / "workspace" / (source.name if source else "session")
        if source is None:
            workspace.mkdir(parents=True)
        else:
            shutil.copytree(source, workspace)
        for stretch in stretches:
            (workspace / stretch.path).write_text(stretch.without, encoding="utf-8", newline="")
        folders = {name: root / part for name, part in OWN_FOLDERS.items()}
        for path in folders.values():
            path.mkdir(mode=0o700)
        named = {name: str(path) for name, path in folders.items()}
        yield Scene(workspace, folders["GHOSTFILL_RUNTIME_DIR"], named, root / "log")
