"""Where explained requests are kept to be shown: one private HTML file per document, the oldest removed.

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


def keep_page(html: str, document: str, name: str) -> Path:
    """Write the page of a document, replacing its last one; only the user may read it. Raises GhostfillError.

    `document` tells documents apart, `name` is for people.
    """
    folder = state_dir() / "context"
    digest = hashlib.blake2b(document.encode(errors="surrogatepass"), digest_size=6).hexdigest()
    readable = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.")[-40:]
    page = folder / f"{digest}-{readable or 'untitled'}.html"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        _write(page, html)
        _remove_old(folder)
    except OSError as error:
        raise PageError(f"{page} cannot be written: {error.strerror}.") from error
    return page


def _write(page: Path, html: str) -> None:
    """At once: whoever has it open sees the old page or the new one."""
    partial = page.with_name(f".{page.name}.{os.getpid()}")
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(html)
    partial.replace(page)


def _remove_old(folder: Path) -> None:
    """Another window may remove the same ones."""
    with suppress(FileNotFoundError):
        pages = sorted(folder.glob("*.html"), key=lambda page: page.stat().st_mtime, reverse=True)
        for page in pages[MAX_PAGES:]:
            page.unlink()
