"""Which files are not worth learning from, by their text alone: a function per rule. Knows no other file.

The figures are those of StarCoder (Li et al. 2023, section 3: average line above 100 characters, longest
above 1,000, alphanumeric share below 0.25) and DeepSeek-Coder (Guo et al. 2024, section 2, which takes them
over).
"""

from __future__ import annotations

import re
from collections.abc import Callable

from training.corpus.repository import SourceFile

Rule = Callable[[SourceFile], str | None]
"""Gives the reason to drop a file, or None."""

MAX_CHARS = 200_000
"""Hand-written files stay far below; the papers' sets end at 1 MB."""
MIN_WORD_CHARS = 40
"""Letters and digits: less is an empty `__init__`, from which nothing is learned."""
MAX_MEAN_LINE = 100
MAX_LINE = 1000
MIN_ALPHANUMERIC = 0.25
MIN_WHITESPACE = 0.06
"""Packed scripts in short lines have 0.02 to 0.05; of source files, one in 1,000 is below 0.09."""
MIN_PACKED_CHARS = 2_000
MAX_LITERAL = 0.65
"""The share of a file that stands in numbers and one-line strings. Tables and test vectors are above."""
MIN_DATA_CHARS = 4_000
MAX_ENCODED_CHARS = 1_024
"""Characters of base64, hexadecimal or escapes in long runs, as in StarCoder2's filter of encoded data."""
HEAD_LINES = 12
"""Where a generator says that it was here."""

_MARKER = re.compile(
    r"(?i)@generated\b|\b(?:auto[- ]?(?:matically[- ])?|machine[- ])generated\b"
    r"|\b(?:file|module|source|code)(?: is| was| has been)? generated\b"
    r"|^\W*generated (?:by|from|using|with)\b|\b(?:do not|don't) (?:hand[- ]?)?(?:edit|modify|change)\b"
)
_COMPILED_SCRIPT = re.compile(
    r"Object\.defineProperty\(exports, ['\"]__esModule['\"]|__webpack_require__|^//# sourceMappingURL=|"
    r"^var __(?:awaiter|extends|assign|create|defProp|importDefault|rest|decorate|generator)\b",
    re.MULTILINE,
)
_GENERATED_NAME = re.compile(
    r"(?:_pb2(?:_grpc)?\.pyi?|\.pb\.(?:go|cc|h)|_pb\.(?:js|d\.ts)|[._-]bundle\.js|\.designer\.\w+|parsetab\.py"
    r"|\.umd\.\w+|zz_generated[\w.]*\.go|_generated\.\w+)$"
)
_MINIFIED_NAME = re.compile(r"[.-]min\.[cm]?js$")
_VENDORED = re.compile(
    r"(?i)(?:^|/)(?:_?vendor(?:ed)?|(?:third|3rd)[_-]?party|_?extern|externals?|node_modules|bower_components"
    r"|site-packages)/"
)
_COMMENT_START = ("#", "//", "/*", "*", '"""', "'''", "<!--", "--", ";")
_ALPHANUMERIC = re.compile(r"[^\W_]+")
_SINGLE_QUOTED = ("python", "javascript", "typescript")
"""Languages that write strings so; in Rust it begins a lifetime."""
_NUMBER = r"(?<![\w.])[-+]?(?:0[xX][0-9a-fA-F]+|\d[\d_.]*(?:[eE][-+]?\d+)?)\w*[\s,;]*"
_DOUBLE = r'"(?:\\.|[^"\\\n])*"'
_LITERAL = re.compile(f"{_DOUBLE}|{_NUMBER}")
_LITERAL_OR_SINGLE = re.compile(rf"{_DOUBLE}|'(?:\\.|[^'\\\n])*'|{_NUMBER}")
_ENCODED = re.compile(
    r"[A-Za-z0-9+/]{64,}={0,2}|(?:\\x[0-9a-fA-F]{2}){16,}|(?:\\u[0-9a-fA-F]{4}){8,}|(?:0[xX][0-9a-fA-F]{1,16}\s*,\s*){16,}"
)


def is_vendored(file: SourceFile) -> str | None:
    """Another project's file, in a folder for such. Its licence is not known here.

    Some copies are rewritten beyond recognition, names and all, to be smaller.
    """
    return "vendored" if _VENDORED.search(file.path) else None


def is_too_large(file: SourceFile) -> str | None:
    """More characters than people write into one file."""
    return "too large" if len(file.text) > MAX_CHARS else None


def has_long_lines(file: SourceFile) -> str | None:
    """Lines that nobody wrote by hand."""
    lines = file.text.splitlines() or [""]
    if max(map(len, lines)) > MAX_LINE or sum(map(len, lines)) / len(lines) > MAX_MEAN_LINE:
        return "long lines"
    return None


def is_mostly_signs(file: SourceFile) -> str | None:
    """Few letters and digits: drawings, tables."""
    count = sum(map(len, _ALPHANUMERIC.findall(file.text)))
    return "few letters" if count < MIN_ALPHANUMERIC * len(file.text.strip()) else None


def is_generated(file: SourceFile) -> str | None:
    """A generator's name, or its own word in the comments at the top; scripts that a compiler wrote."""
    if _GENERATED_NAME.search(file.path):
        return "generated"
    head = (line.strip() for line in file.text[:4000].splitlines()[:HEAD_LINES])
    if any(_MARKER.search(line) for line in head if line.startswith(_COMMENT_START)):
        return "generated"
    is_script = file.language in ("javascript", "typescript")
    return "generated" if is_script and _COMPILED_SCRIPT.search(file.text) else None


def is_minified(file: SourceFile) -> str | None:
    """Packed to be sent, not to be read."""
    if _MINIFIED_NAME.search(file.path):
        return "minified"
    if len(file.text) < MIN_PACKED_CHARS:
        return None
    num_spaces = len(file.text) - sum(map(len, file.text.split()))
    return "minified" if num_spaces < MIN_WHITESPACE * len(file.text) else None


def is_data(file: SourceFile) -> str | None:
    """A table or a blob with a little code around it."""
    if sum(len(found.group()) for found in _ENCODED.finditer(file.text)) > MAX_ENCODED_CHARS:
        return "data"
    if len(file.text) < MIN_DATA_CHARS:
        return None
    literal = _LITERAL_OR_SINGLE if file.language in _SINGLE_QUOTED else _LITERAL
    in_literals = sum(len(found.group()) for found in literal.finditer(file.text))
    return "data" if in_literals > MAX_LITERAL * len(file.text.strip()) else None


def is_too_small(file: SourceFile) -> str | None:
    """Next to nothing is left once the header is gone."""
    return "too small" if sum(map(len, _ALPHANUMERIC.findall(file.text))) < MIN_WORD_CHARS else None


BEFORE_CUTS: tuple[Rule, ...] = (
    is_vendored,
    is_too_large,
    has_long_lines,
    is_mostly_signs,
    is_generated,
    is_minified,
    is_data,
)
"""Asked of a file as it came: a generator's word stands in the header that is cut next."""


def first_reason(file: SourceFile, rules: tuple[Rule, ...]) -> str | None:
    """Why a file is dropped: the first rule that says so is the one that is reported."""
    return next((reason for rule in rules if (reason := rule(file)) is not None), None)
