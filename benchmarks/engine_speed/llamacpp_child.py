"""llama.cpp as a peer, through llama-cpp-python, its prompt cache on: only what differs is evaluated.

A child process: `python -P -m benchmarks.engine_speed.llamacpp_child --file GGUF --context N`.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.engine_speed.peer import own_stdout, serve, tell
from benchmarks.engine_speed.words import ANSWER_TOKENS, Answer, Burden
from engine.model_folder import ModelFolder

if TYPE_CHECKING:
    from llama_cpp import Llama

MISSING = "llama-cpp-python is not installed: pip install llama-cpp-python (it builds for some minutes)"


def main() -> None:
    """Load and answer; without the package, say so."""
    flags = argparse.ArgumentParser(description=__doc__)
    flags.add_argument("--file", required=True, help="made by gguf_file")
    flags.add_argument("--context", type=int, required=True, help="tokens of prompt and answer")
    options = flags.parse_args()
    try:
        from llama_cpp import Llama
    except ImportError:
        tell(own_stdout(), {"error": MISSING})
        return
    threads = int(os.environ["OMP_NUM_THREADS"])
    llama = Llama(
        model_path=options.file,
        n_ctx=options.context,
        n_threads=threads,
        n_threads_batch=threads,
        verbose=False,
    )
    serve(burden(Path(options.file)), lambda question: answer(llama, question["ids"]))


def burden(file: Path) -> Burden:
    """All weights, and keys and values in float16."""
    config = ModelFolder.open("builtin").config
    kv_numbers = 2 * config["num_hidden_layers"] * config["num_key_value_heads"] * config["head_dim"]
    return Burden(file.stat().st_size, kv_numbers * 2)


def answer(llama: Llama, ids: Sequence[int]) -> Answer:
    """Greedy behind `ids`; `Llama.generate` keeps what the last prompt shares with this one."""
    begun = time.perf_counter()
    num_cached = llama.n_tokens
    shared = llama.longest_token_prefix(llama.input_ids[:num_cached].tolist(), ids)
    times: list[float] = []
    decoded: list[int] = []
    for token in llama.generate(ids, temp=0.0, repeat_penalty=1.0):
        times.append(time.perf_counter())
        decoded.append(int(token))
        if len(times) == ANSWER_TOKENS:
            break
    return Answer(
        ms=(times[-1] - begun) * 1000,
        prefilled=len(ids) - min(shared, len(ids) - 1),
        decoded=len(times),
        passes=len(times) - 1,
        decode_ms=(times[-1] - times[0]) * 1000,
        text=llama.detokenize(decoded).decode("utf-8", "replace"),
    )


if __name__ == "__main__":
    main()
