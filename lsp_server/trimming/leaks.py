"""What a model says of its own prompt: marks as text, the header of a next file. Cut before it.

Knows the shapes of marks and headers, not which model spoke.
"""

from __future__ import annotations

import re

from context.languages import language_of
from lsp_server.hole import Hole
from lsp_server.trimming.lexemes import language_at

_MARK = re.compile(
    r"<[|｜]\w[\w▁ ]*[|｜]>"  # DeepSeek, Qwen, GPT: <｜fim▁hole｜>, <|EOT|>, <|fim_middle|>
    r"|</?(?:fim|file|repo|jupyter)_\w+>"  # StarCoder: <fim_middle>, <file_sep>, <repo_name>
    r"|<EOT>"
)
_LEADERS = ("#", "//", "--", ";", '"', "(*", "+++++")


def cut_marks(text: str, hole: Hole, path: str) -> str:
    """Cut before a mark, unless the document itself speaks of it."""
    for mark in _MARK.finditer(text):
        if mark[0] not in hole.text:
            return text[: mark.start()]
    return text


def cut_header(text: str, hole: Hole, path: str) -> str:
    """Cut before a line that only names a file, as prompts do before each file: `# pkg/mod.py`."""
    lines = text.split("\n")
    for index, line in enumerate(lines):
        if (index > 0 or not hole.line_prefix) and _is_header(line, path):
            return "\n".join(lines[:index])
    return text


def _is_header(line: str, path: str) -> bool:
    for leader in {*_LEADERS, language_at(path).comment}:
        if line.startswith(leader):
            named = line[len(leader) :].removeprefix(" ").rstrip()
            return _is_path(named) or (bool(path) and named == path)
    return False


def _is_path(named: str) -> bool:
    """A relative path of source code; a bare file name may be prose."""
    return "/" in named and not re.search(r"\s|://", named) and language_of(named) is not None
