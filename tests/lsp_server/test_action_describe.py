"""What of a model's answer becomes a description, and how it is written."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from context.grammars import parser_of
from context.languages import language_of
from context.syntax.declarations import Declaration, declarations_of
from context.syntax.tree import SyntaxTree
from engine.api import Completion, FinishReason
from lsp_server.actions.describe import descriptions, written
from lsp_server.documents import DocumentSnapshot

PYTHON = "def area(radius):\n    return 3 * radius\n"
SCRIPT = "class A {\n  area(radius) { return 3 * radius }\n}\n"


class Model:
    """Stands in for an Infill: says what it is told to."""

    path = "a.py"
    plan = None

    def __init__(self, *texts: str, reason: FinishReason = FinishReason.STOP) -> None:
        self.completions = tuple(Completion(text, reason) for text in texts)
        self.asked: list[tuple[str, str]] = []

    async def ask(self, prefix: str, suffix: str, **rest: Any) -> tuple[Completion, ...]:
        self.asked.append((prefix, suffix))
        return self.completions


def declared(text: str, name: str) -> Declaration:
    language = language_of(name)
    assert language is not None
    assert language.grammar is not None
    tree = SyntaxTree.parse(parser_of(language.grammar), text)
    return next(each for each in declarations_of(tree, language.family) if each.name == "area")


async def said(model: Model, text: str = PYTHON, name: str = "a.py") -> list[str]:
    snapshot = DocumentSnapshot("file:///a", None, "python", 1, text)
    selection: Any = SimpleNamespace(text=text, snapshot=snapshot)
    return await descriptions(model, selection, declared(text, name))  # type: ignore[arg-type]


async def test_the_model_fills_the_place_between_the_quotes() -> None:
    model = Model("The area of a circle.")

    assert await said(model) == ["The area of a circle."]
    assert model.asked == [('def area(radius):\n    """', '"""\n    return 3 * radius\n')]


async def test_the_model_fills_the_place_between_the_stars() -> None:
    model = Model(" The area. ")

    assert await said(model, SCRIPT, "a.js") == ["The area."]
    assert model.asked == [("class A {\n  /**", " */\n  area(radius) { return 3 * radius }\n}\n")]


async def test_what_is_described_already_is_hidden() -> None:
    model = Model("The area.")
    await said(model, PYTHON.replace("    return", '    """Secret words."""\n    return'))
    assert "Secret" not in "".join(*model.asked)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ('The area."""\n    pass', "The area."),
        ("The area of it", "The area of it."),
        ("The area.\n\n    Args:\n        radius: made up\n", "The area."),
        ("The area\n    of it.\n    ", "The area\nof it."),
        ('Say "area" now"', 'Say "area" now.'),
        ('Half an "area of it', "Half an 'area of it."),
        ("A path like C:\\new", None),
        ("", None),
        ("   \n  ", None),
        ("area", None),
        ("def area(x):", None),
        ("return 3 * radius (it is so)", None),
        ("The area <|fim_middle|> of it", "The area."),
    ],
)
async def test_what_is_kept_of_an_answer(text: str, kept: str | None) -> None:
    assert await said(Model(text)) == ([] if kept is None else [kept])


async def test_what_is_said_of_something_else_is_left_out() -> None:
    filler = "    x = 1\n" * 100
    other = f'def other():\n    """What it is."""\n{filler}\n\n{PYTHON}'
    twin = other.replace("other", "async_area")

    assert await said(Model("What it is.", "What fits inside."), other) == ["What fits inside."]
    assert await said(Model("What it is."), twin) == ["What it is."]


async def test_made_up_tags_are_left_out() -> None:
    assert await said(Model("\n * The area.\n * @return {Object}\n "), SCRIPT, "a.js") == ["The area."]


async def test_an_answer_cut_short_ends_with_its_last_sentence() -> None:
    cut = Model("The area of it. And then the rest of", reason=FinishReason.BUDGET)
    assert await said(cut) == ["The area of it."]


async def test_stars_of_a_doc_comment_are_taken_off() -> None:
    assert await said(Model("\n   * The area\n   * of it.\n   "), SCRIPT, "a.js") == ["The area\nof it."]


def test_one_line_stands_between_its_quotes() -> None:
    slot = declared(PYTHON, "a.py").slot
    assert slot is not None
    assert written(slot, "The area.", "\n") == '    """The area."""\n'
    assert written(slot, "The area\nof it.", "\n") == '    """The area\n    of it.\n    """\n'


def test_a_doc_comment_of_one_line_and_of_several() -> None:
    slot = declared(SCRIPT, "a.js").slot
    assert slot is not None
    assert written(slot, "The area.", "\n") == "/** The area. */\n  "
    assert written(slot, "The area\nof it.", "\n") == "/**\n   * The area\n   * of it.\n   */\n  "


def test_a_doc_comment_that_was_empty() -> None:
    slot = declared(SCRIPT.replace("  area", "  /** */\n  area"), "a.js").slot
    assert slot is not None
    assert written(slot, "The area.", "\n") == " The area. "
