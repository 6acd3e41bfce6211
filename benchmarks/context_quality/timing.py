"""What a plan costs in a large repository, in a process of its own whose memory is that of a front.

`python -m benchmarks.context_quality.timing ROOT SEED` prints one JSON object. A place is warm once its file
has been planned before: in the product that happens when the file is opened.
"""

from __future__ import annotations

import json
import os
import random
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.context_quality.packages import Package
from benchmarks.workspace import cache_folder
from context import Plan, RepoContext
from context.pack import HEADER_TOKENS
from engine.launch import child_environment
from engine.model_folder import BUILTIN_FOLDER
from engine.tokens import Tokenizer

BUDGET_TOKENS = 4096
NUM_FILES = 60
PLACES_PER_FILE = 5
"""The first opens the file and is reported apart."""
LINES_PER_FILE = 4
"""Walked down from the last of those places, as when one line after the other is written."""
MIN_CHARS, MAX_CHARS = 2_000, 200_000
INDEX_SECONDS = 900.0


def measure(packages: Sequence[Package], seed: int) -> dict[str, Any]:
    """Times of two processes one after the other: the first indexes afresh, the second finds the store."""
    root = together(packages)
    with tempfile.TemporaryDirectory(prefix="gf") as cache:
        cold, warm = (_in_child(root, seed, Path(cache)) for _ in range(2))
    return warm | {"index_build_s": cold["index_ready_s"]}


def together(packages: Sequence[Package]) -> Path:
    """One folder that holds the files of all packages beside one another; hard links where they can be."""
    label = "-".join(f"{package.name}-{package.version}" for package in packages)
    folder = cache_folder() / f"together-{label}"
    if not folder.is_dir():
        sources = [package.unpacked() for package in packages]
        with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
            partial = Path(scratch) / "files"
            for source in sources:
                shutil.copytree(source, partial, copy_function=_link_or_copy, dirs_exist_ok=True)
            partial.rename(folder)
    return folder


def times(root: Path, seed: int) -> dict[str, Any]:
    """Index, then plan at random places of random Python files."""
    count_tokens = Tokenizer.from_folder(BUILTIN_FOLDER).count
    files = sorted(root.rglob("*.py"))
    context = RepoContext([root])
    begun = time.perf_counter()
    context.start()
    try:
        if not context.wait_ready(INDEX_SECONDS):
            raise RuntimeError(f"{root} was not indexed in {INDEX_SECONDS:.0f} s")
        index_s = time.perf_counter() - begun
        chance = random.Random(seed)  # noqa: S311 - must be repeatable
        first: list[float] = []
        warm: list[float] = []
        walked: list[float] = []
        kept: list[float] = []
        for path in chance.sample(files, len(files)):
            text = path.read_text(encoding="utf-8", errors="replace")
            if not MIN_CHARS <= len(text) <= MAX_CHARS:
                continue
            visit = _Visit(context, path, text, count_tokens)
            opened, *moved = (visit.plan_ms(chance.randrange(len(text))) for _ in range(PLACES_PER_FILE))
            first.append(opened)
            warm += moved
            for _ in range(LINES_PER_FILE):
                before = visit.plan
                walked.append(visit.plan_ms(visit.next_line()))
                kept.append(kept_share(before, visit.plan))
            if len(first) == NUM_FILES:
                break
    finally:
        context.close()
    return {
        "context_ms_p50": round(statistics.median(warm), 1),
        "context_ms_p95": round(percentile(warm, 0.95), 1),
        "context_first_ms_p50": round(statistics.median(first), 1),
        "context_first_ms_p95": round(percentile(first, 0.95), 1),
        "context_plans": len(warm),
        "context_next_line_ms_p50": round(statistics.median(walked), 1),
        "context_next_line_ms_p95": round(percentile(walked, 0.95), 1),
        "context_kept_p50": round(statistics.median(kept), 2),
        "context_kept_p5": round(percentile(kept, 0.05), 2),
        "context_files": len(files),
        "index_ready_s": round(index_s, 1),
        "context_mib": resident_mib(),
    }


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which that share of the values lies."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def resident_mib() -> int:
    """What this process holds in memory; where the system does not say, the most it ever held."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak // (2**20 if sys.platform == "darwin" else 1024)
    return pages * os.sysconf("SC_PAGE_SIZE") // 2**20


class _Visit:
    """One file and the plans made in it; each is handed to the next."""

    def __init__(
        self, context: RepoContext, path: Path, text: str, count_tokens: Callable[[str], int]
    ) -> None:
        self._context = context
        self._path = path
        self._text = text
        self._count_tokens = count_tokens
        self._offset = 0
        self.plan: Plan | None = None

    def next_line(self) -> int:
        """The place below the last one."""
        return min(self._text.find("\n", self._offset) + 5, len(self._text) - 1)

    def plan_ms(self, offset: int) -> float:
        """Plans with the rest of the line taken away, as at a site."""
        self._offset = offset
        end = self._text.find("\n", offset)
        open_text = self._text[:offset] + self._text[end if end >= 0 else len(self._text) :]
        begun = time.perf_counter()
        self.plan = self._context.plan(
            self._path,
            open_text,
            offset,
            budget_tokens=BUDGET_TOKENS,
            count_tokens=self._count_tokens,
            language="python",
            previous=self.plan,
        )
        return (time.perf_counter() - begun) * 1000


def kept_share(before: Plan | None, after: Plan | None) -> float:
    """How much of a plan's tokens stands before the first segment that the plan before it did not have."""
    if before is None or after is None or not after.num_tokens:
        return 1.0
    kept = 0
    for old, new in zip(before.segments, after.segments, strict=False):
        if old != new:
            break
        kept += new.num_tokens + HEADER_TOKENS
    return min(1.0, kept / after.num_tokens)


def _in_child(root: Path, seed: int, cache: Path) -> dict[str, Any]:
    command = [sys.executable, "-P", "-m", "benchmarks.context_quality.timing", str(root), str(seed)]
    environment = child_environment() | {"XDG_CACHE_HOME": str(cache)}
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _link_or_copy(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


if __name__ == "__main__":
    print(json.dumps(times(Path(sys.argv[1]), int(sys.argv[2]))))
