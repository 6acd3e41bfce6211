"""A repository unpacked into a folder of its own, and the product's context over it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from context import RepoContext
from training.corpus.repository import Repository
from training.samples.errors import SamplesError

INDEX_SECONDS = 120.0


@contextmanager
def workspace(repository: Repository) -> Iterator[tuple[Path, RepoContext]]:
    """The folder and its context, whose index is ready; both are gone afterwards. Raises SamplesError."""
    with tempfile.TemporaryDirectory(prefix="ghostfill-samples-", ignore_cleanup_errors=True) as folder:
        root = Path(folder).resolve()
        for file in repository.files:
            path = PurePosixPath(file.path)
            if path.is_absolute() or ".." in path.parts:
                raise SamplesError(f"{repository.key} holds {file.path}, which leads out of it.")
            place = root / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(file.text.encode("utf-8", "replace"))
        context = RepoContext([root])
        try:
            context.start()
            if not context.wait_ready(INDEX_SECONDS):
                raise SamplesError(f"The index of {repository.key} took more than {INDEX_SECONDS:.0f} s.")
            yield root, context
        finally:
            context.close()
