"""Anchors: where the frozen part of a prompt ends, how long it serves, and what typing behind it costs."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.anchor import MAX_TAIL_CHARS, Anchor
from engine.errors import ModelError
from engine.fim import FORMATS, Order, plain_format
from engine.layout import TAIL_TOKENS, Budget, Layout, Prompt
from engine.model_folder import BUILTIN_FOLDER
from engine.tokens import Tokenizer

REAL_FILE = Path(ast.__file__).read_text(encoding="utf-8")
UNBOUNDED = Budget(context=10**9, prefix=10**9, suffix=10**9, answer=128)


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return Tokenizer.from_folder(BUILTIN_FOLDER)


@pytest.fixture(scope="module")
def layout(tokenizer: Tokenizer) -> Layout:
    return Layout(tokenizer, FORMATS["builtin"], Order.ANCHORED)


# The rule


@pytest.mark.parametrize("prefix", ["", "x", "x\n", "x\n    ret", "x\r\n\tret"])
def test_a_new_anchor_stands_at_the_start_of_the_cursors_line(prefix: str) -> None:
    anchor = Anchor.at_line(prefix, "s")

    assert prefix == anchor.prefix + prefix.split("\n")[-1]
    assert anchor.suffix == "s"


@pytest.mark.parametrize("line", ["word " * 100, "x = " + "y" * 50 + " " * 300, "x" * 400, "漢" * 400])
def test_in_a_very_long_line_it_stands_near_the_cursor(line: str) -> None:
    prefix = "first\n" + line + "tail"

    anchor = Anchor.at_line(prefix, "")

    assert len(prefix) - len(anchor.prefix) <= 64
    assert not anchor.is_outgrown(prefix)
    if " " in line:
        assert prefix[len(anchor.prefix) :] == " tail"


def test_it_serves_while_text_is_typed_or_taken_back_behind_it() -> None:
    anchor = Anchor("a\n", "\nz")

    assert [anchor.tail(prefix, "\nz") for prefix in ("a\n", "a\nb", "a\nbc\nd")] == ["", "b", "bc\nd"]


@pytest.mark.parametrize(("prefix", "suffix"), [("a", "\nz"), ("b\nx", "\nz"), ("a\nx", ")\nz"), ("", "")])
def test_it_serves_no_longer_once_something_else_changed(prefix: str, suffix: str) -> None:
    assert Anchor("a\n", "\nz").tail(prefix, suffix) is None


def test_it_serves_no_longer_once_the_tail_is_too_long() -> None:
    anchor = Anchor("a\n", "")

    assert anchor.tail("a\n" + "x" * MAX_TAIL_CHARS, "") is not None
    assert anchor.tail("a\n" + "x" * (MAX_TAIL_CHARS + 1), "") is None


@given(st.text(alphabet="ab \n\t漢", max_size=700))
def test_a_new_anchor_serves_and_is_not_outgrown(prefix: str) -> None:
    anchor = Anchor.at_line(prefix, "s")

    tail = anchor.tail(prefix, "s")

    assert tail is not None
    assert anchor.prefix + tail == prefix
    assert not anchor.is_outgrown(prefix)


# In prompts


def text_of(layout: Layout, prompt: Prompt) -> str:
    return layout.tokenizer.decode(prompt.ids)


def test_what_is_typed_stands_behind_the_end_mark(layout: Layout) -> None:
    first = layout.prompt([], "a.py", "import os\nx", "\nz\n", UNBOUNDED)

    second = layout.prompt([], "a.py", "import os\nx = os\ny", "\nz\n", UNBOUNDED, anchor=first.anchor)

    assert second.anchor == first.anchor == Anchor("import os\n", "\nz\n")
    assert text_of(layout, first) + first.heal == "#a.py\nimport os\n\nz\nx"
    assert text_of(layout, second) + second.heal == "#a.py\nimport os\n\nz\nx = os\ny"
    assert (first.wants_new_anchor, second.wants_new_anchor) == (False, True)


def test_an_outgrown_anchor_is_used_until_the_caller_moves_it(layout: Layout) -> None:
    typed = "import os\nx = os\ny"
    old = layout.prompt([], None, "import os\nx", "\n", UNBOUNDED).anchor

    moved = layout.prompt([], None, typed, "\n", UNBOUNDED)
    later = layout.prompt([], None, typed + " = x", "\n", UNBOUNDED, anchor=moved.anchor)

    assert layout.prompt([], None, typed, "\n", UNBOUNDED, anchor=old).anchor == old
    assert later.anchor == moved.anchor == Anchor("import os\nx = os\n", "\n")
    assert not later.wants_new_anchor
    assert later.ids[: len(moved.ids)] == moved.ids


def test_an_anchor_that_no_longer_serves_is_replaced(layout: Layout) -> None:
    first = layout.prompt([], None, "a\nb\nc", "\n", UNBOUNDED)

    for prefix, suffix in (("a\nb\nc(", "d)\n"), ("a\nb", "\n"), ("new\nb\nc", "\n")):
        prompt = layout.prompt([], None, prefix, suffix, UNBOUNDED, anchor=first.anchor)

        assert prompt.ids == layout.prompt([], None, prefix, suffix, UNBOUNDED).ids
        assert prompt.anchor == Anchor.at_line(prefix, suffix)


@pytest.mark.parametrize("order", [Order.PSM, Order.SPM])
def test_orders_without_an_anchor_need_none(tokenizer: Tokenizer, order: Order) -> None:
    layout = Layout(tokenizer, FORMATS["builtin"], order)

    prompt = layout.prompt([], None, "a\nb", "\n", UNBOUNDED, anchor=Anchor("a\n", "\n"))

    assert prompt.ids == layout.prompt([], None, "a\nb", "\n", UNBOUNDED).ids
    assert (prompt.anchor, prompt.wants_new_anchor) == (None, False)


@pytest.mark.parametrize("text", ["x", "😋", "0.48, ", "word "])
def test_a_tail_of_many_tokens_moves_the_anchor_to_keep_the_budget(layout: Layout, text: str) -> None:
    budget = Budget(context=0, prefix=200, suffix=10, answer=1)
    anchor = None
    for size in range(0, 600, 7):
        prefix = REAL_FILE[:2000] + "\n" + (text * 600)[:size]

        prompt = layout.prompt([], None, prefix, "\n", budget, anchor=anchor)

        assert budget.prefix // 3 < prompt.prefix_tokens <= budget.prefix
        anchor = prompt.anchor


def test_the_window_before_the_anchor_does_not_depend_on_the_tail(layout: Layout) -> None:
    budget = Budget.split(2048, 128, layout.fim)
    anchor = Anchor(REAL_FILE[:20000], "\n")
    bare = layout.prompt([], None, anchor.prefix, "\n", budget, anchor=anchor)

    for size in range(1, 400):
        prompt = layout.prompt([], None, REAL_FILE[: 20000 + size], "\n", budget, anchor=anchor)

        assert prompt.ids[: len(bare.ids)] == bare.ids
        assert len(prompt.ids) - len(bare.ids) <= TAIL_TOKENS


def test_only_the_tail_is_healed(layout: Layout) -> None:
    """The frozen part never changes; without a tail nothing is left out."""
    typed = layout.prompt([], None, "import os\nos.pa", "", UNBOUNDED, heals=True)
    untyped = layout.prompt([], None, "import os\n", "", UNBOUNDED, heals=True)

    assert (typed.heal, untyped.heal) == (".pa", "")


# Which formats


def test_every_format_trained_on_psm_may_be_anchored_and_no_other(tokenizer: Tokenizer) -> None:
    for fim in FORMATS.values():
        assert fim.allows(Order.ANCHORED) == (Order.PSM in fim.orders)
    plain = Layout(tokenizer, plain_format("", 2048), Order.ANCHORED)

    with pytest.raises(ModelError, match="not trained on the order anchored; use psm"):
        plain.prompt([], None, "x", "", UNBOUNDED)
