"""What is read out of an instruct model's answer: the lines that were asked for, or a reason why not."""

from __future__ import annotations

import re
from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from context.syntax.described import Span
from engine.api import ChatAnswer, FinishReason
from lsp_server.actions.edit import Edit
from lsp_server.actions.errors import NoAnswerError
from lsp_server.actions.rewrite import answer
from lsp_server.actions.rewrite.answer import read_answer
from lsp_server.actions.rewrite.diff import UNREADABLE
from lsp_server.actions.rewrite.place import NOTHING_LEFT, REACHES_OUT

TEXT = """\
import math


def area(radius):
    size = math.pi * radius ** 2
    if size > 10
        print("large")
        return lrge(size)
    return size


def other(radius):
    return area(radius)
"""
HEADER, CALL = "if size > 10", "return lrge(size)"


def read(
    said: str,
    wrong: str = CALL,
    text: str = TEXT,
    reason: FinishReason = FinishReason.EOS,
    *,
    with_margin: bool = False,
) -> list[str]:
    start = text.index(wrong)
    if with_margin:
        start = text.rfind("\n", 0, start) + 1
    end = text.index(wrong) + len(wrong)
    return read_answer(ChatAnswer(said, reason), text, Span(start, end), ("# >>>", "# <<<"))


def refused(said: str, wrong: str = CALL, text: str = TEXT, reason: FinishReason = FinishReason.EOS) -> str:
    with pytest.raises(NoAnswerError) as found:
        read(said, wrong, text, reason)
    return str(found.value)


# Which part of an answer is code


@pytest.mark.parametrize(
    "said",
    [
        pytest.param("```python\nreturn large(size)\n```", id="fence"),
        pytest.param("```\nreturn large(size)\n```\nThis calls the right name.", id="chatter below"),
        pytest.param("Sure! Here it is:\n\n```py\n        return large(size)\n```", id="chatter above"),
        pytest.param("~~~python\nreturn large(size)\n~~~", id="tildes"),
        pytest.param("````\nreturn large(size)\n````", id="long fence"),
        pytest.param("1. Do it:\n   ```python\n   return large(size)\n   ```", id="fence in a list"),
        pytest.param("```python\nreturn large(size)", id="never closed"),
        pytest.param("return large(size)", id="no fence"),
        pytest.param("`return large(size)`", id="in backticks"),
        pytest.param("```python\r\nreturn large(size)\r\n```\r\n", id="line ends"),
        pytest.param("```\n\n\nreturn large(size)  \n\n```", id="blank ends"),
        pytest.param("```\nreturn large(size)\n```<|EOT|>", id="a model's mark"),
        pytest.param("```\nreturn large(size)<｜end▁of▁sentence｜>\n```", id="a mark inside"),
        pytest.param("```\n# >>>\n        return large(size)\n# <<<\n```", id="our marks"),
        pytest.param("```bash\nreturn lrge(size)\n```\n```python\nreturn large(size)\n```", id="a shell's"),
        pytest.param("Step 1:\n```\nimport large\n```\nThen:\n```\nreturn large(size)\n```", id="which fits"),
        pytest.param("```diff\n-        return lrge(size)\n+        return large(size)\n```", id="diff"),
        pytest.param(
            '```\n@@ -7,2 +7,2 @@\n         print("large")\n-        return lrge(size)\n'
            "+        return large(size)\n```",
            id="hunk",
        ),
        pytest.param("```\n- return lrge(size)\n+ return large(size)\n```", id="untagged diff"),
    ],
)
def test_the_new_lines_are_found(said: str) -> None:
    assert read(said)[0] == "return large(size)"


def test_what_was_cut_at_the_budget_counts_if_its_code_was_complete() -> None:
    assert read("```\nreturn large(size)\n```\nThis is because", reason=FinishReason.BUDGET) == [
        "return large(size)"
    ]
    for said in ("```\nreturn large(size)", "return large(size)", "I think that"):
        assert refused(said, reason=FinishReason.BUDGET) == answer.TOO_LONG


@pytest.mark.parametrize("said", ["", "I cannot help with that.", "```\n```", "```bash\npip install x\n```"])
def test_an_answer_without_code(said: str) -> None:
    assert refused(said) == answer.WITHOUT_CODE


# What of it belongs there


@pytest.mark.parametrize(
    "said",
    [
        pytest.param(
            "        print('large')\n        return large(size)\n".replace("'", '"'), id="one above"
        ),
        pytest.param("    return large(size)\nreturn size\n", id="one below"),
        pytest.param(TEXT.replace("lrge", "large"), id="the file"),
        pytest.param(
            "def area(radius):\n    size = math.pi * radius ** 2\n    if size > 10\n"
            '        print("large")\n        return large(size)\n    return size\n',
            id="the function",
        ),
        pytest.param('if size > 10\n    print("large")\n    return large(size)\n', id="moved left"),
        pytest.param('    print("large")\n    return large(size)\nreturn size', id="moved, both sides"),
    ],
)
def test_repeated_lines_are_cut_away(said: str) -> None:
    assert (
        read(f"```python\n{said}```" if said.endswith("\n") else f"```\n{said}\n```")[0]
        == "return large(size)"
    )


@pytest.mark.parametrize(
    "said",
    [
        pytest.param('    print("Large")\n    return large(size)', id="the line above"),
        pytest.param("    return large(size)\nreturn size + 1", id="the line below"),
        pytest.param(TEXT.replace("lrge", "large").replace("math.pi", "3"), id="a line further up"),
        pytest.param(
            TEXT.replace("lrge", "large").replace("def other", "def another"), id="another function"
        ),
    ],
)
def test_an_answer_that_changes_other_lines_is_refused(said: str) -> None:
    assert refused(f"```python\n{said}\n```") == REACHES_OUT


@pytest.mark.parametrize(
    "said",
    [
        pytest.param("def area(radius, limit):\n    return large(size)", id="with the function's header"),
        pytest.param("    if size >= 10:\n        return large(size)", id="with the condition's"),
        pytest.param("def area(radius):\n    return large(size)", id="without what is in between"),
    ],
)
def test_an_answer_with_the_headers_around_is_refused(said: str) -> None:
    assert refused(f"```python\n{said}\n```") == REACHES_OUT


def test_headers_may_have_several_lines() -> None:
    text = "def f(\n    a,\n) -> int:\n    b = a\n    c = b\n    return g(c\n"
    assert (
        refused("```\ndef f(\n    a,\n    b,\n) -> int:\n    return g(c)\n```", "return g(c", text)
        == REACHES_OUT
    )


def test_what_stands_anywhere_is_no_header() -> None:
    text = "def f(a):\n    if a:\n        return 1\n    else:\n        return g(a\n"
    said = "```\nif a == 2:\n    return g(a)\nelse:\n    print(2)\n```"
    assert read(said, "return g(a", text)[0].endswith("        else:\n            print(2)")


def test_a_block_may_be_written_around_the_lines() -> None:
    said = "```\nif large is not None:\n    return large(size)\nreturn None\n```"
    assert read(said)[0] == "if large is not None:\n            return large(size)\n        return None"


def test_an_answer_of_nothing_but_the_lines_around_is_refused() -> None:
    assert refused(
        '```\n    size = math.pi * radius ** 2\n    if size > 10\n        print("large")\n```'
    ) in (
        NOTHING_LEFT,
        REACHES_OUT,
    )


@pytest.mark.parametrize(
    "line",
    [
        "...",
        "# ...",
        "# rest of the function",
        "# ... existing code ...",
        "// unchanged",
        "# the rest is unchanged",
    ],
)
def test_an_answer_that_leaves_code_out_is_refused(line: str) -> None:
    assert refused(f"```\nreturn large(size)\n{line}\n```") == answer.LEFT_OUT


@pytest.mark.parametrize(
    "line", ["x = ...", "# use the existing connection", "# the remaining ones", "return rest"]
)
def test_code_that_speaks_of_rests_is_taken(line: str) -> None:
    assert read(f"```\n{line}\nreturn large(size)\n```")[0] == f"{line}\n        return large(size)"


@pytest.mark.parametrize("odd", ["\u202e", "\u200b", "\0", "\x1b[0m", "\ud800", "⟨U+202E⟩"])
def test_what_nobody_sees_is_refused(odd: str) -> None:
    assert refused(f"```\nreturn large(size){odd}\n```") == answer.ODD


def test_what_the_document_has_already_is_no_reason_to_refuse() -> None:
    text = 'zero = "\u200b"\nx = lrge("\u200b")\n'
    assert read('```\nx = large("\u200b")\n```', 'x = lrge("\u200b")', text) == ['x = large("\u200b")']


@pytest.mark.parametrize(
    "said",
    [
        pytest.param("@@ -1 +1 @@\n-return a\n+return b\n@@ -9 +9 @@\n-c\n+d", id="two places"),
        pytest.param("-        return nothing(size)\n+        return large(size)", id="not there"),
        pytest.param("+        return large(size)\n+        x = 1", id="nowhere"),
    ],
)
def test_diffs_that_fit_nowhere_are_refused(said: str) -> None:
    assert refused(f"```diff\n{said}\n```") == UNREADABLE


def test_a_diff_of_another_line_is_refused() -> None:
    text = "a = f(1)\nb = g(a)\nc = h(b)\n"
    said = "```diff\n a = f(1)\n b = g(a)\n-c = h(b)\n+c = h(b, a)\n```"
    assert refused(said, "b = g(a)", text) == REACHES_OUT


def test_lines_that_begin_with_signs_are_no_diff() -> None:
    text = "total = (\n    one\n    + two\n    - tree\n)\n"
    assert read("```\ntotal = (\n    one\n    + two\n    - three\n)\n```", text.rstrip("\n"), text) == [
        text.rstrip("\n").replace("tree", "three")
    ]


# Margins


@pytest.mark.parametrize("margin", ["", "    ", "        ", "\t"])
def test_lines_are_moved_to_the_margin_of_the_place(margin: str) -> None:
    said = f"```\n{margin}if size > 10:\n{margin}    pass\n```"
    assert read(said, HEADER)[0] == "if size > 10:\n        pass"


def test_only_the_first_line_may_have_lost_its_margin() -> None:
    said = "```\nif size > 10 and (\n        radius\n    ):\n```"
    assert "if size > 10 and (\n        radius\n    ):" in read(said, HEADER)


def test_tabs_stay_tabs() -> None:
    text = "def f(a):\n\tif a\n\t\treturn 1\n\treturn 2\n"
    assert (
        read("```\n    if a:\n        return 0\n```", "if a\n\t\treturn 1", text)[0] == "if a:\n\t\treturn 0"
    )


def test_blanks_stay_blanks() -> None:
    text = "def f(a):\n  if a\n    return 1\n  return 2\n"
    assert read("```\n\tif a:\n\t\treturn 0\n```", "if a\n    return 1", text)[0] == "if a:\n    return 0"


def test_a_margin_that_is_wrong_itself_can_become_another() -> None:
    text = "def f(a):\nreturn a\n"
    assert "    return a" in read("```\nreturn a\n```", "return a", text, with_margin=True)
    text = "def f(a):\n    b = a\n      return b\n"
    assert "    return b" in read("```\nreturn b\n```", "return b", text, with_margin=True)
    assert "    return b" in read(
        "```\ndef f(a):\n    b = a\n    return b\n```", "return b", text, with_margin=True
    )


def test_lines_of_a_document_with_windows_line_ends() -> None:
    text = TEXT.replace("\n", "\r\n")
    said = '```\n        print("large")\n        return large(size)\n    return size\n```'
    assert read(said, CALL, text) == ["return large(size)"]


# Whatever the model says

PIECES = st.sampled_from(
    [
        *TEXT.splitlines(keepends=True),
        "```\n", "```python\n", "~~~\n", "```diff\n", "@@ -1 +1 @@\n", "-        return lrge(size)\n",
        "+        return large(size)\n", "        return large(size)\n", "return large(size)", "# >>>\n",
        "# <<<\n", "...\n", "\r\n", "\t", "    ", "<|EOT|>", "\0", "\u202e", "Sure:\n", "\n",
        "--- a\n", "+++ b\n", "`",
    ]
)  # fmt: skip
ANSWERS = st.one_of(st.text(max_size=60), st.lists(PIECES, max_size=14).map("".join))
DOCUMENTS = st.one_of(
    st.just(TEXT),
    st.just(TEXT.replace("\n", "\r\n")),
    st.lists(
        st.sampled_from(["a = f(b)\n", "\tx\n", "  y\r\n", "\n", "é𝒳 = '\u2028'\n", "z"]), max_size=8
    ).map("".join),
)


@given(data=st.data(), said=ANSWERS, document=DOCUMENTS, reason=st.sampled_from(FinishReason))
@example(data=None, said="```\n\n```", document="", reason=FinishReason.EOS)
def test_whatever_is_said_stays_in_its_range(
    data: st.DataObject | None, said: str, document: str, reason: FinishReason
) -> None:
    """Around the range the document stays as it is, byte for byte; no fence and no mark lands in it."""
    start = data.draw(st.integers(0, len(document))) if data else 0
    end = data.draw(st.integers(start, len(document))) if data else 0
    with suppress(NoAnswerError):
        for each in read_answer(ChatAnswer(said, reason), document, Span(start, end), ("# >>>", "# <<<")):
            result = Edit(start, end, each).applied(document)
            assert result.startswith(document[:start])
            assert result.endswith(document[end:])
            assert len(result) == len(document) - (end - start) + len(each)
            assert not any(
                line.lstrip().startswith(("```", "~~~", "# >>>", "# <<<")) for line in each.split("\n")
            )
            assert not {"\0", "\u202e", "\r"} & set(each)
            assert (
                reason in (FinishReason.EOS, FinishReason.STOP) or said.count("```") + said.count("~~~") > 1
            )


@given(said=ANSWERS, document=DOCUMENTS)
def test_every_line_is_the_documents_or_the_models(said: str, document: str) -> None:
    """Nothing is made up in between, margins aside; and a range of whole lines is never left empty."""
    lines = document.splitlines(keepends=True)
    start = len(lines[0]) if len(lines) > 1 else 0
    end = start + len(lines[1].rstrip("\r\n")) if len(lines) > 1 else len(document)
    known = {line.strip() for line in re.split(r"\r\n|\r|\n", f"{document}\n{said}")}
    known |= {line[1:].strip() for line in known} | {line.strip("`") for line in known}
    known |= {line.partition("<|EOT|>")[0].strip() for line in known}
    with suppress(NoAnswerError):
        for each in read_answer(ChatAnswer(said, FinishReason.EOS), document, Span(start, end)):
            assert each.strip()
            assert {line.strip() for line in each.split("\n")} <= known
