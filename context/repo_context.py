"""The face of the room: a workspace in, plans out. Knows no LSP, no model and no prompt.

Nothing touches the disk before `start`. No file, however odd, makes a method raise.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from context.callables import members_like, parameters_of
from context.choose import Chooser, Site
from context.copies import Copies
from context.files import MAX_PARSED_HERE, Files
from context.ignore import IgnoreRules
from context.imports_around import ImportsAround, imports_around
from context.index import Index
from context.languages import Language, language_named, language_of
from context.lookup import Lookup
from context.pack import TokenCounts
from context.paths import identity_of, key_of, lexical_key, name_of, relative_to
from context.plan import Plan
from context.providers import Provider, providers
from context.recent_edits import RecentEdits
from context.references import Chain, References, references
from context.similar import SimilarChunks
from context.source import normalize
from context.worker_pool import WorkerPool

_UNKNOWN = Language("plaintext", (), "#")


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
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        written = [lexical_key(root) for root in roots]
        real = [key_of(root) for root in roots]
        self._names = tuple(dict.fromkeys([*real, *written]))
        self._roots = tuple(dict.fromkeys(real))
        self._rules = IgnoreRules(self._names, exclude)
        self._files = Files(self._roots)
        self._index = Index(self._roots, self._rules, self._files, WorkerPool(), on_progress)
        self._edits = RecentEdits(clock)
        self._counts = TokenCounts()
        self._copies = Copies(self._files.words, self._files.text, self._files.stamp)
        self._similar = SimilarChunks(self._files.words, self._files.text, self._files.stamp)

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
            if language_of(key) is not None:  # logs change all the time
                self._edits.note(key, text)
            if len(text) > MAX_PARSED_HERE:
                self._index.changed(key)

    def set_closed(self, path: Path) -> None:
        """The disk stands for the file again."""
        key = key_of(path)
        self._files.set_closed(key)
        self._edits.note_closed(key)
        self._index.changed(key)

    def file_changed(self, path: Path) -> None:
        """An editor saw a file come or change."""
        self._index.changed(key_of(path))

    def file_deleted(self, path: Path) -> None:
        """An editor saw a file or folder go."""
        self._index.changed(key_of(path))

    def num_edits_elsewhere(self, path: Path) -> int:
        """Grows with each change of an open source file other than this one."""
        return self._edits.num_noted_elsewhere(key_of(path))

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

    def imports_around(self, path: Path) -> ImportsAround:
        """The files that a file imports and that import it, by workspace-relative names."""
        key = key_of(path)
        with self._files.project(key) as project:
            around = imports_around(key, project.graph.imports_of, project.graph.importers_of)
        return around.renamed(lambda other: relative_to(other, self._roots) or name_of(other))

    def references(
        self, path: Path, name: str, owner: str, lines: tuple[int, int], chains: Iterable[Chain]
    ) -> References:
        """Who uses the definition `name` of the class `owner`, or of none, in these lines of a file, and what
        the names mean that it uses. Reads files; what was typed since `set_open` is not seen.
        """

        def path_of(key: str) -> str:
            return relative_to(key, self._roots) or name_of(key)

        with self._files.project("") as project:
            key = key_of(path)
            return references(project, key, name, owner, lines, chains, self._files.text, path_of)

    def providers(self, path: Path, name: str) -> tuple[Provider, ...]:
        """The ways to import a name into a file, the most usual in the workspace first."""
        key = key_of(path)
        with self._files.project("") as project:
            return providers(project, key, project.facts(key), name)

    def members_like(self, owner: str, is_like: Callable[[str], bool]) -> tuple[str, ...]:
        """Members that pass a test: of the class or module called `owner`, else of any class."""
        with self._files.project("") as project:
            return members_like(project, owner, is_like, self._files.text)

    def parameters_of(self, name: str, owner: str = "") -> tuple[tuple[str, ...], ...]:
        """The parameters of each function of a name, or of what makes a class; few where `owner` is given."""
        with self._files.project("") as project:
            return parameters_of(project, name, owner, self._files.text)

    def plan(
        self,
        path: Path,
        text: str,
        offset: int,
        *,
        budget_tokens: int,
        count_tokens: Callable[[str], int],
        language: str = "",
        previous: Plan | None = None,
    ) -> Plan:
        """What the repository says to the cursor at `offset` of `text`. The file itself is no source.

        `language` is the editor's id, for a file whose name says none. `previous` is the last plan of the
        same file: its frozen part is kept while the file's imports and what they lead to stay as they are.
        Counts are remembered as long as `count_tokens` is the same callable.
        """
        key = key_of(path)
        self._index.look_again_if_unwatched()
        is_complete = self._index.is_ready
        before = normalize(text[: max(0, offset)])
        site = Site(
            key,
            before + normalize(text[max(0, offset) :]),
            len(before),
            language_of(key) or language_named(language) or _UNKNOWN,
            tuple(self._files.opened()),
        )

        def text_of(other: str) -> str:
            return site.text if other == key else self._files.text(other)

        edits = tuple(self._edits.newest(text_of))
        with self._files.project(key) as project:
            hidden = project.same_file(key, identity_of(key))
            if lexical_key(path) != key:
                hidden |= project.same_file(lexical_key(path), None)
            hidden |= self._copies.of(key, site.text)
            chooser = Chooser(
                Lookup(project, hidden),
                site,
                budget_tokens=budget_tokens,
                count_tokens=self._counts.use(count_tokens),
                text_of=self._files.text,
                similar=self._similar,
                edits=edits,
            )
            choice = chooser.choose(previous.frozen if previous else None, is_complete)
            is_order_stale = project.graph.is_order_stale
        if is_order_stale:
            self._index.changed(key)  # its thread makes the order anew
        return Plan(
            self.relative(path),
            choice.segments,
            choice.num_tokens,
            budget_tokens,
            is_complete,
            choice.considered,
            choice.frozen,
        )
