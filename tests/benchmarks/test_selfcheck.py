"""The benchmark's own checks pass on what we are and fail on what is broken."""

from dataclasses import replace

import pytest

from benchmarks.context_quality import selfcheck
from benchmarks.context_quality.selfcheck import SelfCheckError, check_context, check_scores, check_sources
from benchmarks.context_quality.sites import Origin, Site
from engine.api import Segment
from lsp_server.hole import Hole

SITE = Site("shop", "python", "a.py", "rounded", Origin.CROSS_FILE, (), "rounded(2)", Hole("x.\n", 2))


def count_words(text):
    return len(text.split())


def test_the_planted_answer_is_found_in_another_file_and_not_in_the_target_on_disk():
    check_context(count_words, ["python"])


def test_a_context_that_never_finds_anything_stops_the_run(monkeypatch):
    monkeypatch.setattr(selfcheck, "planted_context", lambda *_, **__: "")
    with pytest.raises(SelfCheckError, match="not in our context"):
        check_context(count_words, ["python"])


def test_a_context_that_reads_the_target_stops_the_run(monkeypatch):
    monkeypatch.setattr(selfcheck, "planted_context", lambda *_, **__: selfcheck.ANSWER)
    with pytest.raises(SelfCheckError, match="holds the answer"):
        check_context(count_words, ["python"])


def test_a_site_whose_answer_does_not_begin_with_its_name_stops_the_run():
    check_scores([SITE])
    with pytest.raises(SelfCheckError, match="scored wrong"):
        check_scores([replace(SITE, name="other")])


def test_a_condition_that_shows_the_target_stops_the_run():
    check_sources(SITE, [Segment("b.py", "x\n", "chunk", "")])
    with pytest.raises(SelfCheckError, match="its own context"):
        check_sources(SITE, [Segment("a.py", "x\n", "chunk", "")])
