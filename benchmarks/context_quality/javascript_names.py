"""Names in JavaScript files and where they are defined, by name alone: nobody resolves types here.

A name is cross-file if one or two other files of the corpus define it, this one does not, and no built-in
object has a member of that name. Default exports without a name are defined nowhere. Knows no prompts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from benchmarks.context_quality.corpus import Corpus
from benchmarks.context_quality.sites import Definition, Origin, Resolved, Spot

if TYPE_CHECKING:
    from tree_sitter import Node

MAX_DEFINING_FILES = 2
MIN_LINE_LEAVES = 3
_MEMBERS = """
add all allSettled any apply assign at bind byteLength call catch charAt charCodeAt clear code concat
constructor copy create data defineProperties defineProperty delete emit encode end entries error every exec
fill filter finally find findIndex flat flatMap forEach freeze from get getOwnPropertyNames getPrototypeOf
getTime has hasOwnProperty includes indexOf info input isArray join keys lastIndexOf length log map match
max message min name next now off on once parse pipe pop prepend prototype push race read reduce reject
replace resolve reverse round search set setPrototypeOf shift size slice some sort splice split stack
startsWith endsWith stringify sub subarray substring test then toFixed toISOString toJSON toLowerCase
toString toUpperCase trim type unshift value valueOf values warn write
"""
_GLOBALS = """
Array ArrayBuffer Blob Boolean Buffer Date Error FormData Function Infinity Intl JSON Map Math NaN Number
Object Promise Proxy Reflect RegExp Set String Symbol TypeError URL URLSearchParams Uint8Array WeakMap
clearTimeout console decodeURIComponent document encodeURIComponent fetch globalThis isNaN navigator
parseInt parseFloat process queueMicrotask require self setImmediate setTimeout structuredClone window
"""
BUILTIN_MEMBERS, GLOBALS = frozenset(_MEMBERS.split()), frozenset(_GLOBALS.split())
_NAMES = ("identifier", "property_identifier", "shorthand_property_identifier")
_SKIPPED = ("comment", "import_statement", "export_clause", "template_string", "ERROR", "regex")
_FUNCTIONS = (
    "function_declaration",
    "generator_function_declaration",
    "function_expression",
    "class_declaration",
)
_FUNCTION_LIKE = (*_FUNCTIONS, "arrow_function", "generator_function", "method_definition")


@dataclass
class _File:
    """What one file says of names."""

    spots: list[Spot] = field(default_factory=list)
    defined: dict[str, int] = field(default_factory=dict)
    """Names that other files may use, and the line of the first definition."""
    local: set[str] = field(default_factory=set)
    """Every other name that is declared here: parameters, variables inside functions."""
    foreign: set[str] = field(default_factory=set)
    """Names imported from outside of the workspace."""
    members: set[int] = field(default_factory=set)
    """Offsets of names that stand behind a dot."""


class JavaScriptNames:
    """The names of one corpus."""

    def __init__(self, corpus: Corpus) -> None:
        self._files = {path: _Reader(text).read() for path, text in corpus.files.items()}
        self._defining: dict[str, list[Definition]] = defaultdict(list)
        for path, file in self._files.items():
            for name, line in file.defined.items():
                self._defining[name].append(Definition(path, line, name))

    def spots(self, path: str) -> list[Spot]:
        """Names outside of imports, declarations, object keys, comments and templates."""
        return list(self._files[path].spots)

    def resolve(self, path: str, spot: Spot) -> Resolved | None:
        """By name; None where it is defined nowhere or in too many files."""
        file, is_member = self._files[path], spot.offset in self._files[path].members
        if spot.name in (BUILTIN_MEMBERS if is_member else GLOBALS | file.foreign):
            return Origin.LIBRARY, ()
        if spot.name in file.defined:
            line = file.defined[spot.name]
            own = (Definition(path, line, spot.name),)
            return (Origin.IN_FILE, own) if line != spot.line else None
        if spot.name in file.local and not is_member:
            return Origin.IN_FILE, ()
        places = self._defining.get(spot.name, [])
        return (Origin.CROSS_FILE, tuple(places)) if 0 < len(places) <= MAX_DEFINING_FILES else None


class _Reader:
    """One walk over one file's tree."""

    def __init__(self, text: str) -> None:
        self._lines = text.split("\n")
        self._text = text
        self._starts = [0]
        for line in self._lines:
            self._starts.append(self._starts[-1] + len(line) + 1)
        self._file = _File()
        self._skipped: set[int] = set()
        self._num_leaves: dict[int, int] = defaultdict(int)

    def read(self) -> _File:
        """Everything at once; lines that are no place to ask at are left out at the end."""
        import tree_sitter_javascript
        from tree_sitter import Language, Parser

        parser = Parser(Language(tree_sitter_javascript.language()))
        self._walk(parser.parse(self._text.encode()).root_node, depth=0)
        bad = self._skipped | {line for line, num in self._num_leaves.items() if num < MIN_LINE_LEAVES}
        self._file.spots = [spot for spot in self._file.spots if spot.line not in bad]
        return self._file

    def _walk(self, node: Node, depth: int) -> None:
        if node.type in _SKIPPED or _is_require(node):
            self._skipped |= {*range(node.start_point.row, node.end_point.row + 1)}
        if node.type == "import_statement" or _is_require(node):
            self._import(node)
            return
        self._declare(node, depth)
        if not node.child_count:
            self._num_leaves[node.start_point.row] += 1
            if node.type in _NAMES and not _is_declaring(node):
                self._spot(node)
        inner = depth + (node.type in _FUNCTION_LIKE)
        for child in node.children:
            self._walk(child, inner)

    def _declare(self, node: Node, depth: int) -> None:
        """Take note of what a node declares; inside of functions it is nobody else's."""
        name = node.child_by_field_name("name")
        if node.type == "method_definition" and name is not None:
            self._define(name)
        elif node.type in (*_FUNCTIONS, "class", "variable_declarator") and name is not None:
            for leaf in _identifiers(name):
                if depth == 0 or node.type == "class":
                    self._define(leaf)
                else:
                    self._file.local.add(_text(leaf))
        elif node.type in ("formal_parameters", "catch_clause") or "parameter" in (_field(node) or ""):
            self._file.local |= {_text(leaf) for leaf in _identifiers(node)}
        elif node.type == "assignment_expression":
            left = node.child_by_field_name("left")
            target = left.child_by_field_name("property") if left is not None else None
            if target is not None and _text(target) not in ("exports", "prototype"):
                self._define(target)
        elif node.type == "pair" and depth == 0:
            key = node.child_by_field_name("key")
            if key is not None and key.type == "property_identifier":
                self._define(key)

    def _define(self, name: Node) -> None:
        self._file.defined.setdefault(_text(name), name.start_point.row)

    def _import(self, node: Node) -> None:
        """Names from other packages are the library's; names from files are looked for by name."""
        source = _text(node).replace('"', "'").rpartition("'")[0].rpartition("'")[2]
        if not source.startswith("."):
            names = node.child_by_field_name("name") if node.type == "variable_declarator" else node
            self._file.foreign |= (
                {_text(leaf) for leaf in _identifiers(names)} if names is not None else set()
            )

    def _spot(self, node: Node) -> None:
        line = node.start_point.row
        raw = self._lines[line].encode()[: node.start_point.column]
        column = len(raw.decode())
        offset, end = self._starts[line] + column, self._starts[line + 1] - 1
        if node.type == "property_identifier":
            self._file.members.add(offset)
        self._file.spots.append(Spot(offset, end, _text(node), line, column))


def _is_require(node: Node) -> bool:
    if node.type != "variable_declarator":
        return False
    value = node.child_by_field_name("value")
    return value is not None and _text(value).startswith("require(")


def _is_declaring(node: Node) -> bool:
    """A name that is being defined, or a key: no place to ask at."""
    parent, role = node.parent, _field(node)
    if parent is None or role == "key":
        return True
    if parent.type in (*_FUNCTION_LIKE, "class", "variable_declarator") and role in ("name", "parameter"):
        return True
    return parent.type in (
        "formal_parameters",
        "rest_pattern",
        "object_pattern",
        "array_pattern",
        "labeled_statement",
    )


def _field(node: Node) -> str | None:
    parent = node.parent
    if parent is None:
        return None
    where = next((num for num, child in enumerate(parent.children) if child == node), None)
    return None if where is None else parent.field_name_for_child(where)


def _identifiers(node: Node) -> Iterator[Node]:
    if node.type in ("identifier", "shorthand_property_identifier_pattern", "property_identifier"):
        yield node
    for child in node.children:
        yield from _identifiers(child)


def _text(node: Node) -> str:
    return (node.text or b"").decode("utf-8", "replace")
