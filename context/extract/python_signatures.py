"""The text that stands for a definition in a repo map: what a caller must know, bodies as `...`.

Knows tree-sitter's Python nodes, no files. Every signature ends with a newline and is indented as a member
of its owner, whatever `if` or `try` stood around it in the source.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tree_sitter import Node

MAX_DOCSTRING = 120
MAX_LINE = 110
MAX_DEFAULT = 8
MAX_HEADER = 240
MAX_VARIABLE_LINES = 3

_ATTRIBUTE = re.compile(
    r"^[ \t]*self\.(?P<name>\w+)[ \t]*(?P<type>:[^=\n]+?)?[ \t]*=(?!=)[ \t]*(?P<value>.*)$", re.MULTILINE
)


def class_signature(data: bytes, node: Node, outer: Node, pad: str, indent: str) -> str:
    """Decorators, `class` line and docstring line; the members follow as definitions of their own."""
    body = node.child_by_field_name("body")
    doc = docstring_line(data, body, pad + indent) if body is not None else ""
    return f"{_decorators(data, node, outer, pad)}{pad}{_header(data, node)}\n{doc}"


def function_signature(
    data: bytes, node: Node, outer: Node, pad: str, indent: str, attributes: set[str] | None
) -> str:
    """Decorators, `def` line, docstring line, first `self.x =` lines, `...`.

    `attributes` are the names that earlier methods of the class have set; this method's are added. Private
    ones are left out: they double the length, and code in other files seldom needs them.
    """
    body = node.child_by_field_name("body")
    doc = docstring_line(data, body, pad + indent) if body is not None else ""
    lines = _attribute_lines(data, body, attributes) if body is not None and attributes is not None else []
    head = f"{_decorators(data, node, outer, pad)}{pad}{_header(data, node)}"
    if not doc and not lines:
        return f"{head} ...\n"
    inner = "".join(f"{pad}{indent}{line}\n" for line in [*lines, "..."])
    return f"{head}\n{doc}{inner}"


def variable_signature(data: bytes, statement: Node, pad: str) -> str:
    """The assignment, its value cut to `...` where it is long."""
    text = _source(data, statement)
    if text.count("\n") < MAX_VARIABLE_LINES and len(text) <= MAX_LINE * 2:
        return _reindent(text, statement.start_point.column, pad)
    node = statement.named_children[0]
    value = node.child_by_field_name("right")
    if node.type != "assignment" or value is None:
        return (
            f"{pad}{' '.join(text.split())[:MAX_LINE]}\n" if node.type != "assignment" else f"{pad}{text}\n"
        )
    left = data[node.start_byte : value.start_byte].decode("utf-8", errors="replace")
    called = value.child_by_field_name("function") if value.type == "call" else None
    rest = (
        f"{_source(data, called)}(...)" if called is not None and "\n" not in _source(data, called) else "..."
    )
    return _reindent(f"{left}{rest}", statement.start_point.column, pad)


def docstring_line(data: bytes, block: Node, pad: str) -> str:
    """The first line of a block's docstring as a one-line string statement, or empty."""
    first = next((child for child in block.named_children if child.type != "comment"), None)
    if first is None or first.type != "expression_statement" or not first.named_children:
        return ""
    string = first.named_children[0]
    if string.type != "string" or any(child.type == "interpolation" for child in string.named_children):
        return ""
    content = re.sub(r"""^[a-zA-Z]*('''|\"""|'|")|('''|\"""|'|")$""", "", _source(data, string))
    line = next((line.strip() for line in content.splitlines() if line.strip()), "")
    line = line.replace('"""', "'''")[:MAX_DOCSTRING].rstrip('\\" ')
    return f'{pad}{"r" if chr(92) in line else ""}"""{line}"""\n' if line else ""


def _attribute_lines(data: bytes, body: Node, seen: set[str]) -> list[str]:
    first = next((child for child in body.named_children if child.type != "comment"), None)
    is_doc = first is not None and first.type == "expression_statement" and bool(first.named_children)
    start = body.start_byte
    if first is not None and is_doc and first.named_children[0].type == "string":
        start = first.end_byte
    # the block's own node starts after its first line's blanks; a line start must match all the same
    text = data[start : body.end_byte].decode("utf-8", errors="replace")
    lines = []
    for match in _ATTRIBUTE.finditer(text):
        if match["name"] in seen or match["name"].startswith("_"):
            continue
        seen.add(match["name"])
        left = f"self.{match['name']}{match['type'] or ''} ="
        value = match["value"].partition("  #")[0].strip()
        lines.append(f"{left} {value if _is_complete(value) and len(value) <= MAX_LINE - 20 else '...'}")
    return lines


def _is_complete(value: str) -> bool:
    """Whether an expression ends on its line, as far as brackets, quotes and line joins tell."""
    if not value or value.endswith(("\\", "(", "[", "{", ",")) or '"""' in value or "'''" in value:
        return False
    bare = re.sub(r"\"(\\.|[^\"\\])*\"|'(\\.|[^'\\])*'", "", value)
    if "'" in bare or '"' in bare or "#" in bare:
        return False
    return all(bare.count(left) == bare.count(right) for left, right in ("()", "[]", "{}"))


def _decorators(data: bytes, node: Node, outer: Node, pad: str) -> str:
    if node == outer:
        return ""
    lines = []
    for child in outer.named_children:
        if child.type == "decorator":
            text = _source(data, child)
            is_short = "\n" not in text and len(text) <= MAX_LINE
            lines.append(f"{pad}{text if is_short else text.partition('(')[0].split(chr(10))[0] + '(...)'}\n")
    return "".join(lines)


def _header(data: bytes, node: Node) -> str:
    """From `def` or `class` to its colon; further lines keep their distance to the first."""
    colon = next((child for child in node.children if child.type == ":"), None)
    body = node.child_by_field_name("body")
    end = colon.end_byte if colon is not None else body.start_byte if body is not None else node.end_byte
    text = data[node.start_byte : end].decode("utf-8", errors="replace").rstrip()
    if len(text) > MAX_HEADER and node.type == "function_definition":
        return _short_header(data, node)
    return text if "\n" not in text else _joined(text)


def _short_header(data: bytes, node: Node) -> str:
    """A long `def` line without annotations and long defaults: room for other members."""
    parameters, returns = node.child_by_field_name("parameters"), node.child_by_field_name("return_type")
    name = node.child_by_field_name("name")
    is_async = node.children[0].type == "async"
    names = [_short_parameter(data, child) for child in parameters.named_children] if parameters else []
    shown = ", ".join(parameter for parameter in names if parameter)
    arrow = f" -> {' '.join(_source(data, returns).split())}" if returns is not None else ""
    return f"{'async ' if is_async else ''}def {_source(data, name) if name else '_'}({shown}){arrow}:"


def _short_parameter(data: bytes, node: Node) -> str:
    if node.type == "comment":
        return ""
    if node.type in ("default_parameter", "typed_default_parameter"):
        name, value = node.child_by_field_name("name"), node.child_by_field_name("value")
        default = _source(data, value) if value is not None else "..."
        return f"{_source(data, name) if name else '_'}={default if len(default) <= MAX_DEFAULT else '...'}"
    if node.type == "typed_parameter":
        return _source(data, node.named_children[0])
    return _source(data, node)


def _joined(text: str) -> str:
    """A header over several lines as one, unless a comment or a string over lines stands in between."""
    if "#" in text or '"""' in text or "'''" in text:
        return text
    line = re.sub(r"\s*\\?\n\s*", " ", text)
    return re.sub(r"([(\[{]) ", r"\1", re.sub(r",? ([)\]}])", r"\1", line))


def _reindent(text: str, column: int, pad: str) -> str:
    lines = text.rstrip().split("\n")
    rest = [re.sub(rf"^[ \t]{{0,{column}}}", "", line) for line in lines[1:]]
    return "".join(f"{pad}{line}\n" for line in [lines[0], *rest])


def _source(data: bytes, node: Node) -> str:
    return data[node.start_byte : node.end_byte].decode("utf-8", errors="replace")
