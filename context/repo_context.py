"""The face of the room: a workspace in, plans out. Knows no LSP, no model and no prompt.

Nothing touches the disk before `start`. No file, however odd, makes a method raise.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from context.candidate import Candidate
from context.files import MAX_PARSED_HERE, Files
from context.ignore import IgnoreRules
from context.index import Index
from context.pack import Packer, TokenCounts
from context.paths import identity_of, key_of, lexical_key, name_of, relative_to
from context.plan import Plan
from context.project import Project
from context.rank import rank_plain, rank_python
from context.uses import uses_of
from context.worker_pool import WorkerPool

MAX_WORKERS = 4
SMALL_FILE_LINES = 80
"""A file of the same folder up to this length may be shown whole."""
MAX_WHOLE_FILES = 3
MAX_TEXT_LINES = 200
"""Other languages have no signatures yet: of a longer file the head is shown."""


class RepoContext:
    """One workspace's repository context. Thread-safe.

    `exclude` are globs as in .gitignore. `on_progress(done, total)` is called by the index's thread during
    its first build.
    """

    def __init__(
        self,
        roots: Sequence[Path],
        *,
        exclude: Sequence[str] = (),
        on_progress: Callable[[int, int], None] | None = None,
    ) -> None:
        written = [lexical_key(root) for root in roots]
        real = [key_of(root) for root in roots]
        self._names = tuple(dict.fromkeys([*real, *written]))
        self._roots = tuple(dict.fromkeys(real))
        self._rules = IgnoreRules(self._names, exclude)
        num_workers = max(1, min(MAX_WORKERS, (os.cpu_count() or 2) // 2))
        self._files = Files(self._roots)
        self._index = Index(self._roots, self._rules, self._files, WorkerPool(num_workers), on_progress)
        self._counts = TokenCounts()
        self._view: tuple[Project, frozenset[str], Project] | None = None

    def start(self) -> None:
        """Returns at once; the index is built in the background and then follows the disk."""
        self._index.start()

    def wait_ready(self, timeout_s: float | None = None) -> bool:
        """Whether the index has been built, waiting for it up to a time."""
        return self._index.wait_ready(timeout_s)

    def close(self) -> None:
        """Ends worker processes, watcher and threads; may be called twice."""
        self._index.close()

    def set_open(self, path: Path, text: str) -> None:
        """From now on this text stands for the file, not the disk. An excluded file's text is not kept."""
        key = key_of(path)
        if self._files.is_open(key) or not self._rules.is_excluded(path):
            self._files.set_open(key, text)
            if len(text) > MAX_PARSED_HERE:
                self._index.changed(key)

    def set_closed(self, path: Path) -> None:
        """The disk stands for the file again."""
        key = key_of(path)
        self._files.set_closed(key)
        self._index.changed(key)

    def file_changed(self, path: Path) -> None:
        """An editor saw a file come or change."""
        self._index.changed(key_of(path))

    def file_deleted(self, path: Path) -> None:
        """An editor saw a file or folder go."""
        self._index.changed(key_of(path))

    def relative(self, path: Path) -> str:
        """`pkg/mod.py`; the bare name of a file outside every root."""
        key = lexical_key(path)
        return relative_to(key, self._names) or relative_to(key_of(path), self._names) or name_of(key)

    def is_excluded(self, path: Path) -> bool:
        """Whether a file never becomes context: a secret, ignored by git or the user, a tool's output."""
        return self._rules.is_excluded(path)

    def is_private(self, path: Path) -> bool:
        """Whether nothing is to be completed in a file either: a secret, or excluded by the user."""
        return self._rules.is_private(path)

    def plan(
        self,
        path: Path,
        text: str,
        offset: int,
        *,
        budget_tokens: int,
        count_tokens: Callable[[str], int],
        language: str = "python",
    ) -> Plan:
        """What the repository says to the cursor at `offset` of `text`. The file itself is no source.

        Counts are remembered as long as `count_tokens` is the same callable.
        """
        key = key_of(path)
        self._index.look_again_if_unwatched()
        is_complete = self._index.is_ready
        project = self._files.project(key)
        hidden = project.same_file(key, identity_of(key))
        if lexical_key(path) != key:
            hidden |= project.same_file(lexical_key(path), None)
        view = self._without(project, hidden)
        opened = [other for other in self._files.opened() if other not in hidden]
        if language == "python":
            candidates = rank_python(view, key, uses_of(text, offset), opened)
        else:
            candidates = rank_plain(view, key, language, hidden, opened, self._head)
        facts = {candidate.key: view.entries[candidate.key].facts for candidate in candidates}
        known = {name: found for name, found in facts.items() if found is not None}
        packer = Packer(budget_tokens, self._counts.use(count_tokens), known)
        for candidate in candidates:
            packer.add(candidate)
        self._promote(packer, candidates, budget_tokens)
        arrange = view.arrange if language == "python" else _most_wanted_last
        segments, num_tokens, considered = packer.finish(arrange, lambda other: view.entries[other].path)
        return Plan(self.relative(path), segments, num_tokens, budget_tokens, is_complete, considered)

    def _without(self, project: Project, hidden: frozenset[str]) -> Project:
        """The project that has never seen the current file; the last one is kept, as files change seldom."""
        last = self._view
        if last is None or last[0] is not project or last[1] != hidden:
            last = (project, hidden, project.without(hidden))
            self._view = last
        return last[2]

    def _promote(self, packer: Packer, candidates: Sequence[Candidate], budget_tokens: int) -> None:
        """Where half of the budget is left, small files of the same folder are shown whole."""
        siblings = [
            candidate.key for candidate in candidates if candidate.kind == "sibling" and candidate.units
        ]
        for key in siblings[:MAX_WHOLE_FILES]:
            if packer.free_tokens * 2 < budget_tokens:
                return
            text = self._files.text(key)
            if 0 < text.count("\n") <= SMALL_FILE_LINES:
                packer.promote(key, text.rstrip("\n") + "\n")

    def _head(self, key: str) -> str:
        lines = self._files.text(key).split("\n", MAX_TEXT_LINES)[:MAX_TEXT_LINES]
        text = "\n".join(lines).rstrip("\n")
        return text + "\n" if text else ""


def _most_wanted_last(keys: list[str], _direct: list[str]) -> list[str]:
    return keys[::-1]
