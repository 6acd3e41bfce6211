"""Server-sent events, read from the bytes of a response. Knows nothing of what they say."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator


async def read_events(chunks: AsyncIterable[bytes]) -> AsyncIterator[str]:
    """The data of each event, as it comes; not of one that the end of the stream cuts short.

    Lines end with a line feed, with or without a carriage return before it, and with nothing else: text may
    hold U+2028 and its like.
    """
    data: list[str] = []
    rest = b""
    async for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            text = line.removesuffix(b"\r").decode("utf-8", "replace")
            if text.startswith("data:"):
                data.append(text.removeprefix("data:").removeprefix(" "))
            elif not text and data:
                yield "\n".join(data)
                data = []
