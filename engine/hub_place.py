"""One model's place in the standard hub cache, and how files get there: with room, checked, resumed later.

The hub's own client does addresses, tokens, redirects, retries and the layout of the cache; but what it had
it forgets when it ends. So large files are fetched here into a part that outlives the run, and left to the
client once they are whole. Knows nothing of models.
"""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from engine.build import VERSION
from engine.errors import ModelError

GIB = 2**30
SPARE_BYTES = GIB
"""Left free on the disk, whatever is downloaded."""
_COMMIT = re.compile(r"[0-9a-f]{40}")

OnBytes = Callable[[int], None]
"""Hears how many bytes more are there; fewer than none, if some must be fetched again."""


@dataclass(frozen=True, slots=True)
class HubFile:
    """One file of a repository on the hub."""

    path: str
    size: int
    sha256: str | None
    """Of large files, which the cache names by it; None for small ones."""


class HubPlace:
    """One model at one commit: blobs by content, a snapshot of links to them, refs by name."""

    def __init__(self, model: str, commit: str) -> None:
        from huggingface_hub import constants

        self._model, self._commit = model, commit
        self._cache = Path(constants.HF_HUB_CACHE)
        self._folder = self._cache / f"models--{model.replace('/', '--')}"
        self.snapshot = self._folder / "snapshots" / commit

    @contextmanager
    def alone(self) -> Iterator[None]:
        """No other pull of this model writes meanwhile."""
        from filelock import FileLock, Timeout

        lock = self._cache / ".locks" / self._folder.name / "ghostfill-pull.lock"
        lock.parent.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(lock, timeout=1):
                yield
        except Timeout:
            raise ModelError(f"Another 'ghostfill pull {self._model}' is running.") from None

    def check_disk(self, files: Sequence[HubFile]) -> None:
        """Raise ModelError if what is missing of the files has no room."""
        missing = sum(self._missing_bytes(file) for file in files)
        free = shutil.disk_usage(self._cache).free
        if missing and missing + SPARE_BYTES > free:
            raise ModelError(
                f"{self._model} needs {missing / GIB:.1f} GiB more and {SPARE_BYTES / GIB:.0f} GiB "
                f"to spare, but {self._cache} has {free / GIB:.1f} GiB free: make room, or set HF_HOME to a "
                "folder on a larger disk."
            )

    def fetch(self, file: HubFile, on_bytes: OnBytes) -> None:
        """Have the file in the snapshot, whole."""
        from huggingface_hub import hf_hub_download

        if file.sha256 is None or not self._missing_bytes(file):
            on_bytes(file.size)
        else:
            self._fetch_blob(file, file.sha256, on_bytes)
        # The client finds the blob, and links or copies it as this file system allows.
        hf_hub_download(self._model, file.path, revision=self._commit)

    def name_snapshot(self, revision: str) -> None:
        """The snapshot is whole: from now on the revision means it."""
        if _COMMIT.fullmatch(revision):
            return
        ref = self._folder / "refs" / revision
        ref.parent.mkdir(parents=True, exist_ok=True)
        ref.write_text(self._commit, encoding="utf-8")

    def _missing_bytes(self, file: HubFile) -> int:
        if file.sha256 is None:
            return file.size
        blob = self._blob(file.sha256)
        if blob.exists() or (self.snapshot / file.path).exists():
            return 0
        part = _part_of(blob)
        return max(0, file.size - part.stat().st_size) if part.exists() else file.size

    def _blob(self, sha256: str) -> Path:
        return self._folder / "blobs" / sha256

    def _fetch_blob(self, file: HubFile, sha256: str, on_bytes: OnBytes) -> None:
        from huggingface_hub import hf_hub_url
        from huggingface_hub.file_download import http_get
        from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]

        blob = self._blob(sha256)
        blob.parent.mkdir(parents=True, exist_ok=True)
        path = _part_of(blob)
        if path.exists() and path.stat().st_size > file.size:
            path.unlink()
        with _Part(path, on_bytes) as part:
            http_get(
                hf_hub_url(self._model, file.path, revision=self._commit),
                cast("BinaryIO", part),
                resume_size=part.tell(),
                headers=build_hf_headers(library_name="ghostfill", library_version=VERSION),
                expected_size=file.size,
            )
            found = part.sha256
        if found != sha256:
            path.unlink()
            raise ModelError(f"{file.path} of {self._model} came damaged: pull it again.")
        path.replace(blob)


def _part_of(blob: Path) -> Path:
    return blob.with_name(f"{blob.name}.ghostfill.incomplete")


class _Part:
    """A file that grows, now or in the next run, and knows the hash of what it holds."""

    def __init__(self, path: Path, on_bytes: OnBytes) -> None:
        self._file = path.open("a+b")
        self._on_bytes = on_bytes
        self._hash = hashlib.sha256()
        self._file.seek(0)
        while piece := self._file.read(1 << 20):
            self._take(piece)

    def __enter__(self) -> _Part:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    @property
    def sha256(self) -> str:
        """Of all it holds."""
        return self._hash.hexdigest()

    def write(self, piece: bytes) -> int:
        """Add to its end."""
        self._take(piece)
        return self._file.write(piece)

    def tell(self) -> int:
        """How much it holds."""
        return self._file.tell()

    def seek(self, offset: int) -> int:
        """Back to its start: a server that cannot resume sends everything again."""
        assert offset == 0, "the client rewinds a part as a whole"
        self._on_bytes(-self._file.tell())
        self._hash = hashlib.sha256()
        return self._file.seek(offset)

    def truncate(self) -> int:
        """Drop what lies behind here."""
        return self._file.truncate()

    def _take(self, piece: bytes) -> None:
        self._hash.update(piece)
        self._on_bytes(len(piece))
