"""Server-sent events, whatever pieces the bytes come in."""

from __future__ import annotations

from collections.abc import AsyncIterator

from hypothesis import given
from hypothesis import strategies as st

from engine.events import read_events

STREAM = (
    'data: {"a": "é\u2028\x85 b"}\n\n: a comment\nid: 7\ndata: one\r\ndata:two\r\n\r\n\n\ndata: [DONE]\n\n'
)
DATA = ['{"a": "é\u2028\x85 b"}', "one\ntwo", "[DONE]"]


async def events_of(*chunks: bytes) -> list[str]:
    async def coming() -> AsyncIterator[bytes]:
        for chunk in chunks:
            yield chunk

    return [data async for data in read_events(coming())]


@given(cuts=st.lists(st.integers(0, len(STREAM.encode())), max_size=8).map(sorted))
async def test_any_split_of_the_bytes_gives_the_same_events(cuts: list[int]) -> None:
    """Also inside a character; U+2028 and U+0085 end no line."""
    content = STREAM.encode()
    chunks = [content[a:b] for a, b in zip([0, *cuts], [*cuts, len(content)], strict=True)]

    assert await events_of(*chunks) == DATA


async def test_an_event_comes_before_the_next_bytes_do() -> None:
    async def coming() -> AsyncIterator[bytes]:
        yield b"data: 1\n\nda"
        raise AssertionError("asked for more first")

    events = read_events(coming())

    assert await anext(events) == "1"


async def test_an_event_without_its_end_is_not_given() -> None:
    assert await events_of(b"data: 1\n\ndata: 2\n") == ["1"]


async def test_bytes_that_are_not_utf8_are_replaced() -> None:
    assert await events_of(b"data: \xff\n\n") == ["\ufffd"]
