"""Runs as figures and as a Markdown table. Knows no processes and no clocks."""

from __future__ import annotations

import math
import statistics
import textwrap
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from benchmarks.engine_speed.drafted import Drafted
from benchmarks.engine_speed.replay import Run
from benchmarks.engine_speed.words import MAIN_TOKENS, Answer

OURS, OURS_BF16 = "ghostfill int8", "ghostfill bf16"
LLAMACPP, LLAMACPP_F16 = "llama.cpp Q8_0", "llama.cpp f16"
LLAMACPP_OUR_LAYOUT = "llama.cpp Q8_0, our layout"
TRANSFORMERS, TRANSFORMERS_CACHED = "transformers", "transformers, cache kept"


def figures(
    runs: Sequence[Run], gb_per_s: float, threads: int, drafted: tuple[Drafted, Drafted]
) -> dict[str, Any]:
    """What the benchmark promises, at 4K where not named otherwise; None for a peer that is missing."""
    found = {(run.peer, run.tokens): run for run in runs}

    def ms(peer: str, tokens: int = MAIN_TOKENS) -> float | None:
        return key_ms(found.get((peer, tokens)))

    ours = found[OURS, MAIN_TOKENS]
    through, every_key = drafted
    answer: dict[str, Any] = {
        "keystroke_ms_ours": ms(OURS),
        "keystroke_ms_llamacpp": ms(LLAMACPP),
        "keystroke_ms_transformers": ms(TRANSFORMERS),
        "keystroke_ms_transformers_cached": ms(TRANSFORMERS_CACHED),
        "ratio_llamacpp": _ratio(ms(OURS), ms(LLAMACPP)),
        "ratio_transformers": _ratio(ms(OURS), ms(TRANSFORMERS)),
        "ratio_transformers_cached": _ratio(ms(OURS), ms(TRANSFORMERS_CACHED)),
        "ratio_llamacpp_our_layout": _ratio(ms(OURS), ms(LLAMACPP_OUR_LAYOUT)),
        "precision": "ours int8, llama.cpp Q8_0; transformers in the faster of bf16 and fp32",
        "prefilled_per_key": prefilled(ours),
        "decode_over_floor": over_floor(ours, gb_per_s),
        "decode_ms_per_pass": pass_ms(ours),
        "decode_floor_ms": _rounded(_floor_ms(ours, gb_per_s), 2),
        "accepted_per_step": _rounded(through.per_pass, 2),
        "accepted_per_step_every_key": _rounded(every_key.per_pass, 2),
        "keystroke_ms_ours_drafts": _rounded(every_key.ms, 1),
        "copy_gb_per_s": round(gb_per_s, 1),
        "threads": threads,
    }
    if (bf16 := found.get((OURS_BF16, MAIN_TOKENS))) is not None:
        answer |= {
            "keystroke_ms_ours_bf16": key_ms(bf16),
            "keystroke_ms_llamacpp_f16": ms(LLAMACPP_F16),
            "ratio_llamacpp_bf16": _ratio(key_ms(bf16), ms(LLAMACPP_F16)),
            "decode_over_floor_bf16": over_floor(bf16, gb_per_s),
        }
    for tokens in sorted({run.tokens for run in runs} - {MAIN_TOKENS}):
        name = f"{tokens // 1024}k"
        answer[f"keystroke_ms_ours_{name}"] = ms(OURS, tokens)
        answer[f"ratio_llamacpp_{name}"] = _ratio(ms(OURS, tokens), ms(LLAMACPP, tokens))
    return answer


HEADINGS = (
    *("context", "peer", "key ms", "p95", "first key ms", "read per key"),
    *("ms per pass", "over its floor", "peak MiB", "keys"),
)


def markdown(runs: Sequence[Run], gb_per_s: float, threads: int) -> str:
    """Every run as a row, lengths ascending."""
    lines = [f"| {' | '.join(HEADINGS)} |", f"|{' --- |' * len(HEADINGS)}"]
    lines += [
        f"| {' | '.join('–' if cell is None else str(cell) for cell in _row(run, gb_per_s))} |"
        for run in sorted(runs, key=lambda run: run.tokens)
    ]
    return "\n".join((*lines, "", _notes(runs, gb_per_s, threads)))


def points(runs: Iterable[Run]) -> dict[str, list[tuple[float, float]]]:
    """For the chart: median key by length, a line per peer."""
    lines: dict[str, list[tuple[float, float]]] = {}
    for run in sorted(runs, key=lambda run: run.tokens):
        if (ms := key_ms(run)) is not None:
            lines.setdefault(run.peer, []).append((float(run.tokens), ms))
    return lines


def key_ms(run: Run | None) -> float | None:
    """The median key."""
    return None if run is None else _median(run.keys.values(), lambda each: each.ms)


def prefilled(run: Run) -> float | None:
    """Prompt tokens read at a key, median."""
    return _median(run.keys.values(), lambda each: each.prefilled)


def pass_ms(run: Run) -> float | None:
    """One decode pass, median over keys on which no draft was tried; over all if it always was."""
    plain = [each for each in run.keys.values() if each.passes and not each.drafted]
    tried = [each for each in run.keys.values() if each.passes]
    return _median(plain or tried, lambda each: each.decode_ms / each.passes, 2)


def over_floor(run: Run, gb_per_s: float) -> float | None:
    """A decode pass against what its memory takes to be read once."""
    return _ratio(pass_ms(run), _floor_ms(run, gb_per_s))


def _floor_ms(run: Run, gb_per_s: float) -> float:
    return run.burden.floor_ms(run.prompt_tokens, gb_per_s)


def _row(run: Run, gb_per_s: float) -> list[Any]:
    return [
        f"{run.tokens // 1024}K",
        run.peer,
        key_ms(run),
        _p95([each.ms for each in run.keys.values()]),
        round(run.cold.ms),
        prefilled(run),
        pass_ms(run),
        over_floor(run, gb_per_s),
        run.peak_mib,
        len(run.keys),
    ]


def _notes(runs: Sequence[Run], gb_per_s: float, threads: int) -> str:
    left_out = max((run.num_left_out for run in runs), default=0)
    sentences = (
        f"{threads} thread{'s' * (threads > 1)} for everybody.",
        "Each key asks for 16 tokens and goes to every peer before the next.",
        "Ours is asked over its socket, and laying out the prompt counts; llama.cpp and the kept cache are",
        "given token ids, so tokenising costs them nothing.",
        "Peers read prefix, suffix, middle unless `our layout` is said.",
        "`transformers` keeps nothing and is asked at some keys only.",
        f"A floor is weights, keys and values read once at {gb_per_s:.1f} GB/s, the copy bandwidth of this",
        "run (reads and writes counted); answers of ours for which drafts were tried are left out of it",
        "where there are others.",
        "Peaks are of all lengths up to that one.",
        f"Left out because somebody's answer ended early: at most {left_out} keys of a length.",
    )
    return textwrap.fill(" ".join(sentences), 110) + "\n"


def _p95(values: Sequence[float]) -> float | None:
    return round(sorted(values)[math.ceil(0.95 * len(values)) - 1], 1) if values else None


def _median(answers: Iterable[Answer], value: Callable[[Answer], float], digits: int = 1) -> float | None:
    values = [value(each) for each in answers]
    return round(statistics.median(values), digits) if values else None


def _ratio(a: float | None, b: float | None) -> float | None:
    return None if a is None or not b else round(a / b, 3)


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
