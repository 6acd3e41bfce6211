"""The run on a CPU with the built-in weights: lengths ascending, then typing with drafts."""

from __future__ import annotations

import signal
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.engine_speed import table
from benchmarks.engine_speed.cast import Cast
from benchmarks.engine_speed.chart import key_chart
from benchmarks.engine_speed.drafted import Drafted, type_with_drafts
from benchmarks.engine_speed.replay import Run, replay
from benchmarks.engine_speed.scene import read_layout, read_scene
from benchmarks.engine_speed.words import MAIN_TOKENS
from benchmarks.report import RESULTS, finish

CHART = "engine_speed-keys.svg"
DRAFT_KEYS, QUICK_DRAFT_KEYS = 60, 30


@dataclass(frozen=True, slots=True)
class Length:
    """How much is typed behind a prompt of one length."""

    tokens: int
    keys: int
    every: int
    """transformers without a cache is asked at each so-manieth key: it keeps nothing and takes seconds."""


FULL = (Length(2048, 30, 10), Length(MAIN_TOKENS, 40, 10), Length(8192, 20, 10), Length(16384, 10, 5))
QUICK = (Length(MAIN_TOKENS, 6, 6),)


def run(only: Sequence[int], *, quick: bool) -> None:
    """Measure and report; of `only` some lengths and 4K nothing is kept."""
    lengths: Sequence[Length] = QUICK if quick else FULL
    if only:
        lengths = tuple(each for each in lengths if each.tokens in (*only, MAIN_TOKENS))
    keep = not (quick or only)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # engines outlive a parent that is killed
    with tempfile.TemporaryDirectory(prefix="gf") as folder:
        cast = Cast(Path(folder), max(length.tokens for length in lengths), quick=quick)
        try:
            cast.start()
            runs = _type(cast, lengths)
            drafted = _type_with_drafts(cast, QUICK_DRAFT_KEYS if quick else DRAFT_KEYS)
        finally:
            cast.close()
    details = table.markdown(runs, cast.gb_per_s, cast.threads)
    print(details, file=sys.stderr)
    if keep:
        RESULTS.mkdir(exist_ok=True)
        chart = key_chart("A key, by length of the prompt", table.points(runs))
        (RESULTS / CHART).write_text(chart, encoding="utf-8")
        details += f"\n![Milliseconds per key by length of the prompt, a line per peer](results/{CHART})\n"
    found = table.figures(runs, cast.gb_per_s, cast.threads, drafted)
    finish("engine_speed", found, quick=not keep, details=details)


def _type(cast: Cast, lengths: Sequence[Length]) -> list[Run]:
    layout = read_layout()
    runs: list[Run] = []
    for length in lengths:
        scene = read_scene(layout, length.tokens, length.keys)
        runs += replay(cast.peers, scene, length.tokens, {table.TRANSFORMERS: length.every})
        cast.measure_copy()
        print(f"engine_speed: {length.tokens} tokens done", file=sys.stderr, flush=True)
    return runs


def _type_with_drafts(cast: Cast, num_keys: int) -> tuple[Drafted, Drafted]:
    """As the product does, and with every key sent."""
    scene = read_scene(read_layout(), MAIN_TOKENS, num_keys)
    through = type_with_drafts(cast.ours, scene, typed_through=True)
    return through, type_with_drafts(cast.ours, scene, typed_through=False)
