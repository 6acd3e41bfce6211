"""What is known of a function or class without any model, as a page: links to where things are, nothing else.

Pure. Text of the repository stands as code, so that it means nothing to who shows the page.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

from context.references import Mention, References
from context.symbols import Kind
from context.syntax.calls import Call
from context.syntax.declarations import Declaration
from context.syntax.described import plain_text
from context.used_names import COMMON
from lsp_server.actions.faults import Fault
from lsp_server.actions.safe_markdown import block, code, link
from lsp_server.documents import DocumentSnapshot

MAX_SHOWN = 12
"""Of one list."""
MAX_HEADER, MAX_DOC = 2_000, 3_000


@dataclass(frozen=True, slots=True)
class Facts:
    """All of them."""

    declaration: Declaration
    snapshot: DocumentSnapshot
    path: str
    """Workspace-relative."""
    language_id: str
    lines: tuple[int, int]
    calls: Sequence[Call]
    references: References | None
    """None for a document without a file."""
    faults: tuple[Fault, ...]
    is_complete: bool = True
    """Whether the index had been built."""

    @property
    def name(self) -> str:
        """With the class that it is in."""
        declaration = self.declaration
        return f"{declaration.owner}.{declaration.name}" if declaration.owner else declaration.name

    @property
    def title(self) -> str:
        """For a window's title."""
        return f"{self.name} in {self.path}"

    @property
    def files(self) -> tuple[Path, ...]:
        """Its own file and those of the workspace that the page names."""
        known = self.references
        mentions = [*known.meanings.values(), *known.users[:MAX_SHOWN]] if known else []
        own = [self.snapshot.path] if self.snapshot.path else []
        return tuple(dict.fromkeys([*own, *(Path(each.key) for each in mentions)]))


def facts_page(facts: Facts) -> str:
    """The page, in Markdown."""
    return "\n".join(_page(facts))


def _page(facts: Facts) -> Iterator[str]:
    declaration, text = facts.declaration, facts.snapshot.text
    yield f"# {code(facts.name)}"
    yield ""
    yield block(_header(facts), facts.language_id)
    yield ""
    first, last = facts.lines
    where = f"{facts.path}:{first + 1}"
    own = link(where, facts.snapshot.uri, first) if facts.snapshot.path else code(where)
    kind = (
        "Method" if declaration.owner and declaration.kind is Kind.FUNCTION else str(declaration.kind).title()
    )
    num_lines = last - first + 1
    yield f"{kind}, {num_lines} line{'s' if num_lines > 1 else ''}, defined at {own}."
    yield ""
    if declaration.doc is not None:
        yield "**Its description:**"
        yield ""
        is_docstring = declaration.slot is not None and declaration.slot.is_docstring
        yield block(plain_text(text[slice(*declaration.doc)], is_docstring=is_docstring)[:MAX_DOC], "")
        yield ""
    yield from _wrong(facts)
    yield from _used(facts)
    yield from _users(facts)
    if not facts.is_complete:
        yield "The workspace has not been read to its end yet: there may be more to say."
        yield ""


def _header(facts: Facts) -> str:
    """The signature as it is written, moved to the left."""
    declaration, text = facts.declaration, facts.snapshot.text
    line_start = text.rfind("\n", 0, declaration.start) + 1
    margin = text[line_start : declaration.start]
    header = text[declaration.start : declaration.header_end][:MAX_HEADER].rstrip(" {\r\n")
    return dedent(margin + header) if not margin.strip() else header


def _wrong(facts: Facts) -> Iterator[str]:
    if facts.faults:
        yield "**What is wrong here:**"
        yield ""
        for fault in facts.faults[:MAX_SHOWN]:
            line = facts.snapshot.line_index.line_at(fault.start)
            yield f"- line {line + 1}: {code(fault.message)}"
        yield ""


def _used(facts: Facts) -> Iterator[str]:
    """What it calls, where that is in the workspace; the rest in one line."""
    meanings = facts.references.meanings if facts.references else {}
    known = [(call, meanings[call.chain]) for call in facts.calls if call.chain in meanings]
    own = facts.lines
    known = [row for row in known if not _is_itself(facts, row[1], own)]
    if known:
        yield "**It calls:**"
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
    if known is None:
        return
    by_name = " (found by its name: other classes may have one like it)" if known.is_by_name else ""
    if known.users:
        yield f"**It is called at**{by_name}:"
        yield ""
        for mention in known.users[:MAX_SHOWN]:
            yield f"- {_place(mention)}" + (f", in {code(mention.name)}" if mention.name else "")
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


def _is_itself(facts: Facts, mention: Mention, lines: tuple[int, int]) -> bool:
    return mention.path == facts.path and lines[0] <= mention.line <= lines[1]


def _written(call: Call) -> str:
    return ".".join(part or "…" for part in call.chain)


def _place(mention: Mention) -> str:
    return link(f"{mention.path}:{mention.line + 1}", Path(mention.key).as_uri(), mention.line)
