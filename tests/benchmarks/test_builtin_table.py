"""Figures beside those of the weights that are replaced, and whether the difference is more than chance."""

import json

import pytest

import benchmarks.builtin_model.__main__ as entry
from benchmarks.builtin_model import table
from benchmarks.builtin_model.compare import Rights, gains, verdict
from benchmarks.builtin_model.model import Speed
from benchmarks.builtin_model.outcome import HUMAN_EVAL, SANTACODER, Outcome
from benchmarks.builtin_model.published import Task
from benchmarks.builtin_model.sites import CONTEXT, NONE, ORACLE, Row, Way
from benchmarks.context_quality.score import Score
from benchmarks.context_quality.sites import Origin, Site
from engine.fim import Order
from lsp_server.hole import Hole

SITES = [
    Site(
        f"package{num % 3}",
        "python",
        "a.py",
        "two",
        Origin.CROSS_FILE,
        (),
        "two(1)",
        Hole("one = \n", num % 4 + 1),
    )
    for num in range(12)
]
NEAR = Site("package0", "python", "a.py", "one", Origin.IN_FILE, (), "one", Hole("x = \n", 4))


def rows(way, num_right, losses=()):
    """The first sites are right."""
    for num, site in enumerate(SITES):
        is_right = num < num_right
        loss = losses[num] if losses else None
        yield Row(site, way, 0, "", Score(is_right, 1.0, is_right or num == 11), loss, 2)


def outcome(weights, none, context, oracle, tasks=None):
    found = [*rows(Way(NONE), none, [6.0] * 12), *rows(Way(CONTEXT), context, [3.0] * 11 + [27.0])]
    found += [
        *rows(Way(ORACLE), oracle, [2.0] * 12),
        *rows(Way(NONE, Order.PSM), 1),
        *rows(Way(CONTEXT, budget_tokens=2048), 2),
    ]
    found.append(Row(NEAR, Way(NONE, is_for_all=True), 0, "one", Score(True, 1.0, True), None, 1))
    return Outcome(weights, 256, found, tasks or {}, Speed(0.5, 3.0))


def test_every_measure_has_its_key_and_the_same_with_before():
    now, before = outcome("new", 3, 6, 12), outcome("old", 3, 4, 5)
    found = table.figures(now, before, None)
    assert (found["n"], found["em_none"], found["em_context"], found["em_oracle"]) == (12, 0.25, 0.5, 1.0)
    assert (found["em_context_before"], found["em_oracle_before"]) == (0.3333, 0.4167)
    assert (found["lift_oracle"], found["lift_oracle_before"]) == (0.75, 0.1667)
    assert (found["em_none_psm"], found["em_context_2k"], found["em_none_in_file"]) == (0.0833, 0.1667, 1.0)
    assert (found["name_none"], found["name_context"]) == (0.3333, 0.5833)
    assert (found["loss_none"], found["loss_context"]) == (3.0, 2.5), "a mean over tokens, not over sites"
    assert "loss_none_psm" not in found
    assert (found["weights"], found["weights_before"], found["decode_ms_per_token"]) == ("new", "old", 3.0)


def test_measures_whose_data_is_missing_are_null_and_counted_by_language_where_it_is_there():
    found = table.figures(outcome("new", 1, 1, 1), None, None)
    assert found[HUMAN_EVAL] is None
    assert found["santacoder_py"] is None
    assert found["em_none_before"] is None
    task = Task("t", "py", "", "", "x")
    done = {SANTACODER: [(task, True), (task, False)], HUMAN_EVAL: [(task, True)]}
    found = table.figures(outcome("new", 1, 1, 1, done), None, None)
    assert (found["santacoder_py"], found[HUMAN_EVAL]) == (0.5, 1.0)


def test_a_kept_result_gives_the_figures_before_and_weights_measured_again_keep_theirs():
    kept = table.figures(outcome("old", 3, 4, 5), None, None)
    new = table.figures(outcome("new", 3, 6, 12), None, kept)
    assert (new["em_context"], new["em_context_before"], new["weights_before"]) == (0.5, 0.3333, "old")
    again = table.figures(outcome("new", 3, 6, 12), None, new)
    assert again == new
    json.dumps(new)


@pytest.mark.parametrize(
    ("now", "before", "said"),
    [
        pytest.param(
            [True] * 20 + [False] * 10, [True] * 10 + [False] * 20, "win: better in em", id="better"
        ),
        pytest.param([True] * 10 + [False] * 20, [True] * 20 + [False] * 10, "lose: worse in em", id="worse"),
        pytest.param([True] * 11 + [False] * 19, [True] * 10 + [False] * 20, "Undecided", id="by chance"),
    ],
)
def test_new_weights_win_only_by_more_than_chance(now, before, said):
    names = [f"package{num % 6}" for num in range(30)]
    (gain,) = gains({"em": Rights(now, names)}, {"em": Rights(before, names), "other": Rights(now, names)})
    assert said in verdict([gain])
    assert gain.difference == pytest.approx((sum(now) - sum(before)) / 30)
    assert gain.interval[0] <= gain.difference <= gain.interval[1]


def test_worse_in_one_measure_is_not_won_by_better_in_another():
    names = ["a"] * 20
    few, many = Rights([False] * 20, names), Rights([True] * 20, names)
    found = gains({"one": many, "two": few}, {"one": few, "two": many})
    assert verdict(found) == "The new weights lose: worse in two, better in one."


def test_the_table_shows_both_and_the_verdict():
    text = table.markdown(outcome("new", 3, 12, 12), outcome("old", 3, 2, 5))
    assert "win: better in em_context" in text
    (line,) = [line for line in text.splitlines() if line.startswith("| em_context |")]
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    assert cells[:2] == ["em_context", "12"]
    assert cells[5] == "0.167"
    assert cells[7:9] == ["10", "0"]
    alone = table.markdown(outcome("new", 3, 12, 12), None)
    assert "before" in alone
    assert "win" not in alone


def test_the_packaged_weights_stand_before_another_model_and_never_before_themselves(monkeypatch, tmp_path):
    opened = []

    class Opened:
        def __init__(self, folder, tokens):
            self.digest = "packaged" if folder is None else folder.name
            opened.append((folder, tokens))

    monkeypatch.setattr(entry.Weights, "open", Opened)
    flags = entry._flags()
    model = str(tmp_path / "new")
    for words, before in (
        ([], None),
        (["--model", model], "packaged"),
        (["--model", model, "--before", str(tmp_path / "old")], "old"),
        (["--before", str(tmp_path / "old")], "old"),
        (["--model", model, "--before", model], None),
    ):
        parsed = flags.parse_args(words)
        found = entry._before(parsed, Opened(parsed.model, None))
        assert (found.digest if found else None) == before
