"""A workspace on disk and the context over it."""

import math
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from context import Plan, RepoContext
from context.syntax import breakage, trees
from index_lab import Lab


def count_tokens(text: str) -> int:
    """A tokenizer stand-in: about as many tokens as a code model's, never zero for text."""
    return (len(text) + 2) // 3


class Workspace:
    """A folder with files, and contexts that are closed when the test ends."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._contexts: list[RepoContext] = []

    def write(self, files: dict[str, str | bytes]) -> None:
        for name, content in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)

    def open(self, files: dict[str, str | bytes] | None = None, **options: object) -> RepoContext:
        """Writes files and gives a context whose index is built."""
        self.write(files or {})
        context = RepoContext([self.root], **options)  # type: ignore[arg-type]
        self._contexts.append(context)
        context.start()
        assert context.wait_ready(60)
        return context

    def plan(
        self, context: RepoContext, name: str, text: str, budget_tokens: int = 2000, **options: object
    ) -> Plan:
        """The plan with the cursor at `|`, or at the end of the text."""
        before, _, after = text.partition("|")
        options = {"count_tokens": count_tokens, **options}
        path = self.root / name
        return context.plan(path, before + after, len(before), budget_tokens=budget_tokens, **options)  # type: ignore[arg-type]

    def close(self) -> None:
        for context in self._contexts:
            context.close()


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    root = tmp_path / "workspace"
    root.mkdir()
    space = Workspace(root)
    yield space
    space.close()


@pytest.fixture
def eventually() -> Callable[[Callable[[], bool]], None]:
    """Waits for what a background thread will make true."""

    def wait(is_true: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 30
        while not is_true():
            assert time.monotonic() < deadline, "it never became true"
            threading.Event().wait(0.02)

    return wait


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    (tmp_path / "repo").mkdir()
    lab = Lab(tmp_path / "repo", tmp_path / "index")
    yield lab
    lab.close()


@pytest.fixture(autouse=True)
def all_the_time_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine a text that is dear to parse would get no verdict."""
    monkeypatch.setattr(breakage, "MAX_SECONDS", math.inf)
    monkeypatch.setattr(trees, "MAX_SECONDS", math.inf)
