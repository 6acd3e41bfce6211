"""FIM formats: prompts byte for byte, and which format a model gets or why it gets none."""

from __future__ import annotations

import dataclasses
import tomllib
from pathlib import Path
from typing import Any

import pytest

from engine.api import Segment
from engine.errors import ModelError, NoInfillError
from engine.fim import EOT, FORMATS, FimFormat, Order, Part, assemble, detect, plain_format
from engine.model_folder import ModelFolder
from engine.tokens import Tokenizer
from engine_checkpoints import deepseek_config

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


def assembled(name: str, order: Order, case: dict[str, Any]) -> list[Any]:
    segments = [Segment(s["path"], s["text"], "definition", "test") for s in case.get("segments", ())]
    return assemble(
        format_named(name),
        order,
        segments,
        case.get("path"),
        case["prefix"],
        case["suffix"],
        case.get("leader", "#"),
    )


@pytest.mark.parametrize(("name", "order", "case"), golden_cases())
def test_a_prompt_is_byte_for_byte_what_the_model_was_trained_on(
    name: str, order: Order, case: dict[str, Any]
) -> None:
    text = "".join(piece.text for piece in assembled(name, order, case))

    assert text.encode() == case[order].encode()


@pytest.mark.parametrize(("name", "order", "case"), golden_cases())
def test_only_the_formats_own_marks_are_marks(name: str, order: Order, case: dict[str, Any]) -> None:
    """Each once; what a file says is never one, however it looks."""
    fim = format_named(name)

    marks = [piece.text for piece in assembled(name, order, case) if piece.part is Part.MARK]

    assert sorted(marks) == sorted(mark for mark in (fim.bos, fim.begin, fim.hole, fim.end) if mark)


def test_each_row_has_a_golden_file() -> None:
    assert {file.stem.replace("_", "-") for file in GOLDEN.glob("*.toml")} == {*FORMATS, "plain"}


@pytest.mark.parametrize("fim", FORMATS.values(), ids=lambda fim: fim.name)
def test_each_mark_of_a_format_is_known_to_its_tokenizer(fim: FimFormat, deepseek_folder: Path) -> None:
    """Stop marks too: an unknown one would never end a middle."""
    folder = deepseek_folder if fim.name == "deepseek-coder" else ModelFolder.open("builtin").path
    tokenizer = Tokenizer.from_folder(folder)

    assert len({tokenizer.mark_id(mark) for mark in fim.marks}) == 6
    assert set(fim.stops) <= set(fim.marks)


def test_an_order_that_the_family_was_not_trained_on_is_refused() -> None:
    with pytest.raises(ModelError, match="deepseek-coder was not trained on the order spm; use psm"):
        assemble(FORMATS["deepseek-coder"], Order.SPM, (), None, "a", "b")


# Which format a model gets


def folder(name: str = "/models/deepseek-coder-1.3b-base", **changes: Any) -> ModelFolder:
    """A DeepSeek-Coder 1.3B folder, changed."""
    tokens = {"bos_token": {"content": "<｜begin▁of▁sentence｜>"}, "eos_token": "<｜end▁of▁sentence｜>"}
    base = ModelFolder(Path(name), name, deepseek_config(), {}, tokens, has_chat_template=False)
    return dataclasses.replace(base, **changes)


V15_CONFIG = {
    "architectures": ["LlamaForCausalLM"],
    "bos_token_id": 100000,
    "eos_token_id": 100001,
    "hidden_size": 4096,
    "num_hidden_layers": 30,
    "vocab_size": 102400,
}


def test_the_built_in_model_is_known_by_its_ghostfill_json() -> None:
    assert detect(ModelFolder.open("builtin")).name == "builtin"


def test_ghostfill_json_decides_before_everything_else() -> None:
    assert detect(folder(ghostfill={"fim": "builtin"}, has_chat_template=True)).name == "builtin"


@pytest.mark.parametrize("heads", [16, 32, 56])
def test_deepseek_coder_is_known_by_its_shape_whatever_its_folder_is_called(heads: int) -> None:
    assert detect(folder("/models/tuned", config=deepseek_config(heads=heads))).name == "deepseek-coder"


def test_a_checkpoint_on_disk_is_known(deepseek_folder: Path) -> None:
    assert detect(ModelFolder.open(str(deepseek_folder))).name == "deepseek-coder"


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"has_chat_template": True}, id="a chat template"),
        pytest.param({"tokenizer_config": {"eos_token": EOT}}, id="EOT as end"),
        pytest.param({"tokenizer_config": {"eos_token": {"content": EOT}}}, id="EOT as end, as an object"),
        pytest.param({"config": deepseek_config(instruct=True), "tokenizer_config": {}}, id="EOT's id alone"),
    ],
)
def test_an_instruct_model_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(NoInfillError, match=r"is an instruct model.*Use the base model"):
        detect(folder(**changes))


def test_a_base_model_that_knows_the_marks_but_had_no_fim_training_is_refused() -> None:
    """deepseek-coder-7b-base-v1.5: a Llama, the name fits, the marks are in its tokenizer."""
    with pytest.raises(NoInfillError, match=r"LlamaForCausalLM, vocabulary of 102400"):
        detect(folder("deepseek-ai/deepseek-coder-7b-base-v1.5", config=V15_CONFIG))


def test_an_unknown_model_is_refused_with_the_setting_that_helps() -> None:
    with pytest.raises(NoInfillError, match=r"engine\.fimFormat \(deepseek-coder, builtin\)"):
        detect(folder("/models/other", config={"architectures": ["OtherForCausalLM"], "vocab_size": 1}))


def test_a_config_that_says_nothing_is_refused() -> None:
    with pytest.raises(NoInfillError, match="no architecture named, vocabulary of unknown size"):
        detect(folder("/models/other", config={}))


def test_the_users_choice_overrides_every_sign() -> None:
    assert detect(folder(has_chat_template=True), "deepseek-coder").name == "deepseek-coder"
    assert detect(folder("/models/other", config={}), "builtin").name == "builtin"


@pytest.mark.parametrize("wanted", ["codellama", "plain", ""])
def test_an_unknown_choice_is_refused_with_the_known_ones(wanted: str) -> None:
    with pytest.raises(ModelError, match=r"is unknown; there are: deepseek-coder, builtin"):
        detect(folder(), wanted)
