"""The line index against a scan of the whole text, through random edits."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lsp_server.line_index import LineIndex

PIECES = ["a", "é", "字", "😋", "\u2028", "\x85", "\f", "\v", "\x1c", "\r", "\n", "\r\n", "\ud83d"]
texts = st.lists(st.sampled_from(PIECES), max_size=12).map("".join)


def naive_line_starts(text: str) -> list[int]:
    return [0] + [
        p
        for p in range(1, len(text) + 1)
        if text[p - 1] == "\n" or (text[p - 1] == "\r" and text[p : p + 1] != "\n")
    ]


@given(texts, st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30), texts), max_size=8))
def test_an_edited_line_index_equals_a_fresh_one(text, edits):
    index = LineIndex.of(text)
    for one, other, new_text in edits:
        start, end = sorted([min(one, len(text)), min(other, len(text))])
        text = text[:start] + new_text + text[end:]
        index = index.edited(text, start, end, start + len(new_text))

        starts = naive_line_starts(text)
        assert [index.start(line) for line in range(len(index))] == starts
        for offset in range(len(text) + 1):
            assert index.line_at(offset) == max(i for i, s in enumerate(starts) if s <= offset)
