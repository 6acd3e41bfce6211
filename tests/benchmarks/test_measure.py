"""A run asks every site under every condition, paired, and the shuffled repository is really a stranger's."""

import asyncio
from collections import Counter
from pathlib import Path

import pytest

from benchmarks.context_quality import measure as measuring
from benchmarks.context_quality.answers import Answerer, AnswerStore
from benchmarks.context_quality.corpus import Corpus
from benchmarks.context_quality.measure import Order, chosen_sites, measure
from benchmarks.context_quality.packages import FOR_TUNING, REPORTED, Package
from benchmarks.context_quality.sites import Origin
from engine.api import Completion, FinishReason
from engine.fake import builtin_info

NAMES = ("apple", "banana")
EVERYTHING = dict.fromkeys(Origin, 9)


@pytest.fixture
def corpora(tmp_path, monkeypatch):
    """Two packages of two files with their own words."""
    found = {}
    for name in NAMES:
        root = tmp_path / name
        root.mkdir()
        (root / "made.py").write_text(f"def {name}_maker(size):\n    return size\n", encoding="utf-8")
        user = f"from made import {name}_maker\n\nfirst = {name}_maker(1)\nsecond = {name}_maker(2)\n"
        user += "third = print(1, 2)\nfourth = third\n"
        (root / "user.py").write_text(user, encoding="utf-8")
        found[name] = Corpus.read(name, "python", root)
    monkeypatch.setattr(measuring, "read", lambda package: found[package.name])
    return found


class Backend:
    """Keeps the texts of the prompts."""

    def __init__(self, info):
        self.info = info
        self.prompts = []

    async def complete(self, request):
        self.prompts.append(self.info.tokenizer.decode(request.prompt_ids))
        return Completion("nothing", FinishReason.EOS)

    async def close(self):
        pass


def run(order, folder: Path):
    info = builtin_info()
    backend = Backend(info)

    async def asked():
        answerer = Answerer(backend, info, AnswerStore(folder / "answers.sqlite"))
        rows = await measure(order, answerer)
        await answerer.close()
        return rows

    return asyncio.run(asked()), backend.prompts


def test_rows_are_paired_and_only_the_shuffled_context_is_another_packages(corpora, tmp_path):
    packages = [Package(name, "1") for name in NAMES]
    conditions = ("none", "bm25", "shuffled", "ghostfill")
    order = Order(packages, (512, 1024), conditions, {Origin.CROSS_FILE: 9})
    rows, prompts = run(order, tmp_path)
    by_condition = {name: [row.site for row in rows if row.condition == name] for name in conditions}
    assert by_condition["none"]
    assert by_condition["bm25"] == by_condition["shuffled"] == by_condition["ghostfill"]
    assert by_condition["ghostfill"][::2] == by_condition["none"]
    assert {row.budget_tokens for row in rows if row.condition == "none"} == {0}
    own = [
        f"def {name}_maker" in prompt for prompt in prompts for name in NAMES if f"import {name}" in prompt
    ]
    other = [
        f"def {name}_maker" in prompt
        for prompt in prompts
        for name in NAMES
        if f"import {name}" not in prompt
    ]
    sites = len(by_condition["none"])
    assert (sum(own), sum(other)) == (
        sites,
        sites,
    )  # bm25 and ours are one text here, asked once; none has none


def test_sites_are_drawn_from_the_packages_in_turn_up_to_the_limit_of_each_class(corpora):
    sites = chosen_sites(list(corpora.values()), {Origin.CROSS_FILE: 3, Origin.LIBRARY: 0}, seed=1)
    assert [site.origin for site in sites] == [Origin.CROSS_FILE] * 3
    assert sorted(Counter(site.package for site in sites).values()) == [1, 2]
    everything = chosen_sites(list(corpora.values()), EVERYTHING, seed=1)
    assert {site.origin for site in everything} == {*Origin}


def test_a_run_without_a_stranger_says_what_is_missing(corpora, tmp_path):
    order = Order([Package("apple", "1")], (512,), ("shuffled",), {Origin.CROSS_FILE: 1})
    with pytest.raises(RuntimeError, match="second python package"):
        run(order, tmp_path)


def test_nobody_tunes_on_what_is_reported():
    assert {package.name for package in REPORTED}.isdisjoint(package.name for package in FOR_TUNING)
    assert {package.language for package in FOR_TUNING} == {package.language for package in REPORTED}
