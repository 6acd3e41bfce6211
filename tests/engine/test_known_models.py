"""The table of known models against the models' own shapes, and what fits where."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from transformers import AutoConfig, AutoModelForCausalLM
from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING

from engine.fim import detect
from engine.known_models import KNOWN_MODELS, SLACK, KnownModel, Room, largest_fit
from engine.model_folder import ModelFolder
from engine.runtime.llama import _CLASSES as LLAMA_CLASSES
from known_configs import CONFIGS

GIB = 2**30
by_name = {model.name: model for model in KNOWN_MODELS}
per_model = pytest.mark.parametrize("model", KNOWN_MODELS, ids=lambda model: model.name)


def test_each_model_stands_in_the_table_once_and_has_its_shape_beside_it() -> None:
    assert len(by_name) == len(KNOWN_MODELS)
    assert by_name.keys() == CONFIGS.keys()


@per_model
def test_the_format_is_a_row_of_the_table_and_is_found_by_itself(model: KnownModel) -> None:
    kind, shape = CONFIGS[model.name]
    built = MODEL_FOR_CAUSAL_LM_MAPPING[type(AutoConfig.for_model(kind, **shape))]
    config = shape | {"architectures": [built.__name__]}

    folder = ModelFolder(Path("/nowhere"), model.name, config, {}, {}, has_chat_template=False)
    assert detect(folder).name == model.fim_format


@per_model
def test_the_parameters_are_those_of_the_shape(model: KnownModel) -> None:
    """Counted in the model that transformers builds of it, without memory."""
    kind, shape = CONFIGS[model.name]
    config = AutoConfig.for_model(kind, **shape)
    with torch.device("meta"):
        built = AutoModelForCausalLM.from_config(config)

    assert model.parameters == sum(weight.numel() for weight in built.parameters())
    read = model.parameters
    if not config.tie_word_embeddings:
        read -= built.get_input_embeddings().weight.numel()
    if model.has_experts:
        idle = config.n_routed_experts - config.num_experts_per_tok
        num_moe_layers = config.num_hidden_layers - config.first_k_dense_replace
        read -= num_moe_layers * idle * 3 * config.hidden_size * config.moe_intermediate_size
    assert model.read_parameters == read


@per_model
def test_the_kept_bytes_of_a_token_are_those_of_the_shape(model: KnownModel) -> None:
    _, shape = CONFIGS[model.name]
    if "kv_lora_rank" in shape:
        numbers = shape["kv_lora_rank"] + shape["qk_rope_head_dim"]
    else:
        head_dim = shape.get("head_dim") or shape["hidden_size"] // shape["num_attention_heads"]
        numbers = 2 * shape["num_key_value_heads"] * head_dim

    assert model.kv_bytes_per_token == 2 * shape["num_hidden_layers"] * numbers


@pytest.mark.parametrize(
    ("name", "kibibytes"),
    [
        ("deepseek-ai/deepseek-coder-1.3b-base", 192),
        ("deepseek-ai/deepseek-coder-5.7bmqa-base", 16),
        ("deepseek-ai/deepseek-coder-6.7b-base", 512),
        ("deepseek-ai/deepseek-coder-33b-base", 248),
        ("deepseek-ai/DeepSeek-Coder-V2-Lite-Base", 30.375),
    ],
)
def test_the_kept_bytes_of_the_family_we_know_best(name: str, kibibytes: float) -> None:
    assert by_name[name].kv_bytes_per_token == kibibytes * 1024


@pytest.mark.parametrize("kind", ["cuda", "mps", "cpu"])
@pytest.mark.parametrize("quantize", [None, "int8"])
def test_what_fits_leaves_its_slack_and_nothing_larger_would(kind: str, quantize: str | None) -> None:
    """Over many sizes of memory: adding up by hand which models fit gives the same one."""
    for gibibytes in (2, 4, 6, 8, 12, 16, 24, 40, 48, 80, 140, 200):
        room = Room(kind, gibibytes * GIB)
        fit = largest_fit(room, quantize)
        offered = [each for each in KNOWN_MODELS if each.context_length >= 8192]
        offered = [each for each in offered if not (each.has_experts and kind == "cpu")]
        offered = [each for each in offered if each.is_llama or not quantize]
        offered = [
            each for each in offered if 2 * each.parameters <= (1.5 if kind == "cpu" else 1) * gibibytes * GIB
        ]
        tokens = {each.name: min(room.num_tokens, each.context_length) for each in offered}
        kv_factor = 2 if kind == "cpu" else 1
        per_weight = 1.05 if quantize else 2
        allowed = [
            each.parameters
            for each in offered
            if 1.1 * (per_weight * each.parameters + kv_factor * each.kv_bytes_per_token * tokens[each.name])
            <= gibibytes * GIB
        ]
        assert (fit.model.parameters if fit else 0) == max(allowed, default=0)
        if fit:
            assert SLACK * (fit.weight_bytes + fit.kv_bytes) <= room.memory_bytes


@pytest.mark.parametrize(
    ("gibibytes", "name"),
    [
        (139.8, "deepseek-ai/deepseek-coder-33b-base"),  # H200
        (79.6, "deepseek-ai/deepseek-coder-33b-base"),  # H100
        (23.6, "google/codegemma-7b"),  # RTX 4090
        (8.0, "Qwen/Qwen2.5-Coder-3B"),
    ],
)
def test_the_largest_model_of_well_known_gpus(gibibytes: float, name: str) -> None:
    fit = largest_fit(Room("cuda", int(gibibytes * GIB)))

    assert fit is not None
    assert fit.model.name == name


def test_int8_makes_room_for_a_larger_model() -> None:
    """And reads half as much: on a CPU it may be twice as large and as fast."""
    room = Room("cpu", 16 * GIB, 40e9)
    plain, small = largest_fit(room), largest_fit(room, "int8")

    assert plain is not None
    assert small is not None
    assert small.model.parameters > 1.5 * plain.model.parameters


def test_a_cpu_without_bfloat16_holds_half_as_much() -> None:
    room = Room("cpu", 16 * GIB, 400e9)
    plain, wide = largest_fit(room), largest_fit(replace(room, number_bytes=4))

    assert plain is not None
    assert wide is not None
    assert plain.model.parameters > 1.5 * wide.model.parameters


@per_model
def test_int8_is_for_those_that_are_built_like_llama(model: KnownModel) -> None:
    """`engine.runtime.llama` names the classes."""
    config = AutoConfig.for_model(CONFIGS[model.name][0], **CONFIGS[model.name][1])

    assert model.is_llama == (MODEL_FOR_CAUSAL_LM_MAPPING[type(config)] in LLAMA_CLASSES)


def test_a_cpu_is_offered_only_what_it_decodes_fast_enough() -> None:
    """Memory for 13 B, bandwidth for 3 B: at 35 GB/s 5 tokens a second read 5.25 GB each."""
    fit = largest_fit(Room("cpu", 64 * GIB, 35e9))

    assert fit is not None
    assert fit.tokens_per_second is not None
    assert fit.tokens_per_second >= 5
    assert fit.model.name == "google/codegemma-2b"
    assert largest_fit(Room("cpu", 64 * GIB, 1e9)) is None


def test_too_little_memory_fits_nothing() -> None:
    assert largest_fit(Room("cuda", GIB)) is None
