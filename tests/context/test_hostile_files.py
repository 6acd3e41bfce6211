"""No file, however odd, stops the index, takes it long or keeps other files out of it."""

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from context import worker
from context.extract import extract
from context.files import Files
from context.ignore import IgnoreRules
from context.index import Index
from context.languages import language_named
from context.source import MAX_BYTES
from context.store import FactsStore
from context.symbols import FileFacts
from context.worker_pool import WorkerPool
from context.worker_process import Job

GOOD = "def good(): ...\n"
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="no such files there")


class Built:
    """An index over a folder, built twice at will."""

    def __init__(self, root: Path, folder: Path) -> None:
        self.root = root
        self._folder = folder
        self.files = Files([str(root)])
        self.index: Index | None = None

    def build(self) -> Index:
        roots = [str(self.root)]
        self.files = Files(roots)
        store = FactsStore(roots, self._folder)
        index = Index(roots, IgnoreRules(roots), self.files, WorkerPool(2), store=store)
        try:
            index.build()
        finally:
            index.close()
        self.index = index
        return index

    def facts(self, name: str) -> FileFacts | None:
        with self.files.project("") as project:
            return project.facts(f"{self.root}/{name}")

    def defines(self, name: str) -> set[str]:
        found = self.facts(name)
        return {each.name for each in found.definitions} if found else set()


@pytest.fixture
def built(tmp_path: Path) -> Built:
    root = tmp_path / "workspace"
    root.mkdir()
    (root / "good.py").write_text(GOOD)
    (root / "zz").mkdir()
    (root / "zz" / "good.py").write_text(GOOD)
    return Built(root, tmp_path / "store")


def twice(built: Built) -> None:
    """Builds cold, then from the store: the good files are there both times."""
    for _ in range(2):
        built.build()
        assert built.defines("good.py") == {"good"}
        assert built.defines("zz/good.py") == {"good"}


MANY = 100_000
TEXTS = {
    "syntax errors everywhere": "def (:\n  class\n)]} import from\n@@@ x = = 3\n" * 1000,
    "parentheses": "x = " + "(" * MANY + ")" * MANY + "\n",
    "open brackets": "[" * MANY,
    "braces": "{" * MANY + "}" * MANY,
    "blocks": "".join(" " * level + "if x:\n" for level in range(1000)),
    "classes": "".join(" " * level + f"class C{level}:\n" for level in range(1000)),
    "attributes": "x" + ".y" * MANY + "\n",
    "additions": "x = 1" + " + 1" * MANY + "\n",
    "calls": "f(" * (MANY // 4) + ")" * (MANY // 4) + "\n",
    "not": "x = " + "not " * MANY + "y\n",
    "lambdas": "x = " + "lambda: " * (MANY // 4) + "1\n",
    "decorators": "@a\n" * MANY + "def f(): ...\n",
    "one long line": "x = [" + "1," * 400_000 + "]\n",
    "one long name": "a" * 900_000 + " = 1\n",
    "imports": "import a\n" * MANY,
    "definitions": "".join(f"def f{number}(): ...\n" for number in range(40_000)),
    "a long signature": "def f(" + ", ".join(f"a{number}=1" for number in range(50_000)) + "): ...\n",
    "an open string": "x = '''" + "a\n" * MANY,
    "f-strings": "x = f'" + "{f'" * 10_000,
    "only blanks": " \n" * 400_000,
    "carriage returns": "x = 1\r" * MANY,
    "backslashes": "\\\n" * 3000,  # tree-sitter-python needs time in proportion to the square
    "control characters": "".join(map(chr, range(1, 32))) * 10_000,
    "a byte order mark within": "x = 1\ufeff\n" * 1000,
    "right to left": "\u202e\u2066x = 1\n" * 1000,
    "combining characters": "e" + "\u0301" * MANY,
}


@pytest.mark.timeout(120)
@pytest.mark.parametrize("language", ["python", "javascript", "typescript"])
@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_text_of_any_shape_has_facts_or_none(text: str, language: str) -> None:
    row = language_named(language)
    assert row is not None

    assert isinstance(extract(text, row), FileFacts)


def test_every_shape_can_be_indexed(built: Built) -> None:
    for number, text in enumerate(TEXTS.values()):
        (built.root / f"shape{number}.py").write_text(text[:MAX_BYTES])

    index = built.build()

    assert index.counts["parsed"] + index.counts["stored"] == len(TEXTS) + 2
    assert index.counts["failed"] == 0
    assert built.defines("good.py") == {"good"}


def test_large_and_binary_files_are_skipped(built: Built) -> None:
    with (built.root / "huge.py").open("wb") as file:
        file.truncate(50_000_000)  # a hole, as quickly made as read
    (built.root / "long.js").write_bytes(b"x=1;" * 12_500_000)
    (built.root / "binary.py").write_bytes(os.urandom(1000) + b"\0")
    (built.root / "nul.py").write_bytes(b"def f(): ...\0")
    (built.root / "package.json").write_bytes(b" " * (MAX_BYTES + 1))
    (built.root / "utf16.py").write_bytes("def f(): ...".encode("utf-16"))

    twice(built)

    assert built.index is not None
    assert built.index.listing.num_too_large == 3
    assert built.index.counts["binary"] == 3
    assert built.facts("nul.py") is None
    assert built.facts("huge.py") is None


@POSIX
def test_what_is_no_file_is_not_opened(built: Built) -> None:
    os.mkfifo(built.root / "pipe.py")
    os.mkfifo(built.root / "package.json")
    (built.root / "loop").symlink_to(built.root, target_is_directory=True)
    (built.root / "self.py").symlink_to("self.py")
    (built.root / "zero.py").symlink_to("/dev/zero")
    (built.root / "folder.py").mkdir()
    (built.root / "folder.py" / "inside.py").write_text(GOOD)
    (built.root / "mutual1").symlink_to("mutual2")
    (built.root / "mutual2").symlink_to("mutual1")
    listener = socket.socket(socket.AF_UNIX)
    os.chdir(built.root)
    try:
        listener.bind("socket.py")
        twice(built)
    finally:
        listener.close()
        os.chdir("/")

    assert built.defines("folder.py/inside.py") == {"good"}
    assert built.index is not None
    assert built.index.listing.num_odd == 5


@POSIX
def test_a_device_named_like_a_source_is_not_opened(built: Built) -> None:
    try:
        os.mknod(built.root / "device.py", 0o666 | 0o020000, os.makedev(1, 5))
    except PermissionError:
        pytest.skip("only root may make devices")

    twice(built)

    assert built.facts("device.py") is None


@POSIX
@pytest.mark.parametrize(
    "name",
    [
        "line\nbreak.py",
        "sur\udcffrogate.py",
        "q'uo\"te.py",
        "a\u2028b.py",
        "-rf.py",
        " .py",
        "é" * 100 + ".py",
        "\x1b[31m.py",
    ],
    ids=["a line break", "not UTF-8", "quotes", "a line separator", "a flag", "a blank", "long", "an escape"],
)
def test_any_name_is_indexed_and_stored(built: Built, name: str) -> None:
    (built.root / name).write_text("def oddly_named(): ...\n")

    twice(built)

    assert built.defines(name) == {"oddly_named"}
    assert built.index is not None
    assert built.index.counts["stored"] == 3


REFUSAL = """
def refusing(real):
    def call(path, *arguments, **options):
        if "/locked" in str(path):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path, *arguments, **options)
    return call
"""


@POSIX
def test_what_may_not_be_read_is_skipped(built: Built, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root may read everything, so the refusal is played, here and in the workers."""
    (built.root / "locked.py").write_text(GOOD)
    (built.root / "locked.py").chmod(0)
    (built.root / "locked").mkdir()
    (built.root / "locked" / "inside.py").write_text(GOOD)
    (built.root / "locked").chmod(0)
    namespace: dict[str, Any] = {}
    exec(REFUSAL, namespace)
    monkeypatch.setattr(os, "open", namespace["refusing"](os.open))
    monkeypatch.setattr(os, "scandir", namespace["refusing"](os.scandir))
    code = (
        f"import os\n{REFUSAL}\nos.open = refusing(os.open)\nimport context.worker\ncontext.worker.main()\n"
    )
    monkeypatch.setattr("context.worker_pool.worker_command", lambda: [sys.executable, "-P", "-c", code])

    try:
        twice(built)
    finally:
        (built.root / "locked").chmod(0o700)

    assert built.facts("locked.py") is None
    assert built.facts("locked/inside.py") is None
    assert built.index is not None
    assert built.index.counts["unreadable"] == 1


def test_files_that_vanish_while_they_are_read_are_skipped(
    built: Built, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the scan and the worker."""
    for number in range(50):
        (built.root / f"m{number}.py").write_text(GOOD)
    (built.root / "pyproject.toml").write_text("")
    parse = WorkerPool.parse

    def vanish(pool: WorkerPool, jobs: list[Job]) -> object:
        for number in range(0, 50, 2):
            (built.root / f"m{number}.py").unlink(missing_ok=True)
        return parse(pool, jobs)

    monkeypatch.setattr(WorkerPool, "parse", vanish)
    index = built.build()

    assert index.counts["unreadable"] == 25
    assert index.counts["parsed"] == 27
    assert built.defines("m1.py") == {"good"}
    assert built.facts("m0.py") is None


def test_a_workspace_that_vanishes_while_it_is_read_is_empty(
    built: Built, monkeypatch: pytest.MonkeyPatch
) -> None:
    parse = WorkerPool.parse

    def vanish(pool: WorkerPool, jobs: list[Job]) -> object:
        shutil.rmtree(built.root)
        return parse(pool, jobs)

    monkeypatch.setattr(WorkerPool, "parse", vanish)

    assert built.build().counts["unreadable"] == 2


def test_a_parser_that_hangs_is_ended_and_its_file_skipped(
    built: Built, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker's own guard, with a shorter time and an extraction that never ends."""
    code = (
        "import context.worker, context.extract\n"
        "context.worker.MAX_PARSE_S = 1\n"
        "real = context.extract.extract\n"
        "def extract(text, language):\n"
        "    while 'hang' in text: pass\n"
        "    return real(text, language)\n"
        "context.extract.extract = extract\n"
        "context.worker.main()\n"
    )
    monkeypatch.setattr("context.worker_pool.worker_command", lambda: [sys.executable, "-P", "-c", code])
    (built.root / "hang.py").write_text("hang = 1\n")

    twice(built)

    assert built.index is not None
    assert built.index.counts["failed"] == 1
    assert worker.MAX_PARSE_S >= 10


@POSIX
def test_a_parser_that_eats_memory_is_ended_and_its_file_skipped(
    built: Built, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = (
        "import context.worker, context.extract\n"
        "context.worker.MAX_MEMORY = 300 << 20\n"
        "real = context.extract.extract\n"
        "def extract(text, language):\n"
        "    return real(text + ' ' * (400 << 20) if 'hungry' in text else text, language)\n"
        "context.extract.extract = extract\n"
        "context.worker.main()\n"
    )
    monkeypatch.setattr("context.worker_pool.worker_command", lambda: [sys.executable, "-P", "-c", code])
    (built.root / "hungry.py").write_text("hungry = 1\n")

    twice(built)

    assert built.index is not None
    assert built.index.counts["failed"] == 1


def test_a_folder_with_too_many_files_is_listed_in_part(
    built: Built, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("context.scan.MAX_FILES", 100)
    for number in range(300):
        (built.root / "zz" / f"m{number}.py").write_text("")

    index = built.build()

    assert index.listing.is_cut
    assert len(index.listing.files) == 100
    assert built.defines("good.py") == {"good"}


@POSIX
def test_a_folder_deeper_than_recursion_goes_is_walked(built: Built) -> None:
    folder = built.root
    for _ in range(1100):
        folder = folder / "d"
        folder.mkdir()
    (folder / "deep.py").write_text("def deep(): ...\n")
    try:
        built.build()
    finally:
        subprocess.run(["rm", "-rf", str(built.root / "d")], check=True)  # shutil.rmtree recurses

    assert built.defines("d/" * 1100 + "deep.py") == {"deep"}
