"""Whether a fix made the program that the original is, however it is written. Pure."""

from __future__ import annotations

import ast

from benchmarks.fix_quality.faults import Fault, Kind


def is_right(fault: Fault, result: str) -> bool:
    """The same tree as the original's, wherever imports stand; a variable that was renamed may have either
    name, at its definition and its one use.
    """
    try:
        imported, rest = parts(fault.path, result)
        wanted, original = parts(fault.path, fault.original)
    except (SyntaxError, ValueError):
        return False
    if fault.kind is Kind.VARIABLE:
        renamed = [
            node for node in ast.walk(rest) if isinstance(node, ast.Name) and node.id == fault.slip.new
        ]
        if len(renamed) == 1:
            return False
        for node in renamed:
            node.id = fault.slip.old
    return imported == wanted and ast.dump(rest) == ast.dump(original)


def parts(path: str, text: str) -> tuple[set[str], ast.Module]:
    """What is imported at the top level, from absolute modules, and the rest; raises SyntaxError."""
    imported: set[str] = set()
    rest: list[ast.stmt] = []
    for node in ast.parse(text).body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            module = _absolute(path, node) if isinstance(node, ast.ImportFrom) else ""
            imported |= {f"{module}:{alias.name}:{alias.asname or alias.name}" for alias in node.names}
        else:
            rest.append(node)
    return imported, ast.Module(rest, [])


def _absolute(path: str, node: ast.ImportFrom) -> str:
    around = path.split("/")[: -node.level] if node.level else []
    return ".".join([*around, *([node.module] if node.module else [])])
