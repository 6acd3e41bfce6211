"""The report's rows of the current file: what stands where in the prompt, and what it leaves out."""

from __future__ import annotations

import pytest

from engine.anchor import Anchor
from engine.fim import Part, assemble
from explained import FIM_FORMATS, HOLE, TEXT, info_of, plan_of, reported, segment
from lsp_server.hole import Hole
from lsp_server.request import build_request
from lsp_server.settings import Settings

CALL = "import math\n\n\ndef area(radius):\n    return math.po|)\n\n\nprint(area(2))\n"


@pytest.mark.parametrize("name", FIM_FORMATS)
@pytest.mark.parametrize(
    "marked",
    [
        pytest.param(TEXT[: HOLE.offset] + "|" + TEXT[HOLE.offset :], id="a word"),
        pytest.param(CALL, id="closers behind it"),
        pytest.param("x = f(|)", id="closers at the end"),
        pytest.param("import os\n|\nx\n", id="the start of a line"),
        pytest.param("import os\n    |\nx\n", id="an indent"),
        pytest.param("impo|", id="one word"),
        pytest.param("|", id="nothing"),
    ],
)
def test_each_row_shows_the_text_that_stands_there_in_the_prompt(name: str, marked: str) -> None:
    """The rows are the format written out, text by text; what is missing of the document is told as such."""
    hole = Hole(marked.replace("|", ""), marked.index("|"))
    info, plan = info_of(name), plan_of(segment("a.py"), segment("b.py", 9), num_frozen=2)
    prompt = build_request(Settings(), info, hole, "pkg/main.py", plan).prompt

    found = reported(plan, info=info, hole=hole, budget_tokens=4096)

    sent = [row for row in found.rows if row.is_sent]
    for row in sent:
        shown = info.tokenizer.decode(prompt.ids[row.start : row.start + row.num_tokens])
        assert row.text == shown if not row.is_repository else row.text.rstrip("\n") in shown
    texts = {row.kind: row.text for row in found.rows}
    prefix, tail, suffix = (texts.get(kind, "") for kind in ("prefix", "tail", "suffix"))
    assert prefix + tail + texts.get("healed", "") == hole.prefix
    assert texts.get("closers", "") + suffix == hole.suffix
    layout = info.layout
    pieces = assemble(layout.fim, layout.order, plan.segments, "pkg/main.py", prefix, suffix, tail=tail)
    assert [*prompt.ids] == layout.encode(pieces)
    kinds = [piece.part for piece in pieces if piece.part in (Part.PREFIX, Part.SUFFIX, Part.TAIL)]
    is_stand_in = layout.fim.empty_suffix and not suffix
    assert [row.kind for row in sent if not row.is_repository] == [
        kind for kind in kinds if not (kind is Part.SUFFIX and is_stand_in)
    ]


TO_CURSOR = "this file, from line 1 to just before the cursor"
FROM_CURSOR = "this file, from the cursor to line 8"
HEALED = "regrown at the model's own token boundaries"


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        (
            "builtin",
            [
                (
                    "suffix",
                    "\n\n\nprint(area(2))\n",
                    "this file, from the end of the cursor's line to line 8",
                ),
                ("prefix", CALL[: CALL.index(".po")], TO_CURSOR),
                ("healed", ".po", HEALED),
                ("closers", ")", "just behind the cursor: left to the model to write"),
            ],
        ),
        (
            "deepseek-coder",
            [
                ("prefix", "import math\n\n\ndef area(radius):\n", "this file, from line 1 to line 4"),
                ("suffix", ")\n\n\nprint(area(2))\n", FROM_CURSOR),
                ("tail", "    return math", "this file, from line 5 to just before the cursor"),
                ("healed", ".po", HEALED),
            ],
        ),
        (
            "deepseek-coder:psm",
            [
                ("prefix", CALL[: CALL.index(".po")], TO_CURSOR),
                ("suffix", ")\n\n\nprint(area(2))\n", FROM_CURSOR),
                ("healed", ".po", HEALED),
            ],
        ),
    ],
)
def test_what_prompts_leave_out_at_the_cursor_is_said(name: str, rows: list[tuple[str, str, str]]) -> None:
    """Behind the prompt, whose tokens it does not count among."""
    found = reported(None, info=info_of(name), hole=Hole(CALL.replace("|", ""), CALL.index("|")))

    assert [(row.kind, row.text, row.reason) for row in found.rows] == rows
    assert {row.kind for row in found.rows if not row.is_sent} == {kind for kind, *_ in rows} & {
        "healed",
        "closers",
    }


def test_what_was_typed_since_an_anchor_stands_behind_the_rest() -> None:
    """Several lines of it too."""
    hole = Hole(CALL.replace("|", ""), CALL.index("|"))
    anchor = Anchor(hole.prefix[: hole.prefix.index("def")], hole.suffix)

    found = reported(None, info=info_of("deepseek-coder"), hole=hole, anchor=anchor)

    texts = {row.kind: (row.text, row.reason) for row in found.rows}
    assert texts["prefix"] == (anchor.prefix, "this file, from line 1 to line 3")
    assert texts["tail"] == (
        "def area(radius):\n    return math",
        "this file, from line 4 to just before the cursor",
    )
    last = found.rows[-2]
    assert (last.kind, last.start + last.num_tokens) == ("tail", found.prompt_tokens)


def test_where_nothing_is_healed_the_prefix_ends_at_the_cursor() -> None:
    found = reported(None, hole=Hole("import math\nx = 12", len("import math\nx = 12")))

    assert [row.reason for row in found.rows] == ["this file, from line 1 to the cursor"]
