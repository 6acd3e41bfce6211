"""The order of a model's prompts: the row's, unless the setting names another that the family knows."""

from __future__ import annotations

import dataclasses

import pytest

from engine.errors import ModelError
from engine.fim import FORMATS, Order, choose, detect, parse_format, plain_format
from engine.model_folder import ModelFolder

DEFAULT_ORDERS = {
    "deepseek-coder": Order.ANCHORED,
    "builtin": Order.SPM,
    "deepseek-coder-v2": Order.ANCHORED,
    "qwen2.5-coder": Order.ANCHORED,
    "starcoder2": Order.ANCHORED,
    "codellama": Order.ANCHORED,
    "codestral": Order.SPM,
    "codegemma": Order.ANCHORED,
    "granite-code": Order.ANCHORED,
    "granite-4": Order.ANCHORED,
    "stable-code": Order.ANCHORED,
    "mellum": Order.SPM,
    "plain": Order.PSM,
}


@pytest.mark.parametrize(
    ("wanted", "parsed"),
    [
        ("auto", ("auto", None)),
        ("builtin", ("builtin", None)),
        ("deepseek-coder:anchored", ("deepseek-coder", Order.ANCHORED)),
        ("auto:psm", ("auto", Order.PSM)),
    ],
)
def test_a_setting_names_row_and_order(wanted: str, parsed: tuple[str, Order | None]) -> None:
    assert parse_format(wanted) == parsed


@pytest.mark.parametrize("wanted", ["builtin:mps", "builtin:", "auto:PSM"])
def test_an_unknown_order_is_refused_with_those_there_are(wanted: str) -> None:
    with pytest.raises(ModelError, match="unknown; there are: psm, spm, anchored"):
        parse_format(wanted)


@pytest.mark.parametrize("wanted", ["auto", "builtin"])
def test_without_one_the_row_decides(wanted: str) -> None:
    chosen = choose(ModelFolder.open("builtin"), wanted)

    assert chosen.order is chosen.fim.order


@pytest.mark.parametrize("order", Order)
@pytest.mark.parametrize("row", ["auto", "builtin"])
def test_the_setting_decides_otherwise(row: str, order: Order) -> None:
    chosen = choose(ModelFolder.open("builtin"), f"{row}:{order}")

    assert (chosen.fim.name, chosen.order, chosen.refusal) == ("builtin", order, "")
    assert detect(ModelFolder.open("builtin"), f"{row}:{order}").name == "builtin"


def test_an_order_that_the_family_was_not_trained_on_is_refused() -> None:
    with pytest.raises(ModelError, match="deepseek-coder was not trained on the order spm; use"):
        choose(ModelFolder.open("builtin"), "deepseek-coder:spm")


@pytest.mark.parametrize("row", [*FORMATS, "plain"])
def test_each_row_heals_and_its_order_keeps_what_is_typed_last(row: str) -> None:
    """A key then costs a token; what only goes on from left to right ends there anyway."""
    fim = FORMATS.get(row) or plain_format("", 2048)

    assert (fim.order, fim.heals) == (DEFAULT_ORDERS[row], True)
    assert fim.allows(fim.order)


def test_a_row_trained_on_psm_first_is_anchored_and_no_other() -> None:
    row = FORMATS["builtin"]

    assert dataclasses.replace(row, orders=(Order.PSM, Order.SPM)).order is Order.ANCHORED
    assert dataclasses.replace(row, orders=(Order.SPM, Order.PSM)).order is Order.SPM
