"""Teach a model the product's own prompts: from a model folder, on product samples and a share of stream.

    python -m training.tune --run DIR --model MODEL --data SAMPLES[:SHARE] ... --minutes 50 --validate SAMPLES

Loss is counted where the product asks for text: middles, and most of all the names in them that only the
context tells. Everything else is in training/options.py and training/loop.py.
"""

from __future__ import annotations

import sys

from training.options import Usual, run
from training.samples.sample import Role

USUAL = Usual(
    muon=0.002,
    adamw=2.5e-4,
    weight_decay=0.01,
    warm_steps=10,
    decay=1.0,
    step_tokens=12_288,
    pass_tokens=6_144,
    roles={Role.PREFIX: 0.25, Role.MIDDLE: 3.0, Role.TOLD: 9.0, Role.PLAIN: 1.0},
)


def main(argv: list[str] | None = None) -> int:
    """The command; its exit status."""
    return run("tune", "Teach a model the product's own prompts.", USUAL, argv)


if __name__ == "__main__":
    sys.exit(main())
