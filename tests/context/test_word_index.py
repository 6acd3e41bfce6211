"""word_index: BM25 over a repository that changes file by file."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from context import word_index
from context.naive_similar import naive_idf, naive_top_files
from context.word_index import WordIndex

WORDS = st.sampled_from(["alpha", "beta", "gamma", "delta", "omega", "self", "naïve"])
KEYS = st.sampled_from(["a", "b", "c", "d", "e"])
CHANGES = st.lists(st.tuples(KEYS, st.none() | st.lists(WORDS)), max_size=30)
QUERIES = st.dictionaries(WORDS, st.floats(0.01, 1))


def index_of(files: dict[str, list[str]]) -> WordIndex:
    index = WordIndex()
    for key, words in files.items():
        index.put(key, words)
    return index


@given(CHANGES, QUERIES, st.integers(0, 6), st.lists(KEYS))
def test_after_any_changes_the_best_files_are_those_of_a_full_scan(
    changes: list[tuple[str, list[str] | None]], query: dict[str, float], limit: int, skip: list[str]
) -> None:
    index = WordIndex()
    files: dict[str, list[str]] = {}
    for key, words in changes:
        if words is None:
            index.drop(key)
            files.pop(key, None)
        else:
            index.put(key, words)
            files[key] = words

    found = index.top_files(query, limit, skip)

    assert found == [(key, pytest.approx(score)) for key, score in naive_top_files(files, query, limit, skip)]
    assert all(index.idf(word) == naive_idf(files, word) for word in query)
    assert len(index) == len(files)


@given(CHANGES)
def test_a_history_leaves_no_trace(changes: list[tuple[str, list[str] | None]]) -> None:
    """Nothing grows with typing: what is left after the last file is gone is an empty index."""
    index = WordIndex()
    for key, words in changes:
        index.put(key, words or ())
    for key, _ in changes:
        index.drop(key)

    assert len(index) == 0
    assert not index._files
    assert index._num_words == 0
    assert len(index._keys) <= 5


def test_files_with_the_same_words_are_ordered_by_key() -> None:
    index = index_of({"b": ["shared"], "c": ["shared"], "a": ["shared"], "z": ["other"]})

    assert [key for key, _ in index.top_files(["shared"], 2)] == ["a", "b"]


def test_a_rare_word_says_more_than_a_common_one_and_a_short_file_more_than_a_long_one() -> None:
    files = {"rare": ["first", "common"], "long": ["common", *"abcdefgh"], "short": ["common", "other"]}

    best = [key for key, _ in index_of(files).top_files(["first", "common"], 3)]

    assert best == ["rare", "short", "long"]


def test_a_plain_query_weighs_every_word_alike() -> None:
    index = index_of({"a": ["first"], "b": ["second"], "c": ["first", "second"]})

    assert index.top_files(["first", "second"], 3) == index.top_files({"first": 1.0, "second": 1.0}, 3)
    assert index.top_files({"first": 0.1, "second": 1.0}, 3)[-1][0] == "a"


def test_what_a_skipped_file_says_changes_nothing() -> None:
    """The answer may stand in the current file's copy on disk: not even its frequencies may leak."""
    files = {"a": ["first", "second"], "b": ["second"], "c": ["third"]}
    without = index_of(files)
    planted = index_of({**files, "target": ["second", "answer"]})
    query = ["first", "second", "answer"]

    assert planted.top_files(query, 9, ["target"]) == without.top_files(query, 9)
    assert planted.idfs(query, ["target"]) == without.idfs(query)
    assert "answer" not in planted.idfs(query, ["target"])


def test_work_is_bounded_by_leaving_out_the_words_that_say_least(monkeypatch: pytest.MonkeyPatch) -> None:
    files = {f"{number:02}": ["everywhere"] for number in range(50)}
    files["49"] = ["everywhere", "seldom"]
    monkeypatch.setattr(word_index, "MAX_VISITS", 50)

    assert [key for key, _ in index_of(files).top_files(["everywhere", "seldom"], 9)] == ["49"]


def test_an_unknown_file_can_be_dropped_and_skipped() -> None:
    index = index_of({"a": ["word"]})

    index.drop("never there")

    assert index.top_files(["word"], 5, ["never there"])[0][0] == "a"
    assert index.top_files([], 5) == []
    assert WordIndex().top_files(["word"], 5) == []


@given(CHANGES, st.frozensets(WORDS), KEYS)
def test_alike_files_share_what_a_comparison_of_all_words_says(
    changes: list[tuple[str, list[str] | None]], words: frozenset[str], key: str
) -> None:
    files = {name: set(held) for name, held in changes if held}
    index = index_of({name: sorted(held) for name, held in files.items()})

    rows = index.alike(key, words, lambda _: True)

    assert set(rows) == {
        (name, len(held & words), len(held)) for name, held in files.items() if name != key and held & words
    }


def test_a_file_with_few_of_the_rarer_words_is_not_alike_unless_it_is_kin() -> None:
    index = index_of({"a": ["alpha", "beta", "gamma"], "b": ["alpha"], "c": ["alpha", "beta"]})
    words = ["alpha", "beta", "gamma"]

    assert [row.key for row in index.alike("", words, lambda _: False)] == ["a", "c"]
    assert [row.key for row in index.alike("", words, lambda key: key == "b")] == ["a", "c", "b"]
    assert [row.key for row in index.alike("a", words, lambda _: False)] == ["c", "b"]
