"""A whole small corpus from local archives: what is kept, why the rest is not, and that a run goes on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from corpus_shop import PROBLEM, code, gathered_from, put_wheel, source_of
from training.corpus import build as building
from training.corpus.build import CorpusError, Plan, build
from training.corpus.overlap import OverlapError, overlap_report
from training.corpus.repository import Repository, SourceFile, repositories
from training.sources.errors import NoSpaceError, UnreachableError
from training.sources.table import Source

HELD_OUT = code(1000, 40)
ANSWER = PROBLEM["prompt"] + PROBLEM["canonical_solution"] + PROBLEM["suffix"]
HEADER = "# Copyright 2020 Somebody\n# Licensed under the MIT licence\n\n"
ALPHA = {
    "alpha/__init__.py": "from alpha.app import main\n",
    "alpha/app.py": HEADER + "import alpha.base\n" + code(1),
    "alpha/base.py": code(2),
    "alpha/_vendor/rich.py": code(3),
    "alpha/copied.py": code(4) + "\n\n" + "\n\n".join(HELD_OUT.split("\n\n")[10:18]),
    "alpha/answer.py": code(5) + "\n\n" + ANSWER,
    "alpha/torn.py": code(6) + "\n)))\n",
    "alpha/keys.py": code(7) + "\nTOKEN = 'ghp_" + "a1B2" * 9 + "'\n",
}
FORK = {"beta/app.py": ALPHA["alpha/app.py"], "beta/base.py": ALPHA["alpha/base.py"], "beta/keys.py": code(7)}
GAMMA = {"gamma/own.py": code(8), "gamma/taken.py": ALPHA["alpha/base.py"]}


def silent(what: str, num_done: int, total: int) -> None:
    """Progress that nobody watches."""


def plan_of(work: Path, sources: list[Source]) -> Plan:
    found = gathered_from(work / "bench", {"river": HELD_OUT})
    return Plan(work, sources, sources, found, num_workers=1)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Plan, building.Report]:
    work = tmp_path_factory.mktemp("work")
    sources = [source_of("alpha"), source_of("beta"), source_of("gamma"), source_of("liar")]
    for source, files in zip(sources[:3], (ALPHA, FORK, GAMMA), strict=True):
        put_wheel(work, source, files)
    put_wheel(work, sources[3], {"liar/app.py": code(9)}, licence="GPL-3.0-only")
    plan = plan_of(work, sources)
    return work, plan, build(plan, silent)


def test_what_is_kept_is_clean_and_in_dependency_order(built: tuple[Path, Plan, building.Report]) -> None:
    found = list(repositories(built[0] / "repositories"))

    assert [repository.key for repository in found] == ["pypi-alpha-1.0", "pypi-gamma-1.0"]
    assert [file.path for file in found[0].files] == ["alpha/base.py", "alpha/app.py", "alpha/keys.py"]
    assert found[0].licence == "MIT"
    assert found[0].files[1].text.startswith("import alpha.base\n")
    assert "ghp_" not in found[0].files[2].text
    assert [file.path for file in found[1].files] == ["gamma/own.py"]


def test_the_report_tells_why_each_file_was_dropped_once(built: tuple[Path, Plan, building.Report]) -> None:
    report = json.loads((built[0] / "report.json").read_text(encoding="utf-8"))

    reasons = {f"{row['package']}:{row['path']}": row["reason"] for row in report["dropped"]}
    assert reasons == {
        "pypi-alpha-1.0:alpha/__init__.py": "too small",
        "pypi-alpha-1.0:alpha/_vendor/rich.py": "vendored",
        "pypi-alpha-1.0:alpha/copied.py": "held out",
        "pypi-alpha-1.0:alpha/answer.py": "benchmark",
        "pypi-alpha-1.0:alpha/torn.py": "syntax error",
        "pypi-beta-1.0:beta/app.py": "near-duplicate repository",
        "pypi-beta-1.0:beta/base.py": "near-duplicate repository",
        "pypi-beta-1.0:beta/keys.py": "near-duplicate repository",
        "pypi-gamma-1.0:gamma/taken.py": "near-duplicate file",
    }
    assert len(report["dropped"]) == len(reasons)
    num_files = sum(row["files"] for reasons in report["languages"].values() for row in reasons.values())
    assert num_files == len(ALPHA) + len(FORK) + len(GAMMA)
    assert next(row["detail"] for row in report["dropped"] if row["reason"] == "benchmark").startswith(
        "HumanEval/7"
    )
    assert "GPL-3.0-only" in report["missing"]["pypi-liar-1.0"]


def test_the_report_can_be_read(built: tuple[Path, Plan, building.Report]) -> None:
    text = (built[0] / "report.md").read_text(encoding="utf-8")

    for words in (
        "## python",
        "| kept |",
        "benchmark: HumanEval/7",
        "held out: river",
        "pypi-liar-1.0",
        "river",
    ):
        assert words in text


def test_nothing_half_written_is_left(built: tuple[Path, Plan, building.Report]) -> None:
    assert [path for path in built[0].rglob("*") if "partial" in path.name] == []


def test_a_check_proves_that_no_copy_is_left_and_finds_a_planted_one(
    built: tuple[Path, Plan, building.Report], tmp_path: Path
) -> None:
    unseen = built[1].gathered.unseen

    proof = overlap_report(built[0] / "repositories", unseen)
    proof.raise_if_found()

    assert proof.num_files == 4
    files = tuple(SourceFile(path, "python", text) for path, text in ALPHA.items())
    Repository("pypi-alpha-1.0", "MIT", files).write(tmp_path)
    planted = overlap_report(tmp_path, unseen)
    assert {finding.file for finding in planted.findings} == {
        "pypi-alpha-1.0:alpha/copied.py",
        "pypi-alpha-1.0:alpha/answer.py",
    }
    with pytest.raises(OverlapError, match="words of river"):
        planted.raise_if_found()


def test_what_is_done_is_not_done_again(built: tuple[Path, Plan, building.Report]) -> None:
    work, plan, report = built
    before = {path.name: path.stat().st_mtime_ns for path in (work / "cleaned").iterdir()}
    written = {path.name: path.read_bytes() for path in (work / "repositories").iterdir()}

    again = build(plan, silent)

    assert {path.name: path.stat().st_mtime_ns for path in (work / "cleaned").iterdir()} == before
    assert {path.name for path in (work / "repositories").iterdir()} == set(written)
    assert again.languages() == report.languages()


def test_a_run_that_was_interrupted_goes_on(tmp_path: Path) -> None:
    sources = [source_of(f"p{n}") for n in range(4)]
    for n, source in enumerate(sources):
        put_wheel(tmp_path, source, {f"p{n}/app.py": code(n)})
    plan = plan_of(tmp_path, sources)

    def impatient(what: str, num_done: int, total: int) -> None:
        if (what, num_done) == ("packages", 2):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build(plan, impatient)

    done = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "cleaned").glob("*.json")}
    assert len(done) >= 2
    assert [path for path in tmp_path.rglob("*") if "partial" in path.name] == []
    assert not (tmp_path / "report.json").exists()

    report = build(plan, silent)

    assert len(list(repositories(tmp_path / "repositories"))) == 4
    assert report.missing == {}
    kept = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "cleaned").glob("*.json")}
    assert {name: kept[name] for name in done} == done


def test_where_a_registry_is_silent_the_rest_is_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, *away = [source_of(name) for name in ("here", "a", "b", "c", "d", "e", "f", "g", "h")]
    put_wheel(tmp_path, here, {"here/app.py": code(1)})
    asked = []

    def downloaded(source: Source, folder: Path) -> Path:
        if source != here:
            asked.append(source.name)
            raise UnreachableError(f"pypi does not answer for {source.name}.")
        return folder / source.key

    monkeypatch.setattr(building, "downloaded", downloaded)
    monkeypatch.setattr(building, "NUM_DOWNLOADS", 0)  # one at a time, because one worker is left

    report = build(plan_of(tmp_path, [here, *away]), silent)

    assert [repository.key for repository in repositories(tmp_path / "repositories")] == [here.key]
    assert set(report.missing) == {source.key for source in away}
    assert len(asked) == building.MAX_SILENCES
    assert "does not answer" in report.missing[away[-1].key]


def test_a_full_disk_stops_the_build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def downloaded(source: Source, folder: Path) -> Path:
        raise NoSpaceError("The disk is full.")

    monkeypatch.setattr(building, "downloaded", downloaded)

    with pytest.raises(NoSpaceError):
        build(plan_of(tmp_path, [source_of("a")]), silent)

    assert list((tmp_path / "repositories").iterdir()) == []


def test_packages_that_left_the_table_leave_the_corpus(tmp_path: Path) -> None:
    sources = [source_of("a"), source_of("b")]
    for n, source in enumerate(sources):
        put_wheel(tmp_path, source, {f"p{n}/app.py": code(n)})
    plan = plan_of(tmp_path, sources)
    build(plan, silent)

    build(Plan(tmp_path, sources[:1], sources[:1], plan.gathered, num_workers=1), silent)

    assert [path.name for path in (tmp_path / "repositories").iterdir()] == ["pypi-a-1.0.jsonl.gz"]
    assert not list((tmp_path / "cleaned").glob("pypi-b*"))


def test_a_part_of_the_table_can_be_built_after_another(tmp_path: Path) -> None:
    sources = [source_of("a"), source_of("b")]
    for n, source in enumerate(sources):
        put_wheel(tmp_path, source, {f"p{n}/app.py": code(n)})
    plan = plan_of(tmp_path, sources)

    for chosen in (sources[1:], sources[:1]):
        build(Plan(tmp_path, sources, chosen, plan.gathered, num_workers=1), silent)

    assert len(list((tmp_path / "repositories").iterdir())) == 2


def test_a_worker_that_is_ended_gives_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = source_of("a")
    put_wheel(tmp_path, source, {"a/app.py": code(1)})
    monkeypatch.setattr(building.Worker, "start", _die)

    with pytest.raises(CorpusError, match="memory"):
        build(plan_of(tmp_path, [source]), silent)


def _die(*arguments: object) -> None:
    raise SystemExit(9)
