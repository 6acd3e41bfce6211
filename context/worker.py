"""The parsing process: `python -P -m context.worker`. One JSON line in, one JSON line out, until its input
ends.

It exists because py-tree-sitter holds the interpreter lock for a whole parse. It knows no workspace: it
reads the files that it is told to read.
"""

from __future__ import annotations

import faulthandler
import json
import signal
import sys
from typing import Any

MAX_PARSE_S = 20
"""A parser that does not come back takes the process with it: the parent then skips the file."""


def main() -> None:
    """Serves until stdin ends."""
    from context.parse import extract
    from context.source import normalize, read_source

    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # Ctrl-C in a terminal is for the parent, which closes our input
    for line in sys.stdin.buffer:
        job: dict[str, Any] = json.loads(line)
        faulthandler.dump_traceback_later(MAX_PARSE_S, exit=True)
        text = normalize(job["text"]) if job.get("text") is not None else read_source(job["key"])
        facts = extract(text).to_json() if text is not None else None
        faulthandler.cancel_dump_traceback_later()
        sys.stdout.buffer.write(json.dumps(facts).encode("ascii") + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
