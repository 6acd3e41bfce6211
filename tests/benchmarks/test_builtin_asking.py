"""Answers and losses are the engine's, are remembered by what they depend on, and come in the order asked."""

import json
from pathlib import Path

import pytest

from benchmarks.builtin_model.asking import Pool, Remembered
from benchmarks.builtin_model.model import Ask, Model, Reply
from benchmarks.builtin_model.weights import Weights
from benchmarks.context_quality.answers import AnswerStore
from engine.api import StopRules
from engine.errors import ModelError
from engine.layout import Budget, Layout
from engine.model_folder import BUILTIN_FOLDER
from lsp_server.hole import Hole

TEXT = "def add(a, b):\n    return a + b\n\n\ndef subtract(a, b):\n    return"
TRUTH = " a - b"
RULES = StopRules()


@pytest.fixture(scope="module")
def weights():
    return Weights.open()


@pytest.fixture(scope="module")
def ask(weights):
    hole = Hole(TEXT + "\n", len(TEXT))
    layout = Layout(weights.tokenizer, weights.fim)
    prompt = layout.prompt((), "a.py", hole.prefix, hole.suffix, Budget(0, 512, 256, 48))
    seen = (*prompt.ids, *weights.tokenizer.encode(prompt.heal))
    middle = tuple(weights.tokenizer.encode(TRUTH))
    return Ask(prompt.ids, hole.stop_rules("never", 1), 48, prompt.heal, seen, middle)


@pytest.fixture(scope="module")
def model(weights):
    loaded = Model.load(weights.path)
    yield loaded
    loaded.close()


def test_the_model_finishes_the_line_and_its_loss_is_that_of_the_whole_sequence_without_a_cache(model, ask):
    import torch

    from engine.runtime import reference

    reply = model.reply(ask)
    assert reply.text.split("\n", 1)[0] == TRUTH
    ids = [*ask.seen, *ask.middle]
    rows = reference.logits(model._lane.loaded, ids)[len(ask.seen) - 1 : -1]
    wanted = float(torch.nn.functional.cross_entropy(rows, torch.tensor(ask.middle), reduction="sum"))
    assert reply.loss == pytest.approx(wanted, rel=0.05, abs=0.05)


def test_a_loss_does_not_depend_on_what_was_asked_before(model, ask):
    other = Ask(ask.ids, ask.rules, 48, ask.heal, ask.seen, tuple(reversed(ask.middle)))
    first = model.reply(ask).loss
    worse = model.reply(other).loss
    assert model.reply(ask).loss == pytest.approx(first, rel=0.02)
    assert worse > first + 1
    assert model.reply(Ask(ask.ids, ask.rules, 48, ask.heal)).loss is None


def test_time_is_measured_of_both_phases(model):
    speed = model.speed()
    assert speed.decode_ms > speed.prefill_ms > 0


def test_processes_give_what_one_model_gives_in_the_order_asked(weights, model, ask):
    other = Ask(ask.ids[:-8], RULES, 4)
    pool = Pool(weights.path, 2)
    try:
        assert [reply.text for reply in pool.respond([other, ask, other])] == [
            model.reply(each).text for each in (other, ask, other)
        ]
        assert pool.speed().decode_ms > 0
    finally:
        pool.close()
        pool.close()


def test_a_model_that_cannot_be_loaded_is_a_sentence(tmp_path):
    pool = Pool(tmp_path, 1)
    try:
        with pytest.raises(ModelError, match=r"A process with the model in .* ended"):
            pool.speed()
    finally:
        pool.close()


class Script:
    """Says the number of each prompt's first id; fails after so many."""

    def __init__(self, limit=99):
        self.limit = limit
        self.asked = []

    def __call__(self, asks):
        for ask in asks:
            if len(self.asked) == self.limit:
                raise RuntimeError("interrupted")
            self.asked.append(ask.ids[0])
            yield Reply(str(ask.ids[0]), 0.5 if ask.middle else None)


def remembered(path, script, weights="w", device="cpu"):
    return Remembered(AnswerStore(path), weights, device, script)


def test_an_interrupted_run_goes_on_where_it_was(tmp_path):
    path, asks = tmp_path / "a.sqlite", [Ask((num,), RULES, 4, middle=(num,)) for num in (3, 1, 2, 1)]
    broken = Script(limit=2)
    with pytest.raises(RuntimeError):
        remembered(path, broken).replies(asks, "all")
    script = Script()
    found = remembered(path, script).replies(asks, "all")
    assert [reply.text for reply in found] == ["3", "1", "2", "1"]
    assert {reply.loss for reply in found} == {0.5}
    assert (broken.asked, script.asked) == ([3, 1], [2])


@pytest.mark.parametrize("change", [{"weights": "other"}, {"device": "cuda"}], ids=str)
def test_other_weights_and_devices_are_asked_again(tmp_path, change):
    path, asks = tmp_path / "a.sqlite", [Ask((5,), RULES, 4)]
    remembered(path, Script()).replies(asks, "all")
    again = Script()
    remembered(path, again, **change).replies(asks, "all")
    assert again.asked == [5]


def test_another_truth_or_rule_is_another_question(tmp_path):
    asks = [Ask((5,), RULES, 4), Ask((5,), RULES, 4, middle=(1,)), Ask((5,), StopRules(line_prefix="x"), 4)]
    script = Script()
    remembered(tmp_path / "a.sqlite", script).replies(asks, "all")
    assert script.asked == [5, 5, 5]


def link_folder(folder: Path) -> Path:
    folder.mkdir()
    for file in BUILTIN_FOLDER.iterdir():
        (folder / file.name).symlink_to(file)
    return folder


def test_a_copy_of_a_folder_is_the_same_weights_and_another_shape_is_not(tmp_path, weights):
    copy = link_folder(tmp_path / "copy")
    assert Weights.open(copy).digest == weights.digest
    assert Weights.open(copy, 1024).context_tokens == 1024
    config = json.loads((copy / "config.json").read_text())
    (copy / "config.json").unlink()
    (copy / "config.json").write_text(json.dumps({**config, "rms_norm_eps": 1e-5}))
    assert Weights.open(copy).digest != weights.digest


def test_a_folder_without_weights_is_refused(tmp_path):
    copy = link_folder(tmp_path / "copy")
    (copy / "model.safetensors").unlink()
    with pytest.raises(ModelError, match=r"model\.safetensors is missing"):
        Weights.open(copy)
