"""Checks of the benchmark itself, run before every measurement: a broken instrument stops the run.

Every fault can be taken back, is what its kind says, and is scored right: the original is a fix, the fault
itself is none.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

from benchmarks.fix_quality.checks import Checks, Score, parses
from benchmarks.fix_quality.faults import SYNTAX, Fault, Kind
from benchmarks.fix_quality.meaning import parts

MISSING = {Kind.COLON: ":", Kind.BRACKET: "()[]{}", Kind.QUOTE: "'\""}
FIELDS: dict[Kind, tuple[type[ast.AST], str]] = {
    Kind.NAME: (ast.Name, "id"),
    Kind.VARIABLE: (ast.Name, "id"),
    Kind.ATTRIBUTE: (ast.Attribute, "attr"),
    Kind.ARGUMENT: (ast.keyword, "arg"),
}
"""The one place in the tree where such a fault differs from its original."""


class SelfCheckError(Exception):
    """The benchmark would not measure what it says."""


def check_fault(fault: Fault) -> None:
    """One small fault of its kind, which can be taken back; raises SelfCheckError."""
    where = f"{fault.package} {fault.path} at {fault.slip.start}: {fault.kind}"
    if fault.planted == fault.original or fault.slip.undone(fault.planted) != fault.original:
        raise SelfCheckError(f"{where} cannot be taken back")
    if not parses(fault.original) or parses(fault.planted) == (fault.kind in SYNTAX):
        raise SelfCheckError(f"{where} is no fault, or another one")
    if not (_is_slip_of_syntax(fault) if fault.kind in SYNTAX else _is_slip_of_names(fault)):
        raise SelfCheckError(f"{where} is {fault.slip.old!r} as {fault.slip.new!r}")
    if not fault.diagnostics or not list(fault.told()) or fault.diagnostics[0].path != fault.path:
        raise SelfCheckError(f"{where} is reported by nobody")


def check_score(fault: Fault, checks: Checks) -> None:
    """The original is a whole fix, the fault itself and nothing are none; raises SelfCheckError."""
    where = f"{fault.package} {fault.path}: {fault.kind}"
    if checks.score(fault, fault.original) != Score(True, True, True, True, True):
        raise SelfCheckError(f"{where}: the original is scored wrong")
    same = checks.score(fault, fault.planted)
    if same.is_gone or same.is_right or same.is_identical or checks.score(fault, None) != Score(False):
        raise SelfCheckError(f"{where}: the fault is scored right")


def _is_slip_of_syntax(fault: Fault) -> bool:
    slip = fault.slip
    if fault.kind is Kind.INDENTATION:
        is_at_line_start = slip.start == 0 or fault.original[slip.start - 1] == "\n"
        return is_at_line_start and not f"{slip.old}{slip.new}".strip(" ")
    return len(slip.old) == 1 and slip.old in MISSING[fault.kind] and not slip.new


def _is_slip_of_names(fault: Fault) -> bool:
    (imported, old), (now, new) = (parts(fault.path, text) for text in (fault.original, fault.planted))
    found = list(_differences(old, new))
    if fault.kind is Kind.IMPORT:
        return len(imported - now) == 1 and now < imported and not found
    if fault.kind is Kind.ORDER:
        return len(found) == 1 and _is_swapped(*found[0][2:])
    node, name = FIELDS[fault.kind]
    is_there = len(found) == 1 and isinstance(found[0][0], node) and found[0][1] == name
    return is_there and found[0][2:] == (fault.slip.old, fault.slip.new)


def _differences(old: ast.AST, new: ast.AST) -> Iterator[tuple[ast.AST, str, Any, Any]]:
    """The deepest fields in which two trees differ; of a call's arguments the whole list."""
    for name, value in ast.iter_fields(old):
        other = getattr(new, name, None)
        if _dump(value) == _dump(other):
            continue
        if isinstance(old, ast.Call) and name == "args" and _is_swapped(value, other):
            yield old, name, value, other
        elif isinstance(value, ast.AST) and isinstance(other, ast.AST) and type(value) is type(other):
            yield from _differences(value, other)
        elif isinstance(value, list) and isinstance(other, list) and len(value) == len(other):
            for left, right in zip(value, other, strict=True):
                if isinstance(left, ast.AST) and isinstance(right, ast.AST) and type(left) is type(right):
                    yield from _differences(left, right) if _dump(left) != _dump(right) else ()
                elif _dump(left) != _dump(right):
                    yield old, name, left, right
        else:
            yield old, name, value, other


def _is_swapped(old: Any, new: Any) -> bool:
    if not isinstance(old, list) or not isinstance(new, list) or len(old) != len(new):
        return False
    left, right = [_dump(each) for each in old], [_dump(each) for each in new]
    return sum(a != b for a, b in zip(left, right, strict=True)) == 2 and sorted(left) == sorted(right)


def _dump(value: Any) -> str:
    if isinstance(value, list):
        return "".join(map(_dump, value))
    return ast.dump(value) if isinstance(value, ast.AST) else repr(value)
