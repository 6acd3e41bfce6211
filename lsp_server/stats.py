"""Brings what a session counts to the local file, and reports on it. Knows no database and no completion."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

from lsp_server.counts import Counts, Key, Tally
from lsp_server.stats_file import Days, StatsError, StatsFile

log = logging.getLogger(__name__)

DEFAULT_DAYS = 30
PERIOD_S = 60.0
"""Counts are written at most so often."""
CLOSE_S = 1.0
"""How long the end of a session may wait for the last ones."""


class StatsWriter:
    """Brings a session's counts to the file: once a minute, at its end, and never while that is turned off.

    What cannot be written is kept and tried again; no request ever waits for it or fails with it.
    """

    def __init__(
        self, take: Callable[[], Tally], is_enabled: Callable[[], bool], file: StatsFile | None = None
    ) -> None:
        """`take` gives what was counted since it was last called."""
        self.file = file or StatsFile()
        self._take = take
        self._is_enabled = is_enabled
        self._unwritten: deque[Tally] = deque()
        self._job: asyncio.Future[None] | None = None
        self._has_complained = False
        self._closing = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Write from now on."""
        self._task = asyncio.ensure_future(self._run())

    async def close(self) -> None:
        """Write the last counts, unless the file keeps us waiting."""
        self._closing.set()
        if self._task is not None:
            await asyncio.wait({self._task}, timeout=CLOSE_S)

    async def flush(self) -> None:
        """Write what there is, in a worker thread."""
        if self._job is not None:
            await asyncio.shield(self._job)
        tally = self._take()
        while self._unwritten:
            tally.update(self._unwritten.popleft())
        if tally and self._is_enabled():
            self._job = asyncio.get_running_loop().run_in_executor(None, self._write, tally)
            await asyncio.shield(self._job)  # the job goes on where whoever waits for it is cancelled

    async def report(self, num_days: int) -> dict[str, Any]:
        """As `stats_report`, with what was counted just now, even where it cannot be written."""
        await self.flush()
        try:
            days = await asyncio.to_thread(self.file.read, num_days)
        except StatsError as error:
            log.info("%s", error)
            days = {}
        for tally in self._unwritten:
            days.setdefault(self.file.today(), Tally()).update(tally)
        return stats_report(days, num_days, self.file.path, is_enabled=self._is_enabled())

    async def _run(self) -> None:
        try:
            while not self._closing.is_set():
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._closing.wait(), PERIOD_S)
                await self.flush()
            await self.flush()
        except asyncio.CancelledError:  # the client went without a word
            await self.flush()
            raise

    def _write(self, tally: Tally) -> None:
        """In a worker thread."""
        try:
            self.file.add(tally)
        except StatsError as error:
            self._unwritten.append(tally)
            if not self._has_complained:
                self._has_complained = True
                log.warning("%s What is counted stays in memory until it can be written.", error)


def stats_report(days: Days, num_days: int, path: Path, *, is_enabled: bool) -> dict[str, Any]:
    """What `ghostfill stats --json` prints and the command `ghostfill.stats` answers."""
    together = add_up(days.values())
    return {
        "file": str(path),
        "enabled": is_enabled,
        "days": num_days,
        "total": Counts.of(together).to_json(),
        "by_day": {day.isoformat(): Counts.of(days[day]).to_json() for day in sorted(days)},
        "by_language": {name: each.to_json() for name, each in counts_by("language", together).items()},
        "by_source": {name: each.to_json() for name, each in counts_by("source", together).items()},
    }


def counts_by(part: Literal["language", "source"], tally: Mapping[Key, int]) -> dict[str, Counts]:
    """The counts of each language or of each source, by name."""
    found: dict[str, Tally] = {}
    for key, number in sorted(tally.items()):
        found.setdefault(getattr(key, part), Tally())[key] += number
    return {name: Counts.of(each) for name, each in found.items()}


def add_up(tallies: Iterable[Mapping[Key, int]]) -> Tally:
    """One tally of many."""
    together = Tally()
    for tally in tallies:
        together.update(tally)
    return together
