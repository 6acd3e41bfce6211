"""Reports for tests of what shows them: small, and every field of them set."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from context.imports_around import ImportNode, ImportsAround
from context.plan import Considered
from lsp_server.context_report import Cached, ContextReport, Row, Section, Share
from lsp_server.folder_shares import folder_shares

IMPORTS = ImportsAround(
    (ImportNode("pkg/main.py", 0), ImportNode("pkg/models.py", 1), ImportNode("pkg/cli.py", -1)),
    (("pkg/cli.py", "pkg/main.py"), ("pkg/main.py", "pkg/models.py")),
)


def row(section: Section, path: str, num_tokens: int, start: int | None, **more: Any) -> Row:
    found = Row(
        section, path, "definition", f"defines {path}", num_tokens, Cached.NO, f"text of {path}\n", start
    )
    return replace(found, **more)


def report(*more_rows: Row, **changes: Any) -> ContextReport:
    """Two segments of 100 and 50 tokens, then the file at the cursor, in 1,000 tokens."""
    rows = (
        row(Section.FROZEN, "pkg/models.py", 100, 2, cached=Cached.YES),
        row(Section.SIMILAR, "pkg/store.py", 50, 102, cached=Cached.PARTLY, kind="similar"),
        *more_rows,
        row(
            Section.PREFIX,
            "pkg/main.py",
            300,
            152,
            kind="prefix",
            reason="this file, from line 1 to the cursor",
        ),
        row(
            Section.SUFFIX,
            "pkg/main.py",
            200,
            453,
            kind="suffix",
            reason="this file, from the cursor to line 9",
        ),
    )
    taken = {Section.FROZEN: 100, Section.SIMILAR: 50, Section.PREFIX: 300, Section.SUFFIX: 200}
    taken |= {Section.MARKS: 4, Section.ANSWER: 128, Section.UNUSED: 218}
    values: dict[str, Any] = {
        "file": "pkg/main.py",
        "root": "/home/me/app",
        "line": 7,
        "column": 5,
        "model": "builtin",
        "device": "cpu",
        "is_engine_running": True,
        "is_complete": True,
        "prompt_tokens": 654,
        "cached_tokens": 120,
        "limit_tokens": 1000,
        "context_limit_tokens": 400,
        "rows": rows,
        "shares": tuple(Share(section, taken.get(section, 0)) for section in Section),
        "folders": folder_shares([("pkg/models.py", 100), ("pkg/store.py", 50)], "pkg/main.py"),
        "considered": (
            Considered("pkg/models.py", "defines Model", 90, True),
            Considered("pkg/unwanted.py", "same folder", 777, False),
        ),
        "imports": IMPORTS,
    }
    return ContextReport(**(values | changes))
