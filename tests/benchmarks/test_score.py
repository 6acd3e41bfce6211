"""Scores, differences and intervals are what their names say."""

import pytest

from benchmarks.context_quality.bootstrap import interval, mcnemar
from benchmarks.context_quality.score import Row, helped_and_hurt, mean, score
from benchmarks.context_quality.sites import Origin, Site
from benchmarks.context_quality.table import figures, markdown
from lsp_server.hole import Hole


def site(answer="rounded(2)", package="shop", origin=Origin.CROSS_FILE, language="python", path="a.py"):
    return Site(package, language, path, "rounded", origin, (), answer, Hole("x.\n", 2))


def test_only_the_same_line_is_exact_whatever_blanks_stand_around_it():
    assert score(site(), "  rounded(2) ").is_exact
    assert not score(site(), "rounded(2))").is_exact
    assert not score(site(), "rounded( 2)").is_exact


def test_the_next_name_is_right_only_as_a_whole_word():
    assert score(site(), "rounded(99)").is_name_right
    assert not score(site(), "rounded_up(2)").is_name_right
    assert not score(site(), "round").is_name_right
    assert not score(site(), "").is_name_right


def test_similarity_is_the_indel_ratio():
    # 10 characters each, 9 in common: 2 * 9 / 20
    assert score(site(), "rounded(3)").similarity == pytest.approx(0.9)
    assert score(site(), "").similarity == 0


def test_helped_and_hurt_count_sites_that_changed():
    with_context = [row("ghostfill", right) for right in (True, True, False, False)]
    without = [row("none", right) for right in (False, True, True, False)]
    assert helped_and_hurt(with_context, without) == (1, 1)
    with pytest.raises(ValueError, match="argument 2"):
        helped_and_hurt(with_context, without[:3])


def row(condition, is_right, budget=1024, **where):
    asked = site(**where)
    answer = asked.answer if is_right else "nothing"
    return Row(asked, condition, 0 if condition == "none" else budget, 7, answer, score(asked, answer))


def test_figures_are_of_cross_file_sites_at_the_largest_budget_and_name_the_others():
    rows = [row("none", False), row("none", True)]
    rows += [row("ghostfill", right, budget) for budget, rights in BUDGETS.items() for right in rights]
    rows += [row(name, True, origin=Origin.LIBRARY) for name in ("none", "ghostfill")]
    found = figures(rows)
    assert (found["n"], found["budget_tokens"]) == (2, 4096)
    assert (found["em_none"], found["em_ghostfill"], found["em_ghostfill_1k"]) == (0.5, 1.0, 0.0)
    assert (found["helped"], found["hurt"], found["helped_1k"], found["hurt_1k"]) == (1, 0, 0, 1)


BUDGETS = {1024: (False, False), 4096: (True, True)}


def test_the_table_has_a_part_per_class_language_and_budget():
    rows = [row(name, True, language=language) for language in ("python", "javascript") for name in NAMES]
    titles = [line for line in markdown(rows).splitlines() if line.startswith("###")]
    assert titles == [
        "### cross-file, all languages, 1024 tokens, 2 sites",
        "### cross-file, javascript, 1024 tokens, 1 sites",
        "### cross-file, python, 1024 tokens, 1 sites",
    ]


NAMES = ("none", "ghostfill")


def test_an_interval_over_packages_is_wider_than_one_that_takes_sites_for_independent():
    differences = [1.0] * 20 + [0.0] * 20
    by_package = interval(differences, ["a"] * 20 + ["b"] * 20)
    by_site = interval(differences, [str(num) for num in range(40)])
    assert by_package == (0.0, 1.0)
    assert 0.3 < by_site[0] < 0.5 < by_site[1] < 0.7


def test_an_interval_of_equal_differences_is_a_point_and_of_nothing_zero():
    assert interval([0.25] * 6, list("aabbcc")) == (0.25, 0.25)
    assert interval([], []) == (0.0, 0.0)


def test_mcnemar_is_the_exact_binomial_test():
    assert mcnemar(0, 0) == 1.0
    assert mcnemar(5, 5) == 1.0
    assert mcnemar(10, 2) == mcnemar(2, 10) == pytest.approx(2 * (1 + 12 + 66) / 4096)


def test_the_mean_of_nothing_is_zero():
    assert mean([]) == 0
    assert mean([True, False, False]) == 0.3333
