"""An editor's end of the wire: one server process, whose messages are stamped with their time of arrival.

A thread reads them, so that a late reader does not make an answer late. Knows no document and no completion.
"""

from __future__ import annotations

import itertools
import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Self

Json = dict[str, Any]
ANSWER_S = 60.0
LEAVE_S = 10.0
LOG_CHARS = 2000
"""Of the server's log, in an error's message."""


class Arrival(NamedTuple):
    """A message and when it came, in seconds of `time.perf_counter`."""

    seconds: float
    message: Json


class Client:
    """One session; used as a context manager."""

    def __init__(self, environment: Mapping[str, str], folder: Path, log: Path) -> None:
        with log.open("wb") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-m", "lsp_server", "serve"],
                cwd=folder,
                env={**os.environ, **environment},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
            )
        self._log = log
        self._ids = itertools.count(1)
        self._arrived: queue.SimpleQueue[Arrival | None] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read, name="read the server", daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, error: object, *rest: object) -> None:
        if error is None:
            self.ask("shutdown", None)
            self.notify("exit", None)
            self.process.wait(LEAVE_S)
        else:
            self.process.kill()
            self.process.wait()
        self._reader.join(LEAVE_S)
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                stream.close()

    def initialize(self, workspace: Path, options: Mapping[str, Any]) -> None:
        """The handshake, with an editor's usual UTF-16 positions."""
        inline = {"inlineCompletion": {"dynamicRegistration": False}}
        params = {
            "processId": os.getpid(),
            "capabilities": {"general": {"positionEncodings": ["utf-16"]}, "textDocument": inline},
            "workspaceFolders": [{"uri": workspace.as_uri(), "name": workspace.name}],
            "initializationOptions": options,
        }
        self.ask("initialize", params)
        self.notify("initialized", {})

    def send(self, method: str, params: Any) -> int:
        """Send a request; its answer arrives some time."""
        number = next(self._ids)
        self._write({"id": number, "method": method, "params": params})
        return number

    def notify(self, method: str, params: Any) -> None:
        """Send a notification."""
        self._write({"method": method, "params": params})

    def ask(self, method: str, params: Any) -> Any:
        """Wait for a request's result and drop what else arrives; raises RuntimeError."""
        number = self.send(method, params)
        for arrival in self.arrivals(time.perf_counter() + ANSWER_S):
            message = arrival.message
            if message.get("id") == number and "method" not in message:
                if "error" in message:
                    raise RuntimeError(f"{method}: {message['error']}\n{self._last_words()}")
                return message.get("result")
        raise RuntimeError(f"{method} was not answered in {ANSWER_S:.0f} s")

    def arrivals(self, until: float) -> Iterator[Arrival]:
        """What arrives until then; the server's own requests are answered on the way."""
        while True:
            try:
                arrival = self._arrived.get(timeout=max(0.0, until - time.perf_counter()))
            except queue.Empty:
                return
            if arrival is None:
                raise RuntimeError(f"the server has ended\n{self._last_words()}")
            if "id" in arrival.message and "method" in arrival.message:
                self._write({"id": arrival.message["id"], "result": None})
            else:
                yield arrival

    def _last_words(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace")[-LOG_CHARS:]

    def _write(self, message: Json) -> None:
        assert self.process.stdin is not None
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self.process.stdin.flush()

    def _read(self) -> None:
        stream = self.process.stdout
        assert stream is not None
        while True:
            length = 0
            while line := stream.readline().strip():
                name, _, value = line.partition(b":")
                if name.lower() == b"content-length":
                    length = int(value)
            body = stream.read(length) if length else b""
            if not body:
                self._arrived.put(None)
                return
            self._arrived.put(Arrival(time.perf_counter(), json.loads(body)))
