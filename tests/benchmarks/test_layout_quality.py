"""Lines, prompts, answers, counts and tables of the layout benchmark are what they say."""

import re
import statistics

import pytest

from benchmarks.context_quality.corpus import Corpus
from benchmarks.layout_quality import keys, table
from benchmarks.layout_quality.inprocess import Model
from benchmarks.layout_quality.lines import HELD_OUT, MIN_REST, TAILS, Line, choose, lines_of
from benchmarks.layout_quality.measure import BUDGET, VARIANTS, Asker, Row, score
from benchmarks.replay.stretches import Stretch
from engine.fim import FORMATS, Order
from engine.layout import Layout
from engine.model_folder import BUILTIN_FOLDER
from engine.tokens import Tokenizer

PYTHON = '''"""A module of prices, of which this is a long docstring."""

import collections.abc as abc
from shop.names import first_name, last_name
# a comment that is much longer than twenty characters


def total_of(prices, rounded=False):
    """The sum of all prices, and more words than this."""
    result = sum(price.value for price in prices)
    text = """first line of a text
        second = line(of, the, text)
    """
    short = text
    other_values = [price.value]  # with a remark
    return round(result, 2) if rounded else result
'''
JAVASCRIPT = """import { first, second } from './names.js';

export function totalOf(prices, rounded) {
  // a comment that is much longer than twenty characters
  const result = prices.map((price) => price.value);
  return `a template ${result.join(separator)}`;
}
"""
COSTS = {variant: [keys.Cost(1, 0), keys.Cost(30, 12), keys.Cost(2, 0)] for variant in VARIANTS}
CODE_OF_PYTHON = [
    "def total_of(prices, rounded=False):",
    "result = sum(price.value for price in prices)",
    "return round(result, 2) if rounded else result",
]


def corpus(root, name="shop", language="python", files=None):
    for path, text in (files or {"shop/prices.py": PYTHON}).items():
        (root / name / path).parent.mkdir(parents=True, exist_ok=True)
        (root / name / path).write_text(text, encoding="utf-8")
    return Corpus.read(name, language, root / name)


@pytest.fixture(scope="module")
def tokenizer():
    return Tokenizer.from_folder(BUILTIN_FOLDER)


@pytest.fixture
def line(tmp_path):
    return next(
        line for line in lines_of(corpus(tmp_path), "shop/prices.py") if line.code.startswith("return")
    )


def test_lines_are_code_and_no_imports_prose_comments_or_texts_across_lines(tmp_path):
    assert [line.code for line in lines_of(corpus(tmp_path), "shop/prices.py")] == CODE_OF_PYTHON
    javascript = corpus(tmp_path, "js", "javascript", {"lib/prices.js": JAVASCRIPT})
    assert [line.code for line in lines_of(javascript, "lib/prices.js")] == [
        "export function totalOf(prices, rounded) {",
        "const result = prices.map((price) => price.value);",
    ]


def test_prefix_rest_and_suffix_are_the_file_at_every_tail_that_leaves_something_to_say(tmp_path):
    for line in lines_of(corpus(tmp_path), "shop/prices.py"):
        assert line.tails[:4] == TAILS[:4]
        for tail in line.tails:
            assert line.prefix(tail) + line.rest(tail) + line.suffix == PYTHON
            assert line.suffix.startswith("\n")
            assert len(line.rest(tail)) >= MIN_REST
        assert line.prefix(0).endswith((" ", "\n"))
    short = Line("shop", "python", "a.py", 0, 35, "x" * 35 + "\n")
    assert short.tails == (0, 4, 8, 16)


def test_inside_a_word_something_of_it_stands_on_both_sides(line):
    assert line.code.startswith("return round(result, 2)")
    inside = [tail for tail in range(14) if line.is_inside_word(tail)]
    assert inside == [1, 2, 3, 4, 5, 8, 9, 10, 11]


def test_the_first_lines_are_a_sample_of_all_packages_and_files(tmp_path):
    files = {f"shop/part{num}.py": PYTHON for num in range(3)}
    corpora = [corpus(tmp_path, name, files=files) for name in ("one", "two")]
    chosen = choose(corpora, 100, seed=1)
    assert len(chosen) == len(set(chosen)) == 2 * 3 * len(CODE_OF_PYTHON)
    assert choose(corpora, 6, seed=1) == chosen[:6]
    assert len({(line.package, line.path) for line in chosen[:6]}) == 6
    assert choose(corpora, 100, seed=2) != chosen


def test_no_package_was_trained_on():
    card = (BUILTIN_FOLDER / "MODEL_CARD.md").read_text(encoding="utf-8")
    (held_out,) = re.findall(r"^Held out, never trained on.*?: (.*)\.$", card, re.MULTILINE)
    named = {*re.split("[,;] ", held_out)}
    assert {package.name.removesuffix("2") for package in HELD_OUT} <= named


def test_blanks_count_at_the_beginning_of_an_answer_and_not_at_its_end():
    assert score(" = 3", " = 3  ") == (True, 1.0)
    assert score(" = 3", "= 3")[0] is False
    assert score("rounded(2)", "rounded(3)") == (False, pytest.approx(0.9))


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant.name)
def test_every_prompt_shows_the_document_around_the_cursor_in_its_order(tokenizer, line, variant):
    asker = Asker(_Model(tokenizer))
    marks = {tokenizer.mark_id(getattr(FORMATS["builtin"], name)): f"<{name}>" for name in MARKS}
    for tail in line.tails:
        prompt = asker.prompt(line, variant, tail)
        shown = "".join(marks.get(i) or tokenizer.decode([i]) for i in prompt.ids)
        begun, at = line.prefix(tail), line.prefix(0).rindex("\n") + 1
        read = begun.removesuffix(prompt.heal)
        assert begun.endswith(prompt.heal)
        wanted = {
            Order.SPM: f"<begin><hole>{line.suffix}<end>{read}",
            Order.PSM: f"<begin>{read}<hole>{line.suffix}<end>",
            Order.ANCHORED: f"<begin>{begun[:at]}<hole>{line.suffix}<end>{read[at:]}",
        }[variant.order]
        assert shown == f"#{line.path}\n{wanted}"
        assert bool(prompt.heal) <= variant.heals


def test_rows_say_what_the_model_answered(tokenizer, line):
    model = _Model(tokenizer, answer=line.rest(8) + " ")
    rows = list(Asker(model).rows(line))
    assert [(row.variant, row.tail) for row in rows] == [(v, tail) for v in VARIANTS for tail in line.tails]
    assert {row.tail for row in rows if row.is_exact} == {8}
    assert all((row.similarity == 1) == row.is_exact for row in rows)


def test_a_healed_word_is_finished_and_the_answer_remembered(tmp_path):
    model = Model.load("builtin", tmp_path / "answers.sqlite")
    try:
        layout = Layout(model.tokenizer, model.fim, Order.SPM)
        text = "def add(a, b):\n    return a + b\n\n\ndef subtract(a, b):\n    retu"
        prompt = layout.prompt((), "a.py", text, "\n", BUDGET, heals=True)
        assert prompt.heal.endswith("retu")
        answers = [model.line(prompt) for _ in range(2)]
        assert answers == ["rn a - b"] * 2
        assert model.num_asked == 1
    finally:
        model.close()


@pytest.mark.parametrize("heals", [False, True])
def test_tokens_read_per_key_are_hardly_more_than_those_with_which_no_prompt_before_begins(tokenizer, heals):
    for order in Order:
        layout = Layout(tokenizer, FORMATS["builtin"], order)
        sent: list[tuple[int, ...]] = []
        wanted = []
        for prompt, ahead in keys.typed(layout, _stretch(), heals=heals):
            costs = [0, 0]
            for num, each in enumerate((prompt, ahead)):
                if each is not None:
                    shared = (_num_shared(each.ids, old) for old in sent)
                    costs[num] = max(1, len(each.ids) - max(shared, default=0))
                    sent.append(each.ids)
            wanted.append(tuple(costs))
        found = list(keys.costs(layout, _stretch(), heals=heals))
        assert len(found) == len(wanted) - 1
        for cost, (now, ahead) in zip(found, wanted[1:], strict=True):
            # A slot that was rewound has forgotten the last tokens of an older prompt.
            assert now <= cost.now <= now + 2
            assert cost.ahead == ahead


def test_a_key_reads_the_suffix_again_only_in_psm(tokenizer):
    costs = {
        order: list(keys.costs(Layout(tokenizer, FORMATS["builtin"], order), _stretch(), heals=False))
        for order in Order
    }
    median = {order: statistics.median(cost.now for cost in found) for order, found in costs.items()}
    assert median[Order.PSM] > tokenizer.count(BELOW)
    assert max(median[Order.SPM], median[Order.ANCHORED]) <= 3
    moved = [num for num, cost in enumerate(costs[Order.ANCHORED]) if cost.ahead]
    assert moved, "the function has several lines, but the anchor stayed at the first"
    assert not any(cost.ahead for order in (Order.SPM, Order.PSM) for cost in costs[order])


def test_typing_ends_with_the_whole_function_before_the_hole(tokenizer):
    layout = Layout(tokenizer, FORMATS["builtin"], Order.SPM)
    *_, last = keys.typed(layout, _stretch(), heals=False)
    assert tokenizer.decode(last.prompt.ids).endswith(_stretch().text.removesuffix(BELOW))


def test_figures_are_means_by_way_and_tail(line):
    rows = [
        Row(line, variant, tail, "", is_exact=variant.heals and tail == 4, similarity=tail / 32)
        for variant in VARIANTS
        for tail in line.tails
    ]
    shown = table.figures(rows, COSTS)
    assert shown["n_tail0"] == shown["n_tail32"] == 1
    assert shown["n_inside_word"] + shown["n_outside_word"] == 4
    assert (shown["em_spm_tail4"], shown["em_spm_heal_tail4"], shown["em_anchored_heal_all"]) == (0, 1, 0.2)
    assert shown["es_psm_tail16"] == 0.5
    assert (shown["prefilled_spm"], shown["prefilled_spm_p90"], shown["keys"]) == (2, 30, 3)
    text = table.markdown(rows, COSTS)
    assert re.search(r"\| spm, healed over spm \| \+0\.000 .*?\| \+1\.000 \(\+1\.000 to \+1\.000\) \|", text)
    assert "| anchored over psm | +0.000" in text
    assert "| spm | 2 | 30 | 30 | 11.0 | 4.0 | 3 |" in text


MARKS = ("begin", "hole", "end")
ABOVE = "".join(f"def before_{num}(a, b):\n    return a + b * {num}\n\n\n" for num in range(9))
TYPED = "\n\ndef typed(value):\n    total = value.first + value.second\n    return total"
BELOW = "\n" + "".join(f"\n\ndef after_{num}(a, b):\n    return a - b * {num}\n" for num in range(9))


def _stretch():
    start = len(ABOVE.rstrip())
    text = ABOVE.rstrip() + TYPED + BELOW
    return Stretch("shop", "shop/a.py", text, start, start + len(TYPED))


def _num_shared(left, right):
    pairs = enumerate(zip(left, right, strict=False))
    return next((num for num, (a, b) in pairs if a != b), min(len(left), len(right)))


class _Model:
    """Says the same to everything."""

    def __init__(self, tokenizer, answer=""):
        self.tokenizer = tokenizer
        self.fim = FORMATS["builtin"]
        self._answer = answer

    def line(self, prompt):
        assert len(prompt.ids) <= BUDGET.prefix + BUDGET.suffix + 8
        return self._answer
