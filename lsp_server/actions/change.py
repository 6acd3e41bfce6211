"""A change of one document, and the edit that a client applies: of this version, or not at all."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lsprotocol import types as t
from pygls.capabilities import get_capability

from context.syntax.tree import common_prefix, common_suffix
from lsp_server.actions.errors import ActionError
from lsp_server.documents import DocumentSnapshot
from lsp_server.hole import with_plain_line_ends

if TYPE_CHECKING:
    from lsp_server.session import Session

ANNOTATION = "ghostfill"


@dataclass(frozen=True, slots=True)
class Change:
    """New text for a range of a snapshot."""

    snapshot: DocumentSnapshot
    start: int
    end: int
    text: str
    label: str
    """What it does, for people."""

    @property
    def result(self) -> str:
        """The whole document afterwards."""
        old = self.snapshot.text
        return f"{old[: self.start]}{self.text}{old[self.end :]}"

    def smallest(self) -> Change:
        """The same without what stays as it is."""
        old = self.snapshot.text[self.start : self.end]
        before = common_prefix(old, self.text)
        after = common_suffix(old, self.text, min(len(old), len(self.text)) - before)
        text = self.text[before : len(self.text) - after]
        return Change(self.snapshot, self.start + before, self.end - after, text, self.label)


def check_unchanged(session: Session, snapshot: DocumentSnapshot) -> None:
    """Raises ActionError unless the open document still is as it was."""
    now = session.server.snapshot(snapshot.uri)
    if now is None or now.version != snapshot.version or now.text != snapshot.text:
        raise ActionError("The document changed while ghostfill worked on it: nothing was done, try again.")


def workspace_edit(session: Session, change: Change) -> t.WorkspaceEdit:
    """As good as the client understands it: with the version, to be confirmed; raises ActionError if the
    document is another one by now.
    """
    snapshot = change.snapshot
    check_unchanged(session, snapshot)
    written = with_plain_line_ends(change.text).replace("\n", snapshot.line_end)
    change = replace(change, text=written).smallest()
    text = change.text
    span = t.Range(start=snapshot.position_at(change.start), end=snapshot.position_at(change.end))
    if not session.can("workspace.workspace_edit.document_changes"):
        return t.WorkspaceEdit(changes={snapshot.uri: [t.TextEdit(range=span, new_text=text)]})
    document = t.OptionalVersionedTextDocumentIdentifier(uri=snapshot.uri, version=snapshot.version)
    support = "workspace.workspace_edit.change_annotation_support"
    if get_capability(session.server.client_capabilities, support, None) is None:
        plain = t.TextEdit(range=span, new_text=text)
        return t.WorkspaceEdit(document_changes=[t.TextDocumentEdit(text_document=document, edits=[plain])])
    edit = t.AnnotatedTextEdit(range=span, new_text=text, annotation_id=ANNOTATION)
    note = t.ChangeAnnotation(label=change.label, needs_confirmation=True, description="written by a model")
    return t.WorkspaceEdit(
        document_changes=[t.TextDocumentEdit(text_document=document, edits=[edit])],
        change_annotations={ANNOTATION: note},
    )
