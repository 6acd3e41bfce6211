"""Message bodies out of a byte stream, whatever lies between them."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_client import frame
from lsp_server import frames
from lsp_server.frames import BrokenStreamError, OversizedFrame, read_frames


def frames_in(data: bytes) -> list[bytes | OversizedFrame]:
    return list(read_frames(io.BytesIO(data)))


@given(st.lists(st.binary(max_size=40), max_size=5))
def test_every_body_comes_out_as_it_went_in(bodies):
    assert frames_in(b"".join(map(frame, bodies))) == bodies


@pytest.mark.parametrize(
    "header",
    [
        b"content-length: 2\r\n\r\n",
        b"CONTENT-LENGTH:2\r\n\r\n",
        b"Content-Length:   2  \r\n\r\n",
        b"Content-Length: 2\n\n",
        b"Content-Length: 2\r\nContent-Type: application/vscode-jsonrpc; charset=utf-8\r\n\r\n",
        b"Content-Type: application/vscode-jsonrpc\r\nContent-Length: 2\r\n\r\n",
        b"X-Unknown: a:b\r\nContent-Length: 2\r\n\r\n",
    ],
)
def test_headers_are_read_in_any_case_order_and_line_end(header, caplog):
    assert frames_in(header + b"{}" + frame(b"[]")) == [b"{}", b"[]"]
    assert caplog.text == ""


@pytest.mark.parametrize(
    "garbage",
    [
        b"hello\r\n",
        b"\r\n\r\n",
        b"{}",
        b"\x00\xff" * 9000,
        b"a header that lies across two reads".rjust(frames._LINE_BYTES - 5),
        b"Content-Length: -5\r\n\r\n",
        b"Content-Length: ten\r\n\r\n",
        b"Content-Length: 999999999999999\r\n\r\n",
        b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ],
    ids=lambda garbage: repr(garbage[:24]),
)
def test_garbage_between_messages_is_skipped_and_logged(garbage, caplog):
    assert frames_in(frame(b"1") + garbage + frame(b"2") + frame(b"3")) == [b"1", b"2", b"3"]
    assert "skipped" in caplog.text


@given(st.integers(-1, 30))
def test_a_wrong_length_costs_at_most_the_next_message(length):
    wrong = b'Content-Length: %d\r\n\r\n{"a":"message"}' % length

    assert frames_in(wrong + frame(b"2") + frame(b"3") + frame(b"4"))[-2:] == [b"3", b"4"]


def test_a_body_cut_off_by_the_end_is_dropped():
    assert frames_in(frame(b"1") + b"Content-Length: 9\r\n\r\n{") == [b"1"]


def test_a_body_that_is_too_large_is_skipped_and_told(monkeypatch):
    monkeypatch.setattr(frames, "MAX_BODY_BYTES", 1 << 17)
    body = b"x" * (1 << 18)

    oversized, after = frames_in(frame(body) + frame(b"2"))

    assert oversized == OversizedFrame(len(body), body[:8192])
    assert after == b"2"


def test_endless_garbage_is_given_up(monkeypatch):
    monkeypatch.setattr(frames, "MAX_BODY_BYTES", 1 << 15)

    with pytest.raises(BrokenStreamError):
        frames_in(b"\x00" * (1 << 16))
