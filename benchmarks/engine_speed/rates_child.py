"""What this machine and our weights are: threads, copy bandwidth, bytes a pass must read. Runs no model.

A child process, so that torch stays out of the benchmark's own:
`python -P -m benchmarks.engine_speed.rates_child`.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from benchmarks.engine_speed.peer import own_stdout, tell

COPY_BYTES = 256 * 2**20
"""Far more than any cache holds."""
NUM_COPIES = 5


def main() -> None:
    """Answer questions until the pipe closes."""
    from engine.runtime.model import cpu_threads

    out = own_stdout()
    tell(out, {"threads": cpu_threads()})
    for line in sys.stdin:
        question = json.loads(line)
        tell(out, burden(question) if question else {"gb_per_s": copy_gb_per_s(cpu_threads())})


def copy_gb_per_s(threads: int) -> float:
    """The best of some copies of a large buffer, bytes read and written counted."""
    import torch

    torch.set_num_threads(threads)
    source = torch.ones(COPY_BYTES, dtype=torch.uint8)
    target = torch.zeros_like(source)
    seconds = []
    for _ in range(NUM_COPIES):
        begun = time.perf_counter()
        target.copy_(source)
        seconds.append(time.perf_counter() - begun)
    return 2 * COPY_BYTES / min(seconds) / 1e9


def burden(options: dict[str, Any]) -> dict[str, int]:
    """Of the built-in model, loaded as the engine would with these options."""
    from engine.model_folder import ModelFolder
    from engine.runtime.model import load_model

    loaded = load_model(ModelFolder.open("builtin"), device="cpu", **options)
    return {"weight_bytes": loaded.weight_bytes, "kv_bytes_per_token": loaded.kv_bytes_per_token}


if __name__ == "__main__":
    main()
