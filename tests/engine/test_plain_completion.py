"""An instruct model completes from left to right, as its authors document; it is not asked to infill."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.api import FinishReason
from engine.errors import NoInfillError
from engine.fim import PLAIN
from engine.layout import Budget
from engine.runtime.resident import EngineOptions, ResidentModel
from engine_checkpoints import EOS, EOT, MARK_IDS
from engine_jobs import Ask, run
from instruct_model import make_deepseek_instruct

BUDGET = Budget(context=100, prefix=100, suffix=100, answer=8)


def opened(folder: Path) -> ResidentModel:
    resident = ResidentModel(EngineOptions(model=str(folder), device="cpu", dtype="float32"))
    resident.load()
    assert resident.state == "ready", resident.message
    return resident


@pytest.fixture(params=[True, False], ids=["template", "none"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return make_deepseek_instruct(tmp_path / "deepseek-coder-1.3b-instruct", with_template=request.param)


@pytest.fixture
def resident(folder: Path) -> Iterator[ResidentModel]:
    resident = opened(folder)
    yield resident
    resident.close()


def complete(resident: ResidentModel) -> tuple[list[int], FinishReason]:
    assert resident.layout is not None
    assert resident.worker is not None
    prompt = resident.layout.prompt([], "a.py", "def add(left", "", BUDGET, heals=False)
    ask = Ask(list(prompt.ids), max_tokens=4)
    outcome = run(resident.worker, ask)
    assert outcome.error is None
    return ask.tokens, outcome.finish_reason


def swap_rows(folder: Path, one: int, other: int) -> None:
    """From now on the model says one token where it said the other."""
    from safetensors.torch import load_file, save_file

    weights = load_file(folder / "model.safetensors")
    head = weights["lm_head.weight"]
    head[[one, other]] = head[[other, one]]
    # Beside it: whoever holds the old file goes on reading that.
    save_file(weights, folder / "new", metadata={"format": "pt"})
    (folder / "new").replace(folder / "model.safetensors")


@pytest.mark.parametrize("end", [EOS, EOT], ids=["32014", "32021"])
def test_a_plain_completion_ends_at_the_ends_of_base_and_instruct(
    resident: ResidentModel, folder: Path, end: str
) -> None:
    assert resident.layout is not None
    assert resident.layout.fim.name == PLAIN
    tokens, reason = complete(resident)
    assert (len(tokens), reason) == (4, FinishReason.BUDGET)

    swap_rows(folder, MARK_IDS[end], tokens[0])
    again = opened(folder)
    try:
        assert complete(again) == ([], FinishReason.EOS)
    finally:
        again.close()


def test_it_is_not_asked_to_infill_and_the_base_model_is_named(resident: ResidentModel) -> None:
    assert resident.layout is not None
    assert "Name the base model of the same family" in resident.refusal
    assert "this one in 'chat.model'" in resident.refusal

    with pytest.raises(NoInfillError):
        resident.layout.prompt([], "a.py", "x = ", "\ny = 2\n", BUDGET)
