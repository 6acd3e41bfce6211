"""A model of no use, as a server to point the front end at: what is fixed with it, no model has fixed.

Speaks as much of OpenAI's completions as that takes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

MODELS = {"object": "list", "data": [{"id": "useless", "object": "model"}]}
ANSWER = {"choices": [{"index": 0, "text": "import", "finish_reason": "stop"}]}
"""A word that is no name and ends no statement. To say nothing is an answer: that something must go."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path == "/v1/models":
            self._send(200, "application/json", json.dumps(MODELS))
        else:
            self._send(404, "application/json", '{"error": {"message": "not here"}}')

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path == "/v1/completions":
            self._send(200, "text/event-stream", f"data: {json.dumps(ANSWER)}\n\ndata: [DONE]\n\n")
        else:
            self._send(404, "application/json", '{"error": {"message": "not here"}}')

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name of the method it replaces
        """Not into our progress."""

    def _send(self, status: int, kind: str, body: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())


@contextmanager
def useless_model() -> Iterator[dict[str, Any]]:
    """Serves until it is left; gives the `initializationOptions` that point at it."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        server.daemon_threads = True
        thread = Thread(target=server.serve_forever, name="a model of no use", daemon=True)
        thread.start()
        try:
            yield {"engine": {"url": f"http://127.0.0.1:{server.server_address[1]}", "api": "openai"}}
        finally:
            server.shutdown()
            thread.join()
