"""Sites of held-out packages are asked in the product's own prompt, with as much context as each way says."""

import pytest

from benchmarks.builtin_model import kept, sites
from benchmarks.builtin_model.__main__ import FULL, QUICK
from benchmarks.builtin_model.model import Reply
from benchmarks.builtin_model.sites import CONTEXT, NONE, ORACLE, Way, asked, contexts, measure
from benchmarks.builtin_model.weights import Weights
from benchmarks.context_quality.corpus import Corpus
from benchmarks.context_quality.measure import chosen_sites
from benchmarks.context_quality.sites import Origin
from engine.fim import Order
from engine.layout import Budget, Layout

LIMITS = dict.fromkeys(Origin, 9)
WAYS = (
    Way(NONE, is_for_all=True),
    Way(CONTEXT),
    Way(ORACLE),
    Way(CONTEXT, Order.PSM, 1024),
    Way(ORACLE, max_sites=1),
)


@pytest.fixture(scope="module")
def weights():
    return Weights.open()


@pytest.fixture(scope="module")
def corpora(tmp_path_factory):
    """Two packages of two files with their own words."""
    found = []
    for name in ("apple", "banana"):
        root = tmp_path_factory.mktemp(name)
        made = f"def {name}_maker(size):\n    return size\n\n\n" + "\n\n".join(
            f"def {name}_other_{num}(value):\n    return value * {num}" for num in range(40)
        )
        (root / "made.py").write_text(made + "\n", encoding="utf-8")
        user = f"from made import {name}_maker\n\nfirst = {name}_maker(1)\nsecond = {name}_maker(2)\n"
        user += "third = print(1, 2)\nfourth = third\n"
        (root / "user.py").write_text(user, encoding="utf-8")
        found.append(Corpus.read(name, "python", root))
    return found


@pytest.fixture(scope="module")
def chosen(corpora):
    return chosen_sites(corpora, LIMITS, seed=1)


class Truthful:
    """Knows the truth where it is asked with the definition in sight; keeps all it was asked."""

    def __init__(self, weights):
        self.weights = weights
        self.asks = []

    def replies(self, asks, what):
        self.asks += [(ask, self.weights.tokenizer.decode(ask.ids) + ask.heal) for ask in asks]
        for ask in asks:
            middle = self.weights.tokenizer.decode(ask.middle)
            has_seen = "_maker(size)" in self.weights.tokenizer.decode(ask.ids)
            yield Reply(f"{middle}\nmore" if has_seen and middle else "wrong", 2.0 if middle else None)


@pytest.fixture(scope="module")
def measured(corpora, chosen, weights):
    model = Truthful(weights)
    return measure(chosen, WAYS, contexts(corpora, chosen, WAYS, weights), weights, model), model


def test_every_way_asks_its_sites_and_the_score_is_context_qualitys(measured, chosen):
    rows, _ = measured
    crossing = [site for site in chosen if site.origin is Origin.CROSS_FILE]
    assert crossing
    assert len(crossing) < len(chosen)
    by_way = [[row for row in rows if row.way == way] for way in WAYS]
    assert [row.site for row in by_way[0]] == crossing + [
        s for s in chosen if s.origin is not Origin.CROSS_FILE
    ]
    assert [row.site for row in by_way[1]] == crossing
    assert len(by_way[4]) == 1
    assert {row.score.is_exact for row in by_way[2]} == {True}
    assert {row.score.is_exact for row in by_way[0] if row.site.origin is Origin.CROSS_FILE} == {False}
    assert all(row.loss == 2.0 and row.num_truth_tokens > 0 for way in by_way[:3] for row in way)
    assert all(row.loss is None for row in by_way[3]), "only where the product asks so"


def test_context_is_the_products_within_its_limit_and_a_size_is_a_size(measured, weights):
    rows, _ = measured
    tokens = {way.name: [row.context_tokens for row in rows if row.way == way] for way in WAYS}
    assert set(tokens["none"]) == {0}
    assert weights.context_tokens == weights.fim.max_context_tokens
    assert 0 < max(tokens["context"]) <= weights.context_tokens < max(tokens["context_1k_psm"]) <= 1024
    assert 0 < max(tokens["oracle"]) <= weights.context_tokens


def test_the_oracle_shows_the_definition_nearest_to_the_current_file_and_nobody_the_target(measured):
    rows, model = measured
    for row, (ask, shown) in zip(rows, model.asks, strict=True):
        target = shown.rindex(f"#{row.site.path}\n")
        assert f"#{row.site.path}\n" not in shown[:target]
        if row.way.condition == ORACLE:
            assert shown[:target].rindex(f"def {row.site.package}_maker(size)") > shown[:target].rindex(
                "#made.py"
            )
        before, after = row.site.hole.prefix, row.site.hole.suffix
        file = shown[target:].split("\n", 1)[1]
        if row.way.order is Order.SPM and row.site.path == "user.py":  # the other one is longer than a prompt
            assert file == after + before
            assert ask.rules == row.site.hole.stop_rules("never", 1)


def test_loss_is_asked_for_the_whole_prefix_and_the_truth_apart(measured, weights):
    rows, model = measured
    for row, (ask, _) in zip(rows, model.asks, strict=True):
        if row.way.has_loss:
            assert weights.tokenizer.decode(ask.middle) == row.site.answer
            assert weights.tokenizer.decode(ask.seen).endswith(row.site.hole.prefix)
            assert ask.seen[: len(ask.ids)] == ask.ids


def test_the_products_own_budget_is_used_where_it_is_the_limit(weights, chosen):
    """What a CPU's default budget gives to context and prefix is what is measured."""
    product = Budget.split(4096, 128, weights.fim)
    ours = sites.budget(weights, weights.context_tokens)
    assert (ours.context, ours.prefix) == (product.context, product.prefix)
    assert abs(ours.suffix - product.suffix) < 20
    site = chosen[0]
    layout = Layout(weights.tokenizer, weights.fim)
    prompts = {
        layout.prompt((), site.path, site.hole.prefix, site.hole.suffix, each).ids for each in (ours, product)
    }
    assert len(prompts) == 1


def test_kept_sites_are_those_that_were_chosen(corpora, chosen, tmp_path):
    file = kept.file_of(corpora, LIMITS, 1, tmp_path)
    assert kept.read(file, corpora) is None
    kept.write(file, chosen)
    assert kept.read(file, corpora) == chosen
    assert kept.file_of(corpora, LIMITS, 2, tmp_path) != file
    assert kept.file_of(corpora, {**LIMITS, Origin.LIBRARY: 1}, 1, tmp_path) != file


def test_plans_ask_what_the_issue_names():
    names = [way.name for way in (*FULL.ways, *FULL.more_ways)]
    assert len(names) == len(set(names))
    sizes = ("1k", "2k", "4k")
    assert {f"{condition}_{size}" for condition in (CONTEXT, ORACLE) for size in sizes} < set(names)
    assert {NONE, CONTEXT, ORACLE, "none_psm", "context_1k_psm", "oracle_1k_psm"} < set(names)
    assert FULL.limits[Origin.CROSS_FILE] >= 200
    assert QUICK.limits[Origin.CROSS_FILE] >= 60
    assert {way.name for way in QUICK.ways} == {NONE, CONTEXT, ORACLE}


def test_only_a_fair_beginning_of_the_sites_is_asked_with_the_longest_prompts(chosen):
    assert [site.package for site in asked(chosen, Way(NONE, max_sites=2))] == ["apple", "banana"]
