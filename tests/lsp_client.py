"""A language client for tests: talks to a server process over its stdin and stdout, and forgives nothing.

Leaving its `with` block ends the session and fails if the server sent an error that no test looked at,
anything that is no message, a second answer to a request, or a request that no test answers. Ids that a
test chooses itself must be strings or large.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, Self

TIMEOUT_S = 20.0
CANCELLED = -32800
"""The error that requests get which still run at shutdown; it needs no reader."""

Json = dict[str, Any]


class LspError(Exception):
    """The server answered a request with an error."""

    def __init__(self, error: Json) -> None:
        super().__init__(f"{error['code']}: {error['message']}")
        self.code: int = error["code"]
        self.message: str = error["message"]
        self.error = error


class LspClient:
    """One session with one server process; every wait ends after a timeout."""

    def __init__(
        self, argv: Sequence[str], *, cwd: str | None = None, env: Mapping[str, str] | None = None
    ) -> None:
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(argv, cwd=cwd, env=env, stdin=pipe, stdout=pipe, stderr=pipe)
        self._sending = threading.Lock()
        self._changed = threading.Condition()
        self._answers: dict[int | str | None, list[Json]] = {}
        self._notifications: list[Json] = []
        self._faults: list[str] = []
        self._responders: dict[str, Callable[[Any], Any]] = {
            "client/registerCapability": lambda params: None,
            "client/unregisterCapability": lambda params: None,
            "window/workDoneProgress/create": lambda params: None,
            "workspace/configuration": lambda params: [None] * len(params["items"]),
        }
        self._asked: set[int] = set()
        """Requests of `send_request` that were not answered yet."""
        self._next_id = 1
        self._last_id: str | None = None
        self._ended: set[str] = set()
        """The streams that have ended."""
        self._stderr: list[bytes] = []
        self._threads = [
            threading.Thread(target=self._read_stdout, daemon=True),
            threading.Thread(target=self._read_stderr, daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, exc_type: object, *rest: object) -> None:
        try:
            if exc_type is None and self.process.poll() is None:
                self.shutdown()
        finally:
            self.kill()
        if exc_type is None:
            self.check()

    # Towards the server

    def initialize(self, capabilities: Json | None = None, **params: Any) -> Json:
        """Open the session; gives the result of `initialize`."""
        defaults = {"processId": None, "rootUri": None, "capabilities": capabilities or {}}
        result = self.request("initialize", {**defaults, **params})
        self.notify("initialized", {})
        return result

    def shutdown(self) -> int:
        """Close the session as the specification says; gives the exit status."""
        self.request("shutdown")
        self.notify("exit")
        return self.wait_exit()

    def open(self, uri: str, text: str, language_id: str = "python", version: int = 1) -> None:
        """Open a document."""
        item = {"uri": uri, "languageId": language_id, "version": version, "text": text}
        self.notify("textDocument/didOpen", {"textDocument": item})

    def change(self, uri: str, version: int, *changes: Json) -> None:
        """Change a document; each change is a content change event."""
        document = {"uri": uri, "version": version}
        self.notify("textDocument/didChange", {"textDocument": document, "contentChanges": list(changes)})

    def request(self, method: str, params: Any = None, timeout: float = TIMEOUT_S) -> Any:
        """Send a request and wait for its result; raises LspError if it is an error."""
        return self.wait_result(self.send_request(method, params), timeout)

    def send_request(self, method: str, params: Any = None) -> int:
        """Send a request without waiting; gives its id."""
        msg_id, self._next_id = self._next_id, self._next_id + 1
        self._asked.add(msg_id)
        self.send({"jsonrpc": "2.0", "id": msg_id, "method": method, "params": params})
        return msg_id

    def cancel(self, msg_id: int | str) -> None:
        """Ask the server to give a request up."""
        self.notify("$/cancelRequest", {"id": msg_id})

    def notify(self, method: str, params: Any = None) -> None:
        """Send a notification."""
        self.send({"jsonrpc": "2.0", "method": method, "params": params})

    def send(self, message: Any) -> None:
        """Send any JSON value in a frame."""
        self.send_raw(frame(json.dumps(message).encode()))

    def send_raw(self, data: bytes) -> None:
        """Send bytes as they are."""
        with self._sending:
            self.process.stdin.write(data)
            self.process.stdin.flush()

    def close_stdin(self) -> None:
        """What the death of an editor looks like."""
        with suppress(BrokenPipeError):
            self.process.stdin.close()

    def break_stdout(self, method: str, params: Any = None) -> None:
        """Close the pipe that the server writes to, after its answer to one last request."""
        self._last_id = "last"
        self.send({"jsonrpc": "2.0", "id": "last", "method": method, "params": params})
        self._threads[0].join(TIMEOUT_S)
        self.process.stdout.close()

    # From the server

    def wait_answer(self, msg_id: int | str | None, timeout: float = TIMEOUT_S) -> Json:
        """The next answer to this request, as it is on the wire."""
        self._wait(lambda: self._answers.get(msg_id), timeout, f"no answer to request {msg_id!r}")
        with self._changed:
            answer = self._answers[msg_id].pop(0)
            if not self._answers[msg_id]:
                del self._answers[msg_id]
        return answer

    def wait_result(self, msg_id: int | str, timeout: float = TIMEOUT_S) -> Any:
        """The result of this request; raises LspError if it is an error."""
        answer = self.wait_answer(msg_id, timeout)
        if "error" in answer:
            raise LspError(answer["error"])
        return answer["result"]

    def has_answer(self, msg_id: int | str | None) -> bool:
        """Whether an answer to this request has come and was not taken yet."""
        with self._changed:
            return msg_id in self._answers

    def wait_notification(
        self, method: str, where: Callable[[Any], bool] = lambda params: True, timeout: float = TIMEOUT_S
    ) -> Any:
        """Take the first notification of this method whose parameters are as asked; gives them."""

        def find() -> Json | None:
            return next(
                (n for n in self._notifications if n["method"] == method and where(n.get("params"))), None
            )

        found = self._wait(find, timeout, f"no notification {method}")
        with self._changed:
            self._notifications.remove(found)
        return found.get("params")

    def take_notifications(self, method: str) -> list[Any]:
        """Take all notifications of this method that have come so far; gives their parameters."""
        with self._changed:
            taken = [n.get("params") for n in self._notifications if n["method"] == method]
            self._notifications = [n for n in self._notifications if n["method"] != method]
        return taken

    def on_request(self, method: str, responder: Callable[[Any], Any]) -> None:
        """Answer the server's requests of this method with what `responder` makes of their parameters."""
        self._responders[method] = responder

    def wait_exit(self, timeout: float = TIMEOUT_S) -> int:
        """Wait for the process to end; gives its exit status."""
        return self.process.wait(timeout)

    def wait_stderr(self, text: str, timeout: float = TIMEOUT_S) -> None:
        """Wait until the server has written this to stderr."""
        self._wait(lambda: text in self.stderr, timeout, f"{text!r} is not on stderr", "stderr")

    @property
    def stderr(self) -> str:
        """What the server has written to stderr so far."""
        return b"".join(self._stderr).decode(errors="replace")

    def kill(self) -> None:
        """End the process if it still runs, and the threads that read from it."""
        self.process.kill()
        self.process.wait()
        self.close_stdin()
        for thread in self._threads:
            thread.join()
        self.process.stdout.close()
        self.process.stderr.close()

    def check(self) -> None:
        """Fail if something came that no test looked at and that should not have come."""
        unread_answers = [answer for answers in self._answers.values() for answer in answers]
        errors = [a for a in unread_answers if a.get("error", {}).get("code") not in (None, CANCELLED)]
        popups = [
            n["params"]
            for n in self._notifications
            if n["method"] == "window/showMessage" and n["params"]["type"] == 1
        ]
        unread = [*self._faults, *errors, *popups]
        assert not unread, f"unread: {unread}\n--- stderr\n{self.stderr}"

    # Threads

    def _wait(self, find: Callable[[], Any], timeout: float, failure: str, stream: str = "stdout") -> Any:
        with self._changed:
            self._changed.wait_for(lambda: find() or stream in self._ended, timeout)
            found = find()
        if not found:
            state = f"{stream} has ended" if stream in self._ended else f"{timeout} s"
            raise TimeoutError(f"{failure} ({state})\n--- stderr\n{self.stderr}")
        return found

    def _read_stdout(self) -> None:
        for message in _messages(self.process.stdout, self._faults):
            with self._changed:
                self._sort(message)
                self._changed.notify_all()
            if self._last_id is not None and message.get("id") == self._last_id:
                break
        self._end("stdout")

    def _sort(self, message: Json) -> None:
        if "method" not in message:
            if message["id"] in range(self._next_id) and message["id"] not in self._asked:
                self._faults.append(f"request {message['id']} was answered twice")
            self._asked.discard(message["id"])
            self._answers.setdefault(message["id"], []).append(message)
        elif "id" not in message:
            self._notifications.append(message)
        elif message["method"] in self._responders:
            result = self._responders[message["method"]](message.get("params"))
            self._answer(message["id"], {"result": result})
        else:
            self._faults.append(f"nobody answers {message['method']}")
            self._answer(message["id"], {"error": {"code": -32601, "message": "not in this test"}})

    def _answer(self, msg_id: int | str, outcome: Json) -> None:
        with suppress(OSError, ValueError):  # the server has ended
            self.send({"jsonrpc": "2.0", "id": msg_id, **outcome})

    def _read_stderr(self) -> None:
        for line in self.process.stderr:
            with self._changed:
                self._stderr.append(line)
                self._changed.notify_all()
        self._end("stderr")

    def _end(self, stream: str) -> None:
        with self._changed:
            self._ended.add(stream)
            self._changed.notify_all()


def frame(body: bytes) -> bytes:
    """A body with its header."""
    return b"Content-Length: %d\r\n\r\n%s" % (len(body), body)


def _messages(stream: Any, faults: list[str]) -> Iterator[Json]:
    """The server's messages; strict, as editors are."""
    while header := stream.readline():
        name, _, length = header.partition(b": ")
        if name != b"Content-Length" or stream.readline() != b"\r\n":
            faults.append(f"not a header: {header!r}")
            return
        yield json.loads(stream.read(int(length)))


def python_server(*argv: str) -> list[str]:
    """The command that runs a Python script or module as a server, without the working directory."""
    return [sys.executable, "-P", *argv]
