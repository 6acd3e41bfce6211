"""The engine as a process: lock, socket, web server, and when to leave.

Knows files and sockets of its own; knows nothing of models beyond `ResidentModel`.
"""

from __future__ import annotations

import argparse
import asyncio
import ipaddress
import logging
import os
import signal
import socket
import stat
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import uvicorn

from engine.errors import EngineUnavailableError
from engine.runtime.resident import EngineOptions, ResidentModel
from engine.runtime.service import create_app
from engine.runtime_dir import MAX_SOCKET_PATH, EngineFiles

log = logging.getLogger("ghostfill.engine")
CHECK_SECONDS = 1.0
CHAT_IDLE_SECONDS = 600.0
"""A chat model is unloaded after so long, or after an engine's idle time if that is shorter."""
ERROR_SECONDS = 5.0
"""An engine that could not load tells why for so long, then leaves, so that the next try starts afresh."""


class EngineProcess:
    """One engine from start to end."""

    def __init__(self, flags: argparse.Namespace, files: EngineFiles) -> None:
        self._flags = flags
        self._files = files
        self._idle_seconds = flags.idle_minutes * 60
        self._is_local = flags.host is None
        self._socket: Path | None = None
        self._socket_id: tuple[int, int] | None = None

    def run(self) -> int:
        """Serve until idle, replaced or told to stop; 0 also when another engine already holds the lock."""
        if not self._is_local:
            return self._run(_listen_tcp(self._flags.host, self._flags.port, self._flags.api_key_file))
        named: Path | None = self._flags.socket
        path = named.absolute() if named else self._files.socket
        lock = _take_lock(path.with_name(path.name + ".lock") if named else self._files.lock)
        if lock is None:
            log.info("an engine for this model already runs at %s", path)
            return 0
        try:
            listener = _listen_unix(path)
            self._socket, self._socket_id = path, _file_id(path)
            return self._run(listener)
        finally:
            if self._is_socket_ours():
                path.unlink(missing_ok=True)
            os.close(lock)

    def _run(self, listener: socket.socket) -> int:
        with listener:
            api_key = _read_key(self._flags.api_key_file)
            resident = ResidentModel(
                EngineOptions(
                    model=self._flags.model,
                    device=self._flags.device,
                    dtype=self._flags.dtype,
                    memory_gb=self._flags.memory_gb,
                    fim_format=self._flags.fim_format,
                    trust_remote_code=self._flags.trust_remote_code,
                    quantize=self._flags.quantize,
                    log_prompts=self._flags.log_prompts,
                    chat_model=self._flags.chat_model,
                    chat_idle_seconds=min(CHAT_IDLE_SECONDS, self._idle_seconds),
                    is_private=self._is_local,
                )
            )
            threading.Thread(target=resident.load, name="load", daemon=True).start()
            asyncio.run(self._serve(listener, resident, api_key))
            resident.close()
            return 1 if resident.state == "error" else 0

    async def _serve(self, listener: socket.socket, resident: ResidentModel, api_key: str | None) -> None:
        config = uvicorn.Config(
            create_app(resident, api_key),
            log_config=None,
            access_log=False,
            timeout_keep_alive=3600,  # a front's connection outlives a coffee break
            timeout_graceful_shutdown=1,
        )
        server = _Server(config)
        watch = asyncio.create_task(self._watch(server, resident))
        await server.serve(sockets=[listener])
        watch.cancel()
        with suppress(asyncio.CancelledError):
            await watch

    async def _watch(self, server: uvicorn.Server, resident: ResidentModel) -> None:
        while not server.should_exit:
            await asyncio.sleep(min(CHECK_SECONDS, self._idle_seconds or CHECK_SECONDS))
            resident.chat.unload_if_idle()
            if self._is_local and not self._is_socket_ours():
                log.info("the socket is no longer ours: leaving")
                server.should_exit = True
            elif resident.state == "error" and resident.idle_seconds > ERROR_SECONDS:
                server.should_exit = True
            elif resident.state == "ready" and 0 < self._idle_seconds < resident.idle_seconds:
                log.info("no request for %g minutes: leaving", self._flags.idle_minutes)
                server.should_exit = True

    def _is_socket_ours(self) -> bool:
        return self._socket is not None and _file_id(self._socket) == self._socket_id


class _Server(uvicorn.Server):
    """uvicorn raises a signal again once it has shut down, which would skip our own tidying up."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self.handle_exit)
        yield


def _listen_unix(path: Path) -> socket.socket:
    """A bound socket that only its owner can connect to.

    The caller has the lock: a socket that lies there is a dead engine's.
    """
    status = path.lstat() if os.path.lexists(path) else None
    if status is not None and not stat.S_ISSOCK(status.st_mode):
        raise EngineUnavailableError(f"{path} is not a socket: move it away or choose another path.")
    if len(os.fsencode(path)) > MAX_SOCKET_PATH:
        raise EngineUnavailableError(f"{path} is too long for a socket: choose a shorter path.")
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    # Bound by us: uvicorn's own uds= makes the file writable for everyone.
    old_mask = os.umask(0o177)
    try:
        path.unlink(missing_ok=True)
        listener.bind(str(path))
    except OSError as error:
        listener.close()
        raise EngineUnavailableError(f"cannot listen at {path}: {error}") from error
    finally:
        os.umask(old_mask)
    return listener


def _listen_tcp(host: str, port: int, api_key_file: Path | None) -> socket.socket:
    if api_key_file is None and not _is_loopback(host):
        raise EngineUnavailableError(f"--host {host} is open to the network: give --api-key-file too.")
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    try:
        if sys.platform != "win32":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except (OSError, OverflowError) as error:
        listener.close()
        raise EngineUnavailableError(f"cannot listen at {host}:{port}: {error}") from error
    log.info("listening at %s", listener.getsockname())
    return listener


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _read_key(file: Path | None) -> str | None:
    if file is None:
        return None
    try:
        key = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeError) as error:
        raise EngineUnavailableError(f"--api-key-file cannot be read: {error}") from error
    if not key:
        raise EngineUnavailableError(f"--api-key-file {file} is empty: put a key into it.")
    return key


def _file_id(path: Path) -> tuple[int, int] | None:
    try:
        status = path.lstat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _take_lock(path: Path) -> int | None:
    """An open descriptor that holds the lock until it is closed or the process ends; None if taken."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise EngineUnavailableError(f"cannot lock {path}: {error}") from error
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor
