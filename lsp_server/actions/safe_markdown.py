"""Text of a repository, or of a model, into Markdown: it can become neither link nor HTML nor command.

Knows no page. Editors run what a link in trusted Markdown says, so only links made here are links.
"""

from __future__ import annotations

import re

from lsp_server.markup import HIDDEN

_BACKTICKS = re.compile(r"`+")
_MARKS = re.compile(r"[\\`*_{}\[\]<>|~$&@^]|[.:/](?=\S)|\A[#+=-]|(?<=\A\d)[.)]")


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
