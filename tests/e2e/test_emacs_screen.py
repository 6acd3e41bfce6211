"""How ghost text looks in a real Emacs in a terminal, and where the cursor is; against a scripted server."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from emacs_driver import PACKAGE, VERSIONS, emacs, emacs_home
from terminal import Terminal

ROOT = Path(__file__).parents[2]
INIT = """
(setq inhibit-startup-screen t make-backup-files nil create-lockfiles nil auto-save-default nil)
(menu-bar-mode -1)
(add-to-list 'load-path "{package}")
(require 'ghostfill)
(setq ghostfill-command '({command}))
(global-ghostfill-mode)
"""
RULES: dict[str, dict[str, Any]] = {
    "a block at the end of the buffer": {
        "text": "",
        "typed": "def f():",
        "item": {"insertText": "\n\treturn 1\n"},
        "rows": ["def f():", "        return 1"],
    },
    "a block before the rest of a line": {
        "text": ")  # end\nlast\n",
        "typed": "call[",
        "item": {"insertText": "\n    1,\n"},
        "rows": ["call[", "    1,", ")  # end", "last"],
    },
    "a bracket that is kept": {
        "text": ")  # end\n",
        "typed": "call[",
        "item": {"insertText": "1) + 2", "range": [5, 6]},
        "rows": ["call[1) + 2  # end"],
    },
    "a word that is replaced": {
        "text": "old # end\n",
        "typed": "x = ",
        "item": {"insertText": "new text", "range": [4, 7]},
        "rows": ["x = new text # end"],
    },
    "tabs and wide characters": {
        "text": "\n",
        "typed": "a漢=",
        "item": {"insertText": "'字'\t# 😋"},
        "rows": ["a漢='字'        # 😋"],
    },
    "a line end before text on the next line": {
        "text": "\nlast\n",
        "typed": "if x:",
        "item": {"insertText": "\n    y()"},
        "rows": ["if x:", "    y()", "last"],
    },
}


@pytest.fixture(params=VERSIONS)
def start(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    """Starts Emacs on a text and a server that offers one item behind what is typed."""
    program = emacs(request.param)
    terminals: list[Terminal] = []

    def run(rule: dict[str, Any]) -> Terminal:
        item = dict(rule["item"])
        if "range" in item:
            first, last = item["range"]
            item["range"] = {"start": {"line": 0, "character": first}, "end": {"line": 0, "character": last}}
        script = {"rules": [{"before": rule["typed"], "items": [item]}]}
        (tmp_path / "script.json").write_text(json.dumps(script), encoding="utf-8")
        main = tmp_path / "work" / "main.py"
        main.parent.mkdir()
        main.write_text(rule["text"], encoding="utf-8")
        server = [sys.executable, ROOT / "tests" / "fake_lsp_server.py", "script.json", "record.jsonl"]
        words = [server[0], server[1], *(tmp_path / str(name) for name in server[2:])]
        command = " ".join(f'"{word}"' for word in words)
        init = tmp_path / "init.el"
        init.write_text(INIT.format(package=PACKAGE, command=command), encoding="utf-8")
        environment = emacs_home(tmp_path / "home", os.environ)
        argv = [program, "-nw", "-Q", "-l", str(init), str(main)]
        terminal = Terminal(argv, main.parent, environment, rows=12)
        terminals.append(terminal)
        terminal.until_shown("ghostfill:ready")
        return terminal

    yield run
    for terminal in terminals:
        terminal.quit()


@pytest.mark.parametrize("name", RULES)
def test_it_looks_as_it_will_in_the_buffer(start: Any, name: str) -> None:
    """The rows are those of the accepted text, before and after; the cursor stays behind what was typed."""
    rule = RULES[name]
    terminal = start(rule)
    terminal.type(rule["typed"])
    rows = rule["rows"]
    terminal.until("it is shown", lambda: terminal.screen()[: len(rows)] == rows, 10)
    column = sum(2 if character > "⺀" else 1 for character in rule["typed"])
    terminal.until("the cursor is there", lambda: terminal.cursor() == (0, column), 10)
    terminal.press("Tab")
    terminal.until("the cursor is behind the text", lambda: terminal.cursor() != (0, column), 10)
    assert terminal.screen()[: len(rows)] == rows
