"""The text store against a slow one that keeps a list of the client's units."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lsprotocol import types as t
from test_line_index import naive_line_starts, texts

from lsp_server.documents import Document, Documents, DocumentSnapshot, uri_to_path

ENCODINGS = ["utf-8", "utf-16", "utf-32"]
positions = st.builds(t.Position, st.integers(0, 8), st.integers(0, 14))
changes = st.lists(st.tuples(positions, positions, texts), max_size=6)
encodings = st.sampled_from(ENCODINGS)


class UnitBuffer:
    """The oracle: one list element per unit, everything found by walking from the begin.

    A unit is (character, number of the unit within its character).
    """

    def __init__(self, text: str, encoding: str) -> None:
        self.encoding = encoding
        self.units = self.split(text)

    def split(self, text: str) -> list[tuple[str, int]]:
        width = {"utf-8": 1, "utf-16": 2, "utf-32": 4}[self.encoding]
        codec = "utf-8" if self.encoding == "utf-8" else self.encoding + "-le"
        fixed = ["\ufffd" if "\ud800" <= char <= "\udfff" else char for char in text]
        return [(char, unit) for char in fixed for unit in range(len(char.encode(codec)) // width)]

    @property
    def text(self) -> str:
        return "".join(char for char, unit in self.units if unit == 0)

    def index_at(self, position: t.Position) -> int:
        index = 0
        for _ in range(position.line):
            while index < len(self.units) and self.units[index][0] not in "\r\n":
                index += 1
            if index == len(self.units):
                return index
            is_pair = self.units[index][0] == "\r" and self.units[index + 1 : index + 2] == [("\n", 0)]
            index += 2 if is_pair else 1
        for _ in range(position.character):
            if index < len(self.units) and self.units[index][0] not in "\r\n":
                index += 1
        while index < len(self.units) and self.units[index][1] != 0:
            index -= 1
        return index

    def edit(self, start: t.Position, end: t.Position, text: str) -> None:
        first, last = sorted([self.index_at(start), self.index_at(end)])
        self.units[first:last] = self.split(text)


def open_document(text: str, encoding: str = "utf-16", uri: str = "file:///w/a.py") -> tuple[Documents, str]:
    documents = Documents(None, position_encoding=t.PositionEncodingKind(encoding))
    documents.put_text_document(t.TextDocumentItem(uri, "python", 1, text))
    return documents, uri


def edit(documents: Documents, uri: str, start: t.Position, end: t.Position, text: str) -> None:
    change = t.TextDocumentContentChangePartial(range=t.Range(start, end), text=text)
    documents.update_text_document(t.VersionedTextDocumentIdentifier(version=2, uri=uri), change)


def snapshot_of(text: str, encoding: str = "utf-16") -> DocumentSnapshot:
    return DocumentSnapshot("file:///w/a.py", Path("/w/a.py"), "python", 1, text, encoding)


@given(texts, changes, encodings)
def test_any_edits_give_the_text_that_the_client_has(text, edits, encoding):
    documents, uri = open_document(text, encoding)
    oracle = UnitBuffer(text, encoding)

    for start, end, new_text in edits:
        edit(documents, uri, start, end, new_text)
        oracle.edit(start, end, new_text)

    snapshot = documents.snapshot(uri)
    assert snapshot.text == oracle.text
    assert documents.get_text_document(uri).source == oracle.text
    starts = [snapshot.line_index.start(line) for line in range(snapshot.num_lines)]
    assert starts == naive_line_starts(oracle.text)


@given(texts, positions, encodings)
def test_offset_at_finds_what_walking_unit_by_unit_finds(text, position, encoding):
    oracle = UnitBuffer(text, encoding)
    num_chars = sum(unit == 0 for _, unit in oracle.units[: oracle.index_at(position)])

    documents, uri = open_document(text, encoding)

    assert documents.snapshot(uri).offset_at(position.line, position.character) == num_chars


@given(texts, encodings)
def test_position_at_is_the_inverse_of_offset_at(text, encoding):
    documents, uri = open_document(text, encoding)
    snapshot = documents.snapshot(uri)
    inside_a_line_end = [p + 1 for p in range(len(snapshot.text)) if snapshot.text[p : p + 2] == "\r\n"]

    for offset in set(range(len(snapshot.text) + 1)) - set(inside_a_line_end):
        position = snapshot.position_at(offset)
        assert snapshot.offset_at(position.line, position.character) == offset


@pytest.mark.parametrize("char", ["\f", "\v", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029"])
def test_characters_that_python_takes_for_line_ends_do_not_shift_edits(char):
    documents, uri = open_document(f"a{char}b\nc\n")

    edit(documents, uri, t.Position(1, 0), t.Position(1, 1), "d")

    assert documents.get_text_document(uri).source == f"a{char}b\nd\n"
    assert documents.get_text_document(uri).lines == (f"a{char}b\n", "d\n")


def test_a_carriage_return_typed_before_a_line_feed_joins_it():
    documents, uri = open_document("a\nb")

    edit(documents, uri, t.Position(0, 1), t.Position(0, 1), "\r")

    snapshot = documents.snapshot(uri)
    assert snapshot.text == "a\r\nb"
    assert snapshot.num_lines == 2
    assert snapshot.line_text(0) == "a"


@pytest.mark.parametrize(
    ("line", "character", "offset"),
    [(0, 99, 3), (1, 0, 5), (1, 99, 7), (2, 0, 7), (99, 99, 7)],
    ids=["before the line end", "line start", "last line's end", "past the text", "far past the text"],
)
def test_positions_out_of_range_clamp_as_the_specification_says(line, character, offset):
    assert snapshot_of("abc\r\nde").offset_at(line, character) == offset


def test_a_position_inside_a_character_means_before_it():
    assert snapshot_of("a😋b", "utf-16").offset_at(0, 2) == 1
    assert snapshot_of("a😋b", "utf-8").offset_at(0, 4) == 1


def test_a_range_given_end_first_is_turned_round():
    documents, uri = open_document("abcdef")

    edit(documents, uri, t.Position(0, 4), t.Position(0, 1), "-")

    assert documents.snapshot(uri).text == "a-ef"


def test_lone_surrogates_never_reach_a_snapshot():
    documents, uri = open_document("a\ud83d\ude0ab")

    edit(documents, uri, t.Position(0, 3), t.Position(0, 3), "\udc00")

    assert documents.snapshot(uri).text == "a\ufffd\ufffd\ufffdb"


def test_a_change_without_range_replaces_the_text():
    documents, uri = open_document("old\n")

    change = t.TextDocumentContentChangeWholeDocument(text="new\ntext")
    documents.update_text_document(t.VersionedTextDocumentIdentifier(version=7, uri=uri), change)

    snapshot = documents.snapshot(uri)
    assert (snapshot.text, snapshot.version, snapshot.num_lines) == ("new\ntext", 7, 2)


def test_a_snapshot_stays_as_it_was_when_the_document_is_edited():
    documents, uri = open_document("abc\ndef")
    before = documents.snapshot(uri)

    edit(documents, uri, t.Position(0, 0), t.Position(0, 3), "\n\n")

    assert (before.text, before.version) == ("abc\ndef", 1)
    assert before.offset_at(1, 1) == 5
    assert documents.snapshot(uri).version == 2


def test_a_snapshot_made_by_hand_finds_its_lines_itself():
    snapshot = DocumentSnapshot("untitled:1", None, "python", None, "a\nbc")

    assert snapshot.position_at(4) == t.Position(1, 2)


def test_a_document_is_found_by_any_spelling_of_its_uri_until_it_is_closed():
    documents, _ = open_document("x", uri="file:///c%3A/a.py")

    assert documents.snapshot("file:///c:/a.py").text == "x"
    assert [snapshot.uri for snapshot in documents.snapshots()] == ["file:///c%3A/a.py"]

    documents.remove_text_document("file:///c:/a.py")
    assert documents.snapshot("file:///c%3A/a.py") is None


def test_a_change_to_a_document_that_is_not_open_is_dropped():
    documents, _ = open_document("x")

    edit(documents, "file:///other.py", t.Position(0, 0), t.Position(0, 0), "y")

    assert documents.snapshot("file:///other.py") is None


def test_a_document_that_is_not_open_shows_the_file_as_it_lies_on_disk(tmp_path):
    file = tmp_path / "a.py"
    file.write_bytes(b"caf\xe9\r\nx")

    document = Documents(None).get_text_document(file.as_uri())

    assert document.source == "caf\ufffd\r\nx"
    assert document.lines == ("caf\ufffd\r\n", "x")


def test_pygls_own_positions_neither_change_their_argument_nor_land_short():
    documents, uri = open_document("x = '😋'\r\nyz")
    document = documents.get_text_document(uri)
    beyond = t.Position(0, 99)

    assert document.offset_at_position(beyond) == 7
    assert beyond == t.Position(0, 99)
    assert document.offset_at_position(t.Position(0, 8)) == 7
    assert document.offset_at_position(t.Position(5, 0)) == len(document.source)
    assert document.client_position_at_offset(6) == t.Position(0, 7)
    assert document.text_in_client_range(t.Range(t.Position(0, 4), t.Position(1, 1))) == "'😋'\r\ny"


def test_pygls_own_positions_work_on_an_empty_text():
    documents, uri = open_document("")
    document = documents.get_text_document(uri)

    assert document.client_position_at_offset(0) == t.Position(0, 0)
    assert document.offset_at_position(t.Position(3, 3)) == 0


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("file:///home/me/a%20b.py", Path("/home/me/a b.py")),
        ("file://localhost/a.py", Path("/a.py")),
        ("file:///w/a;b%23c.py", Path("/w/a;b#c.py")),
        ("file:///w/%FF.py", Path("/w/\udcff.py")),
        ("file://server/share/a.py", Path("//server/share/a.py")),
        ("untitled:Untitled-1", None),
        ("vscode-notebook-cell:/w/n.ipynb#W0", None),
        ("git:/w/a.py?HEAD", None),
        ("file://[broken", None),
        ("file:///a%00b", None),
        ("", None),
    ],
)
def test_only_file_uris_have_a_path(uri, path):
    assert uri_to_path(uri, windows=False) == path


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("file:///c%3A/Users/me/a.py", "c:/Users/me/a.py"),
        ("file:///D:/a.py", "D:/a.py"),
        ("file://server/share/a.py", "//server/share/a.py"),
    ],
)
def test_a_windows_drive_loses_its_leading_slash(uri, path):
    assert uri_to_path(uri, windows=True) == Path(path)


def test_untitled_documents_are_kept_without_a_path():
    documents, uri = open_document("x", uri="untitled:Untitled-1")

    snapshot = documents.snapshot(uri)
    assert (snapshot.path, snapshot.text) == (None, "x")
    assert isinstance(documents.get_text_document("untitled:never-opened"), Document)
    assert documents.get_text_document("untitled:never-opened").source == ""
