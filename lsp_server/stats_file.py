"""The local file of what was counted, day by day: numbers, ids of languages, words for sources and reasons.

Several windows add to it at once and none of their counts is lost. No code, no path and no name out of a
document ever comes into it. Knows no session.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import stat
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from datetime import date, timedelta
from pathlib import Path
from typing import Literal

from engine.errors import EngineUnavailableError, GhostfillError
from engine.runtime_dir import state_dir
from lsp_server.counts import Key, Tally

log = logging.getLogger(__name__)

KEPT_DAYS = 400
BUSY_S = 5.0
"""How long other processes may keep the file locked."""
MAX_ROWS = 1_000_000
_BROKEN = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_SCHEMA = 1
_TABLE = """CREATE TABLE counts (
    day TEXT NOT NULL,
    language TEXT NOT NULL,
    source TEXT NOT NULL,
    name TEXT NOT NULL,
    number INTEGER NOT NULL,
    PRIMARY KEY (day, language, source, name)) WITHOUT ROWID"""
_ADD = """INSERT INTO counts VALUES (?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET number = number + excluded.number"""
_FORGET = "DELETE FROM counts WHERE day < ?"
_READ = "SELECT day, language, source, name, number FROM counts WHERE day BETWEEN ? AND ? LIMIT ?"

Days = dict[date, Tally]


class StatsError(GhostfillError):
    """The file cannot be read or written."""


class StatsFile:
    """One SQLite database, open for as long as one call takes; for any thread and any number of processes."""

    def __init__(self, path: Path | None = None, today: Callable[[], date] = date.today) -> None:
        self._path = path
        self.today = today
        """The day that is counted for."""

    @property
    def path(self) -> Path:
        """Where the file is, whether or not it exists; raises StatsError if there can be none."""
        try:
            return self._path or state_dir() / "stats.sqlite"
        except EngineUnavailableError as error:
            raise StatsError(str(error)) from error

    def add(self, tally: Mapping[Key, int], busy_s: float = BUSY_S) -> None:
        """Add counts to today's; a broken file is set aside first. Raises StatsError, and then adds none."""
        with self._told():
            try:
                self._add(tally, busy_s)
            except _BrokenError as error:
                self._set_aside(error)
                self._add(tally, busy_s)

    def read(self, num_days: int = KEPT_DAYS) -> Days:
        """The counts of so many last days, today among them; empty if there is no file. Raises StatsError."""
        last = self.today()
        first = last - timedelta(days=min(num_days, KEPT_DAYS) - 1)
        with self._told():
            if not os.path.lexists(self.path):
                return {}
            with self._opened("rw", BUSY_S) as database:
                span = (first.isoformat(), last.isoformat(), MAX_ROWS)
                rows = database.execute(_READ, span).fetchall() if _has_table(database) else []
        found: Days = {}
        for day, language, source, name, number in rows:
            with suppress(TypeError, ValueError, AttributeError):  # whoever wrote that, it was not us
                key = Key(language, source, name)
                if key.is_plain and isinstance(number, int):
                    found.setdefault(date.fromisoformat(day), Tally())[key] += number
        return found

    def _add(self, tally: Mapping[Key, int], busy_s: float) -> None:
        today = self.today()
        with self._opened("rwc", busy_s) as database, database:
            database.execute("BEGIN IMMEDIATE")
            if not _has_table(database):
                self.path.chmod(0o600)
                database.execute(_TABLE)
                database.execute(f"PRAGMA user_version = {_SCHEMA}")
            database.executemany(_ADD, [(today.isoformat(), *key, number) for key, number in tally.items()])
            database.execute(_FORGET, ((today - timedelta(days=KEPT_DAYS - 1)).isoformat(),))

    @contextmanager
    def _opened(self, mode: Literal["rw", "rwc"], busy_s: float) -> Iterator[sqlite3.Connection]:
        found = _identity(self.path)
        if found is not None and not stat.S_ISREG(found.st_mode):  # opening a pipe would take for ever
            raise _BrokenError("it is no regular file", found)
        uri = f"{self.path.absolute().as_uri()}?mode={mode}"
        try:
            with closing(sqlite3.connect(uri, uri=True, timeout=busy_s, isolation_level=None)) as database:
                database.text_factory = lambda text: text.decode(errors="replace")
                database.execute("PRAGMA trusted_schema = OFF")
                yield database
        except sqlite3.DatabaseError as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF in _BROKEN:
                raise _BrokenError(str(error), found) from error
            raise
        except _ForeignTablesError as error:
            raise _BrokenError(str(error), found) from error

    def _set_aside(self, error: _BrokenError) -> None:
        """Unless another window has just done so: the file that is there now is not the broken one."""
        aside = self.path.with_suffix(".broken")
        if aside.is_dir():
            aside = aside.with_suffix(f".broken-{time.time_ns()}")
        with _alone_in(self.path.parent):
            now = _identity(self.path)
            if now is None or error.file is None or not os.path.samestat(error.file, now):
                return
            self.path.with_name(f"{self.path.name}-journal").unlink(missing_ok=True)
            self.path.replace(aside)
        log.warning("%s was broken (%s): it is now %s, and a new one begins", self.path, error, aside.name)

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Where the file's troubles become a sentence."""
        try:
            yield
        except _BrokenError as error:
            raise StatsError(f"{self.path} is broken ({error}); delete it to begin anew.") from error
        except (sqlite3.Error, OSError) as error:
            raise StatsError(f"{self.path} cannot be used: {error}.") from error


class _ForeignTablesError(Exception):
    """Somebody else's database."""


class _BrokenError(Exception):
    """Nothing can be added to this file."""

    def __init__(self, reason: str, file: os.stat_result | None) -> None:
        super().__init__(reason)
        self.file = file
        """Its identity; None if it was not there a moment before."""


def _identity(path: Path) -> os.stat_result | None:
    """Tells the file from one that takes its place; None if there is none."""
    try:
        return path.stat()
    except FileNotFoundError:
        return None


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """No two of us at once. Windows needs no lock: nobody can rename there what another has open."""
    if sys.platform == "win32":
        yield
        return
    import fcntl

    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _has_table(database: sqlite3.Connection) -> bool:
    """Whether anything was ever counted; raises _ForeignTablesError where we have not made the tables."""
    (version,) = database.execute("PRAGMA user_version").fetchone()
    if version > _SCHEMA:
        raise sqlite3.NotSupportedError("a newer ghostfill wrote it")
    schema = database.execute("SELECT sql FROM sqlite_master").fetchall()
    if schema not in ([], [(_TABLE,)]):
        raise _ForeignTablesError("it holds other tables than ours")
    return bool(schema)
