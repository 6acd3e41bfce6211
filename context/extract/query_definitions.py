"""Definitions of one tree, as the captures of `tags.scm` name them (see `query`). Knows no language.

The walk goes from container to container and matches each child on its own: bodies are never entered, which
costs a small part of the parse. Signatures are written by `brace_signatures`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from context.extract.brace_signatures import Found, Signatures
from context.extract.cuts import Place, place_of, text_of
from context.extract.query_imports import MAX_STATES, Captures
from context.languages import Grammar
from context.symbols import Definition, Kind

if TYPE_CHECKING:
    from tree_sitter import Node, Query

MAX_DEFINITIONS = 5_000
"""Beyond it a file is generated data, not something that people call."""
MAX_NODES = 50_000
"""Children of containers that are looked at."""
MAX_WRAPS = 16
"""Statements around one definition: `export default a = b = function`."""
MAX_OVERLOADS = 4
"""Headers of one function that are kept, beside the one with the body."""
SEPARATORS = (",", ";")
DEFAULT = "default"
"""The name of what is exported without one."""

_BASE = re.compile(r"([\w$]+(?:(?:\.|::)[\w$]+)*)\s*(?:<.*)?", re.DOTALL)
_FIRST_INDENT = re.compile(rb"[{(\[:][ \t]*\n(?:[ \t]*\n)*([ \t]+)[^\s*]")


@dataclass
class _Container:
    """A node whose children are looked at, one after the other."""

    children: Sequence[Node]
    owner: int = -1
    wraps: tuple[Node, ...] = ()
    """Statements around the children that lend them their text, the outermost first."""
    exported: str = ""
    """What the statements around say of the children: `export`, `default` or nothing."""
    position: int = 0
    decorators: list[Node] = field(default_factory=list)
    """Those that wait for their definition."""
    docs: tuple[Node, ...] = ()
    """The first and last of comments one below the other that wait for theirs."""

    def separator(self) -> str:
        """The comma or semicolon after the child that is looked at."""
        position = self.position
        while position < len(self.children) and self.children[position].is_extra:
            position += 1
        is_last = self.wraps or position == len(self.children)
        return (
            "" if is_last or self.children[position].type not in SEPARATORS else self.children[position].type
        )


class DefinitionWalk:
    """Collects definitions and exports of one tree."""

    def __init__(self, data: bytes, query: Query, grammar: Grammar, imports: frozenset[Place]) -> None:
        from tree_sitter import QueryCursor

        self.indent = _indent_of(data)
        self._query = query
        self._cursor = QueryCursor(query, match_limit=MAX_STATES)
        self._cursor.set_max_start_depth(0)
        self._imports = imports
        """Where import statements stand: what they bind is no definition."""
        self._writes_semicolons = b";\n" in data or data.endswith(b";")
        """Where a line may end without one, the file's own habit is kept."""
        self._signatures = Signatures(data, self._cursor, grammar.elided_body, self.indent)
        self._rows: list[Definition] = []
        self._outside: dict[int, str] = {}
        """The owner's name, by the index of a definition that stands outside its owner."""
        self._exports: dict[str, None] = {}
        self._aliases: dict[tuple[str, str], None] = {}

    def run(self, root: Node) -> None:
        """An explicit stack: source may nest deeper than Python recurses."""
        stack = [_Container(root.children)]
        num_nodes = 0
        while stack and len(self._rows) < MAX_DEFINITIONS and num_nodes < MAX_NODES:
            top = stack[-1]
            if top.position == len(top.children):
                stack.pop()
                continue
            child = top.children[top.position]
            top.position += 1
            num_nodes += 1
            if child.is_named:
                stack += reversed(list(self._visit(child, top)))

    def definitions(self) -> tuple[Definition, ...]:
        """In source order, each owner before its members."""
        return _settled(self._rows, self._outside)

    def exports(self) -> tuple[str, ...]:
        """Names that a star import brings."""
        return tuple(self._exports)

    def aliases(self) -> tuple[tuple[str, str], ...]:
        """Exported names that differ from the local ones."""
        return tuple(self._aliases)

    def _visit(self, node: Node, container: _Container) -> Iterator[_Container]:
        """Notes what a node defines and gives the containers inside it."""
        found: dict[int, Found] = {}
        inside: dict[int, Node] = {}
        wrap = ""
        for pattern, captures in self._cursor.matches(node):
            if "decorator" in captures and captures["decorator"][0] == node:
                container.decorators.append(node)
                return
            if "doc" in captures:
                is_next = container.docs and container.docs[-1].end_point.row + 1 == node.start_point.row
                container.docs = (container.docs[0] if is_next else node, node)
                return
            wrap = next((role for role in captures if role.startswith("wrap")), wrap)
            inside |= {below.start_byte: below for below in captures.get("inside", ())}
            role = next((role for role in captures if role.startswith("def.")), "")
            if role and captures[role][0] == node:
                self._note_definition(Kind(role[4:]), pattern, captures, container, found)
            elif container.owner < 0:
                self._note_export(captures)
        decorators, container.decorators = container.decorators, []
        docs, container.docs = container.docs, ()
        for row in found.values():
            row.decorators[:0] = decorators
            row.doc = docs[0] if docs and _is_directly_above(docs[-1], (decorators or [node])[0]) else None
            yield from self._add(row, container)
        if wrap and not found and len(container.wraps) < MAX_WRAPS:
            exported = wrap.partition(".")[2] or container.exported
            wraps = (*container.wraps, node)
            yield _Container(node.children, container.owner, wraps, exported, 0, decorators, docs)
        for below in inside.values():
            yield _Container(below.children, container.owner)

    def _note_definition(
        self, kind: Kind, pattern: int, captures: Captures, container: _Container, found: dict[int, Found]
    ) -> None:
        """Of several patterns for one node and name the last counts; bases add up."""
        (node,) = captures[f"def.{kind}"]
        if kind is Kind.VARIABLE and place_of(node) in self._imports:
            return
        name = captures["name"][0] if "name" in captures else None
        key = name.start_byte if name else -1
        if key >= 0:
            found.pop(-1, None)
        bases = dict(found[key].bases) if key in found else {}
        for base in captures.get("base", ()):
            match = _BASE.fullmatch(text_of(base))
            bases |= {match[1]: None} if match else {}
        children = container.children if container.wraps else [node]
        found[key] = Found(
            kind,
            node,
            text_of(name) if name else "",
            captures,
            container.wraps,
            next(child for child in children if child.type == node.type),
            next(child for child in reversed(children) if child.type == node.type),
            list(captures.get("decorator", ())),
            None,
            bases,
            container.separator() or self._end_of(pattern),
        )

    def _end_of(self, pattern: int) -> str:
        end = str(self._query.pattern_settings(pattern).get("end") or "")
        return end if end != ";" or self._writes_semicolons else ""

    def _note_export(self, captures: Captures) -> None:
        role = next((role for role in captures if role.startswith("export")), "")
        if not role or "name" not in captures:
            return
        name = text_of(captures["name"][0])
        alias = text_of(captures["alias"][0]) if "alias" in captures else name
        self._export(DEFAULT if role == "export.default" else alias, name)

    def _export(self, exported: str, name: str) -> None:
        if exported != name:
            self._aliases[exported, name] = None
        if exported != DEFAULT:
            self._exports[exported] = None

    def _add(self, found: Found, container: _Container) -> Iterator[_Container]:
        index, owner = len(self._rows), container.owner
        is_default = "default" in found.captures or container.exported == "default"
        name = found.name or (DEFAULT if owner < 0 else "")
        outer_name = text_of(found.captures["owner"][0]) if "owner" in found.captures else ""
        if outer_name and owner >= 0:
            return
        if outer_name:
            self._outside[index] = outer_name
        elif owner < 0 and is_default:
            self._export(DEFAULT, name)
        elif owner < 0 and ("exported" in found.captures or container.exported):
            self._export(name, name)
        if self._is_overload_too_many(found, name, owner):
            return
        text = self._signatures.write(found, self._depth(owner), is_short_kept=owner < 0 and not outer_name)
        lines = found.outer.start_point.row, found.outer.end_point.row
        self._rows.append(
            Definition(
                name, found.kind, owner, *lines, text.signature, text.body, tuple(found.bases), text.closing
            )
        )
        for members in found.captures.get("members", ()):
            yield _Container(members.children, index)

    def _is_overload_too_many(self, found: Found, name: str, owner: int) -> bool:
        if found.kind is not Kind.FUNCTION or found.captures.keys() & {"body", "fields", "members"}:
            return False
        last = self._rows[-MAX_OVERLOADS:]
        return len(last) == MAX_OVERLOADS and all((row.name, row.owner) == (name, owner) for row in last)

    def _depth(self, owner: int) -> int:
        depth = 0
        while owner >= 0:
            depth, owner = depth + 1, self._rows[owner].owner
        return depth


def _is_directly_above(comment: Node, node: Node) -> bool:
    return comment.end_point.row + 1 >= node.start_point.row


def _settled(rows: Sequence[Definition], outside: dict[int, str]) -> tuple[Definition, ...]:
    """Definitions that stand outside their owners get them, or go where the file has none of the name.

    An owner of functions is a class, whatever its source says. An owner that comes later is moved up to.
    """
    inside = [index for index, row in enumerate(rows) if row.owner < 0 and index not in outside]
    named = {rows[index].name: index for index in reversed(inside)}
    functions = [name for index, name in outside.items() if rows[index].kind is Kind.FUNCTION]
    makers = {named[name] for name in functions if name in named}
    places: dict[int, int] = {}
    owners: dict[int, int] = {}
    for index, row in enumerate(rows):
        owner = named.get(outside[index], -1) if index in outside else row.owner
        if (index in outside and owner not in makers) or (row.owner >= 0 and row.owner not in owners):
            continue
        owners[index] = owner
        places[index] = max(index, places.get(owner, owner))
    order = sorted(owners, key=lambda index: (places[index], places[index] != index, index))
    position = {index: new for new, index in enumerate(order)} | {-1: -1}
    settled = []
    for index in order:
        row = rows[index]
        kind = Kind.CLASS if index in makers else row.kind
        settled.append(row._replace(kind=kind, owner=position[owners[index]], is_outside=index in outside))
    return tuple(settled)


def _indent_of(data: bytes) -> str:
    match = _FIRST_INDENT.search(data)
    width = match[1].decode("ascii") if match else "    "
    return width if width == "\t" or width in (" " * count for count in range(2, 9)) else "    "
