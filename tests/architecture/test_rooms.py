"""What the house promises of its rooms, beyond what import-linter sees."""

import subprocess
import sys
from pathlib import Path

import pytest

from context.languages import LANGUAGES

ROOT = Path(__file__).parents[2]
ROOMS = ("engine", "context", "lsp_server", "benchmarks", "training")
MAX_LINES = 300
HEAVY = {"torch", "transformers", "numpy", "safetensors", "starlette", "uvicorn"}
GRAMMARS = {row.grammar.module for row in LANGUAGES if row.grammar}
LATE = HEAVY | GRAMMARS
LATE |= {"httpx2", "msgspec", "pathspec", "rich", "tokenizers", "tree_sitter", "watchdog"}


CLIENTS = ("neovim/**/*.lua", "emacs/*.el", "vscode/src/**/*.ts")


def sources() -> list[Path]:
    ours = [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]
    return ours + [path for pattern in CLIENTS for path in sorted((ROOT / "editors").glob(pattern))]


@pytest.mark.parametrize("path", sources(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_file_is_one_noun(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()

    assert len(lines) <= MAX_LINES


@pytest.mark.parametrize(
    ("module", "absent"),
    [
        pytest.param("lsp_server.server", LATE, id="the server starts light"),
        pytest.param("context", LATE, id="context starts light"),
        pytest.param("engine.backends.local", LATE, id="the engine's light side is light"),
        pytest.param("engine.__main__", HEAVY, id="an engine takes its lock before it loads torch"),
    ],
)
def test_importing_stays_light(module: str, absent: set[str]) -> None:
    code = f"import sys, {module}; print(*sorted(set(sys.modules) & {absent!r}))"

    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)

    assert done.stdout.split() == []


def test_the_faces_of_the_rooms_are_pinned() -> None:
    import context
    import engine

    assert context.__all__ == ["Plan", "RepoContext"]
    assert engine.__all__ == sorted(engine.__all__)


def test_the_checkout_stays_below_60_mib() -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    files = [ROOT / name for name in listed.stdout.split("\0") if name]

    assert sum(path.stat().st_size for path in files if path.exists()) < 60 * 2**20
