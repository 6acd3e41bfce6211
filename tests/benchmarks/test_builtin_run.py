"""A run from flags to the last line: both weights get the same questions, and every key is there."""

import json
from typing import ClassVar

import pytest

import benchmarks.builtin_model.__main__ as entry
from benchmarks import report
from benchmarks.builtin_model.model import Reply, Speed
from benchmarks.context_quality.corpus import Corpus
from engine.model_folder import BUILTIN_FOLDER

KEYS = (
    *("em_none", "em_context", "em_oracle", "lift_oracle"),
    *("humaneval_single_line", "santacoder_py", "loss_none", "loss_context"),
)


class FakePool:
    """Weights of a folder that knows every truth, and of one that knows none."""

    asked: ClassVar[list[str]] = []

    def __init__(self, folder, num_processes):
        self.name = folder.name
        self.tokenizer = entry.Weights.open().tokenizer

    def respond(self, asks):
        for ask in asks:
            self.asked.append(self.name)
            truth = self.tokenizer.decode(ask.middle)
            yield Reply(truth if self.name == "wise" else "wrong", 1.0 if ask.middle else None)

    def speed(self):
        return Speed(0.4, 3.2)

    def close(self):
        pass


@pytest.fixture(autouse=True)
def _scene(tmp_path, monkeypatch):
    """Six tiny packages under the names of the measured ones; nothing is written where people keep things."""

    def read(package):
        root = tmp_path / package.name
        root.mkdir(exist_ok=True)
        (root / "made.py").write_text(f"def {package.name}_maker(size):\n    return size\n", encoding="utf-8")
        user = (
            f"from made import {package.name}_maker\n\nfirst = {package.name}_maker(1)\nthird = print(1, 2)\n"
        )
        (root / "user.py").write_text(user, encoding="utf-8")
        return Corpus.read(package.name, "python", root)

    monkeypatch.setattr(entry, "read", read)
    monkeypatch.setattr(entry, "Pool", FakePool)
    monkeypatch.setattr(entry, "device", lambda: "cpu")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("GHOSTFILL_BENCH", str(tmp_path / "nowhere"))
    monkeypatch.setattr(report, "RESULTS", tmp_path / "results")
    monkeypatch.setattr(entry, "RESULTS", tmp_path / "results")
    monkeypatch.setattr(report, "PAGE", tmp_path / "README.md")
    monkeypatch.setattr(entry, "CORPUS", tmp_path / "no corpus")
    FakePool.asked = []


def wise(folder):
    """Other weights, by their config."""
    folder = folder / "wise"
    folder.mkdir()
    for file in BUILTIN_FOLDER.iterdir():
        if file.name != "config.json":
            (folder / file.name).symlink_to(file)
    config = json.loads((BUILTIN_FOLDER / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "rms_norm_eps": 1e-5}))
    return str(folder)


def run(monkeypatch, capsys, *flags):
    monkeypatch.setattr("sys.argv", ["builtin_model", *flags])
    entry.main()
    return json.loads(capsys.readouterr().out.splitlines()[-1])


def test_both_weights_answer_the_same_questions_once(monkeypatch, capsys, tmp_path):
    result = run(monkeypatch, capsys, "--quick", "--model", wise(tmp_path))
    figures = result["figures"]
    assert (result["name"], result["quick"]) == ("builtin_model", True)
    assert figures["n"] == 6
    assert {*KEYS, *(f"{key}_before" for key in KEYS)} <= figures.keys()
    assert (figures["em_context"], figures["em_context_before"]) == (1.0, 0.0)
    assert (figures["em_context_1k"], figures["em_none_psm"]) == (0.0, 0.0), (
        "no truth is sent where no loss is asked"
    )
    assert figures["humaneval_single_line"] is None
    assert figures["held_out_files_in_corpus"] is None
    assert FakePool.asked.count("wise") == FakePool.asked.count("builtin") > 0
    assert not report.RESULTS.exists()
    asked = len(FakePool.asked)
    assert run(monkeypatch, capsys, "--quick", "--model", str(tmp_path / "wise"))["figures"] == figures
    assert len(FakePool.asked) == asked, "all was remembered"


def test_a_full_run_of_other_weights_shows_the_last_full_run_as_before(monkeypatch, capsys, tmp_path):
    first = run(monkeypatch, capsys)["figures"]
    assert first["em_none_before"] is None
    monkeypatch.setattr(entry, "_before", lambda flags, now: None)
    then = run(monkeypatch, capsys, "--model", wise(tmp_path))["figures"]
    assert (then["em_none"], then["em_none_before"]) == (1.0, first["em_none"])
    assert then["weights_before"] == first["weights"] != then["weights"]


def test_another_limit_of_context_is_an_experiment_and_not_kept(monkeypatch, capsys):
    figures = run(monkeypatch, capsys, "--context-tokens", "512")["figures"]
    assert figures["context_tokens"] == 512
    assert not report.RESULTS.exists()


def test_a_model_that_is_not_there_is_a_sentence(monkeypatch, capsys, tmp_path):
    with pytest.raises(SystemExit, match="does not exist"):
        run(monkeypatch, capsys, "--quick", "--model", str(tmp_path / "gone"))
