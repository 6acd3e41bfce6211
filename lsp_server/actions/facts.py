"""What is known of a function, a class or some lines without any model, as a page and as notes for a model.

Pure. Text of the repository stands as code, so that it means nothing to who shows the page; its only links
are to where things are, and the notes have none.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

from context.references import Mention, References
from context.symbols import Kind
from context.syntax.calls import Call
from context.syntax.described import plain_text
from context.used_names import COMMON
from lsp_server.actions.safe_markdown import block, code, link
from lsp_server.actions.subject import Subject

MAX_SHOWN = 12
"""Of one list."""
MAX_HEADER, MAX_DOC = 2_000, 3_000
MAX_LINES = 12
"""Of some lines: whoever selected them sees them."""


@dataclass(frozen=True, slots=True)
class Facts:
    """All of them."""

    subject: Subject
    path: str
    """Workspace-relative."""
    calls: Sequence[Call] = ()
    references: References | None = None
    """None for a document without a file, or in a language that cannot be read."""
    is_complete: bool = True
    """Whether the index had been built."""

    @property
    def title(self) -> str:
        """For a window's title."""
        return f"{self.subject.name} in {self.path}"

    @property
    def files(self) -> tuple[Path, ...]:
        """Its own file and those of the workspace that the page names."""
        known = self.references
        mentions = [*known.meanings.values(), *known.users[:MAX_SHOWN]] if known else []
        path = self.subject.snapshot.path
        own = [path] if path is not None else []
        return tuple(dict.fromkeys([*own, *(Path(each.key) for each in mentions)]))


def facts_page(facts: Facts) -> str:
    """The page, in Markdown."""
    return "\n".join(_page(facts))


def facts_notes(facts: Facts) -> str:
    """Who calls it and what it calls, for a model; empty if nothing is known."""
    known = facts.references
    calls = _meant(facts)[:MAX_SHOWN]
    notes = [f"- it calls {code(_written(call))}, defined at {_where(each)}" for call, each in calls]
    users = known.users[:MAX_SHOWN] if known else ()
    notes += [f"- it is called at {_where(each)}" + _caller(each) for each in users]
    return "\n".join(["What is known of it:", "", *notes]) if notes else ""


def _page(facts: Facts) -> Iterator[str]:
    subject = facts.subject
    yield f"# {code(subject.name)}"
    yield ""
    yield block(_header(subject), subject.language_id)
    yield ""
    first, last = subject.lines
    where = f"{facts.path}:{first + 1}"
    snapshot = subject.snapshot
    own = link(where, snapshot.uri, first) if snapshot.path else code(where)
    size = f"{last - first + 1} line{'s' if last > first else ''}"
    yield f"{_kind(subject)}, {size}, defined at {own}." if subject.declaration else f"{size} from {own} on."
    yield ""
    yield from _description(subject)
    yield from _wrong(subject)
    yield from _used(facts)
    yield from _users(facts)
    if not facts.is_complete:
        yield "The workspace has not been read to its end yet: there may be more to say."
        yield ""


def _kind(subject: Subject) -> str:
    declaration = subject.declaration
    if declaration is None:
        return ""
    is_method = declaration.owner and declaration.kind is Kind.FUNCTION
    return "Method" if is_method else str(declaration.kind).title()


def _header(subject: Subject) -> str:
    """The signature, or the first lines, as written, moved to the left."""
    declaration, text = subject.declaration, subject.snapshot.text
    if declaration is None:
        lines = subject.code[:MAX_HEADER].split("\n")
        left_out = ["..."] if len(lines) > MAX_LINES or len(subject.code) > MAX_HEADER else []
        return dedent("\n".join(lines[:MAX_LINES])) + "\n".join(["", *left_out])
    line_start = text.rfind("\n", 0, declaration.start) + 1
    margin = text[line_start : declaration.start]
    header = text[declaration.start : declaration.header_end][:MAX_HEADER].rstrip(" {\r\n")
    return dedent(margin + header) if not margin.strip() else header


def _description(subject: Subject) -> Iterator[str]:
    declaration = subject.declaration
    if declaration is not None and declaration.doc is not None:
        yield "**Its description:**"
        yield ""
        is_docstring = declaration.slot is not None and declaration.slot.is_docstring
        text = plain_text(subject.snapshot.text[slice(*declaration.doc)], is_docstring=is_docstring)
        yield block(text[:MAX_DOC], "")
        yield ""


def _wrong(subject: Subject) -> Iterator[str]:
    if subject.faults:
        yield "**What is wrong here:**"
        yield ""
        for fault in subject.faults[:MAX_SHOWN]:
            line = subject.snapshot.line_index.line_at(fault.start)
            yield f"- line {line + 1}: {code(fault.message)}"
        yield ""


def _meant(facts: Facts) -> list[tuple[Call, Mention]]:
    """What it calls of the workspace, and where that is."""
    meanings = facts.references.meanings if facts.references else {}
    known = [(call, meanings[call.chain]) for call in facts.calls if call.chain in meanings]
    return [row for row in known if not _is_itself(facts, row[1])]


def _used(facts: Facts) -> Iterator[str]:
    """What it calls, where that is in the workspace; the rest in one line."""
    meanings = facts.references.meanings if facts.references else {}
    known = _meant(facts)
    if known:
        yield "**It calls:**" if facts.subject.declaration else "**What is called here:**"
        yield ""
        for call, mention in known[:MAX_SHOWN]:
            guess = ", by its name alone" if mention.is_guess else ""
            yield f"- {code(_written(call))}, defined at {_place(mention)}{guess}"
        yield from _more(len(known))
        yield ""
    others = [
        code(_written(call))
        for call in facts.calls
        if call.chain not in meanings and (len(call.chain) > 1 or call.chain[0] not in COMMON)
    ]
    if others:
        more = f" and {len(others) - MAX_SHOWN} more" if len(others) > MAX_SHOWN else ""
        yield f"Not defined in this workspace, or not known where: {', '.join(others[:MAX_SHOWN])}{more}."
        yield ""


def _users(facts: Facts) -> Iterator[str]:
    known = facts.references
    if known is None or facts.subject.declaration is None:
        return
    by_name = " (found by its name: other classes may have one like it)" if known.is_by_name else ""
    if known.users:
        yield f"**It is called at**{by_name}:"
        yield ""
        for mention in known.users[:MAX_SHOWN]:
            yield f"- {_place(mention)}{_caller(mention)}"
        yield from _more(len(known.users))
    else:
        yield "No call of it was found in this file or in the files that import it."
    yield ""
    if known.importers:
        num = len(known.importers)
        shown = ", ".join(link(each.path, Path(each.key).as_uri()) for each in known.importers[:MAX_SHOWN])
        more = f" and {num - MAX_SHOWN} more" if num > MAX_SHOWN else ""
        yield f"Its file is imported by {shown}{more}."
        yield ""


def _more(number: int) -> Iterator[str]:
    if number > MAX_SHOWN:
        yield f"- and {number - MAX_SHOWN} more"


def _is_itself(facts: Facts, mention: Mention) -> bool:
    first, last = facts.subject.lines
    return mention.path == facts.path and first <= mention.line <= last


def _caller(mention: Mention) -> str:
    return f", in {code(mention.name)}" if mention.name else ""


def _where(mention: Mention) -> str:
    return code(f"{mention.path}:{mention.line + 1}")


def _written(call: Call) -> str:
    return ".".join(part or "…" for part in call.chain)


def _place(mention: Mention) -> str:
    return link(f"{mention.path}:{mention.line + 1}", Path(mention.key).as_uri(), mention.line)
