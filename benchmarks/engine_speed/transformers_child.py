"""transformers as a peer: `generate` as the DeepSeek-Coder README calls it, or with the cache kept by us.

A child process: `python -P -m benchmarks.engine_speed.transformers_child --mode generate|cached --dtype D`.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

from benchmarks.engine_speed.kept_cache import Clock, KeptCache, lengths
from benchmarks.engine_speed.peer import serve
from benchmarks.engine_speed.words import ANSWER_TOKENS, Answer, Burden
from engine.model_folder import ModelFolder


def main() -> None:
    """Load and answer."""
    flags = argparse.ArgumentParser(description=__doc__)
    flags.add_argument("--mode", choices=("generate", "cached"), required=True)
    flags.add_argument("--dtype", choices=("auto", "bfloat16", "float32"), default="auto")
    options = flags.parse_args()
    import torch
    from transformers import AutoTokenizer

    from engine.runtime.model import choose_dtype, cpu_threads
    from engine.runtime.weights import load_weights

    torch.set_num_threads(cpu_threads())
    folder = ModelFolder.open("builtin")
    dtype = choose_dtype(options.dtype, torch.device("cpu"))
    model = load_weights(folder, dtype, lambda _: None)
    model.train(mode=False)
    config = model.config.get_text_config()
    kv_numbers = 2 * config.num_hidden_layers * config.num_key_value_heads * config.head_dim
    ready = Burden(sum(each.nbytes for each in model.parameters()), kv_numbers * dtype.itemsize)
    if options.mode == "cached":
        kept = KeptCache(model)
        serve(ready, lambda question: kept.answer(question["ids"]))
    else:
        tokenizer = AutoTokenizer.from_pretrained(folder.path, local_files_only=True)
        serve(ready, lambda question: generate(model, tokenizer, question["text"]))


def generate(model: Any, tokenizer: Any, text: str) -> Answer:
    """Tokenise, generate, decode: nothing is kept from one key to the next."""
    begun = time.perf_counter()
    inputs = tokenizer(text, return_tensors="pt").to(model.device)
    clock = Clock()
    outputs = model.generate(**inputs, **lengths(model, ANSWER_TOKENS), streamer=clock)
    num_prompt = inputs["input_ids"].shape[1]
    answer = tokenizer.decode(outputs[0][num_prompt:], skip_special_tokens=True)
    return clock.answer(begun, num_prompt, answer)


if __name__ == "__main__":
    main()
