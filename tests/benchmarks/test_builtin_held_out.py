"""What is measured was never trained on: neither named among the sources nor copied into another package."""

import re

import pytest

import benchmarks.builtin_model.__main__ as entry
from benchmarks.builtin_model.__main__ import HELD_OUT
from benchmarks.builtin_model.held_out import TrainedOnError, check_names, look
from benchmarks.context_quality.packages import Package
from training.corpus.held_out import HeldOutTexts
from training.corpus.known_text import KnownText
from training.corpus.repository import Repository, SourceFile
from training.corpus.verdicts import MAX_PACKAGES

TEXT = "\n\n".join(
    f"def wave_{name}(height, depth):\n    return {name}_of(height) + {name}_per(depth) - tide.{name}"
    for name in ("harbour", "lagoon", "estuary", "channel", "fjord", "sound", "strait", "delta")
)
OTHER = "\n\n".join(
    f"class Bird{name}(Animal):\n    colour = {name}_feathers\n    song = hum({name}_notes)"
    for name in ("finch", "robin", "heron", "stork", "crane", "raven", "swift", "eagle")
)
KEPT_OUT = "registry\tname\twhy\npypi\tWave_Kit\tmeasured\n"
TABLE = "language\tregistry\tname\tversion\tlicence\n"


@pytest.fixture
def known():
    return KnownText.of([("wave-kit", TEXT)], max_owners=MAX_PACKAGES)


def built(folder, **texts):
    folder.mkdir()
    for name, text in texts.items():
        Repository(f"pypi-{name}-1.0", "MIT", (SourceFile(f"{name}/_vendor/wave.py", "python", text),)).write(
            folder
        )
    return folder


@pytest.mark.parametrize(
    "planted",
    [
        pytest.param(TEXT, id="whole"),
        pytest.param(OTHER + "\n\n" + TEXT + "\n\n" + OTHER, id="inside another file"),
        pytest.param(TEXT.replace("    ", "\t").replace(" + ", "+"), id="formatted anew"),
        pytest.param(TEXT[: len(TEXT) // 2], id="half of it"),
    ],
)
def test_a_planted_copy_is_found(tmp_path, known, planted):
    folder = built(tmp_path / "repositories", honest=OTHER, vendoring=planted)
    found = look(folder, known)
    assert found.num_files == 2
    (finding,) = found.findings
    assert finding.file == "pypi-vendoring-1.0:vendoring/_vendor/wave.py"
    assert finding.overlap.owner == "wave-kit"
    assert finding.overlap.num_words >= 30


def test_an_honest_corpus_is_clean(tmp_path, known):
    assert look(built(tmp_path / "repositories", honest=OTHER), known).findings == ()


def test_the_outcome_is_a_figure_and_is_told(tmp_path, known, capsys, monkeypatch):
    monkeypatch.setattr(entry, "kept_texts", lambda work: HeldOutTexts(known, (), ()))
    folder = built(tmp_path / "repositories", honest=OTHER, vendoring=TEXT)
    assert entry._look(folder) == {"held_out_files_in_corpus": 1, "corpus_files": 2}
    assert "vendoring/_vendor/wave.py shares" in capsys.readouterr().err
    assert entry._look(tmp_path / "none") == {"held_out_files_in_corpus": None, "corpus_files": None}
    assert "no corpus was searched" in capsys.readouterr().err


def test_what_is_measured_is_held_out_by_our_own_tables():
    check_names(HELD_OUT)
    named = {package.name for package in HELD_OUT}
    assert named == {"flask", "click", "httpx", "starlette", "rich", "marshmallow"}


def test_a_measured_package_that_is_not_held_out_stops_the_run(tmp_path):
    held_out, table = tmp_path / "held_out.tsv", tmp_path / "sources.tsv"
    held_out.write_text(KEPT_OUT, encoding="utf-8")
    table.write_text(TABLE, encoding="utf-8")
    check_names([Package("wave-kit", "1.0")], table, held_out)
    with pytest.raises(
        TrainedOnError, match=re.escape("bird-kit is measured, so it must stand in held_out.tsv")
    ):
        check_names([Package("bird-kit", "1.0")], table, held_out)


def test_weights_that_were_trained_on_what_is_measured_are_never_measured(monkeypatch):
    monkeypatch.setattr(entry, "HELD_OUT", (Package("attrs", "1"), Package("surely-not-held-out", "1")))
    monkeypatch.setattr("sys.argv", ["builtin_model", "--quick"])
    with pytest.raises(SystemExit, match="surely-not-held-out is measured"):
        entry.main()
