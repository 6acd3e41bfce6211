"""What a key costs in our engine and in its peers: `python -m benchmarks.engine_speed [--quick]`.

A real file of a held-out package is typed character by character with 2K to 16K tokens of its repository
before it; each key goes to our engine, to transformers and to llama.cpp before the next one is typed, on the
same weights and the same number of threads. `--config NAME` runs random weights of a real configuration on
`--device` instead (made there, never saved), without llama.cpp. Progress and tables go to stderr; the last
line on stdout is the result.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from benchmarks.engine_speed.configs import BUILTIN, CONFIGS
from benchmarks.report import finish

FULL_KEYS, QUICK_KEYS = 16, 3
"""On random weights."""


def main(argv: Sequence[str] | None = None) -> None:
    """Measure and report."""
    options = _flags().parse_args(argv)
    if options.config == BUILTIN:
        from benchmarks.engine_speed.cpu import run

        run(options.lengths, quick=options.quick)
        return
    # A machine with a GPU may lack the server's packages: nothing of them is imported on this way.
    from benchmarks.engine_speed.device import measure

    config = CONFIGS[options.config]
    found = measure(config, options.device, num_keys=QUICK_KEYS if options.quick else FULL_KEYS)
    made = f"Made by `python -m benchmarks.engine_speed --config {config.name} --device {options.device}`.\n"
    is_short = options.quick or config.name == "tiny"
    finish(f"engine_speed_{config.name}", found, quick=is_short, details=made)


def _flags() -> argparse.ArgumentParser:
    flags = argparse.ArgumentParser(prog="python -m benchmarks.engine_speed", description=__doc__)
    flags.add_argument("--quick", action="store_true", help="4K only, few keys, one precision")
    flags.add_argument("--config", choices=(BUILTIN, *CONFIGS), default=BUILTIN, help="whose weights")
    flags.add_argument("--device", default="cpu", help="with a configuration: cpu, cuda, cuda:N")
    flags.add_argument(
        "--lengths", type=_numbers, default=(), help="some of 2048,8192,16384 beside 4096; nothing is kept"
    )
    return flags


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(word) for word in text.split(","))


if __name__ == "__main__":
    main()
