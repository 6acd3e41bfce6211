"""Prompts byte for byte as each family documents them, and their marks in the family's own tokenizer."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from engine.api import Segment
from engine.fim import FORMATS, REPOSITORY, FimFormat, Order, Part, Piece, assemble, plain_format
from engine.layout import Budget, Layout
from engine.model_folder import ModelFolder
from engine.tokens import Tokenizer
from engine_families import FAMILY_ROWS, family_json

GOLDEN = Path(__file__).parent.parent / "golden" / "fim"


def golden_cases() -> list[Any]:
    return [
        pytest.param(file.stem.replace("_", "-"), order, case, id=f"{file.stem}-{order}-{case['name']}")
        for file in sorted(GOLDEN.glob("*.toml"))
        for case in tomllib.loads(file.read_text(encoding="utf-8"))["case"]
        for order in Order
        if order in case
    ]


def format_named(name: str) -> FimFormat:
    return FORMATS.get(name) or plain_format("<s>", 2048)


def segments_of(case: dict[str, Any]) -> list[Segment]:
    return [Segment(s["path"], s["text"], "definition", "test") for s in case.get("segments", ())]


def assembled(name: str, order: Order, case: dict[str, Any]) -> list[Piece]:
    return assemble(
        format_named(name),
        order,
        segments_of(case),
        case.get("path"),
        case["prefix"],
        case["suffix"],
        case.get("leader", "#"),
        repository=case.get("repository", REPOSITORY),
    )


@pytest.fixture(scope="session")
def tokenizers(deepseek_folder: Path) -> dict[str, Tokenizer]:
    """Of every row, with its family's special tokens."""
    folders = {"deepseek-coder": deepseek_folder, "builtin": ModelFolder.open("builtin").path}
    known = {row: Tokenizer.from_folder(folder) for row, folder in folders.items()}
    return known | {row: Tokenizer.from_json(family_json(row)) for row in FAMILY_ROWS}


@pytest.mark.parametrize(("name", "order", "case"), golden_cases())
def test_a_prompt_is_byte_for_byte_what_the_model_was_trained_on(
    name: str, order: Order, case: dict[str, Any]
) -> None:
    text = "".join(piece.text for piece in assembled(name, order, case))

    assert text.encode() == case[order].encode()


@pytest.mark.parametrize(("name", "order", "case"), golden_cases())
def test_only_the_formats_own_marks_are_marks(name: str, order: Order, case: dict[str, Any]) -> None:
    """Begin, hole and end each once; what a file says is never one, however it looks."""
    fim = format_named(name)

    pieces = assembled(name, order, case)

    marks = [piece.text for piece in pieces if piece.part is Part.MARK]
    once = [mark for mark in (fim.bos, fim.begin, fim.hole, fim.end) if mark]
    assert sorted(mark for mark in marks if mark in once) == sorted(once)
    others = [mark for mark in marks if mark not in once]
    assert set(others) <= {fim.file_mark, fim.repo_mark}
    assert others.count(fim.file_mark) <= 1 + len(case.get("segments", ()))
    assert [piece.text for piece in pieces if piece.part is Part.PREFIX] == [case["prefix"]] * bool(
        case["prefix"]
    )


@pytest.mark.parametrize(
    ("name", "order", "case"), [case for case in golden_cases() if case.values[0] != "plain"]
)
def test_the_ids_of_a_prompt_are_its_marks_and_the_plain_text_between_them(
    name: str, order: Order, case: dict[str, Any], tokenizers: dict[str, Tokenizer]
) -> None:
    """Also where a file writes marks: ids of marks stand only where the format puts them."""
    tokenizer = tokenizers[name]
    layout, pieces = Layout(tokenizer, FORMATS[name], order), assembled(name, order, case)

    ids = layout.encode(pieces)

    marks = [tokenizer.mark_id(piece.text) for piece in pieces if piece.part is Part.MARK]
    assert [token_id for token_id in ids if token_id in tokenizer.known_mark_ids()] == marks
    assert tokenizer.decode(ids) == "".join(piece.text for piece in pieces if piece.part is not Part.MARK)


def test_each_row_has_a_golden_file() -> None:
    assert {file.stem.replace("_", "-") for file in GOLDEN.glob("*.toml")} == {*FORMATS, "plain"}


@pytest.mark.parametrize("name", FORMATS)
def test_each_row_has_golden_prompts_of_every_order_with_and_without_a_suffix(name: str) -> None:
    cases = [case.values for case in golden_cases() if case.values[0] == name]

    for order in FORMATS[name].orders:
        mine = [case for _, of, case in cases if of is order]
        assert any(case["suffix"] == "" for case in mine)
        assert any(case["suffix"] != "" for case in mine)
        assert any(case.get("segments") for case in mine)


@pytest.mark.parametrize("name", FORMATS)
def test_each_mark_of_a_format_is_known_to_its_tokenizer(name: str, tokenizers: dict[str, Tokenizer]) -> None:
    """Stop marks too: an unknown one would never end a middle."""
    fim = FORMATS[name]

    ids = [tokenizers[name].mark_id(mark) for mark in fim.marks]

    assert len(set(ids)) == len(fim.marks) >= 4
    assert set(fim.stops) <= set(fim.marks)
    assert fim.stops


@pytest.mark.parametrize("name", FORMATS)
def test_a_laid_out_prompt_is_the_format_written_out(name: str, tokenizers: dict[str, Tokenizer]) -> None:
    """The layout's windows and caches put nothing between the pieces, in every order of the row."""
    fim, tokenizer = FORMATS[name], tokenizers[name]
    segments = [Segment(f"m{n}.py", f"def f{n}(x):\n    return x\n", "definition", "test") for n in range(3)]
    prefix, suffix = "import m1\n\ndef g():\n    return m1.", "\n\n\ng()\n"

    for order in fim.orders:
        prompt = Layout(tokenizer, fim, order).prompt(
            segments, "g.py", prefix, suffix, Budget(400, 200, 100, 20), heals=False
        )
        pieces = assemble(fim, order, segments, "g.py", prefix, suffix)
        assert list(prompt.ids) == Layout(tokenizer, fim, order).encode(pieces)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("total", [128, 300, 2000])
def test_a_laid_out_prompt_keeps_its_budget(name: str, total: int, tokenizers: dict[str, Tokenizer]) -> None:
    """Marks before each file and the repository's name included."""
    fim = FORMATS[name]
    segments = [Segment(f"m{n}.py", f"x{n} = {n}\n", "definition", "test") for n in range(200)]
    budget = Budget.split(total, 20, fim)

    for order in fim.orders:
        layout = Layout(tokenizers[name], fim, order)
        prompt = layout.prompt(segments, "g.py", "y = 1\n" * 900, "z = 2\n" * 900, budget)
        assert len(prompt.ids) <= total - budget.answer
