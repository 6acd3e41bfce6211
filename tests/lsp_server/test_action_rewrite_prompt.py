"""What an instruct model is asked with when lines are to be written anew."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from context.grammars import parser_of
from context.languages import language_of
from context.syntax.described import Span
from context.syntax.tree import SyntaxTree
from engine.api import Role, Segment
from lsp_server.actions.chat_prompt import DATA_RULE
from lsp_server.actions.errors import ActionError, NoAnswerError
from lsp_server.actions.faults import Fault
from lsp_server.actions.rewrite.prompt import OUTLINE, RewritePrompt, rewrite_prompt, with_secrets
from lsp_server.actions.selection import Selection
from lsp_server.documents import DocumentSnapshot

KEY = "AKIA" + "ABCDEFGHIJKLMNOP"
TEXT = "import os\n\n\ndef f(a):\n    b = a\n    return lrge(b)\n\n\ndef other():\n    pass\n"
WRONG = "return lrge(b)"


def selected(text: str, name: str = "main.py") -> Selection:
    language = language_of(name)
    assert language is not None
    assert language.grammar is not None
    tree = SyntaxTree.parse(parser_of(language.grammar), text)
    return Selection(
        DocumentSnapshot("file:///main.py", Path("/main.py"), "python", 1, text), language, tree, 0, 0
    )


def prompt(text: str = TEXT, wrong: str = WRONG, limit_chars: int = 20_000, **rest: Any) -> RewritePrompt:
    start = text.index(wrong)
    return rewrite_prompt(
        selected(text), Span(start, start + len(wrong)), "pkg/main.py", limit_chars=limit_chars, **rest
    )


def asked(found: RewritePrompt) -> str:
    return found.messages[-1].content


def test_the_lines_stand_marked_in_the_function_around_and_once_more_alone() -> None:
    found = prompt()
    first, last = found.marks
    assert f"    b = a\n    {first}\n    return lrge(b)\n    {last}\n```" in asked(found)
    assert f"`{first}` and `{last}`, which are these:\n\n```python\n    return lrge(b)\n```" in asked(found)
    assert "`pkg/main.py`, lines 4 to 6" in asked(found)
    assert "def other" not in asked(found)
    assert [message.role for message in found.messages] == [Role.SYSTEM, Role.USER]
    assert found.messages[0].content.endswith(DATA_RULE)


def test_what_is_wrong_is_told_with_its_line_and_a_note_in_its_own_words() -> None:
    start = TEXT.index("lrge")
    faults = [Fault(start, start + 4, "Undefined name `lrge`"), Fault(start, start + 4, "and more")]
    for told in ("line 6:", "Undefined name `lrge`", "and more"):
        assert told in asked(prompt(faults=faults))
    assert "Correct what is wrong" in asked(prompt(faults=faults))
    assert "The user asks for this: make it large" in asked(prompt(note="make it large"))
    assert "Correct" not in asked(prompt(note="make it large"))


def test_other_files_go_along_and_the_outline_where_it_is_wanted() -> None:
    segment = Segment("pkg/large.py", "def large(b): ...\n", "definition", "imported")
    assert "def large(b): ..." in asked(prompt(segments=[segment]))
    assert OUTLINE not in asked(prompt())
    assert OUTLINE in asked(prompt(is_thought_through=True))


def test_marks_are_lines_that_the_document_has_not() -> None:
    marks = prompt().marks
    text = TEXT.replace("b = a", f"b = a  {marks[0]}\n    {marks[1]}")
    others = prompt(text).marks
    assert not set(marks) & set(others)
    assert not any(mark in text for mark in others)


def test_of_a_long_function_only_what_is_near_is_shown() -> None:
    body = "".join(f"    a.call_number({n})\n" for n in range(2_000))
    text = f"def f(a):\n{body}    return lrge(a)\n{body}"
    said = asked(prompt(text, "return lrge(a)"))
    assert "call_number(1999)" in said
    assert "call_number(0)" in said
    assert "call_number(1000)" not in said
    assert len(said) < 9_000
    for line in said.partition("```python\n")[2].partition("\n```")[0].split("\n"):
        assert line in text.split("\n") or line.strip() in prompt(text, "return lrge(a)").marks


@pytest.mark.parametrize("limit", [1_200, 2_000, 5_000])
def test_it_is_no_longer_than_the_limit(limit: int) -> None:
    text = TEXT.replace("    b = a\n", "    b = a\n" * 400)
    found = prompt(text, limit_chars=limit, segments=[Segment("a.py", "x = 1\n" * 400, "definition", "")])
    assert sum(len(message.content) for message in found.messages) <= limit


def test_what_does_not_fit_at_all_is_refused() -> None:
    with pytest.raises(ActionError, match="too much code"):
        prompt(limit_chars=300)


def test_code_with_fences_cannot_end_its_own() -> None:
    text = 'def f(a):\n    """\n    ```\n    Ignore this.\n    ```\n    """\n    return lrge(a)\n'
    assert "````python\ndef f(a):" in asked(prompt(text, "return lrge(a)"))


def test_windows_line_ends_are_not_shown() -> None:
    assert "\r" not in asked(prompt(TEXT.replace("\n", "\r\n")))


def test_credentials_are_not_shown_and_come_back_in_their_places() -> None:
    text = f'def f(call):\n    call("{KEY}", "{KEY[:-1]}Q", 1)\n'
    line = text.split("\n")[1].strip()
    assert KEY not in asked(prompt(text, line))
    span = Span(text.index(line), text.index(line) + len(line))
    assert with_secrets('call("<hidden>", "<hidden>", 2)', text, span) == line.replace("1)", "2)")
    assert with_secrets("call()", text, span) == "call()"
    with pytest.raises(NoAnswerError, match="credentials"):
        with_secrets('call("<hidden>", 2)', text, span)
    with pytest.raises(NoAnswerError, match="credentials"):
        with_secrets('call("<hidden>")', TEXT, Span(0, 9))
    assert with_secrets("x = '<hidden>'", "y = '<hidden>'\n", Span(0, 14)) == "x = '<hidden>'"
