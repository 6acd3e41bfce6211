"""The report accounts for every token of the prompt, in order, and says what of it the engine holds."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from context.imports_around import ImportsAround
from context.plan import Considered
from engine.api import Segment
from engine.backends.base import EngineInfo
from engine.fake import builtin_info
from engine.fim import FORMATS, PLAIN, plain_format
from engine.layout import Layout
from lsp_server.context_report import Cached, ContextReport, Section
from lsp_server.explain import build_report, explain
from lsp_server.hole import Hole
from lsp_server.request import budget_for, build_request
from lsp_server.settings import ContextSettings, Settings

TEXT = "import math\n\n\ndef area(radius):\n    return math.\n\n\nprint(area(2))\n"
HOLE = Hole(TEXT, TEXT.index("math.\n") + len("math."))


def info_of(name: str) -> EngineInfo:
    info = builtin_info()
    fim = plain_format("<｜begin▁of▁sentence｜>", 4096) if name == PLAIN else FORMATS[name]
    return replace(
        info, layout=Layout(info.tokenizer, fim), refusal="left to right only" if name == PLAIN else ""
    )


def segment(path: str, num_lines: int = 3, kind: str = "definition") -> Segment:
    text = f"def of_{path.replace('/', '_').replace('.', '_')}():\n" + "    pass\n" * num_lines
    return Segment(path, text, kind, f"defines {path}", builtin_info().tokenizer.count(text))


def plan_of(*segments: Segment, num_frozen: int = 0, **more: Any) -> Any:
    values = {"segments": segments, "num_frozen": num_frozen, "is_complete": True, "considered": ()}
    return SimpleNamespace(**(values | more))


def reported(
    plan: Any,
    *,
    info: EngineInfo | None = None,
    hole: Hole = HOLE,
    path: str = "pkg/main.py",
    budget_tokens: int = 2000,
    cached_tokens: int | None = None,
) -> ContextReport:
    info = info or builtin_info()
    settings = Settings(context=ContextSettings(budget_tokens=budget_tokens))
    prompt = build_request(settings, info, hole, path, plan).prompt
    return build_report(
        root="/work",
        path=path,
        hole=hole,
        plan=plan,
        prompt=prompt,
        info=info,
        budget=budget_for(settings, info),
        cached_tokens=cached_tokens,
        imports=ImportsAround(),
    )


@pytest.mark.parametrize("name", ["builtin", "deepseek-coder"])
def test_the_rows_are_the_prompt_and_the_shares_its_budget(name: str) -> None:
    """In every format and with every kind of hole: no token is missing, none is counted twice."""
    chance = random.Random(name)
    for _ in range(40):
        segments = [
            segment(f"d{chance.randrange(3)}/m{i}.py", chance.randrange(40))
            for i in range(chance.randrange(6))
        ]
        hole = Hole(TEXT * chance.choice([1, 1, 30]), chance.choice([0, 20, HOLE.offset, len(TEXT)]))
        path = chance.choice(["a.py", "pkg/main.py", "deep/" * 60 + "x.py"])
        info = info_of(name)

        found = reported(
            plan_of(*segments), info=info, hole=hole, path=path, budget_tokens=chance.choice([300, 3000])
        )

        sent = [row for row in found.rows if row.is_sent]
        assert all(row.start + row.num_tokens <= after.start for row, after in pairwise(sent))
        assert sum(share.num_tokens for share in found.shares) == found.limit_tokens
        by_section = {share.section: share.num_tokens for share in found.shares}
        assert 0 < by_section[Section.MARKS] < 12 + info.tokenizer.count(path)
        assert found.prompt_tokens == by_section[Section.MARKS] + sum(row.num_tokens for row in sent)


@pytest.mark.parametrize("name", ["builtin", "deepseek-coder"])
def test_each_row_shows_the_text_that_stands_there_in_the_prompt(name: str) -> None:
    info, plan = info_of(name), plan_of(segment("a.py"), segment("b.py", 9), num_frozen=2)
    settings = Settings()
    prompt = build_request(settings, info, HOLE, "pkg/main.py", plan).prompt

    found = reported(plan, info=info, budget_tokens=4096)

    assert {row.section for row in found.rows} == {Section.FROZEN, Section.PREFIX, Section.SUFFIX}
    for row in found.rows:
        shown = info.tokenizer.decode(prompt.ids[row.start : row.start + row.num_tokens])
        assert row.text.rstrip("\n") in shown
    texts = {row.section: row.text for row in found.rows}
    assert (texts[Section.PREFIX], texts[Section.SUFFIX]) == (HOLE.prefix, HOLE.suffix)


def test_the_first_segments_are_frozen_then_near_then_similar() -> None:
    plan = plan_of(
        segment("a.py"), segment("a.py", 5), segment("b.py"), segment("c.py", kind="similar"), num_frozen=2
    )

    found = reported(plan)

    assert [row.section for row in found.segments] == ["frozen", "frozen", "near", "similar"]


def test_what_the_layout_has_no_room_for_is_said() -> None:
    """A model that reads less than the plan was made for."""
    plan = plan_of(segment("a.py", 200), segment("b.py", 5))

    found = reported(plan)

    assert [(row.path, row.is_sent, row.start is None) for row in found.segments] == [
        ("a.py", False, True),
        ("b.py", True, False),
    ]
    assert found.context_tokens == found.segments[1].num_tokens
    assert [share.folder for share in found.folders] == ["."]
    assert found.folders[0].num_tokens == found.context_tokens


def test_cached_is_yes_up_to_where_the_engines_tokens_end() -> None:
    plan = plan_of(segment("a.py"), segment("b.py"), segment("c.py"))
    rows = reported(plan).segments
    start, end = rows[1].start, rows[1].start + rows[1].num_tokens

    def cached(tokens: int | None) -> list[Cached]:
        return [row.cached for row in reported(plan, cached_tokens=tokens).segments]

    assert cached(None) == ["unknown"] * 3
    assert cached(0) == ["no"] * 3
    assert cached(start) == ["yes", "no", "no"]
    assert cached(start + 1) == ["yes", "partly", "no"]
    assert cached(end) == ["yes", "yes", "no"]
    assert cached(10**6) == ["yes"] * 3


def test_the_place_is_told_as_people_count() -> None:
    found = reported(None)

    assert (found.line, found.column) == (5, len("    return math.") + 1)
    around = {row.section: row.reason for row in found.rows}
    assert around == {
        Section.PREFIX: "this file, from line 1 to the cursor",
        Section.SUFFIX: "this file, from the cursor to line 8",
    }


def test_an_empty_suffix_is_no_row() -> None:
    """Some formats write something in its place."""
    found = reported(None, info=info_of("deepseek-coder"), hole=Hole("x = ", 4))

    assert [row.section for row in found.rows] == [Section.PREFIX]


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        (None, "Repository context is off"),
        (plan_of(), "No other file has anything to say here"),
        (plan_of(is_complete=False), "The index was not complete"),
        (plan_of(segment("vendor/x.py")), "100% of the repository text comes from vendor"),
    ],
)
def test_what_is_not_as_it_should_be_is_said_in_words(plan: Any, words: str) -> None:
    notes = reported(plan).notes

    assert any(words in note for note in notes)
    assert any("No engine is running" in note for note in notes)


def test_left_out_is_each_file_of_which_nothing_is_sent() -> None:
    """A file may be a candidate for several reasons."""
    wanted = [("a.py", "defines A", True), ("b.py", "defines B", False), ("a.py", "near A", False)]
    considered = [Considered(path, reason, 5, chosen) for path, reason, chosen in [*wanted, wanted[1]]]

    found = reported(plan_of(segment("a.py"), considered=tuple(considered)))

    assert [(file.path, file.reason) for file in found.left_out] == [("b.py", "defines B")]


async def test_a_model_that_cannot_fill_in_the_middle_shows_what_it_would_read(tmp_path: Path) -> None:
    context = SimpleNamespace(relative=lambda path: path.name, imports_around=lambda path: ImportsAround())
    asked: list[int] = []

    async def cached_tokens(ids: Any) -> int:
        asked.append(len(ids))
        return 3

    found = await explain(
        Settings(), context, tmp_path, tmp_path / "a.py", HOLE, plan_of(), info_of(PLAIN), cached_tokens
    )

    assert [row.section for row in found.rows] == [Section.PREFIX]
    assert "left to right only" in found.notes[0]
    assert asked == [found.prompt_tokens]
    assert (found.cached_tokens, found.line) == (3, 5)


def test_json_holds_everything_once() -> None:
    found = json.loads(
        json.dumps(reported(plan_of(segment("a.py"), num_frozen=1), cached_tokens=9).to_json())
    )

    assert [row["path"] for row in found["segments"]] == ["a.py"]
    assert [row["kind"] for row in found["around"]] == ["suffix", "prefix"]
    assert found["num_tokens"] == found["segments"][0]["num_tokens"] <= found["budget_tokens"]
    assert found["cached_tokens"] == 9
    assert "rows" not in found
