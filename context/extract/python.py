"""Python text -> FileFacts, by one tree-sitter parse and a targeted walk. Knows no other file.

The walk enters module and class bodies and compound statements, never function bodies: that costs 4 % of the
parse, whole-tree queries cost as much as the parse again. Imports stand anywhere, so each word `import` is
looked up in the tree instead. Broken code gives what can still be read of it.
"""

from __future__ import annotations

import ast
import re
from functools import cache
from typing import TYPE_CHECKING

from context.extract.python_signatures import (
    class_signature,
    docstring_line,
    function_signature,
    variable_signature,
)
from context.grammars import tree_sitter_language
from context.identifiers import identifiers
from context.languages import PYTHON_GRAMMAR
from context.symbols import Definition, FileFacts, Import, Kind, Scope

if TYPE_CHECKING:
    from tree_sitter import Node, Parser

MAX_DEFINITIONS = 5_000
"""Beyond it a file is generated data, not something that people call."""
MAX_WHOLE_LINES = 12
"""A module-level function up to this length is kept whole."""

_IMPORT_WORD = re.compile(rb"\bimport\b")
_EXPORTS = re.compile(
    r"__all__\s*(?:(?::[^=]*)?\+?=(?P<literal>.*)|\.(?:extend|append)\((?P<argument>.*)\))", re.DOTALL
)
_CONTAINERS = frozenset(
    {
        "ERROR",
        "block",
        "case_clause",
        "elif_clause",
        "else_clause",
        "except_clause",
        "except_group_clause",
        "finally_clause",
        "for_statement",
        "if_statement",
        "match_statement",
        "try_statement",
        "while_statement",
        "with_statement",
    }
)


def extract(text: str) -> FileFacts:
    """The facts of a Python text."""
    data = text.encode("utf-8", errors="replace")
    root = _parser().parse(data).root_node
    walk = _Walk(data, root)
    walk.run()
    return FileFacts(
        _imports(data, root),
        tuple(walk.definitions[:MAX_DEFINITIONS]),
        walk.exports(),
        docstring=walk.docstring(),
        indent=walk.indent,
        words=" ".join(sorted(identifiers(text))),
    )


@cache
def _parser() -> Parser:
    import tree_sitter

    return tree_sitter.Parser(tree_sitter_language(PYTHON_GRAMMAR))


def _imports(data: bytes, root: Node) -> tuple[Import, ...]:
    found: dict[int, Node] = {}
    for match in _IMPORT_WORD.finditer(data):
        word = root.descendant_for_byte_range(match.start(), match.end())
        statement = word.parent if word is not None and word.type == "import" else None
        if statement is not None and statement.type in ("import_statement", "import_from_statement"):
            found[statement.start_byte] = statement
    return tuple(row for _, statement in sorted(found.items()) for row in _import_rows(statement))


def _import_rows(statement: Node) -> list[Import]:
    where = (_scope(statement), statement.start_point.row, statement.end_point.row)
    bound = [_name_and_alias(node) for node in statement.children_by_field_name("name")]
    origin = statement.child_by_field_name("module_name")
    if origin is None:
        return [Import(name, 0, (), alias, *where) for name, alias in bound]
    path = _text(origin)
    module = path.lstrip(". \t")
    level = len(path) - len(path.lstrip(".")) if origin.type == "relative_import" else 0
    names = tuple((name, alias or name) for name, alias in bound)
    if any(child.type == "wildcard_import" for child in statement.children):
        names = (("*", "*"),)
    return [Import(module, level, names, "", *where)] if names else []


def _name_and_alias(node: Node) -> tuple[str, str]:
    name, alias = node.child_by_field_name("name"), node.child_by_field_name("alias")
    return (_text(node), "") if name is None or alias is None else (_text(name), _text(alias))


def _scope(statement: Node) -> Scope:
    child, parent = statement, statement.parent
    scope = Scope.MODULE
    while parent is not None:
        if parent.type in ("function_definition", "lambda"):
            return Scope.FUNCTION
        if parent.type == "if_statement" and child == parent.child_by_field_name("consequence"):
            condition = parent.child_by_field_name("condition")
            if condition is not None and re.fullmatch(r"(\w+\.)?TYPE_CHECKING", _text(condition)):
                scope = Scope.TYPE_CHECKING
        child, parent = parent, parent.parent
    return scope


def _text(node: Node) -> str:
    """A name without the blanks and line joins that Python allows inside it."""
    return re.sub(r"[\s\\]+", "", (node.text or b"").decode("utf-8", errors="replace"))


class _Walk:
    """Collects the definitions of one tree."""

    def __init__(self, data: bytes, root: Node) -> None:
        self.definitions: list[Definition] = []
        self.indent = _indent_of(data, root)
        self._data = data
        self._root = root
        self._exports: list[str] = []
        self._has_exports = False
        self._is_computed = False
        self._attributes: dict[int, set[str]] = {}

    def run(self) -> None:
        """An explicit stack: source may nest deeper than Python recurses."""
        stack = [(child, -1) for child in reversed(self._root.children)]
        while stack and len(self.definitions) < MAX_DEFINITIONS:
            node, owner = stack.pop()
            outer = node
            if node.type == "decorated_definition":
                node = node.child_by_field_name("definition") or node
            if node.type == "class_definition":
                index = self._add_class(node, outer, owner)
                body = node.child_by_field_name("body")
                stack += [(child, index) for child in reversed(body.children if body else [])]
            elif node.type == "function_definition":
                self._add_function(node, outer, owner)
            elif node.type in ("expression_statement", "type_alias_statement"):
                self._add_variables(node, owner)
            elif node.type in _CONTAINERS:
                stack += [(child, owner) for child in reversed(node.children)]

    def exports(self) -> tuple[str, ...] | None:
        """The names in `__all__`, or None if it is absent or not a plain list."""
        return tuple(self._exports) if self._has_exports and not self._is_computed else None

    def docstring(self) -> str:
        """The module docstring's first line."""
        return docstring_line(self._data, self._root, "")

    def _add_class(self, node: Node, outer: Node, owner: int) -> int:
        index = len(self.definitions)
        self._attributes[index] = set()
        text = class_signature(self._data, node, outer, self._pad(owner), self.indent)
        bases = tuple(_bases(node.child_by_field_name("superclasses")))
        self._add(node, outer, Kind.CLASS, owner, text, bases=bases)
        return index

    def _add_function(self, node: Node, outer: Node, owner: int) -> None:
        seen = self._attributes.get(owner)
        text = function_signature(self._data, node, outer, self._pad(owner), self.indent, seen)
        num_lines = outer.end_point.row - outer.start_point.row + 1
        whole = _dedent(self._data, outer) if owner < 0 and num_lines <= MAX_WHOLE_LINES else ""
        self._add(node, outer, Kind.FUNCTION, owner, text, body=whole)

    def _add(
        self,
        node: Node,
        outer: Node,
        kind: Kind,
        owner: int,
        signature: str,
        body: str = "",
        bases: tuple[str, ...] = (),
    ) -> None:
        name = node.child_by_field_name("name")
        lines = outer.start_point.row, outer.end_point.row
        self.definitions.append(
            Definition(_text(name) if name else "", kind, owner, *lines, signature, body, bases)
        )

    def _add_variables(self, statement: Node, owner: int) -> None:
        names = list(_assigned(statement))
        if owner < 0 and "__all__" in (_text(statement)[:7], *names):
            self._read_exports(statement)
        text = ""
        for name in names:
            if name.startswith("__") and name.endswith("__"):
                continue
            # `a, b = f()` is one text: the second name emits nothing of its own
            text = text or variable_signature(self._data, statement, self._pad(owner))
            lines = statement.start_point.row, statement.end_point.row
            self.definitions.append(Definition(name, Kind.VARIABLE, owner, *lines, text, "", ()))

    def _read_exports(self, statement: Node) -> None:
        """`__all__ = [...]`, `+=`, `.extend([...])`, `.append("x")`; anything computed makes it unknown."""
        source = (statement.text or b"").decode("utf-8", errors="replace")
        match = _EXPORTS.fullmatch(source)
        try:
            value = ast.literal_eval((match["literal"] or match["argument"]).strip() if match else "")
        except (SyntaxError, ValueError):
            value = None
        names = [value] if isinstance(value, str) else value
        is_plain = isinstance(names, list | tuple) and all(isinstance(name, str) for name in names)
        self._has_exports = True
        self._is_computed = self._is_computed or not is_plain
        self._exports += names if is_plain and names else []

    def _pad(self, owner: int) -> str:
        depth = 0
        while owner >= 0:
            depth, owner = depth + 1, self.definitions[owner].owner
        return self.indent * depth


def _assigned(statement: Node) -> list[str]:
    if statement.type == "type_alias_statement":
        left = statement.child_by_field_name("left")
        return [re.split(r"\W", _text(left))[0]] if left else []
    names: list[str] = []
    node = statement.named_children[0] if statement.named_children else None
    while node is not None and node.type == "assignment":
        left = node.child_by_field_name("left")
        if left is not None and left.type == "identifier":
            names.append(_text(left))
        elif left is not None and left.type in ("pattern_list", "tuple_pattern"):
            names += [_text(child) for child in left.named_children if child.type == "identifier"]
        node = node.child_by_field_name("right")
    return names


def _bases(arguments: Node | None) -> list[str]:
    bases = []
    for node in arguments.named_children if arguments is not None else []:
        value = node.child_by_field_name("value") if node.type == "subscript" else node
        if value is not None and value.type in ("identifier", "attribute"):
            bases.append(_text(value))
    return bases


def _dedent(data: bytes, node: Node) -> str:
    column = node.start_point.column
    text = data[node.start_byte : node.end_byte].decode("utf-8", errors="replace").rstrip()
    return re.sub(rf"(?m)^[ \t]{{1,{column}}}", "", text) + "\n" if column else text + "\n"


def _indent_of(data: bytes, root: Node) -> str:
    """That of the first block; examples in docstrings are indented as they please."""
    for node in root.named_children:
        statement = node.child_by_field_name("definition") or node
        block = statement.child_by_field_name("body") or statement.child_by_field_name("consequence")
        column = block.start_point.column if block is not None else 0
        if block is None or column == 0 or block.start_point.row == statement.start_point.row:
            continue
        width = data[block.start_byte - column : block.start_byte].decode("utf-8", errors="replace")
        return width if width == "\t" or width in (" " * count for count in range(2, 9)) else "    "
    return "    "
