"""What llama.cpp is given is the same model: turned rows score alike, and it writes what the engine does."""

import subprocess
import sys
from importlib.util import find_spec

import numpy as np
import pytest

from benchmarks.engine_speed.gguf_file import interleaved, tensor_name, write
from benchmarks.engine_speed.peer import Child, ChildError, environment
from benchmarks.engine_speed.scene import read_layout
from benchmarks.engine_speed.words import ANSWER_TOKENS
from engine.model_folder import ModelFolder

CHILD = "benchmarks.engine_speed.llamacpp_child"


def turned_in_halves(x, angles):
    """RoPE as transformers does it: a pair is half a head apart."""
    a, b = np.split(x, 2)
    return np.concatenate([a * np.cos(angles) - b * np.sin(angles), b * np.cos(angles) + a * np.sin(angles)])


def turned_side_by_side(x, angles):
    """RoPE as llama.cpp does it: a pair stands side by side."""
    a, b = x[0::2], x[1::2]
    turned = np.empty_like(x)
    turned[0::2] = a * np.cos(angles) - b * np.sin(angles)
    turned[1::2] = b * np.cos(angles) + a * np.sin(angles)
    return turned


def test_scores_of_turned_rows_are_those_of_the_model():
    chance = np.random.default_rng(0)
    heads, head_dim, width = 3, 8, 5
    q, k = (chance.normal(size=(heads * head_dim, width)) for _ in range(2))
    x, y = (chance.normal(size=width) for _ in range(2))
    frequencies = 10.0 ** -np.arange(head_dim // 2)
    for head in range(heads):
        rows = slice(head * head_dim, (head + 1) * head_dim)
        ours = turned_in_halves(q[rows] @ x, 7 * frequencies) @ turned_in_halves(k[rows] @ y, 3 * frequencies)
        theirs = turned_side_by_side(interleaved(q, heads)[rows] @ x, 7 * frequencies) @ turned_side_by_side(
            interleaved(k, heads)[rows] @ y, 3 * frequencies
        )
        assert theirs == pytest.approx(ours)


def test_weights_have_their_names_in_the_file():
    names = {
        "model.embed_tokens.weight": "token_embd.weight",
        "model.norm.weight": "output_norm.weight",
        "lm_head.weight": "output.weight",
        "model.layers.11.self_attn.q_proj.weight": "blk.11.attn_q.weight",
        "model.layers.0.mlp.down_proj.weight": "blk.0.ffn_down.weight",
        "model.layers.0.post_attention_layernorm.weight": "blk.0.ffn_norm.weight",
    }
    assert {name: tensor_name(name) for name in names} == names


@pytest.mark.skipif(find_spec("llama_cpp") is None, reason="needs llama-cpp-python")
def test_llama_cpp_writes_what_the_engine_does_and_reads_only_what_is_new(tmp_path, builtin_model):
    from engine.runtime.decode import Decoder

    file = tmp_path / "builtin.gguf"
    write(ModelFolder.open("builtin"), "f16", file)
    layout = read_layout()
    ids = [layout.tokenizer.mark_id(layout.fim.bos), *layout.tokenizer.encode("def add(left, right):\n    ")]
    child = Child(CHILD, ["--file", str(file), "--context", "256"], threads=1)
    try:
        child.wait_ready()
        first = child.ask({"ids": ids})
        longer = child.ask({"ids": [*ids[:-1], *layout.tokenizer.encode("    return")]})
    finally:
        child.close()
    slot = builtin_model.new_slot()
    decoder = Decoder(builtin_model)
    steps = decoder.decode(
        slot, decoder.prefill(slot, ids, lambda: None), max_tokens=ANSWER_TOKENS, poll=lambda: None
    )
    assert first["text"].startswith(layout.tokenizer.decode([step.token_id for step in steps]))
    assert (first["prefilled"], first["decoded"]) == (len(ids), ANSWER_TOKENS)
    assert longer["prefilled"] == len(layout.tokenizer.encode("    return"))


def test_without_llama_cpp_its_child_says_what_to_install():
    code = (
        "import sys; sys.modules['llama_cpp'] = None; from benchmarks.engine_speed.llamacpp_child import main"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", f"{code}; main()", "--file", "none", "--context", "1"],
        env=environment(1),
        capture_output=True,
        text=True,
        check=True,
    )
    assert "pip install llama-cpp-python" in done.stdout


def test_a_child_that_dies_is_an_error_and_not_a_wait():
    child = Child(CHILD, ["--no-such-flag"], threads=1)
    with pytest.raises(ChildError, match="ended with status 2"):
        child.wait_ready()
    child.close()


@pytest.fixture(scope="module")
def builtin_model():
    from engine.runtime.model import load_model

    return load_model(ModelFolder.open("builtin"), device="cpu", dtype="float32")
