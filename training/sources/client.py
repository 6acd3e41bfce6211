"""Runs a registry's own client and says in one sentence what went wrong. Knows no registry."""

from __future__ import annotations

import errno
import os
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from training.sources.errors import ClientMissingError, GoneError, RegistryError, UnreachableError
from training.sources.table import Source

PATIENCE_SECONDS = 900


@dataclass(frozen=True, slots=True)
class Client:
    """A command line, and how its complaints read."""

    name: str
    install: str
    """What to do where it is missing."""
    unreachable: re.Pattern[str]
    """In its messages: no answer. Looked for first: a client that hears nothing may say "not found"."""
    gone: re.Pattern[str]
    """In its messages: an answer, but no such package or version."""

    def run(self, source: Source, command: Sequence[str], folder: Path, **environment: str) -> str:
        """Its standard output; raises RegistryError, OSError where the disk is full."""
        try:
            done = subprocess.run(
                command,
                cwd=folder,
                env={**os.environ, **environment},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=PATIENCE_SECONDS,
                check=False,
            )
        except FileNotFoundError:
            raise self.missing() from None
        except subprocess.TimeoutExpired:
            raise self._unreachable(source, f"{PATIENCE_SECONDS} s without an end") from None
        if done.returncode != 0:
            raise self._error(source, done.stderr + done.stdout)
        return done.stdout

    def missing(self) -> ClientMissingError:
        """The error for a machine without it."""
        return ClientMissingError(f"{self.name} is not installed: {self.install}")

    def _unreachable(self, source: Source, words: str) -> UnreachableError:
        return UnreachableError(
            f"{source.registry} does not answer for {source.name} {source.version} ({words}): check the "
            f"network and {self.name}'s configuration, then run the same command again; it goes on from here."
        )

    def _error(self, source: Source, said: str) -> RegistryError | OSError:
        if re.search(r"ENOSPC|No space left on device|Disk quota exceeded", said):
            return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        if found := self.unreachable.search(said):
            return self._unreachable(source, found.group())
        if self.gone.search(said):
            return GoneError(
                f"{source.registry} has no {source.name} {source.version} (any more): name another version "
                "in the table, or take the row out."
            )
        last = " / ".join(said.strip().splitlines()[-3:])
        return RegistryError(f"{self.name} could not download {source.name} {source.version}: {last}")
