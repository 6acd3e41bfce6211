"""The oracles: slow, obvious answers from the standard library, with which tests compare the fast ones.

Nothing outside the tests imports this file.
"""

from __future__ import annotations

import ast
import importlib.machinery
from collections.abc import Iterator, Sequence
from pathlib import Path

from context.graph import Edges
from context.symbols import Scope

ImportRow = tuple[str, int, tuple[tuple[str, str], ...], str, Scope]
DefinitionRow = tuple[str, str, int]


def naive_imports(text: str) -> list[ImportRow]:
    """Every import of a text by `ast`, in source order: (module, level, names, alias, scope)."""
    found: list[tuple[int, int, ImportRow]] = []
    for node, scope in _with_scope(ast.parse(text), Scope.MODULE):
        if isinstance(node, ast.Import):
            for position, name in enumerate(node.names):
                row: ImportRow = (name.name, 0, (), name.asname or "", scope)
                found.append((node.lineno, node.col_offset + position, row))
        elif isinstance(node, ast.ImportFrom) and node.module != "__future__":
            names = tuple((name.name, name.asname or name.name) for name in node.names)
            found.append((node.lineno, node.col_offset, (node.module or "", node.level, names, "", scope)))
    return [row for _, _, row in sorted(found, key=lambda item: item[:2])]


def naive_definitions(text: str) -> list[DefinitionRow]:
    """Every class and function outside functions by `ast`, in source order: (name, kind, owner)."""
    found: list[DefinitionRow] = []

    def walk(node: ast.AST, owner: int) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.ClassDef):
                found.append((child.name, "class", owner))
                walk(child, len(found) - 1)
            elif isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
                found.append((child.name, "function", owner))
            elif isinstance(child, ast.stmt | ast.ExceptHandler | ast.match_case):
                walk(child, owner)

    walk(ast.parse(text), -1)
    return found


def naive_find(module: str, roots: Sequence[Path]) -> Path | None:
    """The file of an absolute module name, by CPython's own path finder on the real disk."""
    search = [str(root) for root in roots]
    spec = None
    importlib.machinery.PathFinder.invalidate_caches()
    for part in module.split("."):
        spec = importlib.machinery.PathFinder.find_spec(part, search)
        if spec is None:
            return None
        search = list(spec.submodule_search_locations or ())
    return Path(spec.origin) if spec and spec.origin else None


def naive_order(nodes: Sequence[str], edges: Edges) -> list[str]:
    """DeepSeek-Coder's rule as it is written: again and again the node with the fewest open dependencies."""
    left = sorted(nodes)
    order: list[str] = []
    while left:
        open_edges = {node: len({*edges.get(node, ())} & {*left} - {node}) for node in left}
        nearest = min(left, key=lambda node: (open_edges[node], node))
        left.remove(nearest)
        order.append(nearest)
    return order


def naive_components(nodes: Sequence[str], edges: Edges) -> set[frozenset[str]]:
    """Strongly connected components: nodes that reach each other."""
    reach = {node: _reach(node, edges) & {*nodes} for node in nodes}
    return {
        frozenset(other for other in nodes if other in reach[node] and node in reach[other]) for node in nodes
    }


def _reach(start: str, edges: Edges) -> set[str]:
    found = {start}
    stack = [start]
    while stack:
        for node in edges.get(stack.pop(), ()):
            if node not in found:
                found.add(node)
                stack.append(node)
    return found


def _with_scope(node: ast.AST, scope: Scope) -> Iterator[tuple[ast.AST, Scope]]:
    for name, value in ast.iter_fields(node):
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                inner = _inner_scope(node, name, scope)
                yield child, inner
                yield from _with_scope(child, inner)


def _inner_scope(node: ast.AST, field: str, scope: Scope) -> Scope:
    if scope is Scope.FUNCTION or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
        return Scope.FUNCTION
    is_guard = isinstance(node, ast.If) and field == "body"
    if is_guard and isinstance(node, ast.If) and ast.unparse(node.test).rpartition(".")[2] == "TYPE_CHECKING":
        return Scope.TYPE_CHECKING
    return scope
