"""`python -m training.corpus`: what it says and how it ends."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from corpus_shop import code, gathered_from, put_wheel, source_of
from training.corpus import __main__ as command
from training.corpus.benchmark_texts import BenchmarksMissingError, benchmark_texts
from training.corpus.build import CorpusError
from training.corpus.unseen import Gathered
from training.sources.errors import UnreachableError

TABLE = [source_of("a"), source_of("b"), source_of("c", "go"), source_of("d", "go")]


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A work folder with four packages, of which the last is empty."""
    for n, source in enumerate(TABLE):
        files = {f"{source.name}/app.py": code(n)} if source.name != "d" else {"d/__init__.py": "x = 1\n"}
        put_wheel(tmp_path, source, files)
    found = gathered_from(tmp_path / "bench", {"river": code(99)})

    def gathered(work: Path) -> Gathered:
        return found

    monkeypatch.setattr(command, "read_table", lambda: tuple(TABLE))
    monkeypatch.setattr(command, "gathered", gathered)
    return tmp_path


def said(capsys: pytest.CaptureFixture[str]) -> str:
    return " ".join(capsys.readouterr().err.split())


def test_the_whole_table_is_built(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status = command.main(["--work", str(shop), "--workers", "1"])

    assert status == 0
    assert len(list((shop / "repositories").iterdir())) == 3
    assert "report.md says" in said(capsys)


def test_a_language_that_the_table_lacks_is_named_with_those_it_has(
    shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status = command.main(["--work", str(shop), "--only", "cobol"])

    assert status == 1
    assert "'cobol'; it has python, go" in said(capsys)


def test_a_language_of_which_nothing_is_left_is_named(
    shop: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "read_table", lambda: (TABLE[0], TABLE[3]))

    status = command.main(["--work", str(shop), "--workers", "1"])

    assert status == 1
    assert "Nothing is left of go; the corpus has python." in said(capsys)


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        pytest.param(OSError(errno.ENOSPC, "No space left on device"), "is full: free some", id="disk full"),
        pytest.param(PermissionError(errno.EACCES, "Permission denied"), "may write to", id="not ours"),
        pytest.param(KeyboardInterrupt(), "nothing is half-written", id="interrupted"),
        pytest.param(UnreachableError("pypi does not answer"), "pypi does not answer", id="registry down"),
    ],
)
def test_what_goes_wrong_is_told_in_a_sentence(
    shop: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException,
    sentence: str,
) -> None:
    def failing(*arguments: object) -> None:
        raise error

    monkeypatch.setattr(command, "build", failing)

    assert command.main(["--work", str(shop)]) == 1
    words = said(capsys)
    assert sentence in words
    assert "Traceback" not in words


def test_missing_packages_are_named_and_the_status_is_1(
    shop: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "read_table", lambda: (TABLE[0], source_of("b", licence="ISC")))

    status = command.main(["--work", str(shop), "--workers", "1"])

    assert status == 1
    assert "pypi-b-1.0 is missing." in said(capsys)


def test_checkouts_are_built_beside_the_table(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project = shop / "checkouts" / "tool"
    project.mkdir(parents=True)
    (project / "tool.py").write_text(code(50), encoding="utf-8")
    arguments = [
        "--work",
        str(shop),
        "--workers",
        "1",
        "--limit",
        "1",
        "--checkouts",
        str(shop / "checkouts"),
    ]

    assert command.main(arguments) == 0
    assert "Refused, though they are here: 1;" in said(capsys)

    assert command.main([*arguments, "--trust-licences"]) == 0
    names = sorted(path.name for path in (shop / "repositories").iterdir())
    assert names == ["checkout-tool-unversioned.jsonl.gz", "pypi-a-1.0.jsonl.gz", "pypi-c-1.0.jsonl.gz"]


def test_a_missing_folder_of_checkouts_is_told(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--work", str(shop), "--checkouts", str(shop / "nowhere")]) == 1
    assert "is not a folder" in said(capsys)


def test_a_part_of_the_table_can_be_chosen() -> None:
    assert [source.name for source in command.chosen_of(TABLE, [], None)] == ["a", "b", "c", "d"]
    assert [source.name for source in command.chosen_of(TABLE, ["go"], None)] == ["c", "d"]
    assert [source.name for source in command.chosen_of(TABLE, [], 1)] == ["a", "c"]
    with pytest.raises(CorpusError):
        command.chosen_of(TABLE, ["go", "cobol"], None)


def test_without_the_benchmarks_nothing_is_built(tmp_path: Path) -> None:
    with pytest.raises(BenchmarksMissingError, match="GHOSTFILL_BENCH"):
        list(benchmark_texts(tmp_path))


def test_a_torn_benchmark_file_is_named(tmp_path: Path) -> None:
    for name in ("human-eval-infilling", "santacoder-fim"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "tasks.jsonl.gz").write_bytes(b"no gzip")

    with pytest.raises(BenchmarksMissingError, match=r"tasks\.jsonl\.gz"):
        list(benchmark_texts(tmp_path))
