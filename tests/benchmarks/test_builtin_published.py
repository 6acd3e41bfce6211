"""Tasks of others' benchmarks are asked as an editor would, and judged by execution or by the line."""

import gzip
import json

import pytest

from benchmarks.builtin_model import published
from benchmarks.builtin_model.model import Reply
from benchmarks.builtin_model.published import (
    NoDataError,
    Task,
    human_eval,
    lines,
    matched,
    passed,
    santacoder,
)
from benchmarks.builtin_model.weights import Weights

HUMAN = {
    "task_id": "SingleLineInfilling/HumanEval/0/L0",
    "entry_point": "double",
    "prompt": "def double(x):\n    y = x\n",
    "suffix": "    return y\n",
    "canonical_solution": "    y = y + x\n",
    "test": "def check(candidate):\n    assert candidate(2) == 4\n",
}
SANTA = {
    "name": "double-L1",
    "language": "py",
    "prompt": "def double(x):",
    "suffix": "    return y\n",
    "canonical_solution": "    y = 2 * x",
    "tests": "",
}


@pytest.fixture
def _data(tmp_path, monkeypatch):
    rows = {
        published.HUMAN_EVAL: [{**HUMAN, "task_id": f"L{num}"} for num in range(9)],
        published.SANTACODER: [
            {**SANTA, "name": str(num), "language": "js" if num % 3 else "py"} for num in range(9)
        ],
    }
    for name, each in rows.items():
        (tmp_path / name).parent.mkdir(parents=True)
        with gzip.open(tmp_path / name, "wt", encoding="utf-8") as file:
            file.writelines(json.dumps(row) + "\n" for row in each)
    monkeypatch.setenv("GHOSTFILL_BENCH", str(tmp_path))


class Said:
    """A model that says the same everywhere and keeps what it was asked."""

    def __init__(self, text):
        self.text = text
        self.asks = []

    def replies(self, asks, what):
        self.asks += asks
        return [Reply(self.text) for _ in asks]


@pytest.mark.usefixtures("_data")
def test_the_true_line_passes_its_test_and_no_line_does_not():
    tasks = human_eval(2, seed=1)
    assert passed(tasks, [tasks[0].line, ""]) == [True, False]
    assert passed(tasks, ["    y += x", "    y = x * x * x"]) == [True, False]


@pytest.mark.usefixtures("_data")
def test_a_line_is_right_whatever_blanks_are_around_it():
    tasks = santacoder({"py": 3}, seed=1)
    assert matched(tasks, ["    y = 2 * x", "y = 2 * x  ", "    y = x * 2"]) == [True, True, False]


@pytest.mark.usefixtures("_data")
def test_the_cursor_stands_on_an_empty_line_where_the_line_was():
    (human,), (santa,) = human_eval(1, seed=1), santacoder({"py": 1}, seed=1)
    assert (human.hole.prefix, human.hole.suffix) == (HUMAN["prompt"], "\n" + HUMAN["suffix"])
    assert (santa.hole.prefix, santa.hole.suffix) == (SANTA["prompt"] + "\n", "\n" + SANTA["suffix"])
    assert human.program(human.line).startswith(
        HUMAN["prompt"] + HUMAN["canonical_solution"] + HUMAN["suffix"]
    )
    first = Task("first", "py", "", "    return y\n", "def f(y):")
    assert first.program(first.line).startswith("def f(y):\n    return y\n")


@pytest.mark.usefixtures("_data")
def test_a_prompt_is_the_products_and_the_first_line_is_the_answer():
    weights, model = Weights.open(), Said("    y = 2 * x\n    more\n")
    tasks = santacoder({"py": 2}, seed=1)
    assert lines(tasks, weights, model, "santacoder") == ["    y = 2 * x"] * 2
    (ask, _) = model.asks
    shown = weights.tokenizer.decode(ask.ids) + ask.heal
    assert shown == "#solution.py\n" + tasks[0].hole.suffix + tasks[0].hole.prefix, "suffix first"
    assert ask.rules == tasks[0].hole.stop_rules("never", 1)


@pytest.mark.usefixtures("_data")
def test_samples_are_of_the_size_asked_for_and_the_same_for_the_same_seed():
    assert len(human_eval(None, seed=1)) == 9
    assert human_eval(4, seed=1) == human_eval(4, seed=1)
    assert {human_eval(4, seed=seed)[0].name for seed in range(9)} != {"L0"}
    both = santacoder({"py": None, "js": 4}, seed=1)
    assert [task.language for task in both] == ["py"] * 3 + ["js"] * 4


def test_where_the_data_is_missing_a_sentence_says_so(tmp_path, monkeypatch):
    monkeypatch.setenv("GHOSTFILL_BENCH", str(tmp_path / "nowhere"))
    with pytest.raises(NoDataError, match=r"HumanEval.*is not there: set GHOSTFILL_BENCH"):
        human_eval(None, seed=1)
