"""The project a file belongs to, where no client said it. Standard library only."""

from __future__ import annotations

from pathlib import Path

MARKERS = (".git", "pyproject.toml", "setup.py", "package.json", "Cargo.toml", "go.mod", ".hg")


def project_root(file: Path) -> Path:
    """The nearest folder above `file` with a marker, else the file's own; never the home folder."""
    home = Path.home()
    for folder in file.parents:
        if folder == home:
            break
        if any((folder / marker).exists() for marker in MARKERS):
            return folder
    return file.parent
