"""Prompt layout: ids equal the naive layout's, budgets hold, and typing keeps what the KV cache has."""

from __future__ import annotations

import ast
import dataclasses
import random
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.anchor import Anchor
from engine.api import Segment
from engine.errors import NoInfillError, TokenizerError
from engine.fim import FORMATS, FimFormat, Order, Part, assemble, plain_format
from engine.layout import TAIL_TOKENS, Budget, Layout, without_closers
from engine.model_folder import BUILTIN_FOLDER
from engine.tokens import Tokenizer
from engine_checkpoints import MARK_IDS

REAL_FILE = Path(ast.__file__).read_text(encoding="utf-8")
UNBOUNDED = Budget(context=10**9, prefix=10**9, suffix=10**9, answer=128)


@pytest.fixture(scope="module")
def builtin_tokenizer() -> Tokenizer:
    return Tokenizer.from_folder(BUILTIN_FOLDER)


@pytest.fixture(scope="module")
def deepseek_tokenizer(deepseek_folder: Path) -> Tokenizer:
    return Tokenizer.from_folder(deepseek_folder)


@pytest.fixture(
    scope="module",
    params=[
        "builtin-spm",
        "builtin-psm",
        "builtin-anchored",
        "deepseek-coder-psm",
        "deepseek-coder-anchored",
    ],
)
def layout(
    request: pytest.FixtureRequest, builtin_tokenizer: Tokenizer, deepseek_tokenizer: Tokenizer
) -> Layout:
    name, _, order = request.param.rpartition("-")
    tokenizer = builtin_tokenizer if name == "builtin" else deepseek_tokenizer
    return Layout(tokenizer, FORMATS[name], Order(order))


@pytest.fixture(scope="module")
def builtin(builtin_tokenizer: Tokenizer) -> Layout:
    return Layout(builtin_tokenizer, FORMATS["builtin"])


def segment(path: str, text: str) -> Segment:
    return Segment(path, text, "definition", "test")


def naive(
    layout: Layout, segments: Sequence[Segment], path: str | None, prefix: str, suffix: str
) -> list[int]:
    """The oracle: every piece encoded whole, no budget, no cache; a new anchor stands at the line's start."""
    ids: list[int] = []
    line = prefix.rfind("\n") + 1 if layout.order is Order.ANCHORED else len(prefix)
    pieces = assemble(layout.fim, layout.order, segments, path, prefix[:line], suffix, tail=prefix[line:])
    for piece in pieces:
        if piece.part is Part.MARK:
            ids.append(layout.tokenizer.mark_id(piece.text))
        else:
            ids += layout.tokenizer.encode(piece.text)
    return ids


# The oracle

lines = st.sampled_from(
    [
        "",
        "    ",
        "import os",
        "def f(x):",
        "    return x",
        "\tx += 1",
        "}",
        "# 日本語 😋",
        "<｜fim▁hole｜>",
        "):",
    ]
)
line_ends = st.sampled_from(["\n", "\r\n"])
documents = st.tuples(st.lists(lines, max_size=90), line_ends).map(lambda pair: pair[1].join(pair[0]))


@given(prefix=documents, suffix=documents, cached=st.integers(1, 200))
def test_ids_equal_the_naive_layouts(layout: Layout, prefix: str, suffix: str, cached: int) -> None:
    """Whatever the blocks are: blocks never end where the tokenizer would join."""
    budget = Budget(context=1000, prefix=len(prefix) * 4 + 100, suffix=10**6, answer=1)
    segments = [segment("a.py", "A = 1\n"), segment("b/c.py", "def b(): ...\n")]

    for prompt_prefix in (prefix[:cached], prefix):
        prompt = layout.prompt(
            segments, "main.py", prompt_prefix, suffix, budget, heals=False, hides_closers=False
        )

        assert [*prompt.ids] == naive(layout, segments, "main.py", prompt_prefix, suffix)


@pytest.mark.parametrize("size", [1000, 3000, 8000])
def test_blocks_of_a_real_file_join_to_the_naive_ids(layout: Layout, size: int) -> None:
    """Many blocks: the budget is only just enough."""
    prefix = REAL_FILE[:size]
    needed = layout.tokenizer.count(prefix)
    for_tail = TAIL_TOKENS if layout.order is Order.ANCHORED else 0
    budget = Budget(context=0, prefix=needed + for_tail, suffix=100, answer=1)

    prompt = layout.prompt([], None, prefix, "x", budget, heals=False)

    assert [*prompt.ids] == naive(layout, [], None, prefix, "x")
    assert prompt.prefix_tokens == needed


def test_tokens_are_told_by_part(layout: Layout) -> None:
    parts = [segment("a.py", "A = 1\n"), segment("b.py", "B = 1\n")]

    prompt = layout.prompt(parts, "main.py", "x = ", "\ny = 2\n", UNBOUNDED, heals=False)

    count = layout.tokenizer.count
    header = count(layout.fim.file_header("main.py"))
    assert prompt.segments == tuple(parts)
    assert prompt.context_tokens == sum(count(layout.fim.segment_text(part)) for part in parts)
    assert (prompt.prefix_tokens, prompt.suffix_tokens) == (count("x = "), count("\ny = 2\n"))
    assert len(prompt.ids) == 4 + header + prompt.context_tokens + prompt.prefix_tokens + prompt.suffix_tokens


@pytest.mark.parametrize("text", ["", "\n", "x"])
def test_prefix_and_suffix_that_are_equal_are_not_confused(layout: Layout, text: str) -> None:
    prompt = layout.prompt([], text, text, text, UNBOUNDED, heals=False)

    assert [*prompt.ids] == naive(layout, [], text, text, text)


def test_marks_inside_user_text_are_no_marks(layout: Layout) -> None:
    """In the path, in repository text, before and behind the cursor."""
    text = "".join(MARK_IDS) + "\n"

    prompt = layout.prompt([segment(text, text)], text, text, text, UNBOUNDED)

    marks = [i for i in prompt.ids if i in layout.tokenizer.known_mark_ids()]
    fim = layout.fim
    ids = {mark: layout.tokenizer.mark_id(mark) for mark in (fim.bos, fim.begin, fim.hole, fim.end)}
    assert sorted(marks) == sorted(ids.values())


# Healing


@given(prefix=documents, cut=st.integers(0, 40))
def test_the_text_to_heal_is_what_the_prompt_leaves_out(layout: Layout, prefix: str, cut: int) -> None:
    """At the end of what stands last before the cursor; the rest is as it would be without."""
    prefix = prefix[: len(prefix) - cut]

    prompt = layout.prompt([], "a.py", prefix, "\nx = 1\n", UNBOUNDED, heals=True)

    typed = prefix[prefix.rfind("\n") + 1 :] if layout.order is Order.ANCHORED else prefix
    assert prompt.heal == typed[layout.tokenizer.healing_start(typed) :]
    if layout.order is Order.ANCHORED:
        assert prompt.anchor == Anchor(prefix[: len(prefix) - len(typed)], "\nx = 1\n")
        healed = assemble(
            layout.fim,
            layout.order,
            [],
            "a.py",
            prompt.anchor.prefix,
            prompt.anchor.suffix,
            tail=typed.removesuffix(prompt.heal),
        )
        assert [*prompt.ids] == layout.encode(healed)
    else:
        kept = prefix.removesuffix(prompt.heal)
        assert [*prompt.ids] == naive(layout, [], "a.py", kept, "\nx = 1\n")


@pytest.mark.parametrize("heals", [False, True])
def test_a_layout_heals_unless_it_is_told_not_to(layout: Layout, heals: bool) -> None:
    """Both rows say so."""
    told = layout.prompt([], "a.py", "x = retu", "\n", UNBOUNDED, heals=heals)
    untold = layout.prompt([], "a.py", "x = retu", "\n", UNBOUNDED)

    assert told.heal == (" retu" if heals else "")
    assert (untold == told) is heals


def test_a_row_says_whether_to_heal(builtin_tokenizer: Tokenizer) -> None:
    row = FORMATS["builtin"]
    layouts = [Layout(builtin_tokenizer, dataclasses.replace(row, heals=heals)) for heals in (False, True)]

    heals = [layout.prompt([], None, "x = retu", "", UNBOUNDED).heal for layout in layouts]

    assert heals == ["", " retu"]
    assert layouts[1].prompt([], None, "x = retu", "", UNBOUNDED, heals=False).heal == ""


# Closers behind the cursor


@pytest.mark.parametrize(
    ("suffix", "shown"),
    [
        (")", ""),
        (")\nx\n", "\nx\n"),
        ('"])  \r\nx', "\r\nx"),
        ("):\nx", "):\nx"),
        ("b)\nx", "b)\nx"),
        ("\n)\n", "\n)\n"),
        ("", ""),
    ],
)
def test_closers_alone_on_the_rest_of_the_line_are_hidden_where_that_is_asked_for(
    layout: Layout, suffix: str, shown: str
) -> None:
    hidden, whole = (
        layout.prompt([], None, "f(", suffix, UNBOUNDED, heals=False, hides_closers=hides)
        for hides in (True, False)
    )

    assert without_closers(suffix) == shown
    assert [*hidden.ids] == naive(layout, [], None, "f(", shown)
    assert [*whole.ids] == naive(layout, [], None, "f(", suffix)
    by_row = layout.prompt([], None, "f(", suffix, UNBOUNDED, heals=False)
    assert by_row.ids == (hidden if layout.fim.hides_closers else whole).ids


# Budgets


@given(
    sizes=st.lists(st.integers(0, 60), max_size=12),
    prefix=st.integers(0, 4000),
    suffix=st.integers(0, 2000),
    total=st.integers(16, 3000),
    answer=st.integers(1, 600),
    path_length=st.integers(1, 200),
    seed=st.integers(0, 10**6),
)
def test_no_part_takes_more_than_its_budget(
    layout: Layout,
    sizes: list[int],
    prefix: int,
    suffix: int,
    total: int,
    answer: int,
    path_length: int,
    seed: int,
) -> None:
    """And prompt and answer together never more than the whole."""
    start = random.Random(seed).randrange(len(REAL_FILE) // 2)
    segments = [
        segment(f"{n}.py", REAL_FILE[start : start + size * 20] + "\n") for n, size in enumerate(sizes)
    ]
    budget = Budget.split(total, answer, layout.fim)

    prompt = layout.prompt(
        segments, "p" * path_length, REAL_FILE[start : start + prefix], REAL_FILE[-suffix:], budget
    )

    assert prompt.context_tokens <= budget.context
    assert prompt.prefix_tokens <= budget.prefix
    assert prompt.suffix_tokens <= budget.suffix
    assert len(prompt.ids) + budget.answer <= total


@pytest.mark.parametrize("text", ["😋" * 20000, "x" * 200_000, " " * 200_000, "漢字\n" * 9000, "\n" * 9000])
def test_text_of_any_kind_fits_its_budget(layout: Layout, text: str) -> None:
    budget = Budget.split(2048, 128, layout.fim)

    prompt = layout.prompt([], "a.txt", text, text, budget)

    assert 0 < prompt.prefix_tokens <= budget.prefix
    assert 0 < prompt.suffix_tokens <= budget.suffix
    assert len(prompt.ids) + budget.answer <= 2048


@given(total=st.integers(0, 40000), answer=st.integers(0, 5000), name=st.sampled_from([*FORMATS, "plain"]))
def test_a_budgets_parts_sum_to_at_most_the_whole(total: int, answer: int, name: str) -> None:
    fim = FORMATS.get(name) or plain_format("", 2048)

    budget = Budget.split(total, answer, fim)

    parts = (budget.context, budget.prefix, budget.suffix, budget.answer)
    assert min(parts) >= 0
    assert sum(parts) <= min(total, fim.context_length)
    assert budget.answer == min(answer, min(total, fim.context_length) // 2)


def test_the_format_caps_what_it_reads_well() -> None:
    fim = FORMATS["builtin"]

    budget = Budget.split(10**6, 128, fim)

    caps = (fim.max_context_tokens, fim.max_prefix_tokens, fim.max_suffix_tokens)
    assert (budget.context, budget.prefix, budget.suffix) == caps


def test_a_path_longer_than_its_file_may_be_is_left_out(builtin: Layout) -> None:
    budget = Budget(context=0, prefix=20, suffix=10, answer=1)

    prompt = builtin.prompt([], "deep/" * 30 + "a.py", "x = 1\n", "", budget, heals=False)

    assert [*prompt.ids] == naive(builtin, [], None, "x = 1\n", "")


def test_segments_are_left_out_from_the_front(builtin: Layout) -> None:
    """The most relevant stand last, and the order stays."""
    segments = [segment(f"{letter}.py", f"{letter} = 1\n") for letter in "abcd"]
    cost = builtin.tokenizer.count(builtin.fim.segment_text(segments[0]))

    prompt = builtin.prompt(segments, None, "", "", Budget(2 * cost, 100, 100, 1))

    assert [s.path for s in prompt.segments] == ["c.py", "d.py"]


def test_a_segment_too_large_does_not_keep_out_those_before_it(builtin: Layout) -> None:
    segments = [segment("a.py", "a = 1\n"), segment("b.py", "b = 1\n" * 500), segment("c.py", "c = 1\n")]

    prompt = builtin.prompt(segments, None, "", "", Budget(100, 100, 100, 1))

    assert [s.path for s in prompt.segments] == ["a.py", "c.py"]


# Formats


def plain_layout(tokenizer: Tokenizer) -> Layout:
    return Layout(tokenizer, plain_format("<｜begin▁of▁sentence｜>", 2048))


def test_a_model_without_fim_refuses_a_suffix(builtin_tokenizer: Tokenizer) -> None:
    with pytest.raises(NoInfillError, match="only at the end of a file"):
        plain_layout(builtin_tokenizer).prompt([], "a.py", "x = ", "\ny = 2\n", UNBOUNDED)


@pytest.mark.parametrize("suffix", ["", "\n", "  \n\n"])
def test_a_model_without_fim_completes_where_nothing_follows(
    builtin_tokenizer: Tokenizer, suffix: str
) -> None:
    layout = plain_layout(builtin_tokenizer)

    prompt = layout.prompt([segment("b.py", "B = 1\n")], "a.py", "x = ", suffix, UNBOUNDED)

    assert layout.tokenizer.decode(prompt.ids) + prompt.heal == "# b.py\nB = 1\n\n\n# a.py\nx = "
    assert (prompt.suffix_tokens, prompt.heal) == (0, " ")


def test_a_format_whose_marks_the_tokenizer_lacks_is_refused(builtin_tokenizer: Tokenizer) -> None:
    other: FimFormat = dataclasses.replace(FORMATS["builtin"], hole="<fim_suffix>")

    with pytest.raises(TokenizerError, match=r"'<fim_suffix>'.* engine\.fimFormat"):
        Layout(builtin_tokenizer, other)
