"""Text of a repository, or of a model, into Markdown: it can become neither link nor HTML nor command.

Knows no page. Editors run what a link in trusted Markdown says, so only links made here are links.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator

from lsp_server.markup import HIDDEN

_BACKTICKS = re.compile(r"`+")
_MARKS = re.compile(r"[\\`*_{}\[\]<>|~$&@^]|[.:/](?=\S)|\A[#+=-]|(?<=\A\d)[.)]")
_FENCE = re.compile(
    r"(?P<margin>[ \t]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)*)(?P<fence>`{3,}(?!.*`)|~{3,})[ \t]*(?P<info>\S*)"
)
"""Also behind the sign of a list, which is left out then."""
_INLINE = re.compile(
    r"""(?P<word>(?:\\[.:/@_-]|[^\s\\`*<>\[\]()"',|;!{}$&])+)
    |(?P<escaped>\\[!-/:-@\[-`{-~])
    |(?P<ticks>`+)
    |(?P<sign>[\\<\[\]&$|])""",
    re.VERBOSE,
)
_LINK_LIKE = re.compile(r"//|@|:[^\s\d]|\.[^\W\d]\w|\A__\w+__\Z")
"""A word that a reader of Markdown may make a link of by itself, or bold; most are names of code or files."""
_ENDS = re.compile(r"[._:?~-]*\Z")


def code(text: str) -> str:
    """One line, as code."""
    line = " ".join(shown(text).split()) or " "
    fence = "`" * (max([0, *map(len, _BACKTICKS.findall(line))]) + 1)
    pad = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{fence}{pad}{line}{pad}{fence}"


def block(text: str, language_id: str) -> str:
    """Lines, as code in a fence that is longer than any inside."""
    text = shown(text.replace("\r\n", "\n").strip("\n"))
    fence = "`" * (max([2, *map(len, _BACKTICKS.findall(text))]) + 1)
    language = "".join(char for char in language_id if char.isalnum())
    return f"{fence}{language}\n{text}\n{fence}"


def prose(text: str) -> str:
    """One line of plain words: every character that could mean something there is escaped."""
    return _MARKS.sub(r"\\\g<0>", " ".join(shown(text).split()))


def link(text: str, uri: str, line: int | None = None) -> str:
    """A link to a file, whose URI is quoted by `Path.as_uri`; lines count from zero."""
    place = "" if line is None else f"#L{line + 1}"
    return f"[{code(text)}]({uri.replace('(', '%28').replace(')', '%29')}{place})"


def shown(text: str) -> str:
    """With nothing in it that a reader could not see; line ends stay."""
    return HIDDEN.sub(lambda found: f"⟨U+{ord(found[0]):04X}⟩", text)


def model_markdown(text: str) -> str:
    """A model's Markdown, perhaps not yet whole: headings, lists, emphasis and code stay; nothing in it is a
    link, an image or HTML for any reader. What looks like an address stands as code, tables as text.
    """
    lines = deque(shown(text.replace("\r\n", "\n")).split("\n"))
    return "\n".join(_blocks(lines)).strip("\n")


def _blocks(lines: deque[str]) -> Iterator[str]:
    while lines:
        fence = _FENCE.match(lines[0])
        if fence is not None:
            lines.popleft()
            # At the left margin it ends whatever list it was in: nothing of it can be read as text.
            yield block("\n".join(_fenced(lines, fence)), fence["info"])
        elif lines[0].lstrip().startswith("|"):
            # Readers split a table's row before they look for code in it.
            yield block("\n".join(_rows(lines)), "")
        else:
            yield _inline(lines.popleft())


def _fenced(lines: deque[str], fence: re.Match[str]) -> Iterator[str]:
    """The lines up to the fence's end, which may still have to come."""
    mark, width = fence["fence"], len(fence["margin"])
    while lines:
        line = lines.popleft()
        end = line.strip()
        if end.startswith(mark) and not end.strip(mark[0]):
            return
        yield line[min(width, len(line) - len(line.lstrip())) :]


def _rows(lines: deque[str]) -> Iterator[str]:
    while lines and lines[0].lstrip().startswith("|"):
        yield lines.popleft().strip()


def _inline(line: str) -> str:
    out: list[str] = []
    at = 0
    while at < len(line):
        found = _INLINE.match(line, at)
        if found is None:
            out.append(line[at])
            at += 1
        elif found["ticks"] and (end := _closing(line, found)) >= 0:
            _add_code(out, line[found.end() : end])
            at = end + len(found["ticks"])
        else:
            _add(out, found)
            at = found.end()
    return "".join(out)


def _closing(line: str, ticks: re.Match[str]) -> int:
    """Where the code ends that backticks open; -1 if not in this line."""
    size = len(ticks["ticks"])
    ends = (each.start() for each in _BACKTICKS.finditer(line, ticks.end()) if len(each[0]) == size)
    return next(ends, -1)


def _add(out: list[str], found: re.Match[str]) -> None:
    if found["word"]:
        plain = re.sub(r"\\(?=[.:/@_-])", "", found["word"])
        name = plain if plain.endswith("__") else plain[: _ENDS.search(plain).start()]  # type: ignore[union-attr]
        if _LINK_LIKE.search(name):
            _add_code(out, name)
            out.append(plain[len(name) :])
        else:
            out.append(found["word"])
    elif found["escaped"]:
        out.append(found["escaped"])
    else:
        out.append("".join(f"\\{char}" for char in found[0]))


def _add_code(out: list[str], text: str) -> None:
    """Apart from code before it: backticks that touch are one mark."""
    if out and out[-1].endswith("`"):
        out.append(" ")
    out.append(code(text))
