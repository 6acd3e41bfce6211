"""The report accounts for every token of the prompt, in order, and says what of it the engine holds."""

from __future__ import annotations

import json
import random
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from context.imports_around import ImportsAround
from context.plan import Considered
from engine.fim import PLAIN
from explained import FIM_FORMATS, HOLE, TEXT, info_of, plan_of, reported, segment
from lsp_server.context_explained import explain
from lsp_server.context_report import Cached, Section
from lsp_server.hole import Hole
from lsp_server.settings import Settings


@pytest.mark.parametrize("name", FIM_FORMATS)
def test_the_rows_are_the_prompt_and_the_shares_its_budget(name: str) -> None:
    """In every format and with every kind of hole: no token is missing, none is counted twice."""
    chance = random.Random(name)
    for _ in range(40):
        segments = [
            segment(f"d{chance.randrange(3)}/m{i}.py", chance.randrange(40))
            for i in range(chance.randrange(6))
        ]
        hole = Hole(TEXT * chance.choice([1, 1, 30]), chance.choice([0, 2, 20, HOLE.offset, len(TEXT)]))
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
    around = {row.kind: row.reason for row in found.rows if row.is_sent}
    assert around == {
        "prefix": "this file, from line 1 to just before the cursor",
        "suffix": "this file, from the cursor to line 8",
    }


def test_an_empty_suffix_is_no_row() -> None:
    """Some formats write something in its place."""
    found = reported(None, info=info_of("deepseek-coder:psm"), hole=Hole("x = ", 4))

    assert [row.kind for row in found.rows] == ["prefix", "healed"]


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

    assert [row.kind for row in found.rows] == ["prefix", "healed"]
    assert "left to right only" in found.notes[0]
    assert asked == [found.prompt_tokens]
    assert (found.cached_tokens, found.line) == (3, 5)


def test_json_holds_everything_once() -> None:
    found = json.loads(
        json.dumps(reported(plan_of(segment("a.py"), num_frozen=1), cached_tokens=9).to_json())
    )

    assert [row["path"] for row in found["segments"]] == ["a.py"]
    assert [row["kind"] for row in found["around"]] == ["suffix", "prefix", "healed"]
    assert found["num_tokens"] == found["segments"][0]["num_tokens"] <= found["budget_tokens"]
    assert found["cached_tokens"] == 9
    assert "rows" not in found
