"""Every key goes to everybody before the next; prompts have their length; figures say what they are."""

import dataclasses
import json
import subprocess
import sys
from typing import Any

import pytest

from benchmarks.engine_speed import table
from benchmarks.engine_speed.chart import key_chart
from benchmarks.engine_speed.configs import CONFIGS
from benchmarks.engine_speed.drafted import Drafted, type_with_drafts
from benchmarks.engine_speed.ours import Ours
from benchmarks.engine_speed.peer import environment
from benchmarks.engine_speed.replay import replay
from benchmarks.engine_speed.scene import SITE, Typist, make_scene, prompt_text, psm_ids, read_layout
from benchmarks.engine_speed.words import ANSWER_TOKENS, MAIN_TOKENS, Answer, Burden
from engine.fim import Order

CODE = "".join(f"def number_{num}(self):\n    return {num} + self.total\n\n\n" for num in range(400))
FILES = {"a.py": CODE, "b.py": CODE, "site.py": CODE + SITE + CODE}


@pytest.fixture(scope="module")
def layout():
    return read_layout()


@pytest.fixture(scope="module")
def psm():
    return read_layout(Order.PSM)


@pytest.mark.parametrize("tokens", [1024, 4096])
def test_context_fills_the_prompt_to_the_length_asked_for(layout, psm, tokens):
    scene = make_scene(layout, FILES, "site.py", tokens, 40)
    for num_keys in (0, 40):
        for length in (
            len(psm_ids(psm, scene, num_keys)),
            len(Typist(layout).request(scene, num_keys).prompt_ids),
        ):
            assert 0.9 * tokens < length + ANSWER_TOKENS <= tokens


def test_what_is_typed_follows_the_prefix_and_the_rest_of_the_hole_is_gone(layout):
    scene = make_scene(layout, FILES, "site.py", 1024, 40)
    text = FILES["site.py"]
    assert text.startswith(scene.before(40))
    assert scene.before(40).endswith(SITE[:40])
    assert text.endswith(scene.suffix)
    assert len(scene.before(40) + scene.suffix) < len(text) - 1000


def test_the_prompt_as_text_is_the_same_prompt(layout, psm):
    ids = psm_ids(psm, make_scene(layout, FILES, "site.py", 1024, 4), 4)
    text = prompt_text(layout.tokenizer, layout.fim, ids)
    assert text.startswith(layout.fim.bos)
    assert text.endswith(layout.fim.end)
    back = text.replace(layout.fim.bos, "").replace(layout.fim.begin, "").replace(layout.fim.hole, "")
    assert back.replace(layout.fim.end, "") == layout.tokenizer.decode(ids)


class FakePeer:
    """Says its name and the key into a shared list; ends early at some keys."""

    def __init__(self, name: str, said: list[tuple[str, int]], short: frozenset[int] = frozenset()) -> None:
        self.name = name
        self.burden = Burden(1_000_000, 1_000)
        self._said = said
        self._short = short

    def wait_ready(self) -> None:
        pass

    def ask(self, _scene: Any, num_keys: int) -> Answer:
        self._said.append((self.name, num_keys))
        decoded = ANSWER_TOKENS - (num_keys in self._short)
        return Answer(float(num_keys), 3, decoded, decoded - 1, 30.0)

    def peak_mib(self) -> int | None:
        return 7

    def close(self) -> None:
        pass


def test_a_key_goes_to_every_peer_before_the_next_and_another_begins_each_time(layout):
    said: list[tuple[str, int]] = []
    peers = [FakePeer(name, said) for name in "abc"]
    replay(peers, make_scene(layout, FILES, "site.py", 1024, 3), 1024)
    assert said == [(name, key) for key, names in enumerate(("abc", "bca", "cab", "abc")) for name in names]


def test_a_key_that_one_peer_ended_early_counts_for_nobody_but_one_that_keeps_nothing(layout):
    said: list[tuple[str, int]] = []
    peers = [FakePeer("a", said, frozenset({2})), FakePeer("b", said), FakePeer("slow", said)]
    scene = make_scene(layout, FILES, "site.py", 1024, 4)
    a, b, slow = replay(peers, scene, 1024, {"slow": 2})
    assert [*a.keys] == [*b.keys] == [1, 3, 4]
    assert a.num_left_out == 1
    assert [*slow.keys] == [0, 2, 4]
    assert a.cold.ms == 0


def run_of(peer: str, ms: float, **answer: Any):
    from benchmarks.engine_speed.replay import Run

    cold = Answer(1000.0, 4000, 16, 15, 30.0)
    keys = {key: Answer(ms + key, 2, 16, 15, 30.0, **answer) for key in (1, 2, 3)}
    return Run(peer, MAIN_TOKENS, 4000, Burden(6_000_000, 1_000), cold, keys, 0, 100)


def test_figures_compare_equal_precision_and_say_none_for_a_missing_peer():
    runs = [run_of(table.OURS, 48.0), run_of(table.LLAMACPP, 98.0), run_of(table.TRANSFORMERS, 998.0)]
    drafted = Drafted([Answer(1.0, 1, 16, 10, 1.0)])
    found = table.figures(runs, 10.0, 1, (drafted, drafted))
    assert (found["keystroke_ms_ours"], found["ratio_llamacpp"], found["ratio_transformers"]) == (
        50.0,
        0.5,
        0.05,
    )
    assert found["keystroke_ms_transformers_cached"] is None
    assert found["prefilled_per_key"] == 2
    # 6 MB of weights and 4,000 tokens of 1 KB at 10 GB/s take 1 ms; a pass took 30 / 15.
    assert (found["decode_floor_ms"], found["decode_over_floor"]) == (1.0, 2.0)
    assert found["accepted_per_step"] == 1.5
    json.dumps(found)
    missing = table.figures(runs[:1], 10.0, 1, (drafted, drafted))
    assert missing["keystroke_ms_llamacpp"] is missing["ratio_llamacpp"] is None


def test_passes_that_try_drafts_are_held_against_the_floor_only_if_there_are_no_others():
    run = run_of(table.OURS, 50.0)
    drafted = dataclasses.replace(run.keys[1], decode_ms=300.0, drafted=15)
    mixed = dataclasses.replace(run, keys={**run.keys, 4: drafted, 5: drafted, 6: drafted, 7: drafted})
    assert table.pass_ms(mixed) == table.pass_ms(run) == 2.0
    assert table.pass_ms(dataclasses.replace(run, keys={1: drafted})) == 20.0


def test_the_table_has_a_row_per_run_and_a_dash_for_what_is_not_known():
    runs = [run_of(table.OURS, 50.0), dataclasses.replace(run_of(table.LLAMACPP, 98.0), peak_mib=None)]
    lines = table.markdown(runs, 10.0, 2).splitlines()
    assert [line.count("|") for line in lines[:4]] == [11, 11, 11, 11]
    assert lines[2].startswith(f"| 4K | {table.OURS} | 52.0 |")
    assert "| – |" in lines[3]


def test_the_chart_names_every_peer():
    chart = key_chart(
        "A key", {"ours": [(2048, 10.0), (4096, 20.0)], "other": [(2048, 100.0), (4096, 900.0)]}
    )
    assert all(f">{word}<" in chart for word in ("ours", "other", "2K", "4K"))


class FakeOurs:
    """Answers with one text and keeps what it was asked."""

    def __init__(self, text: str) -> None:
        self.asked: list[tuple[int, tuple[str, ...]]] = []
        self._text = text

    def ask(self, _scene: Any, num_keys: int, drafts: tuple[str, ...] = ()) -> Answer:
        self.asked.append((num_keys, drafts))
        return Answer(1.0, 1, 16, 15, 1.0, text=self._text)


def test_a_key_that_agrees_with_what_is_shown_never_reaches_the_engine_in_the_product(layout):
    scene = make_scene(layout, FILES, "site.py", 1024, 12)
    assert scene.typed == "        auth"
    ours: Any = FakeOurs("        ax")
    typed = type_with_drafts(ours, scene, typed_through=True)
    # Nine keys agree; the tenth does not, and carries what was left. What comes then never agrees.
    assert ours.asked == [(0, ()), (10, ("x",)), (11, ("        ax",)), (12, ("        ax",))]
    assert len(typed.answers) == 3


def test_with_every_key_sent_the_draft_is_what_is_left_of_the_last_completion(layout):
    scene = make_scene(layout, FILES, "site.py", 1024, 2)
    ours: Any = FakeOurs("  return")
    type_with_drafts(ours, scene, typed_through=False)
    assert ours.asked == [(0, ()), (1, (" return",)), (2, (" return",))]


def test_our_engine_answers_over_its_socket_and_reads_a_token_or_two_per_key(tmp_path, layout):
    scene = make_scene(layout, FILES, "site.py", 512, 12)
    ours = Ours("ours", Burden(0, 0), tmp_path, [], threads=1)
    try:
        ours.wait_ready()
        cold, *keys = (ours.ask(scene, num_keys) for num_keys in (0, 9, 10, 11, 12))
        assert cold.prefilled > 400
        assert all(each.prefilled <= 3 for each in keys[1:])
        assert all(each.text and each.ms > each.decode_ms > 0 for each in (cold, *keys))
        assert ours.peak_mib() is None or ours.peak_mib() > 50
    finally:
        ours.close()


def test_a_real_configuration_has_the_parameters_of_its_name():
    billions = {
        "deepseek-1.3b": 1.346,
        "deepseek-5.7bmqa": 5.700,
        "deepseek-6.7b": 6.741,
        "deepseek-33b": 33.343,
    }
    for name, wanted in billions.items():
        config = CONFIGS[name]
        both_ends = 2 * config.vocab * config.hidden
        assert (config.matrix_parameters + both_ends) / 1e9 == pytest.approx(wanted, abs=0.002)


def test_random_weights_run_whole_and_without_the_packages_of_the_server():
    code = (
        "import sys; from benchmarks.engine_speed.__main__ import main;"
        "main(['--config', 'tiny', '--device', 'cpu', '--quick']);"
        "server = {'pygls', 'lsprotocol', 'platformdirs', 'starlette', 'uvicorn', 'tree_sitter'};"
        "print(sorted(server & {*sys.modules}))"
    )
    command = [sys.executable, "-P", "-c", code]
    done = subprocess.run(command, env=environment(1), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    result, imported = done.stdout.splitlines()[-2:]
    assert imported == "[]"
    figures = json.loads(result)["figures"]
    names = ("decode_ms_per_token", "cold_prefill_ms", "key_ms_anchored", "key_ms_psm", "key_ms_transformers")
    assert all(figures[name] > 0 for name in names)
    assert figures["prefilled_per_key"] == 1
    assert figures["cancel_to_idle_ms_max"] >= 0
