"""Teach a model code: repositories with holes, from random weights (--random) or from a model folder.

    python -m training.pretrain --run DIR --model MODEL --data STREAM --later 0.6 LONGER --minutes 28

Loss is counted on every token of a file. Everything else is in training/options.py and training/loop.py.
"""

from __future__ import annotations

import sys

from training.options import Usual, run
from training.samples.sample import Role

USUAL = Usual(
    muon=0.02,
    adamw=3e-3,
    weight_decay=0.05,
    warm_steps=60,
    decay=0.6,
    step_tokens=131_072,
    pass_tokens=32_768,
    roles=dict.fromkeys((Role.PREFIX, Role.SUFFIX, Role.MIDDLE, Role.TOLD, Role.PLAIN), 1.0),
)


def main(argv: list[str] | None = None) -> int:
    """The command; its exit status."""
    return run("pretrain", "Teach a model code.", USUAL, argv)


if __name__ == "__main__":
    sys.exit(main())
