"""Outcomes as figures and tables, beside those of the weights that are replaced. Knows nothing of models."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from benchmarks.builtin_model.compare import Gain, gains, verdict
from benchmarks.builtin_model.outcome import Outcome

BEFORE = "_before"
KEY_MEASURES = ("em_none", "em_context", "em_oracle", "humaneval_single_line", "santacoder_py")
"""What decides whether weights are replaced."""
NOTE = """\
The rest of a line, greedily, at cursor sites of packages that the model never saw; blanks around an answer do
not count. *context* is the product's own, *oracle* begins with the very definition of the first name that is
to be written; without a size they hold as many tokens as the product sends, suffix first. In brackets stands
the 95 % interval, with whole packages drawn anew. *first name* is the share of answers that begin with the
right name, *loss* the mean over the truth's tokens. Won and lost count questions that only the measured
weights, and only those before, answer right; p is McNemar's."""


def figures(now: Outcome, before: Outcome | None, kept: Mapping[str, Any] | None) -> dict[str, Any]:
    """The measured weights' keys, the same with `_before`, and how sure the difference is.

    Without an outcome before, the figures come from a `kept` result of other weights.
    """
    mine = now.figures()
    theirs = before.figures() if before else before_of(kept, now.weights)
    found = {"n": now.num_crossing} | mine | {f"{key}{BEFORE}": theirs.get(key) for key in mine}
    rights = now.rights()
    shown = {key: rights[key].interval for key in KEY_MEASURES if key in rights}
    found |= {f"{key}_interval": [round(end, 4) for end in ends] for key, ends in shown.items()}
    if before:
        decisive = decided(now, before)
        found["verdict"] = verdict(decisive)
        found["gains"] = {gain.measure: _as_json(gain) for gain in decisive}
    return found


def decided(now: Outcome, before: Outcome) -> list[Gain]:
    """The gains that decide."""
    return [gain for gain in gains(now.rights(), before.rights()) if gain.measure in KEY_MEASURES]


def before_of(kept: Mapping[str, Any] | None, weights: str) -> dict[str, Any]:
    """What a kept result says of other weights than these: its own figures, or those that it had before."""
    if kept is None:
        return {}
    if kept.get("weights") != weights:
        return {key: value for key, value in kept.items() if not key.endswith(BEFORE)}
    return {key.removesuffix(BEFORE): value for key, value in kept.items() if key.endswith(BEFORE)}


def markdown(now: Outcome, before: Outcome | None) -> str:
    """What is right, how likely the truth is, and, against other weights, how sure the difference is."""
    parts = [NOTE]
    if before:
        parts.append(verdict(decided(now, before)))
    parts.append("\n".join(_measures(now, before)))
    return "\n\n".join(parts) + "\n"


def _measures(now: Outcome, before: Outcome | None) -> Iterator[str]:
    yield from _head(
        "measure", "n", "right", "first name", "loss", "before", "difference", "won", "lost", "p"
    )
    known = {gain.measure: gain for gain in gains(now.rights(), before.rights())} if before else {}
    old, new = before.figures() if before else {}, now.figures()
    for measure, right in now.rights().items():
        way, gain = measure.removeprefix("em_"), known.get(measure)
        cells = [measure, str(len(right.is_right)), f"{right.mean:.3f} {_range(right.interval)}"]
        cells += [_number(new.get(f"name_{way}")), _number(new.get(f"loss_{way}"))]
        cells += [_number(old.get(measure))]
        if gain:
            cells += [f"{gain.difference:+.3f} {_range(gain.interval, '+')}"]
            cells += [str(gain.won), str(gain.lost), f"{gain.p:.3f}"]
        yield _cells([*cells, *[""] * (10 - len(cells))])


def _as_json(gain: Gain) -> dict[str, Any]:
    return {
        "difference": round(gain.difference, 4),
        "interval": [round(end, 4) for end in gain.interval],
        "won": gain.won,
        "lost": gain.lost,
        "p": round(gain.p, 4),
    }


def _range(ends: tuple[float, float], sign: str = "") -> str:
    return f"({ends[0]:{sign}.3f} to {ends[1]:{sign}.3f})"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _head(*names: str) -> Iterable[str]:
    return _cells(names), _cells(["---"] * len(names))


def _cells(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
