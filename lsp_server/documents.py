"""Open text documents: edits in, frozen snapshots out, in the client's position encoding.

Stands in for pygls' own text documents, whose `lines` split at form feeds and U+2028 (so that an edit
after one corrupts the text), whose positions past a line's end change the request they came in, and whose
every edit splits the whole text. Knows nothing of requests, settings or engines.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any, Self
from urllib.parse import unquote, urlsplit

from lsprotocol import types as t
from pygls.workspace import PositionCodec, ServerTextPosition, TextDocument, Workspace

from lsp_server.line_index import LineIndex

log = logging.getLogger(__name__)

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_DRIVE = re.compile(r"/[A-Za-z]:")


@dataclass(frozen=True)
class DocumentSnapshot:
    """A document as it was at one version; safe to hand to any thread.

    Offsets are code points of `text`; positions are the client's, in units of `encoding`.
    """

    uri: str
    path: Path | None
    """None for what has no file: untitled documents, notebook cells."""
    language_id: str
    version: int | None
    text: str
    encoding: str = "utf-16"
    """`utf-8`, `utf-16` or `utf-32`."""
    known_lines: LineIndex | None = field(default=None, repr=False, compare=False)
    """The line index of `text`, if whoever makes the snapshot has it."""

    @cached_property
    def line_index(self) -> LineIndex:
        """Where the lines start; computed at first use unless known."""
        return self.known_lines or LineIndex.of(self.text)

    @property
    def file_name(self) -> Path:
        """The path, or for what has no file the last part of its URI."""
        return self.path or Path(self.uri.rpartition("/")[2] or "untitled")

    @property
    def num_lines(self) -> int:
        """At least one: an empty text has one empty line."""
        return len(self.line_index)

    def line_text(self, line: int) -> str:
        """The text of a line without its line end; empty past the last line."""
        start, end = self._line_span(line)
        return self.text[start:end]

    def offset_at(self, line: int, character: int) -> int:
        """The offset of a position, which may lie anywhere.

        Past a line's end it means the end of that line (before the line end), past the last line the
        end of the text, and inside a character the begin of that character.
        """
        start, end = self._line_span(line)
        return start + _count_chars(self.text[start:end], max(character, 0), self.encoding)

    def position_at(self, offset: int) -> t.Position:
        """The position of an offset; beyond the text it is that of the text's end."""
        offset = min(max(offset, 0), len(self.text))
        line = self.line_index.line_at(offset)
        before = self.text[self.line_index.start(line) : offset]
        return t.Position(line=line, character=_count_units(before, self.encoding))

    @property
    def line_end(self) -> str:
        """What ends the lines, as the beginning shows."""
        return "\r\n" if "\r\n" in self.text[:4096] else "\n"

    def edited(self, edit_range: t.Range, new_text: str) -> Self:
        """This document after one incremental change; a range given end first is turned round."""
        one = self.offset_at(edit_range.start.line, edit_range.start.character)
        other = self.offset_at(edit_range.end.line, edit_range.end.character)
        start, end = min(one, other), max(one, other)
        new_text = _without_surrogates(new_text)
        text = "".join((self.text[:start], new_text, self.text[end:]))
        lines = self.line_index.edited(text, start, end, start + len(new_text))
        return replace(self, text=text, known_lines=lines)

    def _line_span(self, line: int) -> tuple[int, int]:
        """Where a line starts and where it ends, its line end left out."""
        index, text = self.line_index, self.text
        if line >= len(index):
            return len(text), len(text)
        start = index.start(line)
        end = index.start(line + 1) if line + 1 < len(index) else len(text)
        if end > start and text[end - 1] == "\n":
            end -= 1
        if end > start and text[end - 1] == "\r":
            end -= 1
        return start, end


class Document(TextDocument):
    """A buffer that the client edits: pygls' interface over the snapshot of the newest version.

    One that is not open shows the file on disk, read again at each look.
    """

    def __init__(self, uri: str, source: str | None = None, **rest: Any) -> None:
        super().__init__(uri, source, **rest)
        self._open = source is not None
        self._current = self._snapshot_of(source or "")

    def snapshot(self) -> DocumentSnapshot:
        """The document as it is now."""
        if not self._open:
            return self._snapshot_of(self._read())
        if self._current.version != self.version:
            self._current = replace(self._current, version=self.version)
        return self._current

    def apply_change(self, change: t.TextDocumentContentChangeEvent) -> None:
        """Apply an incremental change, or a whole new text."""
        if isinstance(change, t.TextDocumentContentChangePartial):
            self._current = self._current.edited(change.range, change.text)
        else:
            self._current = self._snapshot_of(change.text)

    @property
    def source(self) -> str:
        """The whole text."""
        return self.snapshot().text

    @property
    def lines(self) -> tuple[str, ...]:
        """The lines with their line ends; no empty one after a final line end."""
        text, index = self.source, self.snapshot().line_index
        starts = [*map(index.start, range(len(index))), len(text)]
        return tuple(text[a:b] for a, b in pairwise(starts) if a < b)

    def server_position_at_offset(self, offset: int) -> ServerTextPosition:
        """The line and the character of an offset, in code points; upstream fails on an empty text."""
        snapshot = self.snapshot()
        offset = min(offset, len(snapshot.text))
        line = snapshot.line_index.line_at(offset)
        return ServerTextPosition(line, offset - snapshot.line_index.start(line))

    def _read(self) -> str:
        path = uri_to_path(self.uri)
        return path.read_bytes().decode(errors="replace") if path else ""

    def _snapshot_of(self, text: str) -> DocumentSnapshot:
        text = _without_surrogates(text)
        encoding = self._position_codec.encoding or t.PositionEncodingKind.Utf16
        return DocumentSnapshot(
            uri=self.uri,
            path=uri_to_path(self.uri),
            language_id=self.language_id or "",
            version=self.version,
            text=text,
            encoding=t.PositionEncodingKind(encoding).value,
            known_lines=LineIndex.of(text),
        )


class Documents(Workspace):
    """pygls' workspace with our documents in it."""

    @classmethod
    def of(cls, workspace: Workspace) -> Self:
        """Stand in for a workspace that holds no documents yet."""
        folders = list(workspace.folders.values())
        return cls(workspace.root_uri, workspace._sync_kind, folders, workspace.position_encoding)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._position_codec = ClampingCodec(self.position_encoding)

    def snapshot(self, uri: str) -> DocumentSnapshot | None:
        """The open document as it is now; None if the client has not opened it."""
        document = self.text_documents.get(unquote(uri))
        return document.snapshot() if isinstance(document, Document) else None

    def snapshots(self) -> list[DocumentSnapshot]:
        """Every open document as it is now."""
        return [doc.snapshot() for doc in self.text_documents.values() if isinstance(doc, Document)]

    def update_text_document(
        self, text_doc: t.VersionedTextDocumentIdentifier, change: t.TextDocumentContentChangeEvent
    ) -> None:
        """Apply a change; one to a document that is not open is dropped, upstream raises KeyError."""
        if unquote(text_doc.uri) not in self.text_documents:
            log.warning("change to %s, which is not open, dropped", text_doc.uri)
            return
        super().update_text_document(text_doc, change)

    def _create_text_document(
        self,
        doc_uri: str,
        source: str | None = None,
        version: int | None = None,
        language_id: str | None = None,
    ) -> Document:
        return Document(
            doc_uri,
            source,
            version=version,
            language_id=language_id,
            sync_kind=self._sync_kind,
            position_codec=self._position_codec,
        )


class ClampingCodec(PositionCodec):
    """Converts positions as the specification says.

    Upstream changes the position that it is given when that lies past the line's end, and lands one short.
    """

    def position_from_client_units(self, lines: Sequence[str], position: t.Position) -> ServerTextPosition:
        """The position in code points; past the end it is the line's or the text's end."""
        if position.line >= len(lines):
            return ServerTextPosition(max(len(lines) - 1, 0), len(lines[-1]) if lines else 0)
        line = lines[position.line].rstrip("\r\n")
        return ServerTextPosition(
            position.line, _count_chars(line, position.character, self.encoding or "utf-16")
        )


def uri_to_path(uri: str, *, windows: bool = os.name == "nt") -> Path | None:
    """The file that a URI names; None for every scheme but `file`, and for what cannot name a file."""
    try:
        parts = urlsplit(uri)
    except ValueError:
        return None
    # Bytes that are not UTF-8 are kept as the file system interface of Python keeps them.
    path = unquote(parts.path, errors="surrogateescape")
    if parts.scheme != "file" or not path or "\0" in path:
        return None
    if parts.netloc not in ("", "localhost"):
        path = f"//{unquote(parts.netloc)}{path}"
    elif windows and _DRIVE.match(path):
        path = path[1:]
    return Path(path)


def _without_surrogates(text: str) -> str:
    """Lone surrogates, which no tokenizer takes, become U+FFFD: as long as they in every encoding."""
    if text.isascii():
        return text
    return _LONE_SURROGATE.sub("\ufffd", text)


def _count_chars(line: str, units: int, encoding: str) -> int:
    """How many whole characters of `line` fit into its first `units` units."""
    line = line[:units]
    if encoding == "utf-32" or line.isascii():
        return len(line)
    if encoding == "utf-8":
        return len(line.encode()[:units].decode(errors="ignore"))
    return len(line.encode("utf-16-le")[: 2 * units].decode("utf-16-le", "ignore"))


def _count_units(text: str, encoding: str) -> int:
    if encoding == "utf-32" or text.isascii():
        return len(text)
    if encoding == "utf-8":
        return len(text.encode())
    return len(text.encode("utf-16-le")) // 2
