"""Text of a repository in a page: it shows what it is, and does nothing."""

from __future__ import annotations

import re

import pytest

from lsp_server.actions.safe_markdown import block, code, link, prose

HOSTILE = [
    "[click](command:workbench.action.terminal.new)",
    "<img src=x onerror=alert(1)>",
    "``` \n# out\n```",
    "`code` ``more``",
    "![x](http://evil/x.png)",
    "https://evil.example www.evil.example a@evil.example",
    "<!-- x",
    "a\u202eb\u200b",
    "| a | b |",
    "$(command)",
    "\\[x\\](y)",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_code_is_closed_by_nothing_inside_of_it(text: str) -> None:
    shown = code(text)
    fence = re.match(r"`+", shown)
    assert fence is not None
    assert shown.endswith(fence[0])
    inner = shown[len(fence[0]) : -len(fence[0])]
    assert fence[0] not in re.findall(r"`+", inner)
    assert "\n" not in shown


@pytest.mark.parametrize("text", HOSTILE)
def test_a_block_is_closed_by_nothing_inside_of_it(text: str) -> None:
    first, *lines, last = block(text, "python").split("\n")
    fence = first.removesuffix("python")
    assert last == fence
    assert all(not line.lstrip().startswith(fence) for line in lines)


@pytest.mark.parametrize("text", HOSTILE)
def test_in_prose_every_sign_is_escaped(text: str) -> None:
    left = re.sub(r"\\[!-/:-@\[-`{-~]", "", prose(text))
    assert re.search(r"[\\\[\]<>`*_@|$]|[.:/]\S|^[#+-]", left) is None


@pytest.mark.parametrize("text", ["Read (and return) it, twice: here.", "It's one-line, isn't it?"])
def test_plain_prose_stays_readable(text: str) -> None:
    assert prose(text) == text


def test_what_nobody_can_see_is_shown() -> None:
    for shown in (code("a\u202eb"), prose("a\u202eb"), block("a\u202eb", "")):
        assert "\u202e" not in shown
        assert "202E" in shown


def test_a_link_leads_to_a_line_and_holds_no_bracket_of_its_own() -> None:
    assert link("a`b.py:3", "file:///w/a%60b(1).py", 2) == "[``a`b.py:3``](file:///w/a%60b%281%29.py#L3)"


def test_the_language_of_a_block_is_a_word() -> None:
    assert block("x", "py`thon\n<b>").startswith("```pythonb\n")
