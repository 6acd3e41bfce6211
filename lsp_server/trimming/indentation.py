"""The margin of each line fits the file: its tabs or spaces, no step that nothing opened, no odd dedent.

Knows margins and line ends, no grammar. Leaves multi-line strings and files of unknown languages alone.
"""

from __future__ import annotations

import re
from collections import Counter
from itertools import pairwise

from context.languages import language_of
from lsp_server.hole import Hole, margin_of
from lsp_server.trimming.lexemes import Balance, Kind, is_inside_long_string, lex
from lsp_server.trimming.repetition import lines_above

TAB_WIDTH = 4
WINDOW_CHARS = 20_000
"""The file's habit is read from so much text around the cursor."""
CLEAR_MAJORITY = 9
"""So many lines of one kind to one of the other are a habit."""
_MARGIN = re.compile(r"^ +(?=\S)", re.MULTILINE)
_GOES_ON = re.compile(r"[.?:|&+\-*/=<>,)\]}]")
"""What a line may begin with that goes on with the one above."""


def fit_margins(text: str, hole: Hole, path: str) -> str:
    """The text in the file's own indentation, cut before a line that stands at no level open there."""
    if not _is_known(path) or is_inside_long_string(hole.text, hole.offset):
        return text
    lines = text.split("\n")
    first = 1 if hole.line_prefix.strip() else 0
    if any(margin_of(line) for line in lines[first:]):
        lines[first:] = _in_habit(lines[first:], _habit(hole))
    if first == 0:
        lines = _without_excess([_without_lone_blank(lines[0], hole), *lines[1:]], hole, path)
    return "\n".join(lines[: _misfit(lines, hole, path)])


def _is_known(path: str) -> bool:
    """Prose and data have rules of their own; no path is a new file, or none was told."""
    return not path or language_of(path) is not None


def _habit(hole: Hole) -> str:
    """What one level of indentation is made of around the cursor; empty if that is not clear."""
    text = hole.text[max(0, hole.offset - WINDOW_CHARS) : hole.offset + WINDOW_CHARS]
    num_tabs, num_spaces = text.count("\n\t"), text.count("\n  ")
    if num_tabs > CLEAR_MAJORITY * num_spaces:
        return "\t"
    return " " * _step(text) if num_spaces > CLEAR_MAJORITY * num_tabs else ""


def _step(text: str) -> int:
    """Columns from one level to the next in a text that is indented with spaces."""
    widths = [0, *(len(margin) for margin in _MARGIN.findall(text))]
    steps = Counter(new - old for old, new in pairwise(widths) if new - old > 1)
    return steps.most_common(1)[0][0] if steps else TAB_WIDTH


def _in_habit(lines: list[str], unit: str) -> list[str]:
    """Margins of only spaces as tabs, or leading tabs as spaces, whichever the file does."""
    if unit == "\t":
        spaces = [len(margin_of(line)) for line in lines if line.strip() and "\t" not in margin_of(line)]
        width = next((width for width in (4, 2) if not any(size % width for size in spaces)), 0)
        return [_tabbed(line, width) if width else line for line in lines]
    return [_spaced(line, unit) if unit else line for line in lines]


def _tabbed(line: str, width: int) -> str:
    margin = margin_of(line)
    return line if "\t" in margin else "\t" * (len(margin) // width) + line[len(margin) :]


def _spaced(line: str, unit: str) -> str:
    margin = margin_of(line)
    return margin.replace("\t", unit) + line[len(margin) :]


def _without_lone_blank(line: str, hole: Hole) -> str:
    """Tokens begin with the blank before a word; behind a margin it is one too many, in brackets too."""
    is_lone = line[:1] == " " and line[1:2].strip() and not _GOES_ON.match(line[1:])
    return line[1:] if is_lone and hole.line_prefix else line


def _without_excess(lines: list[str], hole: Hole, path: str) -> list[str]:
    """Take away the step to the right of the first line that nothing above it opened."""
    above = lines_above(hole)[-1:]
    if not above or not lines[0].strip() or _GOES_ON.match(lines[0].lstrip()) or not _ends(above[0], path):
        return lines
    start = _width(hole.line_prefix)
    excess = _width(lines[0]) - max(0, _width(above[0]) - start)
    if excess <= 0:
        return lines
    margins = [start + _width(line) if at == 0 else _width(line) for at, line in enumerate(lines)]
    is_all_shifted = all(
        margin >= margins[0] for margin, line in zip(margins, lines, strict=True) if line.strip()
    )
    shifted = len(lines) if is_all_shifted else 1
    return [_shifted(line, excess) for line in lines[:shifted]] + lines[shifted:]


def _ends(line: str, path: str) -> bool:
    """The line ends a statement: it opens no block or bracket and does not go on."""
    code = [lexeme for lexeme in lex(line, path) if lexeme.is_code]
    if not code:
        return False
    goes_on = code[-1].kind in (Kind.OPENER, Kind.OPERATOR) and code[-1].text != ";"
    return not goes_on and not Balance(code).unclosed


def _shifted(line: str, columns: int) -> str:
    """The line with so many columns of its margin less."""
    while columns > 0 and line[:1] in ("\t", " "):
        columns -= _width(line[0])
        line = line[1:]
    return line


def _misfit(lines: list[str], hole: Hole, path: str) -> int:
    """The number of the first line that stands at no level that is open there; all lines if none does."""
    completed = [hole.line_prefix + lines[0], *lines[1:]]
    above = lines_above(hole)
    levels = _levels([*above, completed[0]])
    before = completed[0] if completed[0].strip() else "".join(above[-1:])
    for at, is_free in enumerate(_are_free(completed, path)):
        line = completed[at]
        if at == 0 or not line.strip() or is_free:
            continue
        margin = _width(line)
        if margin < levels[-1]:
            levels = [level for level in levels if level <= margin]
            if levels[-1] < margin and not _GOES_ON.match(line.lstrip()):
                return at
        elif margin > levels[-1]:
            if _needs_opener(path) and _ends(before, path):
                return at
            levels.append(margin)
        before = line
    return len(lines)


def _levels(lines: list[str]) -> list[int]:
    """The margins of the statements around the last of `lines`, outermost first."""
    levels: list[int] = []
    for line in reversed(lines):
        margin = _width(line)
        if line.strip() and (not levels or margin < levels[0]):
            levels.insert(0, margin)
    return levels if levels and levels[0] == 0 else [0, *levels]


def _needs_opener(path: str) -> bool:
    return path.endswith((".py", ".pyi"))


def _are_free(lines: list[str], path: str) -> list[bool]:
    """For each line, whether any margin is right: it begins inside of a string, comment or bracket.

    A closer without an opener says that the cursor's line stands in a bracket from above.
    """
    lexemes = lex("\n".join(lines), path)
    free: list[bool] = []
    start = 0
    for line in lines:
        before = [lexeme for lexeme in lexemes if lexeme.start < start]
        balance = Balance(before)
        is_torn = bool(before) and before[-1].end > start
        free.append(is_torn or bool(balance.unclosed or balance.unopened))
        start += len(line) + 1
    return free


def _width(line: str) -> int:
    """Columns of the leading white space of `line`."""
    margin = margin_of(line)
    return len(margin) + (TAB_WIDTH - 1) * margin.count("\t")
