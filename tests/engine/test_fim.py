"""FIM formats: which format a model gets, or why it gets none."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from engine.errors import ModelError, NoInfillError
from engine.fim import EOT, FORMATS, Order, assemble, choose, detect
from engine.model_folder import ModelFolder
from engine_checkpoints import deepseek_config


def test_an_order_that_the_family_was_not_trained_on_is_refused() -> None:
    with pytest.raises(ModelError, match="deepseek-coder was not trained on the order spm; use anchored"):
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
    with pytest.raises(NoInfillError, match=r"is an instruct model.*Name the base model of the same family"):
        detect(folder(**changes))


@pytest.mark.parametrize(
    ("name", "base"),
    [
        ("deepseek-ai/deepseek-coder-6.7b-instruct", "deepseek-ai/deepseek-coder-6.7b-base"),
        ("deepseek-ai/DeepSeek-Coder-V2-Lite-Instruct", "deepseek-ai/DeepSeek-Coder-V2-Lite-Base"),
    ],
)
def test_an_instruct_model_that_is_known_is_refused_with_its_base_model(name: str, base: str) -> None:
    with pytest.raises(NoInfillError, match=f"Name {base} in 'model'"):
        detect(folder(name, has_chat_template=True))


def test_a_base_model_that_knows_the_marks_but_had_no_fim_training_is_refused() -> None:
    """deepseek-coder-7b-base-v1.5: a Llama, the name fits, the marks are in its tokenizer."""
    with pytest.raises(NoInfillError, match=r"LlamaForCausalLM, vocabulary of 102400"):
        detect(folder("deepseek-ai/deepseek-coder-7b-base-v1.5", config=V15_CONFIG))


def family(name: str, architecture: str, vocab_size: int, chats: bool = False) -> ModelFolder:
    config = {"architectures": [architecture], "vocab_size": vocab_size}
    return ModelFolder(Path(name), name, config, {}, {}, has_chat_template=chats)


@pytest.mark.parametrize(
    ("row", "name", "architecture", "vocab_size", "chats"),
    [
        (
            "deepseek-coder-v2",
            "deepseek-ai/DeepSeek-Coder-V2-Lite-Base",
            "DeepseekV2ForCausalLM",
            102400,
            True,
        ),
        ("qwen2.5-coder", "Qwen/Qwen2.5-Coder-1.5B", "Qwen2ForCausalLM", 151936, True),
        ("qwen2.5-coder", "Qwen/Qwen2.5-Coder-32B-Instruct-AWQ", "Qwen2ForCausalLM", 152064, True),
        ("starcoder2", "/models/renamed", "Starcoder2ForCausalLM", 49152, False),
        ("codellama", "codellama/CodeLlama-7b-hf", "LlamaForCausalLM", 32016, False),
        ("codellama", "codellama/CodeLlama-13b-Instruct-hf", "LlamaForCausalLM", 32016, True),
        ("codestral", "mistralai/Codestral-22B-v0.1", "MistralForCausalLM", 32768, True),
        ("codegemma", "google/codegemma-2b", "GemmaForCausalLM", 256000, False),
        ("granite-code", "ibm-granite/granite-3b-code-base-2k", "LlamaForCausalLM", 49152, False),
        ("granite-code", "ibm-granite/granite-20b-code-base-8k", "GPTBigCodeForCausalLM", 49152, False),
        ("granite-4", "ibm-granite/granite-4.0-micro", "GraniteMoeHybridForCausalLM", 100352, True),
        ("stable-code", "stabilityai/stable-code-3b", "StableLmForCausalLM", 50304, False),
        ("mellum", "JetBrains/Mellum-4b-sft-python", "LlamaForCausalLM", 49152, False),
    ],
)
def test_a_family_is_known_by_its_shape_and_name(
    row: str, name: str, architecture: str, vocab_size: int, chats: bool
) -> None:
    """Instruct models too where their authors trained them to infill."""
    assert detect(family(name, architecture, vocab_size, chats)).name == row


@pytest.mark.parametrize(
    ("name", "architecture", "vocab_size", "chats"),
    [
        pytest.param("Qwen/Qwen2.5-7B", "Qwen2ForCausalLM", 152064, True, id="has Qwen2.5-Coder's marks"),
        pytest.param("Qwen/Qwen2.5-7B", "Qwen2ForCausalLM", 152064, False, id="no template either"),
        pytest.param(
            "deepseek-ai/DeepSeek-V2-Lite", "DeepseekV2ForCausalLM", 102400, False, id="V2, no coder"
        ),
        pytest.param(
            "deepseek-ai/DeepSeek-Coder-V2-Lite-Instruct", "DeepseekV2ForCausalLM", 102400, True, id="V2"
        ),
        pytest.param("codellama/CodeLlama-7b-Python-hf", "LlamaForCausalLM", 32000, False, id="for Python"),
        pytest.param("codellama/CodeLlama-34b-hf", "LlamaForCausalLM", 32000, False, id="34B"),
        pytest.param("codellama/CodeLlama-70b-hf", "LlamaForCausalLM", 32016, False, id="70B"),
        pytest.param("EleutherAI/llemma_7b", "LlamaForCausalLM", 32016, False, id="CodeLlama's shape"),
        pytest.param("mistralai/Mistral-7B-v0.3", "MistralForCausalLM", 32768, False, id="Codestral's marks"),
        pytest.param("google/codegemma-7b-it", "GemmaForCausalLM", 256000, True, id="instruct Gemma"),
        pytest.param("google/gemma-2b", "GemmaForCausalLM", 256000, False, id="Gemma"),
        pytest.param("bigcode/starcoder2-15b-instruct-v0.1", "Starcoder2ForCausalLM", 49152, True, id="chat"),
        pytest.param("HuggingFaceTB/SmolLM2-1.7B", "LlamaForCausalLM", 49152, False, id="StarCoder's marks"),
        pytest.param("meta-llama/Meta-Llama-3-8B", "LlamaForCausalLM", 128256, False, id="Llama 3"),
        pytest.param(
            "stabilityai/stable-code-instruct-3b", "StableLmForCausalLM", 50304, True, id="stable chat"
        ),
        pytest.param("ibm-granite/granite-3.1-8b-base", "GraniteForCausalLM", 49155, False, id="Granite 3.1"),
    ],
)
def test_a_relative_that_was_not_trained_to_infill_goes_from_left_to_right(
    name: str, architecture: str, vocab_size: int, chats: bool
) -> None:
    """Though it may know the marks."""
    chosen = choose(family(name, architecture, vocab_size, chats))

    assert chosen.fim.name == "plain"
    assert name in chosen.refusal


def test_an_unknown_model_is_refused_with_the_setting_that_helps() -> None:
    with pytest.raises(NoInfillError, match=r"engine\.fimFormat \(deepseek-coder, builtin, .*mellum\)"):
        detect(folder("/models/other", config={"architectures": ["OtherForCausalLM"], "vocab_size": 1}))


def test_a_config_that_says_nothing_is_refused() -> None:
    with pytest.raises(NoInfillError, match="no architecture named, vocabulary of unknown size"):
        detect(folder("/models/other", config={}))


def test_the_users_choice_overrides_every_sign() -> None:
    assert detect(folder(has_chat_template=True), "deepseek-coder").name == "deepseek-coder"
    assert detect(folder("/models/other", config={}), "builtin").name == "builtin"


@pytest.mark.parametrize("wanted", ["guesswork", "plain", ""])
def test_an_unknown_choice_is_refused_with_the_known_ones(wanted: str) -> None:
    with pytest.raises(ModelError, match=r"is unknown; there are: deepseek-coder, builtin"):
        detect(folder(), wanted)
