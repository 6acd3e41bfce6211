"""How well a model reads the repository: `python -m benchmarks.builtin_model [--quick] [--model DIR]`.

Sites, benchmarks and measures are described in the modules beside this one. Answers are remembered on disk,
so an interrupted run goes on where it was. Progress and tables go to stderr; the last line on stdout is the
result. Needs the extra `train`, whose code compares the corpus with what is measured.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from platformdirs import user_cache_path

from benchmarks.builtin_model import held_out, published, sites, table
from benchmarks.builtin_model.asking import Pool, Remembered, device, num_processes, tell
from benchmarks.builtin_model.outcome import HUMAN_EVAL, SANTACODER, Outcome
from benchmarks.builtin_model.sites import CONTEXT, NONE, ORACLE, Way
from benchmarks.builtin_model.weights import Weights
from benchmarks.context_quality.answers import AnswerStore
from benchmarks.context_quality.corpus import Corpus
from benchmarks.context_quality.measure import read
from benchmarks.context_quality.packages import REPORTED
from benchmarks.context_quality.sites import Origin
from benchmarks.report import RESULTS, finish
from engine.errors import GhostfillError
from engine.fim import Order
from training.corpus.held_out import kept_texts

HELD_OUT = tuple(package for package in REPORTED if package.language == "python")
AS_THE_PRODUCT = (Way(NONE, is_for_all=True), Way(CONTEXT, is_for_all=True), Way(ORACLE))
CORPUS = user_cache_path("ghostfill", appauthor=False) / "training" / "repositories"
PART = 100
"""Sites of the longest prompts, which cost most and tell least."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured."""

    limits: Mapping[Origin, int]
    ways: Sequence[Way]
    """Asked first, so that an interrupted run has what matters most."""
    more_ways: Sequence[Way]
    num_human_eval: int | None
    num_santacoder: Mapping[str, int | None]


QUICK = Plan(
    {Origin.CROSS_FILE: 60, Origin.IN_FILE: 9, Origin.LIBRARY: 9},
    AS_THE_PRODUCT,
    (Way(CONTEXT, budget_tokens=1024), Way(NONE, Order.PSM)),
    60,
    {"py": 100},
)
FULL = Plan(
    {Origin.CROSS_FILE: 204, Origin.IN_FILE: 51, Origin.LIBRARY: 51},
    AS_THE_PRODUCT,
    (
        *(Way(condition, budget_tokens=1024) for condition in (CONTEXT, ORACLE)),
        Way(NONE, Order.PSM),
        *(Way(condition, Order.PSM, 1024) for condition in (CONTEXT, ORACLE)),
        *(
            Way(each, budget_tokens=size, max_sites=PART)
            for size in (2048, 4096)
            for each in (CONTEXT, ORACLE)
        ),
    ),
    None,
    {"py": None, "js": 300, "java": 300},
)


class Run:
    """One plan for any number of weights, on the same questions."""

    def __init__(self, plan: Plan, seed: int, store: AnswerStore) -> None:
        self._plan = plan
        self._seed = seed
        self._store = store
        self.corpora: list[Corpus] = [read(package) for package in HELD_OUT]
        self.sites = sites.choose(self.corpora, plan.limits, seed)
        self._tasks = _tasks(plan, seed)

    def measure(self, weights: Weights) -> Outcome:
        """Everything of one set of weights."""
        place = device()
        pool = Pool(weights.path, num_processes(place))
        try:
            speed = pool.speed()
            answers = Remembered(self._store, weights.digest, place, pool.respond)
            first, others = self._plan.ways, self._plan.more_ways
            shown = sites.contexts(self.corpora, self.sites, [*first, *others], weights)
            rows = sites.measure(self.sites, first, shown, weights, answers)
            written = {
                name: published.lines(each, weights, answers, name) for name, each in self._tasks.items()
            }
            rows += sites.measure(self.sites, others, shown, weights, answers)
        finally:
            pool.close()
        done: dict[str, Sequence[tuple[published.Task, bool]]] = {}
        for name, each in self._tasks.items():
            judge = published.passed if name == HUMAN_EVAL else published.matched
            done[name] = list(zip(each, judge(each, written[name]), strict=True))
        return Outcome(weights.digest, weights.context_tokens, rows, done, speed)


def main() -> None:
    """Measure what the flags ask for and report."""
    try:
        _measure(_flags().parse_args())
    except (GhostfillError, held_out.TrainedOnError) as error:
        sys.exit(str(error))


def _measure(flags: argparse.Namespace) -> None:
    held_out.check_names(HELD_OUT)
    now = Weights.open(flags.model, flags.context_tokens)
    before = _before(flags, now)
    store = AnswerStore(user_cache_path("ghostfill", appauthor=False) / "benchmarks" / "builtin_model.sqlite")
    run = Run(QUICK if flags.quick else FULL, flags.seed, store)
    seen = _look(flags.corpus)
    outcome = run.measure(now)
    outcome_before = run.measure(before) if before else None
    store.close()
    details = table.markdown(outcome, outcome_before)
    print(details, file=sys.stderr)
    is_usual = flags.seed == 1 and flags.context_tokens is None and flags.before_context_tokens is None
    is_full = is_usual and not flags.quick
    kept = _kept() if is_full and not before else None
    found = table.figures(outcome, outcome_before, kept)
    finish("builtin_model", found | seen, quick=not is_full, details=details)


def _before(flags: argparse.Namespace, now: Weights) -> Weights | None:
    """What is named; beside another model, the packaged weights."""
    if flags.before is None and flags.model is None:
        return None
    before = Weights.open(flags.before, flags.before_context_tokens)
    return None if before.digest == now.digest else before


def _look(folder: Path) -> dict[str, int | None]:
    """The proof that nothing held out was trained on, as figures; None where no corpus is at hand."""
    if not folder.is_dir():
        tell(f"{folder} is not there, so no corpus was searched for copies of what is measured")
        return {"held_out_files_in_corpus": None, "corpus_files": None}
    found = held_out.look(folder, kept_texts(folder.parent).known)
    tell(f"{len(found.findings)} of {found.num_files} files in {folder} are copied from what is held out")
    for finding in found.findings:
        tell(f"{finding.file} shares {finding.overlap.num_words} words in a row with {finding.overlap.owner}")
    return {"held_out_files_in_corpus": len(found.findings), "corpus_files": found.num_files}


def _kept() -> dict[str, Any] | None:
    """The figures of the last full run."""
    path = RESULTS / "builtin_model.json"
    if not path.exists():
        return None
    figures: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))["figures"]
    return figures


def _tasks(plan: Plan, seed: int) -> dict[str, list[published.Task]]:
    """None where the benchmarks are not on this machine."""
    try:
        return {
            HUMAN_EVAL: published.human_eval(plan.num_human_eval, seed),
            SANTACODER: published.santacoder(plan.num_santacoder, seed),
        }
    except published.NoDataError as error:
        tell(f"{error} Without it {HUMAN_EVAL} and {SANTACODER} are null.")
        return {}


def _flags() -> argparse.ArgumentParser:
    flags = argparse.ArgumentParser(prog="python -m benchmarks.builtin_model", description=__doc__)
    flags.add_argument("--quick", action="store_true", help="fewer sites and tasks, one size of context")
    flags.add_argument("--model", type=Path, help="a model's folder; without it the packaged weights")
    flags.add_argument(
        "--before", type=Path, help="the folder of what it replaces; the packaged weights if not named"
    )
    flags.add_argument("--context-tokens", type=int, help="as if the product sent so many at most; not kept")
    flags.add_argument("--before-context-tokens", type=int, help="the same for --before; not kept")
    flags.add_argument("--corpus", type=Path, default=CORPUS, help="clean repositories, searched for copies")
    flags.add_argument("--seed", type=int, default=1, help="of sites and tasks")
    return flags


if __name__ == "__main__":
    main()
