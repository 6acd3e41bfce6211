"""Where one more import goes in a Python file, and how it is written there: among its like, in their order.

Pure. Knows the file's import statements, not what they import.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from context.providers import Provider
from context.symbols import FileFacts, Import, Scope
from lsp_server.actions.edit import Edit
from lsp_server.actions.rules.import_names import Key, by_type, place_in_order, with_name

MAX_LINE = 88
"""A line of names that were longer is broken up, where no other import is as long."""
_HEAD = re.compile(r"from\s+[.\w]+\s+import\s*")
_DECLARES = re.compile(r"(?m)^(?:async\s+def|def|class|@)\b")
_FUTURE = "from __future__ import"
FUTURE, STANDARD, OTHER, OWN, RELATIVE = range(5)
"""Sections in their usual order."""


@dataclass(frozen=True, slots=True)
class _Statement:
    """An import at the left margin."""

    first: int
    """Its lines, from zero."""
    last: int
    module: str
    """With leading dots."""
    is_from: bool
    names: tuple[str, ...] = ()


def import_edit(text: str, facts: FileFacts, own: str, provider: Provider) -> Edit | None:
    """The change that adds an import to a file of the package `own`; None where it has that already."""
    lines = text.split("\n")
    statements = _statements(text, lines, facts)
    if any(_has(statement, provider) for statement in statements):
        return None
    if provider.name and not _is_one_to_a_line(statements):
        for statement in statements:
            if statement.is_from and statement.module == provider.module:
                edit = _among_names(text, lines, statement, provider)
                if edit is not None:
                    return edit
    line = _written(provider)
    at, before, after = _place(lines, statements, facts, own, provider)
    offset = sum(len(each) + 1 for each in lines[:at])
    if offset > len(text):
        return Edit(len(text), len(text), f"\n{before}{line}")
    return Edit(offset, offset, f"{before}{line}\n{after}")


def _has(statement: _Statement, provider: Provider) -> bool:
    names = statement.names if provider.name else ("",)
    return statement.module == provider.module and provider.name in names and not provider.is_aliased


def _written(provider: Provider) -> str:
    alias = f" as {provider.bound}" if provider.is_aliased else ""
    if provider.name:
        return f"from {provider.module} import {provider.name}{alias}"
    return f"import {provider.module}{alias}"


def _statements(text: str, lines: Sequence[str], facts: FileFacts) -> list[_Statement]:
    """Those of the file's head, in order."""
    found = _DECLARES.search(text)
    end = text.count("\n", 0, found.start()) if found else len(lines)
    rows: dict[int, _Statement] = {}
    for each in facts.imports:
        line = lines[each.first_line] if each.first_line < len(lines) else ""
        if each.scope is Scope.MODULE and line.startswith(("import", "from")) and each.first_line < end:
            rows.setdefault(each.first_line, _statement(each, is_from=line.startswith("from")))
    for first, line in enumerate(lines[:end]):
        if line.startswith(_FUTURE):
            last = first
            while "(" in line and last + 1 < end and ")" not in lines[last]:
                last += 1
            rows.setdefault(first, _Statement(first, last, "__future__", True))
    return [rows[first] for first in sorted(rows)]


def _statement(each: Import, *, is_from: bool) -> _Statement:
    names = tuple(name for name, _ in each.names)
    return _Statement(each.first_line, each.last_line, "." * each.level + each.module, is_from, names)


def _is_one_to_a_line(statements: Sequence[_Statement]) -> bool:
    """Whether a name that is imported has its own statement, though another one names its module."""
    modules = [each.module for each in statements if each.is_from]
    return len(modules) > len(set(modules)) and all(len(each.names) <= 1 for each in statements)


def _among_names(text: str, lines: Sequence[str], statement: _Statement, provider: Provider) -> Edit | None:
    """One name more in a statement that imports others of the module; None of a star."""
    start = sum(len(each) + 1 for each in lines[: statement.first])
    source = "\n".join(lines[statement.first : statement.last + 1])
    head = _HEAD.match(source)
    if head is None or source[head.end() :].lstrip("( ").startswith("*"):
        return None
    written = f"{provider.name} as {provider.bound}" if provider.is_aliased else provider.name
    edit = with_name(text, start + head.end(), start + len(source), provider.name, written)
    widest = max([MAX_LINE, *(len(line) for line in lines)])
    if edit is None or "\n" in source or "#" in source or len(source) + len(edit.text) <= widest:
        return edit
    names = [each.strip() for each in source[head.end() :].strip("() ").split(",") if each.strip()]
    names.insert(place_in_order(names, written), written)
    rows = "".join(f"    {name},\n" for name in names)
    return Edit(start, start + len(source), f"{head[0].rstrip()} (\n{rows})")


def _place(
    lines: Sequence[str], statements: Sequence[_Statement], facts: FileFacts, own: str, provider: Provider
) -> tuple[int, str, str]:
    """The line before which it goes, and the blank lines that it needs before and after it."""
    section = _section(provider.module, own)
    blocks = _blocks(lines, statements)
    if not blocks:
        return _top(lines, facts)
    fitting = [block for block in blocks if _fits(block, section, provider.module, own)]
    fitting = fitting or [
        block for block in blocks if section in [_section(each.module, own) for each in block]
    ]
    if fitting:
        block = fitting[-1] if section is RELATIVE else fitting[0]
        at = _in_order(block, provider)
        return (block[at].first if at < len(block) else block[-1].last + 1), "", ""
    for block in blocks:
        if min(_section(each.module, own) for each in block) > section:
            return block[0].first, "", "\n"
    at = blocks[-1][-1].last + 1
    below = next((row for row in range(at, len(lines)) if lines[row].strip()), len(lines))
    is_roomy = below - at > (2 if _DECLARES.match(lines[below] if below < len(lines) else "") else 1)
    return (at + 1, "", "") if is_roomy else (at, "\n", "")


def _section(module: str, own: str) -> int:
    top = module.partition(".")[0]
    if not top:
        return RELATIVE
    if top == "__future__":
        return FUTURE
    return STANDARD if top in sys.stdlib_module_names else OWN if top == own else OTHER


def _blocks(lines: Sequence[str], statements: Sequence[_Statement]) -> list[list[_Statement]]:
    """Statements with nothing but each other between them."""
    blocks: list[list[_Statement]] = []
    for each in statements:
        if blocks and not any(_is_apart(line) for line in lines[blocks[-1][-1].last + 1 : each.first]):
            blocks[-1].append(each)
        else:
            blocks.append([each])
    return blocks


def _is_apart(line: str) -> bool:
    return not line.lstrip().startswith("#")


def _fits(block: Sequence[_Statement], section: int, module: str, own: str) -> bool:
    sections = [_section(each.module, own) for each in block]
    if section in (OTHER, OWN) and any(_top_of(each.module) == _top_of(module) for each in block):
        return True
    return sections.count(section) * 2 >= len(sections)


def _top_of(module: str) -> str:
    return module.partition(".")[0]


def _in_order(block: Sequence[_Statement], provider: Provider) -> int:
    """Before which statement of its block it goes."""
    rows = [f"{int(each.is_from)}{each.module} {','.join(each.names)}" for each in block]
    return place_in_order(rows, f"{int(bool(provider.name))}{provider.module} {provider.name}", _ORDERS)


def _plain_first(row: str) -> tuple[object, ...]:
    return row[0], *_by_module(row)


def _by_module(row: str) -> tuple[object, ...]:
    module, _, names = row[1:].partition(" ")
    level = len(module) - len(module.lstrip("."))
    return -level, module.casefold(), row[0], *by_type(names)


_ORDERS: tuple[Key, ...] = (_plain_first, _by_module)


def _top(lines: Sequence[str], facts: FileFacts) -> tuple[int, str, str]:
    """Where a file without imports begins: behind what describes it."""
    at = 0
    while at < len(lines) and (not lines[at].strip() or lines[at].startswith("#")):
        at += 1
    if facts.docstring and at < len(lines):
        quotes = '"""' if '"""' in lines[at] else "'''" if "'''" in lines[at] else ""
        if quotes and lines[at].count(quotes) < 2:
            at += 1
            while at < len(lines) and quotes not in lines[at]:
                at += 1
        is_apart = at + 1 < len(lines) and not lines[at + 1].strip()
        if is_apart:
            return at + 2, "", "" if at + 2 < len(lines) and not lines[at + 2].strip() else "\n"
        return at + 1, "\n", ""
    return at, "", "\n"
