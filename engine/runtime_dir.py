"""Where the running engine's socket, lock and log live, and how they are named. Standard library only."""

from __future__ import annotations

import hashlib
import os
import stat
import sys
from dataclasses import dataclass
from pathlib import Path

from engine.build import PROTOCOL, build_id
from engine.errors import EngineUnavailableError

MAX_SOCKET_PATH = 100
"""Bytes; a Unix socket's path ends at 107 on Linux, at 103 on macOS."""


def runtime_dir() -> Path:
    """The user's private folder for running engines, made if missing.

    Raises EngineUnavailableError if it is not ours alone: whoever owns it could answer in our name.
    """
    named = os.environ.get("GHOSTFILL_RUNTIME_DIR")
    xdg = os.environ.get("XDG_RUNTIME_DIR")
    if named:
        folder = Path(named)
    elif xdg and Path(xdg).is_dir():
        folder = Path(xdg) / "ghostfill"
    else:
        folder = state_dir() / "run"
    return _private(folder.absolute())


def state_dir() -> Path:
    """The user's state folder for ghostfill, made if missing."""
    from platformdirs import user_state_path

    return _private(user_state_path("ghostfill", appauthor=False))


def _private(folder: Path) -> Path:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = folder.stat()
        if sys.platform == "win32":
            return folder
        if status.st_uid != os.getuid():
            raise EngineUnavailableError(
                f"{folder} belongs to another user; set GHOSTFILL_RUNTIME_DIR to a folder of yours."
            )
        if stat.S_IMODE(status.st_mode) & 0o077:
            folder.chmod(0o700)
            # It was open until now: somebody may have left a socket there to be found.
            if any(entry.lstat().st_uid != os.getuid() for entry in folder.iterdir()):
                raise EngineUnavailableError(
                    f"{folder} holds files of another user: empty it, or set GHOSTFILL_RUNTIME_DIR."
                )
    except OSError as error:
        raise EngineUnavailableError(
            f"{folder} cannot be used ({error.strerror}); set GHOSTFILL_RUNTIME_DIR to a folder of yours."
        ) from error
    return folder


@dataclass(frozen=True, slots=True)
class EngineFiles:
    """The files of one engine: named by what makes two engines different."""

    folder: Path
    key: str

    @classmethod
    def of(
        cls,
        folder: Path,
        model: str,
        device: str,
        dtype: str,
        fim_format: str = "auto",
        quantize: str | None = None,
    ) -> EngineFiles:
        """The files of the engine for this build, model, device, dtype, format and form of weights."""
        identity = "\0".join((str(PROTOCOL), build_id(), model, device, dtype, fim_format, quantize or ""))
        return cls(folder, hashlib.blake2b(identity.encode(), digest_size=8).hexdigest())

    @property
    def socket(self) -> Path:
        """The Unix socket; raises EngineUnavailableError if its path is too long for one."""
        path = self.folder / f"{self.key}.sock"
        if len(os.fsencode(path)) > MAX_SOCKET_PATH:
            raise EngineUnavailableError(
                f"{path} is too long for a socket; set GHOSTFILL_RUNTIME_DIR to a shorter folder."
            )
        return path

    @property
    def lock(self) -> Path:
        """Held by the engine as long as it lives."""
        return self.folder / f"{self.key}.lock"

    @property
    def log(self) -> Path:
        """What the engine prints."""
        return self.folder / f"{self.key}.log"
