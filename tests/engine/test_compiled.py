"""The compiled pass gives transformers' numbers, over the same slots as torch's, and is never needed."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numba
import numpy as np
import pytest
import torch
from transformers import (
    AutoModelForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedModel,
    Qwen2Config,
    Qwen2ForCausalLM,
)

from engine.model_folder import ModelFolder
from engine.runtime import compiled, reference, vectors
from engine.runtime.compiled import KEPT_DAYS, MAX_TOKENS, CompiledForward
from engine.runtime.decode import Decoder
from engine.runtime.draft import CPU_COSTS, Drafter
from engine.runtime.linear import expand_rows, quantise_rows
from engine.runtime.llama import LlamaForward
from engine.runtime.model import LoadedModel, load_model

CLOSE = 1e-3
"""Logits of size ten or more, summed up in float32 in another order, over a dozen layers."""

HIDDEN: dict[str, Any] = {
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 3,
    "vocab_size": 320,
}
LINEAR = {"rope_type": "linear", "factor": 4.0, "rope_theta": 100000.0}
SHAPES: dict[str, dict[str, Any]] = {
    "each head its own keys": {"num_attention_heads": 4, "num_key_value_heads": 4},
    "groups of two": {"num_attention_heads": 4, "num_key_value_heads": 2},
    "groups of three": {"hidden_size": 96, "num_attention_heads": 6, "num_key_value_heads": 2},
    "one for all": {"num_attention_heads": 8, "num_key_value_heads": 1, "head_dim": 32},
    "wide heads": {"num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 80},
    "biased": {"num_attention_heads": 4, "attention_bias": True, "mlp_bias": True},
    "tied": {"num_attention_heads": 4, "tie_word_embeddings": True},
}
LONG = (MAX_TOKENS + 1, 20, 33, 128)
TEXT = "".join(
    Path(__file__).with_name(name).read_text("utf-8") for name in ("test_llama.py", "test_decode.py")
)


def make_model(shape: str) -> PreTrainedModel:
    torch.manual_seed(0)
    common = HIDDEN | {"initializer_range": 0.15, "max_position_embeddings": 4096}
    model: PreTrainedModel
    if shape == "qwen2":
        model = Qwen2ForCausalLM(Qwen2Config(**common, num_attention_heads=4, num_key_value_heads=2))
    else:
        model = LlamaForCausalLM(LlamaConfig(**common | SHAPES[shape], rope_parameters=LINEAR))
    for name, parameter in model.named_parameters():
        if name.endswith("bias"):
            torch.nn.init.normal_(parameter)
    return model.eval()


def load(folder: Path | str, **options: Any) -> LoadedModel:
    defaults = {"device": "cpu", "dtype": "float32", "quantize": "int8"}
    return load_model(ModelFolder.open(str(folder)), **defaults | options)


def dequantised(folder: Path) -> PreTrainedModel:
    """What the int8 rows stand for, as transformers runs it."""
    oracle = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    is_tied = oracle.lm_head.weight is oracle.model.embed_tokens.weight
    if is_tied:  # the looked up embedding stays as exact as it was
        oracle.config.tie_word_embeddings = False
        oracle.lm_head.weight = torch.nn.Parameter(oracle.lm_head.weight.detach().clone())
    for name, parameter in oracle.named_parameters():
        if parameter.ndim == 2 and "embed" not in name:
            parameter.data = expand_rows(quantise_rows(parameter.data), torch.float32)
    return oracle


def whole(model: PreTrainedModel, ids: list[int]) -> torch.Tensor:
    with torch.inference_mode():
        return model(torch.tensor([ids]), use_cache=False).logits[0].float()  # type: ignore[no-any-return]


def compare(
    loaded: LoadedModel, ids: list[int], oracle: torch.Tensor, seed: int = 0, long: float = 0.0
) -> float:
    """The compiled pass's largest difference of logits; now and then tokens are forgotten and read again.

    So many passes (`long`, a share) have more tokens than it takes.
    """
    assert isinstance(loaded.forward, CompiledForward)
    chance, slot, largest, num = random.Random(seed), loaded.new_slot(), 0.0, 0
    while len(slot) < len(ids):
        start = len(slot)
        part = ids[
            start : start + (chance.choice(LONG) if chance.random() < long else chance.randint(1, MAX_TOKENS))
        ]
        num_logits = chance.randint(1, len(part))
        found = loaded.forward(slot, part, num_logits)
        slot.commit(part)
        if len(part) > MAX_TOKENS:
            continue
        largest = max(largest, (found - oracle[len(slot) - num_logits : len(slot)]).abs().max().item())
        num += num_logits
        if chance.random() < 0.2:
            slot.rewind(max(0, len(slot) - chance.randrange(40)))
    assert num > len(ids) / 12
    return largest


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """With more, what is faster on this machine would be taken."""
    before = torch.get_num_threads()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "1")
        yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def builtin8() -> LoadedModel:
    return load("builtin")


@pytest.fixture(scope="module")
def ids() -> list[int]:
    from engine.tokens import Tokenizer

    found = Tokenizer.from_folder(ModelFolder.open("builtin").path).encode(TEXT)
    assert len(found) > 1500
    return list(found)


@pytest.mark.parametrize("shape", [*SHAPES, "qwen2"])
def test_every_shape_equals_transformers(shape: str, tmp_path: Path) -> None:
    make_model(shape).save_pretrained(tmp_path)
    ids = torch.randint(0, 320, (300,)).tolist()

    assert compare(load(tmp_path), ids, whole(dequantised(tmp_path), ids)) < CLOSE


@pytest.mark.parametrize("seed", range(3))
def test_the_builtin_model_equals_transformers(seed: int, builtin8: LoadedModel, ids: list[int]) -> None:
    some = ids[seed * 300 : seed * 300 + 600]

    assert compare(builtin8, some, whole(builtin8.model, some), seed) < CLOSE


@pytest.mark.parametrize("seed", range(3))
def test_each_way_reads_what_the_other_wrote(seed: int, builtin8: LoadedModel, ids: list[int]) -> None:
    some = ids[:900]

    assert compare(builtin8, some, whole(builtin8.model, some), seed, long=0.3) < CLOSE


def test_it_chooses_what_float32_chooses_over_a_whole_text(ids: list[int]) -> None:
    """With keys and values rounded to bfloat16 too, but for a few near ties."""
    exact = whole(load("builtin").model, ids[:800])
    loaded = load("builtin", dtype="bfloat16")
    slot, num_same = loaded.new_slot(), 0
    for start in range(0, 800, 4):
        rows = loaded.forward(slot, ids[start : start + 4], 4)
        slot.commit(ids[start : start + 4])
        for row, wanted in zip(rows, exact[start : start + 4], strict=True):
            num_same += int(row.argmax() == wanted.argmax())
            assert wanted.max() - wanted[row.argmax()] < 0.5

    assert num_same >= 0.97 * 800


def test_greedy_answers_are_the_oracles_with_and_without_drafts(
    builtin8: LoadedModel, ids: list[int]
) -> None:
    decoder, prompt = Decoder(builtin8), ids[:200]
    expected = reference.generate(builtin8, prompt, 24)

    for drafter in (None, Drafter(prompt, [expected[:10]]), Drafter(prompt, [ids[40:60]])):
        slot = builtin8.new_slot()
        logits = decoder.prefill(slot, prompt, lambda: None)
        decoding = decoder.decode(slot, logits, max_tokens=24, poll=lambda: None, drafter=drafter)
        assert [step.token_id for step in decoding] == expected


def test_a_pass_changes_nothing_until_it_is_committed(builtin8: LoadedModel, ids: list[int]) -> None:
    slot = builtin8.new_slot()
    builtin8.forward(slot, ids[:100])
    slot.commit(ids[:100])

    before = builtin8.forward(slot, [50])
    builtin8.forward(slot, [90, 91, 92])

    assert len(slot) == 100
    assert torch.equal(builtin8.forward(slot, [50]), before)


def test_what_lies_behind_the_sequence_is_not_seen(builtin8: LoadedModel, ids: list[int]) -> None:
    """Keys are read four at a time: the last ones may be of forgotten tokens, and of any size."""
    used, fresh = builtin8.new_slot(), builtin8.new_slot()
    for slot in (used, fresh):
        builtin8.forward(slot, ids[:61])
        slot.commit(ids[:61])
    with torch.inference_mode():
        for keys, values in builtin8.forward.llama.buffers(used, 61):  # type: ignore[attr-defined]
            keys[:, 61:] = 1e4
            values[:, 61:] = 1e4

    assert torch.equal(builtin8.forward(used, [50]), builtin8.forward(fresh, [50]))


def test_bfloat16_is_rounded_as_torch_rounds_it() -> None:
    numbers = torch.cat([torch.randn(4096) * 10.0 ** torch.arange(-8, 8).repeat(256), torch.zeros(16)])
    ties = (torch.arange(4096, dtype=torch.int32) * 0x8000 + 0x3F808000).view(torch.float32)
    source = torch.cat([numbers, ties]).numpy()
    kept, back = np.empty(len(source), np.uint16), np.empty_like(source)

    rounded(source.ctypes.data, kept.ctypes.data, kept, back.ctypes.data, len(source))

    expected = torch.from_numpy(source).bfloat16()
    assert np.array_equal(kept, expected.view(torch.uint16).numpy())
    assert np.array_equal(back, expected.float().numpy())


def test_powers_of_e_are_those_of_float64() -> None:
    source = np.linspace(-86, 86, 1 << 16, dtype=np.float32)
    found = np.empty_like(source)

    powers(source.ctypes.data, found.ctypes.data, len(source))

    exact = np.exp(source.astype(np.float64))
    assert np.abs(found / exact - 1).max() < 3e-7


def test_powers_beyond_float32_are_its_ends() -> None:
    source = np.array([-1e30, -3e38, -90.0, 90.0] * 4, np.float32)
    found = np.empty_like(source)

    powers(source.ctypes.data, found.ctypes.data, len(source))

    assert np.all(found[[0, 1, 2]] < 1e-37)
    assert np.all(np.isfinite(found))
    assert found[3] > 1e37


@numba.njit
def rounded(source: int, kept: int, like: Any, back: int, num: int) -> None:
    for i in range(0, num, vectors.LANES):
        vectors.store_kept(kept + 2 * i, vectors.load(source + 4 * i), like)
        vectors.store(back + 4 * i, vectors.load_kept(kept + 2 * i, like))


@numba.njit
def powers(source: int, to: int, num: int) -> None:
    for i in range(0, 4 * num, 4 * vectors.LANES):
        vectors.store(to + i, vectors.exp(vectors.load(source + i)))


def test_bfloat16_keys_and_values_cost_no_more_than_their_rounding(ids: list[int]) -> None:
    """Torch's own pass over the same slots rounds activations too, and is no closer to float32."""
    loaded = load("builtin", dtype="bfloat16")
    exact = whole(load("builtin").model, ids[:400])
    assert isinstance(loaded.forward, CompiledForward)
    slot = loaded.new_slot()
    loaded.forward(slot, ids[:300])
    slot.commit(ids[:300])
    errors = {"compiled": 0.0, "torch": 0.0}
    for place in range(300, 400):
        for name, forward in (("torch", loaded.forward.llama), ("compiled", loaded.forward)):
            row = forward(slot, [ids[place]])[0]
            errors[name] += ((row - exact[place]).norm() / exact[place].norm()).item() / 100
        slot.commit([ids[place]])

    assert errors["compiled"] < errors["torch"] < 0.05


@pytest.mark.parametrize("fault", ["missing", "broken"])
def test_without_numba_torch_does_all_of_it(
    fault: str, ids: list[int], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    if fault == "missing":
        monkeypatch.setitem(sys.modules, "numba", None)
    else:

        def broken() -> Any:
            raise RuntimeError("unknown processor")

        monkeypatch.setattr("engine.runtime.compiled._compile", broken)
    loaded = load("builtin")

    assert isinstance(loaded.forward, LlamaForward)
    assert "slower" in caplog.text
    assert len(caplog.records) == 1
    decoder, slot = Decoder(loaded), loaded.new_slot()
    logits = decoder.prefill(slot, ids[:50], lambda: None)
    assert len(list(decoder.decode(slot, logits, max_tokens=3, poll=lambda: None))) == 3


@pytest.mark.parametrize("options", [{"quantize": None}, {"dtype": "float16"}], ids=["floats", "float16"])
def test_other_weights_stay_with_torch(options: dict[str, Any], tmp_path: Path) -> None:
    make_model("tied").save_pretrained(tmp_path)

    assert isinstance(load(tmp_path, **options).forward, LlamaForward)


@pytest.mark.parametrize(("threads", "kind"), [(1, CompiledForward), (2, LlamaForward)])
def test_several_threads_of_torch_are_used_where_they_are_faster(
    threads: int, kind: type, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_model("tied").save_pretrained(tmp_path)
    monkeypatch.setattr("engine.runtime.model.cpu_threads", lambda: threads)
    seconds = {CompiledForward: 2.0, LlamaForward: 1.0}
    monkeypatch.setattr("engine.runtime.compiled._seconds", lambda forward, _: seconds[type(forward)])
    before = torch.get_num_threads()
    try:
        assert type(load(tmp_path).forward) is kind
    finally:
        torch.set_num_threads(before)


def test_odd_widths_stay_with_torch(tmp_path: Path) -> None:
    torch.manual_seed(0)
    config = LlamaConfig(**HIDDEN | {"intermediate_size": 100}, num_attention_heads=4)
    LlamaForCausalLM(config).save_pretrained(tmp_path)

    assert isinstance(load(tmp_path).forward, LlamaForward)


def test_compiled_code_is_kept_in_a_private_folder(builtin8: LoadedModel) -> None:
    from engine.runtime_dir import state_dir

    kept = list((state_dir() / "compiled").rglob("*.nbc"))

    assert kept
    assert all(path.stat().st_uid == state_dir().stat().st_uid for path in kept)


def test_code_of_builds_that_nobody_starts_any_more_is_removed(tmp_path: Path) -> None:
    for name, days in (("old", KEPT_DAYS + 1), ("new", KEPT_DAYS - 1)):
        (tmp_path / name / "code").mkdir(parents=True)
        then = time.time() - days * 24 * 3600
        os.utime(tmp_path / name, (then, then))

    compiled._forget_old(tmp_path)

    assert [path.name for path in tmp_path.iterdir()] == ["new"]


def test_drafts_are_priced_as_far_as_the_compiled_pass_goes() -> None:
    assert len(CPU_COSTS) <= MAX_TOKENS


def test_the_light_part_of_the_engine_never_imports_numba() -> None:
    script = "import sys, engine.client, engine.launch, engine.tokens; assert 'numba' not in sys.modules"
    subprocess.run([sys.executable, "-c", script], check=True)
