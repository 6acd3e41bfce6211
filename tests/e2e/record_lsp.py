"""A language server between an editor and the real one: passes every byte on, and writes down every message.

    python record_lsp.py RECORD COMMAND [ARGUMENT...]

RECORD gets one JSON text per line: `{"from": "client" or "server", "message": ...}`. Ends with the status of
the real server. Changes nothing and answers nothing; standard library only.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import BinaryIO, TextIO

LOCK = threading.Lock()


def pass_on(source: BinaryIO, target: BinaryIO, name: str, record: TextIO) -> None:
    """Messages of one side to the other, until it closes its end."""
    length = 0
    head = b""
    while line := source.readline():
        head += line
        key, _, value = line.partition(b":")
        if key.strip().lower() == b"content-length":
            length = int(value)
        if line.strip():
            continue
        body = source.read(length)
        with LOCK:
            record.write(json.dumps({"from": name, "message": json.loads(body)}) + "\n")
            record.flush()
        target.write(head + body)
        target.flush()
        head = b""
    target.close()


def main() -> int:
    """Runs the command until it ends."""
    command = sys.argv[2:]
    with (
        Path(sys.argv[1]).open("a", encoding="utf-8") as record,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server,
    ):
        assert server.stdin is not None
        assert server.stdout is not None
        ends = (sys.stdin.buffer, server.stdin, "client", record)
        threading.Thread(target=pass_on, args=ends, daemon=True).start()
        pass_on(server.stdout, sys.stdout.buffer, "server", record)
        return server.wait()


if __name__ == "__main__":
    sys.exit(main())
