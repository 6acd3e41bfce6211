"""Members that a language's own types have: their names say nothing of a repository's classes. Plain data."""

from __future__ import annotations

_PYTHON = frozenset(
    name
    for kind in (str, bytes, list, dict, set, frozenset, tuple, int, float, object, BaseException, type)
    for name in dir(kind)
) | {"close", "flush", "read", "readline", "readlines", "write", "writelines", "seek", "tell", "fileno"}

_JAVASCRIPT = frozenset(  # as words: a list of them would take 120 lines
    """
    add all allSettled any apply assign at bind call catch charAt charCodeAt clear concat constructor
    copyWithin create debug defineProperties defineProperty delete endsWith entries error every exec
    fill filter finally find findIndex findLast flat flatMap forEach freeze from fromEntries get
    getOwnPropertyNames getPrototypeOf has hasOwn hasOwnProperty includes indexOf info is isArray
    isFinite isFrozen isInteger isNaN isPrototypeOf join keys lastIndexOf length localeCompare log map
    match matchAll max message min name next normalize now of padEnd padStart parse parseFloat parseInt
    pop prototype push race reduce reduceRight reject repeat replace replaceAll resolve reverse round
    search set setPrototypeOf shift size slice some sort splice split stack startsWith stringify
    substring test then toFixed toISOString toJSON toLocaleString toLowerCase toString toUpperCase trim
    trimEnd trimStart unshift value valueOf values warn
    """.split()  # noqa: SIM905
)

BUILTIN_MEMBERS = {"python": _PYTHON, "javascript": _JAVASCRIPT}
"""By family of languages."""
