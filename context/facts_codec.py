"""FileFacts <-> bytes, for pipes and the store. Knows neither; what it cannot read raises FactsError.

Only the fields of FileFacts are written, never what it caches, in the order in which it declares them: a new
field is carried with no change here.
"""

from __future__ import annotations

import hashlib
from dataclasses import fields
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_type_hints

from context.languages import LANGUAGES
from context.symbols import FileFacts

if TYPE_CHECKING:
    import msgspec

_SOURCES = (
    "extract",
    "queries",
    "facts_codec.py",
    "identifiers.py",
    "languages.py",
    "source.py",
    "symbols.py",
)
"""What decides a file's facts, beside the grammars."""


class FactsError(Exception):
    """The bytes are no facts of this version: damaged, or written by other code."""


def encode(facts: FileFacts | None) -> bytes:
    """The fields as msgpack; None stands for a file that has no facts."""
    import msgspec

    row = tuple(getattr(facts, field.name) for field in fields(FileFacts)) if facts is not None else None
    return msgspec.msgpack.encode(row)


def decode(data: bytes) -> FileFacts | None:
    """What was encoded; raises FactsError."""
    import msgspec

    try:
        row = _decoder().decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise FactsError(str(error)) from error
    return FileFacts(*row) if row is not None else None


@cache
def _decoder() -> msgspec.msgpack.Decoder[Any]:
    import msgspec

    hints = get_type_hints(FileFacts)
    types = tuple(hints[field.name] for field in fields(FileFacts))
    return msgspec.msgpack.Decoder(tuple.__class_getitem__(types) | None)


@cache
def facts_version() -> bytes:
    """Changes when the same text could give other facts: by our code, our queries or a grammar."""
    digest = hashlib.blake2b(digest_size=8)
    room = Path(__file__).parent
    for name in _SOURCES:
        for file in sorted([room / name, *(room / name).rglob("*")]):
            if file.suffix in (".py", ".scm"):
                digest.update(f"{file.relative_to(room).as_posix()}\n".encode())
                digest.update(file.read_bytes())
    for module in sorted({"tree_sitter", *(row.grammar.module for row in LANGUAGES if row.grammar)}):
        digest.update(f"{module} {_installed(module)}\n".encode())
    return digest.digest()


def _installed(module: str) -> str:
    try:
        return version(module.replace("_", "-"))
    except PackageNotFoundError:
        return ""  # then none of its files have facts
