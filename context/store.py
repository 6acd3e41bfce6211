"""Keeps files' facts between sessions, in one SQLite database of the user's cache folder. Knows no parser.

A file's facts are found again by path, size and time, or by content, whatever the path: after a checkout, in
another clone, in a workspace that overlaps. Several processes may use it at once; one thread of each. It is
only a cache: whatever is wrong with the database, every method answers as if nothing had been stored.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from context.facts_codec import facts_version
from context.source import Stamp

RACY_NS = 2_000_000_000
"""A file that changed so shortly before it was read may change again with the same time and size."""
UNUSED_S = 60 * 24 * 3600
MAX_DATABASE_BYTES = 1 << 30
BUSY_MS = 3_000
"""How long another process may take to write."""

_SCHEMA = 1
_OLD_TABLES = ("DROP TABLE IF EXISTS files", "DROP TABLE IF EXISTS workspaces")
_WORKSPACES = """CREATE TABLE workspaces
    (id INTEGER PRIMARY KEY, roots BLOB UNIQUE NOT NULL, used INTEGER NOT NULL)"""
_FILES = """CREATE TABLE files (
    workspace INTEGER NOT NULL REFERENCES workspaces ON DELETE CASCADE,
    path BLOB NOT NULL,  -- bytes: a name need not be text
    size INTEGER NOT NULL,
    mtime INTEGER NOT NULL,  -- 0 where only the content can tell
    content BLOB NOT NULL,
    version BLOB NOT NULL,
    facts BLOB NOT NULL,
    PRIMARY KEY (workspace, path))"""
_BY_CONTENT = "CREATE INDEX by_content ON files (content)"
_FIND = """SELECT facts FROM files
    WHERE workspace = ? AND path = ? AND mtime = ? AND size = ? AND version = ?"""
_FIND_CONTENT = "SELECT facts FROM files WHERE content = ? AND version = ? LIMIT 1"
_FORGET = "DELETE FROM files WHERE path = ? AND workspace IN (SELECT id FROM workspaces)"
_FORGET_OLDEST = """DELETE FROM workspaces
    WHERE id = (SELECT id FROM workspaces WHERE roots <> ? ORDER BY used LIMIT 1)"""
_ENTER = """INSERT INTO workspaces (roots, used) VALUES (?, ?)
    ON CONFLICT (roots) DO UPDATE SET used = excluded.used"""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class StoredFile:
    """One row to write."""

    key: str
    stamp: Stamp
    """From before the file was read."""
    content: bytes
    facts: bytes


def default_folder() -> Path:
    """Where the database lies."""
    from platformdirs import user_cache_path

    return user_cache_path("ghostfill", appauthor=False) / "index"


class FactsStore:
    """The stored facts of one workspace. `open`, use and `close` in one thread; never raises."""

    def __init__(self, roots: Collection[str], folder: Path | None = None) -> None:
        self._roots = b"\0".join(sorted(map(os.fsencode, roots)))
        self._folder = folder
        self._database: sqlite3.Connection | None = None
        self._workspace = 0

    @property
    def path(self) -> Path:
        """The database's file."""
        return (self._folder or default_folder()) / "facts.sqlite"

    @property
    def num_bytes(self) -> int:
        """What the database takes on disk."""
        found = 0
        for suffix in ("", "-wal"):
            with suppress(OSError):
                found += Path(f"{self.path}{suffix}").stat().st_size
        return found

    def open(self) -> None:
        """Makes the database if need be; a damaged one is made anew."""
        with self._guarded():
            self._connect()

    def close(self) -> None:
        """Everything written is kept."""
        database, self._database = self._database, None
        if database is not None:
            with suppress(sqlite3.Error):
                database.close()

    def find(self, key: str, stamp: Stamp) -> bytes | None:
        """The facts of a file whose time and size are as they were."""
        known = (self._workspace, os.fsencode(key), stamp[0] or -1, stamp[1], facts_version())
        return self._one(_FIND, known)

    def find_content(self, content: bytes) -> bytes | None:
        """The facts of any file of this content."""
        return self._one(_FIND_CONTENT, (content, facts_version()))

    def save(self, files: Sequence[StoredFile]) -> None:
        """Writes rows in one transaction."""
        newest = time.time_ns() - RACY_NS
        rows = [
            (
                self._workspace,
                os.fsencode(file.key),
                file.stamp[1],
                file.stamp[0] if file.stamp[0] < newest else 0,
                file.content,
                facts_version(),
                file.facts,
            )
            for file in files
        ]
        with self._guarded() as database:
            if database is not None and rows and self.num_bytes < MAX_DATABASE_BYTES:
                with database:
                    database.executemany("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?, ?)", rows)

    def keep_only(self, keys: Iterable[str]) -> None:
        """Forgets the workspace's other files, in other workspaces too: they are gone, or excluded now."""
        kept = set(map(os.fsencode, keys))
        with self._guarded() as database:
            if database is None:
                return
            rows = database.execute("SELECT path FROM files WHERE workspace = ?", (self._workspace,))
            gone = [(path,) for (path,) in rows if path not in kept]
            if gone:
                with database:
                    database.executemany(_FORGET, gone)
                database.execute("PRAGMA incremental_vacuum").fetchall()

    def _one(self, query: str, values: Sequence[object]) -> bytes | None:
        with self._guarded() as database:
            if database is not None:
                row = database.execute(query, values).fetchone()
                return bytes(row[0]) if row is not None else None
        return None

    @contextmanager
    def _guarded(self) -> Iterator[sqlite3.Connection | None]:
        """The one place where the database's troubles end."""
        try:
            yield self._database
        except sqlite3.DatabaseError as error:
            if _is_damaged(error):
                with suppress(sqlite3.Error, OSError):
                    self._start_over(error)
                    return
            self._do_without(error)
        except OSError as error:
            self._do_without(error)

    def _do_without(self, error: Exception) -> None:
        _log.warning("facts are not kept in %s (%s): files are parsed again at each start", self.path, error)
        self.close()

    def _start_over(self, error: Exception) -> None:
        _log.warning("%s is damaged (%s): it is made anew", self.path, error)
        self.close()
        for suffix in ("", "-wal", "-shm"):
            Path(f"{self.path}{suffix}").unlink(missing_ok=True)
        self._connect()

    def _connect(self) -> None:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path.parent.chmod(0o700)  # it holds source text
        self.path.touch(mode=0o600)
        database = sqlite3.connect(self.path, timeout=BUSY_MS / 1000)
        self._database = database
        database.executescript(
            "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
            "PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON;"
        )
        with database:
            database.execute("BEGIN IMMEDIATE")
            self._make_tables(database)
            self._forget_unused(database)
            self._workspace = self._enter(database)
        database.execute("PRAGMA incremental_vacuum").fetchall()

    def _make_tables(self, database: sqlite3.Connection) -> None:
        (found,) = database.execute("PRAGMA user_version").fetchone()
        if found > _SCHEMA:
            raise sqlite3.NotSupportedError("written by a newer ghostfill")
        if found < _SCHEMA:
            for statement in (
                *_OLD_TABLES,
                _WORKSPACES,
                _FILES,
                _BY_CONTENT,
                f"PRAGMA user_version = {_SCHEMA}",
            ):
                database.execute(statement)

    def _forget_unused(self, database: sqlite3.Connection) -> None:
        database.execute("DELETE FROM workspaces WHERE used < ?", (int(time.time()) - UNUSED_S,))
        while _bytes_in_use(database) > MAX_DATABASE_BYTES:
            if database.execute(_FORGET_OLDEST, (self._roots,)).rowcount == 0:
                return

    def _enter(self, database: sqlite3.Connection) -> int:
        """The number of our workspace, used just now."""
        database.execute(_ENTER, (self._roots, int(time.time())))
        (number,) = database.execute("SELECT id FROM workspaces WHERE roots = ?", (self._roots,)).fetchone()
        return int(number)


def _bytes_in_use(database: sqlite3.Connection) -> int:
    names = ("page_count", "freelist_count", "page_size")
    pages, free, size = (database.execute(f"PRAGMA {name}").fetchone()[0] for name in names)
    return int((pages - free) * size)


def _is_damaged(error: sqlite3.DatabaseError) -> bool:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
