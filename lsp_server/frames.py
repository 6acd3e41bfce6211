"""Message bodies out of a byte stream in LSP's framing. Knows neither JSON nor what a message means."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

log = logging.getLogger(__name__)

MAX_BODY_BYTES = 64 << 20
MAX_SKIPPED_BYTES = 1 << 30
"""A length above this is no message but a mistake: what follows is searched for the next header."""

_LENGTH = re.compile(rb"content-length[ \t]*:[ \t]*(\d{1,18})[ \t]*\r?\n\Z", re.IGNORECASE)
_OTHER_HEADER = re.compile(rb"[!-9;-~]+[ \t]*:[^\r\n]*\r?\n\Z")
_LINE_BYTES = 8192
_OVERLAP_BYTES = 64


class BrokenStreamError(Exception):
    """No header was found in as many bytes as the largest message has."""


@dataclass(frozen=True, slots=True)
class OversizedFrame:
    """A message that was skipped because it is larger than `MAX_BODY_BYTES`."""

    num_bytes: int
    head: bytes
    """Its first bytes, enough to see the id of an ordinary request."""


def read_frames(stream: BinaryIO) -> Iterator[bytes | OversizedFrame]:
    """The bodies in the order they come, until the stream ends; garbage between them is skipped.

    Raises BrokenStreamError when nothing that looks like a header comes any more.
    """
    while (num_bytes := _read_headers(stream)) is not None:
        if num_bytes > MAX_BODY_BYTES:
            head = stream.read(_LINE_BYTES)
            _skip(stream, num_bytes - len(head))
            yield OversizedFrame(num_bytes, head)
            continue
        body = stream.read(num_bytes)
        if len(body) < num_bytes:
            return
        yield body


def _read_headers(stream: BinaryIO) -> int | None:
    """The length of the next body; None at the end of the stream."""
    num_bytes, num_garbage, rest = None, 0, b""
    while line := stream.readline(_LINE_BYTES):
        if not line.endswith(b"\n"):  # a long line, of which a header may be the end
            num_garbage, rest = num_garbage + len(line), (rest + line)[-_OVERLAP_BYTES:]
        elif (match := _LENGTH.search(rest + line)) and int(match[1]) <= MAX_SKIPPED_BYTES:
            if match.start() > 0:
                log.warning("skipped what came before a header: %.80r", (rest + line)[: match.start()])
            num_bytes, rest = int(match[1]), b""
        elif num_bytes is not None and line in (b"\r\n", b"\n"):
            return num_bytes
        elif rest or not _OTHER_HEADER.match(line):
            log.warning("skipped what is no header: %.80r", line)
            num_garbage, rest = num_garbage + len(line), b""
        if num_garbage > MAX_BODY_BYTES:
            raise BrokenStreamError(f"no message header within {num_garbage} bytes")
    return None


def _skip(stream: BinaryIO, num_bytes: int) -> None:
    while num_bytes > 0 and (chunk := stream.read(min(num_bytes, 1 << 16))):
        num_bytes -= len(chunk)
