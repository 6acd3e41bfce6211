"""Sets of product samples: a folder of repositories in, samples out, several repositories at once."""

from __future__ import annotations

import multiprocessing
import os
import random
import tempfile
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from training.samples.encoder import Encoder
from training.samples.errors import SamplesError
from training.samples.made import counts, keep
from training.samples.mix import ContextKind, ProductMix
from training.samples.product import Made, Product
from training.samples.sample import SampleFolder
from training.samples.source import check_found, read, repository_files, with_bar


@dataclass(frozen=True, slots=True)
class ProductOrder:
    """What is to be made."""

    repositories: Path
    mix: ProductMix
    seed: int
    tokenizer: Path
    languages: frozenset[str] = frozenset()
    limit: int = 0


def make_product(order: ProductOrder, out: Path, workers: int = 1) -> list[SampleFolder]:
    """The set, or two of a mix with twins: `context` and `none` in `out`. Raises SamplesError."""
    paths = repository_files(order.repositories, order.limit)
    done = sorted(_done(order, paths, workers), key=lambda each: each.key)
    made = [each for repository in done for each in repository.made]
    check_found(len(made), order.repositories, order.languages)
    random.Random(order.seed).shuffle(made)  # noqa: S311 - must be repeatable
    skipped = {each.key: each.why_not for each in done if each.why_not}
    about = _about(order, made) | {"repositories": len(done) - len(skipped), "skipped": skipped}
    samples = [each.sample for each in made]
    if not order.mix.twins:
        return [keep(out, samples, about | counts(samples))]
    bare = [each.twin for each in made if each.twin is not None]
    return [
        keep(out / "context", samples, about | counts(samples)),
        keep(out / "none", bare, about | counts(bare)),
    ]


@dataclass(frozen=True, slots=True)
class _Done:
    """What became of a repository."""

    key: str
    made: list[Made]
    why_not: str = ""


def _done(order: ProductOrder, paths: Sequence[Path], workers: int) -> list[_Done]:
    """Processes are started anew, as forks of a process with threads may hang."""
    method = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory(prefix="ghostfill-samples-") as cache:
        pool = ProcessPoolExecutor(
            min(workers, len(paths)), mp_context=method, initializer=_begin, initargs=(order, cache)
        )
        try:
            jobs = [pool.submit(_of_repository, path) for path in paths]
            return [job.result() for job in with_bar(as_completed(jobs), len(jobs), "product")]
        except BrokenProcessPool as error:
            raise SamplesError(
                "A worker process died, perhaps out of memory: use fewer --workers."
            ) from error
        finally:
            pool.shutdown(cancel_futures=True)


class _Worker:
    """What a worker process keeps from one repository to the next."""

    order: ProductOrder
    product: Product


def _begin(order: ProductOrder, cache: str) -> None:
    # The index of a folder that lives for seconds has no place in the user's store.
    os.environ["XDG_CACHE_HOME"] = cache
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    _Worker.order = order
    _Worker.product = Product(Encoder.from_folder(order.tokenizer), order.mix)


def _of_repository(path: Path) -> _Done:
    order, repository = _Worker.order, read(path)
    try:
        made = list(_Worker.product.samples(repository, order.seed, order.languages))
    except SamplesError as error:  # of one repository among hundreds
        return _Done(repository.key, [], str(error))
    return _Done(repository.key, made)


def _about(order: ProductOrder, made: Sequence[Made]) -> dict[str, Any]:
    """How a set was made and what of; `share_told` is of the branches with context."""
    branches: dict[str, Counter[str]] = {"languages": Counter(), "kinds": Counter(), "orders": Counter()}
    told: Counter[str] = Counter()
    for each in made:
        number = int(each.sample.branches[-1])
        branches["languages"][each.language] += number
        branches["kinds"][each.kind] += number
        branches["orders"][each.order] += number
        told[each.kind] += each.num_told
    with_context = sum(n for kind, n in branches["kinds"].items() if kind != ContextKind.NONE)
    return {
        "made": "product",
        "seed": order.seed,
        "tokenizer": Encoder.from_folder(order.tokenizer).tokenizer.digest,
        "mix": asdict(order.mix),
        **{f"branches_by_{name}": dict(counter) for name, counter in branches.items()},
        "told_by_kinds": dict(told),
        "share_told": round(told.total() / max(1, with_context), 3),
    }
