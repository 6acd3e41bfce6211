"""The stream between one client and one server: stdin and stdout, or a loopback connection to debug.

A thread of its own reads, so nothing that workers do keeps a message or the end of the stream from being
noticed. Messages are handed over one at a time, and a handler that a message started has run up to its
first `await` before the next message is looked at: what it reads first is the text the request was for.
Knows no LSP feature.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import re
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import BinaryIO, NoReturn

from lsprotocol import types as t

from lsp_server.frames import MAX_BODY_BYTES, BrokenStreamError, OversizedFrame, read_frames
from lsp_server.pygls_fixes import HardenedServer
from lsp_server.refusal import Refusal

log = logging.getLogger(__name__)

GRACE_S = 2.0
"""How long a server that hangs may live on after its client is gone."""
EDITOR_POLL_S = 2.0
"""How often to look whether the editor's process still runs."""
UNWIND_S = 0.5
"""How long cancelled handlers may take to clean up."""

_REQUEST_ID = re.compile(rb'"id"\s*:\s*(\d+|"[^"\\]*")')


def serve_stdio(server: HardenedServer) -> int:
    """Serve the client on stdin and stdout until it leaves; returns the exit status.

    Worker jobs may still run then: leave through `end_process`, which does not wait for them.
    """
    stream_in, stream_out = _take_stdio()
    return _Connection(server, stream_in, stream_out).run()


def serve_tcp(server: HardenedServer, port: int, on_listening: Callable[[int], object]) -> int:
    """Serve one client on a loopback port, to debug; 0 takes a free one. Returns the exit status.

    `on_listening` is given the port.
    """
    with socket.create_server(("127.0.0.1", port), backlog=1) as listener:
        on_listening(listener.getsockname()[1])
        client, _ = listener.accept()
    with client, client.makefile("rb") as stream_in, client.makefile("wb") as stream_out:
        try:
            return _Connection(server, stream_in, stream_out).run()
        finally:
            with suppress(OSError):  # the client has closed it already
                client.shutdown(socket.SHUT_RDWR)  # wakes the reading thread


def end_process(code: int) -> NoReturn:
    """End this process without waiting for worker jobs; the logs are written out if that can be done."""
    flusher = threading.Thread(target=logging.shutdown, daemon=True)
    flusher.start()
    flusher.join(UNWIND_S)
    os._exit(code)


class _Connection:
    """One session: a thread that reads, and an event loop that handles one message after the other."""

    def __init__(self, server: HardenedServer, stream_in: BinaryIO, stream_out: BinaryIO) -> None:
        self._server = server
        self._protocol = server.protocol
        self._protocol.set_writer(_Writer(stream_out))
        self._protocol.on_exit = lambda: self._inbox.put_nowait(None)
        self._stream_in = stream_in
        self._inbox: asyncio.Queue[bytes | OversizedFrame | None] = asyncio.Queue()
        self._loop = asyncio.new_event_loop()
        self._over = threading.Event()
        self._has_editor_pid = False

    def run(self) -> int:
        """Serve until the client leaves; returns the exit status."""
        threading.Thread(target=self._read, name="lsp-reader", daemon=True).start()
        try:
            self._loop.run_until_complete(self._serve())
        except KeyboardInterrupt:
            return 130
        finally:
            self._over.set()
            self._loop.close()
        if self._protocol.exit_code is not None:
            return self._protocol.exit_code
        return 0 if self._protocol.is_shut_down else 1

    async def _serve(self) -> None:
        while (frame := await self._inbox.get()) is not None:
            if isinstance(frame, OversizedFrame):
                self._refuse(frame)
            else:
                self._protocol.receive(frame)
            self._watch_editor()
            await asyncio.sleep(0)  # a handler that was started takes its snapshot now
        handlers = asyncio.all_tasks() - {asyncio.current_task()}
        for handler in handlers:
            handler.cancel()
        if handlers:
            await asyncio.wait(handlers, timeout=UNWIND_S)

    def _refuse(self, frame: OversizedFrame) -> None:
        log.warning("skipped a message of %d bytes", frame.num_bytes)
        envelope, params, _ = frame.head.partition(b'"params"')
        if params and b'"method"' in envelope and (match := _REQUEST_ID.search(envelope)):
            text = f"The message has {frame.num_bytes} bytes, and at most {MAX_BODY_BYTES} are taken."
            self._protocol.refuse(json.loads(match[1]), Refusal(t.ErrorCodes.InvalidRequest, text))

    # Threads

    def _read(self) -> None:
        try:
            for frame in read_frames(self._stream_in):
                if not self._post(frame):
                    return
        except (BrokenStreamError, OSError, ValueError) as error:  # ValueError: the stream was closed here
            log.error("cannot read from the client any more: %s", error)
        self._end()

    def _watch_editor(self) -> None:
        """A process that is not visible at the start is in another container or on another machine."""
        pid = self._server.process_id
        if self._has_editor_pid or pid is None:
            return
        self._has_editor_pid = True
        if _is_running(pid):
            threading.Thread(target=self._await_editor, args=(pid,), name="editor-watch", daemon=True).start()

    def _await_editor(self, pid: int) -> None:
        while _is_running(pid):
            if self._over.wait(EDITOR_POLL_S):
                return
        log.warning("the editor's process %d is gone", pid)
        self._end()

    def _end(self) -> None:
        """End the session in order, or the process if a handler that blocks keeps the loop from doing so."""
        if self._post(None) and not self._over.wait(GRACE_S):
            log.error("the event loop is stuck; the process ends without it")
            end_process(1)

    def _post(self, frame: bytes | OversizedFrame | None) -> bool:
        """Hand something to the loop; False if it has ended."""
        try:
            self._loop.call_soon_threadsafe(self._inbox.put_nowait, frame)
        except RuntimeError:
            return False
        return True


class _Writer:
    """Writes whole messages, from the loop and from worker threads."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()

    def write(self, data: bytes) -> None:
        with self._lock:
            self._stream.write(data)
            self._stream.flush()

    def close(self) -> None:
        self._stream.close()


def _take_stdio() -> tuple[BinaryIO, BinaryIO]:
    """Keep stdin and stdout for the protocol: prints and child processes get nothing and stderr instead."""
    stream_in, stream_out = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    try:
        os.dup2(2, 1)
    except OSError:  # started without stderr
        os.dup2(nothing, 1)
    os.close(nothing)
    return stream_in, stream_out


def _is_running(pid: int) -> bool:
    if os.name == "nt" or pid <= 0:  # there, signal 0 is not a question but Ctrl+C
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
