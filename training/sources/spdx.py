"""Which SPDX expressions allow what a corpus needs. Knows no package and reads no file."""

from __future__ import annotations

from functools import cache

import license_expression as le  # type: ignore[import-untyped]

_PERMISSIVE = """
0BSD Apache-1.1 Apache-2.0 blessing BSD-1-Clause BSD-2-Clause BSD-2-Clause-FreeBSD BSD-2-Clause-Patent
BSD-2-Clause-Views BSD-3-Clause BSL-1.0 bzip2-1.0.6 CC0-1.0 CNRI-Python curl HPND HPND-sell-variant ICU IJG
ISC Libpng libtiff MIT MIT-0 MIT-CMU NCSA NTP PostgreSQL PSF-2.0 Python-2.0 Python-2.0.1 TCL Unicode-3.0
Unicode-DFS-2016 Unlicense UPL-1.0 W3C X11 Zlib ZPL-2.1
"""
PERMISSIVE = frozenset(_PERMISSIVE.split())
"""Licences that ask for no more than a notice."""
_licensing = cache(le.get_spdx_licensing)


@cache
def parsed(text: str) -> le.LicenseExpression | None:
    """The expression, or None where `text` is none."""
    try:
        return _licensing().parse(text, validate=True, strict=True)
    except le.ExpressionError:
        return None


def rendered(text: str) -> str | None:
    """The expression in its usual spelling, or None where `text` is none."""
    expression = parsed(text)
    return None if expression is None else expression.render()


def keys(text: str) -> frozenset[str]:
    """The single licences that an expression names, whichever way."""
    expression = parsed(text)
    return frozenset() if expression is None else frozenset(_licensing().license_keys(expression))


def is_permissive(text: str) -> bool:
    """Whether one side of every `OR` and both sides of every `AND` are on the list."""
    expression = parsed(text)
    return expression is not None and _allows(expression)


def is_same(one: str, other: str) -> bool:
    """Whether two expressions say the same, whatever the order of their sides."""
    left, right = parsed(one), parsed(other)
    return left is not None and right is not None and bool(left.simplify() == right.simplify())


def _allows(expression: le.LicenseExpression) -> bool:
    if isinstance(expression, le.LicenseWithExceptionSymbol):
        return expression.license_symbol.key in PERMISSIVE  # an exception only allows more
    if not expression.args:
        return expression.key in PERMISSIVE
    answers = [_allows(each) for each in expression.args]
    return any(answers) if isinstance(expression, _licensing().OR) else all(answers)
