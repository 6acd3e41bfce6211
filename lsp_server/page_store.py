"""Where explanations are kept to be shown: one private file per document and format, the oldest removed.

Knows files; knows no reports.
"""

from __future__ import annotations

import hashlib
import os
import re
from contextlib import suppress
from pathlib import Path

from engine.errors import GhostfillError
from engine.runtime_dir import state_dir

MAX_PAGES = 20


class PageError(GhostfillError):
    """A page cannot be written."""


def keep_page(text: str, document: str, name: str, suffix: str = ".html") -> Path:
    """Write the page of a document, replacing its last one; only the user may read it. Raises GhostfillError.

    `document` tells documents apart, `name` is for people, `suffix` says the format.
    """
    folder = state_dir() / "context"
    digest = hashlib.blake2b(document.encode(errors="surrogatepass"), digest_size=6).hexdigest()
    readable = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.")[-40:]
    page = folder / f"{digest}-{readable or 'untitled'}{suffix}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        _write(page, text)
        _remove_old(folder, suffix)
    except OSError as error:
        raise PageError(f"{page} cannot be written: {error.strerror}.") from error
    return page


def _write(page: Path, text: str) -> None:
    """At once: whoever has it open sees the old page or the new one."""
    partial = page.with_name(f".{page.name}.{os.getpid()}")
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    partial.replace(page)


def _remove_old(folder: Path, suffix: str) -> None:
    """Another window may remove the same ones."""
    with suppress(FileNotFoundError):
        pages = sorted(folder.glob(f"*{suffix}"), key=lambda page: page.stat().st_mtime, reverse=True)
        for page in pages[MAX_PAGES:]:
            page.unlink()
