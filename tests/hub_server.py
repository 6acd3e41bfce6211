"""A small hub on this machine, for tests of downloads: the addresses the hub's client asks for, and faults.

Serves folders as repositories at one commit. `*.safetensors` and `*.bin` are large files, named by their
SHA-256 as on the real hub; the rest are small ones.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote

COMMIT = "89abcdef0123456789abcdef0123456789abcdef"
LARGE = (".safetensors", ".bin", ".gguf")
TOKEN = "hf_right"


@dataclass
class HubServer:
    """What the hub has, what it does wrong, and what it was asked."""

    address: str = ""
    repositories: dict[str, Path] = field(default_factory=dict)
    gated: set[str] = field(default_factory=set)
    cut_after: dict[str, list[int]] = field(default_factory=dict)
    """By file name: each answer breaks off after so many bytes, until the list is used up."""
    fail_after_cut: bool = False
    """Once cut, a file is answered with status 500 for the rest of the test."""
    ignores_ranges: bool = False
    damages: set[str] = field(default_factory=set)
    """Names of files whose last byte is another one."""
    requests: list[tuple[str, str, str]] = field(default_factory=list)
    """Method, path and Range of each."""

    def downloads(self) -> list[str]:
        """Names of the files that were asked for, in order."""
        return [
            path.rsplit("/", 1)[-1]
            for method, path, _ in self.requests
            if method == "GET" and "/resolve/" in path
        ]

    def ranges(self, name: str) -> list[str]:
        """The Range of each download of the file, empty where there was none."""
        return [
            given for method, path, given in self.requests if method == "GET" and path.endswith(f"/{name}")
        ]


@contextmanager
def hub_server() -> Iterator[HubServer]:
    """A running hub, without repositories."""
    hub = HubServer()

    class Handler(_Handler):
        pass

    Handler.hub = hub
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    hub.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: HubServer

    def log_message(self, *_: Any) -> None:
        return None

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        path = unquote(self.path.partition("?")[0])
        self.hub.requests.append((self.command, path, self.headers.get("Range", "")))
        if found := re.fullmatch(r"/api/models/(.+?)(?:/revision/(.+))?", path):
            self._list(found[1], found[2] or "main")
        elif found := re.fullmatch(r"/(.+?)/resolve/([^/]+)/(.+)", path):
            self._file(found[1], found[3])
        else:
            self._refuse(404, "")

    def _list(self, name: str, revision: str) -> None:
        folder = self.hub.repositories.get(name)
        if folder is None:
            self._refuse(404, "RepoNotFound")
        elif revision not in ("main", "v1", COMMIT):
            self._refuse(404, "RevisionNotFound")
        else:
            files = [self._sibling(folder, each) for each in sorted(folder.rglob("*")) if each.is_file()]
            self._answer(json.dumps({"id": name, "sha": COMMIT, "siblings": files}).encode(), {})

    def _sibling(self, folder: Path, file: Path) -> dict[str, Any]:
        size, name = file.stat().st_size, file.relative_to(folder).as_posix()
        entry: dict[str, Any] = {"rfilename": name, "size": size, "blobId": _etag(file)}
        if file.suffix in LARGE:
            entry["lfs"] = {"size": size, "sha256": _etag(file), "pointerSize": 130}
        return entry

    def _file(self, name: str, path: str) -> None:
        folder = self.hub.repositories.get(name)
        if folder is None:
            return self._refuse(404, "RepoNotFound")
        if name in self.hub.gated and self.headers.get("Authorization") != f"Bearer {TOKEN}":
            return self._refuse(401, "GatedRepo")
        file = folder / path
        if not file.is_file():
            return self._refuse(404, "EntryNotFound")
        content = file.read_bytes()
        if file.name in self.hub.damages:
            content = content[:-1] + bytes([content[-1] ^ 1])
        return self._answer(content, {"ETag": f'"{_etag(file)}"'}, file.name)

    def _answer(self, content: bytes, headers: dict[str, str], name: str = "") -> None:
        start, status = 0, 200
        given = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        cuts = self.hub.cut_after.get(name, [])
        if self.command == "GET" and self.hub.fail_after_cut and name in self.hub.cut_after and not cuts:
            return self._refuse(500, "")
        if given and not self.hub.ignores_ranges:
            start, status = int(given[1]), 206
            headers = headers | {"Content-Range": f"bytes {start}-{len(content) - 1}/{len(content)}"}
        self.send_response(status)
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("Content-Length", str(len(content) - start))
        for key, value in headers.items():
            self.send_header(key, value)
        self.end_headers()
        if self.command == "HEAD":
            return None
        if cuts:
            self.wfile.write(content[start : start + cuts.pop(0)])
            self.close_connection = True
            return None
        self.wfile.write(content[start:])
        return None

    def _refuse(self, status: int, code: str) -> None:
        self.send_response(status)
        if code:
            self.send_header("X-Error-Code", code)
        self.send_header("Content-Length", "0")
        self.end_headers()


def _etag(file: Path) -> str:
    return (
        hashlib.sha256(file.read_bytes()).hexdigest()
        if file.suffix in LARGE
        else hashlib.sha1(file.read_bytes()).hexdigest()
    )
