"""The parsing process: `python -P -m context.worker`. One job in, one answer out, until its input ends.

A job is one JSON line. An answer is its length in four bytes, the digest of the bytes read (zeros if none
were) and the encoded facts. It exists because py-tree-sitter holds the interpreter lock for a whole parse. It
knows no workspace: it reads the files that it is told to read.
"""

from __future__ import annotations

import faulthandler
import json
import os
import signal
import sys
from contextlib import suppress
from typing import Any

MAX_PARSE_S = 20
"""A parser that does not come back takes the process with it: the parent then skips the file."""
MAX_MEMORY = 4 << 30
"""Bytes of address space: a text that a parser blows up must end the worker, not the machine."""
NICENESS = 10


def main() -> None:
    """Serves until stdin ends."""
    # Ctrl-C in a terminal is for the parent, which closes our input
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _yield_to_others()
    for line in sys.stdin.buffer:
        faulthandler.dump_traceback_later(MAX_PARSE_S, exit=True)
        answer = _answer(json.loads(line))
        faulthandler.cancel_dump_traceback_later()
        sys.stdout.buffer.write(len(answer).to_bytes(4, "big") + answer)
        sys.stdout.buffer.flush()


def _yield_to_others() -> None:
    """The user's own programs come first; Windows is told so by the parent."""
    if sys.platform != "win32":
        import resource

        with suppress(OSError, ValueError):  # not every system lets us
            os.nice(NICENESS)
            resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY, resource.getrlimit(resource.RLIMIT_AS)[1]))


def _answer(job: dict[str, Any]) -> bytes:
    from context.extract import extract
    from context.facts_codec import encode
    from context.languages import language_of
    from context.source import NO_CONTENT, content_of, normalize, read_bytes, text_of

    key = job["key"]
    language = language_of(key)
    content = NO_CONTENT
    if job.get("text") is not None:
        # an editor may send half a surrogate pair, which no encoding carries
        text: str | None = normalize(job["text"].encode("utf-8", "replace").decode())
    else:
        data = read_bytes(key)
        content = content_of(key, data) if data is not None else NO_CONTENT
        text = text_of(data) if data is not None else None
    facts = extract(text, language) if text is not None and language is not None else None
    return content + encode(facts)


if __name__ == "__main__":
    main()
