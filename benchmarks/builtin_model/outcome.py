"""What was measured of one set of weights, and its figures. Knows nothing of how it came about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.builtin_model.compare import Rights
from benchmarks.builtin_model.model import Speed
from benchmarks.builtin_model.published import Task
from benchmarks.builtin_model.sites import Row
from benchmarks.context_quality.sites import Origin

HUMAN_EVAL, SANTACODER = "humaneval_single_line", "santacoder"


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of one set of weights."""

    weights: str
    """Their digest."""
    context_tokens: int
    rows: Sequence[Row]
    tasks: Mapping[str, Sequence[tuple[Task, bool]]]
    """By benchmark, whether each task was done; none of one that is not on this machine."""
    speed: Speed

    @property
    def num_crossing(self) -> int:
        """Cross-file sites."""
        return len({row.site for row in self.rows if row.site.origin is Origin.CROSS_FILE})

    def rights(self) -> dict[str, Rights]:
        """Every measure that is a share of right answers, by its name in the figures."""
        found = {name: _right_of(rows) for name, rows in self.by_measure().items()}
        for benchmark, done in self.tasks.items():
            for language in dict.fromkeys(task.language for task, _ in done):
                name = benchmark if benchmark == HUMAN_EVAL else f"{benchmark}_{language}"
                mine = [(task, is_done) for task, is_done in done if task.language == language]
                found[name] = Rights([each for _, each in mine], [task.name for task, _ in mine])
        return found

    def by_measure(self) -> dict[str, list[Row]]:
        """Rows by `em_` and the way they were asked; other classes than cross-file have their own."""
        found: dict[str, list[Row]] = {}
        for row in self.rows:
            origin = "" if row.site.origin is Origin.CROSS_FILE else f"_{row.site.origin}".replace("-", "_")
            found.setdefault(f"em_{row.way.name}{origin}", []).append(row)
        return found

    def figures(self) -> dict[str, Any]:
        """Flat; what could not be measured is None."""
        found: dict[str, Any] = {name: round(each.mean, 4) for name, each in self.rights().items()}
        for measure, rows in self.by_measure().items():
            way = measure.removeprefix("em_")
            found[f"name_{way}"] = round(sum(row.score.is_name_right for row in rows) / len(rows), 4)
            if all(row.loss is not None for row in rows):
                found[f"loss_{way}"] = round(loss(rows), 4)
        for wanted in (HUMAN_EVAL, f"{SANTACODER}_py"):
            found.setdefault(wanted, None)
        if "em_none" in found and "em_oracle" in found:
            found["lift_oracle"] = round(found["em_oracle"] - found["em_none"], 4)
            found["lift_context"] = round(found["em_context"] - found["em_none"], 4)
        found["prefill_ms_per_token"] = round(self.speed.prefill_ms, 3)
        found["decode_ms_per_token"] = round(self.speed.decode_ms, 2)
        return found | {"context_tokens": self.context_tokens, "weights": self.weights}


def loss(rows: Sequence[Row]) -> float:
    """Per token of the truth, natural logarithm."""
    return sum(row.loss or 0.0 for row in rows) / sum(row.num_truth_tokens for row in rows)


def _right_of(rows: Sequence[Row]) -> Rights:
    return Rights([row.score.is_exact for row in rows], [row.site.package for row in rows])
