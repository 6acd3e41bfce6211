"""`python -m training.samples`: a set is kept whole or not at all, and every mistake is one sentence."""

import errno
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from training.corpus.repository import SUFFIX, Repository, SourceFile
from training.samples.__main__ import main
from training.samples.sample import Role, SampleFolder

ROOT = Path(__file__).parents[2]
LIBRARY = """class Shelf:
    def put_value(self, key):
        return key


def open_shelf(path):
    return Shelf()
"""
USER = "from pkg.shelf import Shelf, open_shelf\n\n\n" + "".join(
    f"def step_{num}(path):\n" + "    number = 1\n" * 30 + "    shelf = open_shelf(path)\n"
    f"    return shelf.put_value('{num}')\n\n\n"
    for num in range(6)
)


def repositories(folder: Path) -> Path:
    for key in ("pypi-one-1", "pypi-two-2"):
        files = [
            SourceFile("pkg/__init__.py", "python", f"# {key}\n"),
            SourceFile("pkg/shelf.py", "python", LIBRARY),
        ]
        files += [
            SourceFile("pkg/user.py", "python", USER),
            SourceFile("web/a.js", "javascript", "let first = second\n"),
        ]
        folder.mkdir(exist_ok=True)
        Repository(key, "MIT", tuple(files)).write(folder)
    return folder


def run(*words: object) -> int:
    return main([str(word) for word in words])


def test_a_stream_says_how_it_was_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, out = repositories(tmp_path / "r"), tmp_path / "s"
    assert run("stream", "--repositories", source, "--out", out, "--length", 512, "--seed", 7) == 0
    folder = SampleFolder(out)
    about = folder.about
    assert (about["made"], about["seed"], about["mix"]["length"]) == ("stream", 7, 512)
    assert about["files_by_language"] == {"python": 6, "javascript": 2}
    assert about["tokens"] == folder.num_tokens == sum(about[f"tokens_{role.name.lower()}"] for role in Role)
    assert about["samples"] == len(folder)
    assert f"{len(folder)} samples" in capsys.readouterr().out


def test_the_work_folder_gives_the_others(tmp_path: Path) -> None:
    repositories(tmp_path / "repositories")
    assert run("stream", "--work", tmp_path) == 0
    assert len(SampleFolder(tmp_path / "samples" / "stream")) == 2


def test_only_some_languages(tmp_path: Path) -> None:
    source, out = repositories(tmp_path / "r"), tmp_path / "s"
    assert run("stream", "--repositories", source, "--out", out, "--only", "javascript") == 0
    assert SampleFolder(out).about["files_by_language"] == {"javascript": 2}


def test_product_sets_are_the_same_with_any_number_of_workers(tmp_path: Path) -> None:
    source = repositories(tmp_path / "r")
    bad = SourceFile("../x.py", "python", USER)
    Repository("pypi-bad-1", "MIT", (bad, bad, bad)).write(source)
    made = []
    for workers in (1, 2):
        out = tmp_path / f"product{workers}"
        command = [
            sys.executable,
            "-m",
            "training.samples",
            "product",
            "--repositories",
            source,
            "--out",
            out,
        ]
        subprocess.run([*command, "--workers", str(workers), "--max-samples", "4"], cwd=ROOT, check=True)
        made.append(SampleFolder(out))
    one, two = made
    assert one.about == two.about
    assert one.about["repositories"] == 2
    assert one.about["skipped"] == {"pypi-bad-1": "pypi-bad-1 holds ../x.py, which leads out of it."}
    assert one.about["branches_by_languages"].keys() <= {"python", "javascript"}
    assert 0 < one.about["share_told"] <= 1
    assert [sample.ids.tolist() for sample in map(one.__getitem__, range(len(one)))] == [
        two[num].ids.tolist() for num in range(len(two))
    ]


def test_twins_are_two_sets(tmp_path: Path) -> None:
    source, out = repositories(tmp_path / "r"), tmp_path / "v"
    command = [
        sys.executable,
        "-m",
        "training.samples",
        "product",
        "--twins",
        "--repositories",
        source,
        "--out",
        out,
    ]
    subprocess.run([*command, "--max-samples", "3"], cwd=ROOT, check=True)
    full, bare = SampleFolder(out / "context"), SampleFolder(out / "none")
    assert len(full) == len(bare) > 0
    assert full.about["branches"] == bare.about["branches"]
    assert (bare.about["tokens_context"], full.about["tokens_context"] > 0) == (0, True)
    assert full.about["tokens_told"] == bare.about["tokens_told"]


def test_a_sample_can_be_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, out = repositories(tmp_path / "r"), tmp_path / "s"
    assert run("stream", "--repositories", source, "--out", out, "--fim", 1) == 0
    capsys.readouterr()
    assert run("show", out) == 0
    text = capsys.readouterr().out
    assert "--- stem" in text
    for word in ("<｜begin▁of▁sentence｜>#pkg/__init__.py", "<｜fim▁hole｜>", "▶", "<｜end▁of▁sentence｜>"):
        assert word in text
    assert re.search(r"\d+ tokens, 0 branches: .*'middle': \d+", text)


def refused(capsys: pytest.CaptureFixture[str], *words: object) -> str:
    assert run(*words) == 1
    said = capsys.readouterr().err.splitlines()
    assert said[-1].startswith("training.samples: ")
    assert said[-1].endswith(".")
    return said[-1]


def test_a_folder_without_repositories(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = refused(capsys, "stream", "--repositories", tmp_path / "none", "--out", tmp_path / "s")
    assert "training.corpus" in said
    assert not (tmp_path / "s").exists()


def test_no_language_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = repositories(tmp_path / "r")
    said = refused(capsys, "stream", "--repositories", source, "--out", tmp_path / "s", "--only", "cobol")
    assert "no files in cobol" in said
    assert not (tmp_path / "s").exists()


def test_a_broken_repository_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = repositories(tmp_path / "r")
    path = source / f"pypi-two-2{SUFFIX}"
    path.write_bytes(path.read_bytes()[:-20])
    said = refused(capsys, "stream", "--repositories", source, "--out", tmp_path / "s")
    assert str(path) in said


def test_a_full_disk_keeps_the_old_set_and_nothing_half(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    source, out = repositories(tmp_path / "r"), tmp_path / "s"
    assert run("stream", "--repositories", source, "--out", out) == 0
    before = json.loads((out / "about.json").read_text())

    def full(path: Path, array: object) -> None:
        path.write_bytes(b"half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(np, "save", full)
    said = refused(capsys, "stream", "--repositories", source, "--out", out, "--seed", 2)
    assert "the disk is full" in said
    assert json.loads((out / "about.json").read_text()) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["r", "s"]


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = repositories(tmp_path / "r")
    said = refused(capsys, "stream", "--repositories", source, "--out", source)
    assert "something else" in said
    assert len(list(source.iterdir())) == 2


@pytest.mark.parametrize(
    ("words", "expected"),
    [(("5",), "no sample 5"), (("0", "--branch", "1"), "no branch 1")],
)
def test_what_is_not_there_cannot_be_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], expected: str
) -> None:
    source, out = repositories(tmp_path / "r"), tmp_path / "s"
    assert run("stream", "--repositories", source, "--out", out) == 0
    assert expected in refused(capsys, "show", out, *words)
    assert "holds no samples" in refused(capsys, "show", tmp_path)


def test_weights_that_are_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "256:2" in refused(
        capsys, "product", "--repositories", tmp_path, "--out", tmp_path, "--context", "a:b"
    )


def test_streams_are_made_without_the_products_packages() -> None:
    code = "import sys; sys.argv=['x']; import training.samples.__main__ as m; print(*sys.modules)"
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    tops = {name.split(".")[0] for name in result.stdout.split()}
    assert not tops & {"context", "lsp_server", "tree_sitter", "rich", "platformdirs", "torch", "msgspec"}
