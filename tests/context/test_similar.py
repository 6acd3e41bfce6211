"""similar: excerpts of other files that use the names around the cursor."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from context import similar
from context.identifiers import identifiers
from context.naive_similar import naive_chunks, naive_query
from context.similar import Chunk, CursorWindow, SimilarChunks, query_of, window_at
from context.word_index import WordIndex

WORDS = st.sampled_from(["alpha", "beta", "gamma", "delta", "omega", "sigma", "kappa", "lambda_", "rho1"])
LINES = st.lists(WORDS, max_size=3).map(lambda words: f"f({', '.join(words)})" if words else "")
TEXTS = st.lists(LINES, max_size=70).map("\n".join)
RANGES = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 20)).map(lambda row: (row[0], sum(row))))
NEEDLE = "walrus(penguin, ostrich)\nneedle()\n"
"""A place at the cursor that no excerpt of one line is like."""
PLAIN = "\n".join(f"filler_{number} = call_{number}()" for number in range(40)) + "\n"


class Repository:
    """Texts by key, their index, and what was read."""

    def __init__(self, texts: dict[str, str]) -> None:
        self.index = WordIndex()
        self.texts: dict[str, str] = {}
        self.read: list[str] = []
        for key, text in texts.items():
            self.write(key, text)
        self.similar = SimilarChunks(self.index, self.text_of, lambda key: hash(self.texts[key]))

    def write(self, key: str, text: str) -> None:
        self.texts[key] = text
        self.index.put(key, identifiers(text))

    def text_of(self, key: str) -> str:
        self.read.append(key)
        return self.texts[key]

    def find(self, before: str, after: str = "", **options: object) -> list[Chunk]:
        return self.similar.find(CursorWindow(before, after), **{"skip": (), **options})  # type: ignore[arg-type]


def keys(chunks: list[Chunk]) -> list[str]:
    return [chunk.key for chunk in chunks]


@given(st.dictionaries(st.sampled_from("abcd"), TEXTS), TEXTS, TEXTS, st.integers(1, 9), st.data())
def test_the_excerpts_are_those_of_a_full_scan(
    texts: dict[str, str], before: str, after: str, limit: int, data: st.DataObject
) -> None:
    skip = data.draw(st.lists(st.sampled_from("abcd"), max_size=2))
    covered = data.draw(st.dictionaries(st.sampled_from("abcd"), RANGES))
    window = CursorWindow(before and before + "\n", after)

    found = Repository(texts).similar.find(window, skip=skip, limit=limit, covered=covered)

    assert [(chunk.key, chunk.first_line, chunk.last_line, chunk.text) for chunk in found] == [
        (chunk.key, chunk.first_line, chunk.last_line, chunk.text)
        for chunk in naive_chunks(texts, window, skip, limit, covered)
    ]


@given(TEXTS, TEXTS)
def test_a_word_weighs_by_its_line_nearest_to_the_cursor(before: str, after: str) -> None:
    window = CursorWindow(before and before + "\n", after)

    assert query_of(window) == pytest.approx(naive_query(window))


@given(st.text(alphabet="ab\n", max_size=20), st.integers(-3, 25), st.integers(0, 4), st.integers(0, 4))
def test_a_window_holds_whole_lines_and_not_the_one_at_the_cursor(
    text: str, offset: int, num_before: int, num_after: int
) -> None:
    row = text[: max(0, offset)].count("\n")
    lines = text.splitlines(keepends=True) + ([""] if text.endswith("\n") or not text else [])

    window = window_at(text, offset, num_before, num_after)

    assert window.before == "".join(lines[max(0, row - num_before) : row])
    assert window.after == "".join(lines[row + 1 : row + 1 + num_after])


def test_what_is_typed_in_the_line_changes_nothing() -> None:
    text = "first()\nsecond()\nthird()\n"

    assert window_at(text, 12) == window_at(text.replace("second()", "x"), 9)


def test_the_statement_being_written_counts_more_than_the_code_around_it() -> None:
    repository = Repository(
        {
            "far": "open_door(1)\nclose_door(2)\npaint_door(3)\n",
            "near": "client = build_client(4)\n",
            **{f"other_{number}": f"something_{number}\n" for number in range(6)},
        }
    )
    before = "open_door()\nclose_door()\npaint_door()\n" + "x = 1\n" * 8 + "build_client()\n"

    assert keys(repository.find(before)) == ["near"]


def test_an_excerpt_says_where_it_stands_and_starts_and_ends_with_code() -> None:
    lines = [""] * 30
    lines[12:15] = ["    needle(1)", "", "    needle(2)  "]

    chunk = Repository({"a": "\n".join(lines)}).find(NEEDLE)[0]

    assert (chunk.first_line, chunk.last_line) == (12, 14)
    assert chunk.text == "    needle(1)\n\n    needle(2)  \n"


def test_the_current_file_and_its_copies_are_never_a_source_nor_a_hint() -> None:
    texts = {"a": PLAIN + "needle(alpha)\n", "b": "alpha\nomega\n"}
    before = "needle(alpha)\n"
    planted = Repository({**texts, "target": "needle(answer)\nomega\n" * 9})

    assert planted.find(before, skip=["target"], near=["target"]) == Repository(texts).find(before)


def test_files_nearby_are_looked_into_even_if_the_best_files_are_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(similar, "MAX_FILES", 1)
    others = {f"other_{number}": f"other_{number}()\n" for number in range(6)}
    repository = Repository({"best": "alpha(beta)\n", "buffer": "beta(1, gamma)\n", **others})
    place = "walrus(penguin, ostrich)\nalpha(beta)\n"

    assert keys(repository.find(place)) == ["best"]
    assert keys(repository.find(place, near=["buffer"])) == ["best", "buffer"]


def test_only_a_few_nearby_files_are_read() -> None:
    texts = {f"{number:03}": "alpha(1)\n" for number in range(100)}
    repository = Repository(texts)

    repository.find("alpha()\n", near=sorted(texts, reverse=True))

    assert len(repository.read) == similar.MAX_FILES + similar.MAX_NEAR


def test_a_copy_of_the_place_at_the_cursor_is_no_news() -> None:
    place = "alpha(beta, gamma)\ndelta(omega)\n"
    repository = Repository({"copy": place, "use": "alpha(sigma)\nkappa(omicron, upsilon)\n"})

    assert keys(repository.find(place)) == ["use"]


def test_two_copies_of_one_excerpt_are_shown_once() -> None:
    text = "needle(alpha, beta, gamma, delta)\n"
    repository = Repository({"one": text, "two": text, "three": PLAIN + "needle(1)\n"})

    assert keys(repository.find(NEEDLE)) == ["one", "three"]


def test_what_is_shown_already_is_not_shown_again() -> None:
    repository = Repository({"a": PLAIN + "needle(1)\n" + PLAIN.replace("filler", "other") + "needle(2)\n"})
    firsts = sorted(chunk.first_line for chunk in repository.find(NEEDLE))

    found = repository.find(NEEDLE, covered={"a": [(20, 60)]})

    assert firsts == [30, 70]
    assert [chunk.first_line for chunk in found] == [70]


@pytest.mark.parametrize(
    "dull", ["# needle(alpha)", "import needle, alpha", "// needle(alpha)", "needle,\nalpha,"]
)
def test_code_is_worth_more_than_licences_and_imports(dull: str) -> None:
    others = {f"other_{number}": f"other_{number}()\n" for number in range(6)}
    code = "\n".join(f"run_{number}(needle)" for number in range(20))
    repository = Repository({"code": code, "a_dull_file": f"{dull}\n" * 10, **others})

    assert keys(repository.find("walrus(penguin, ostrich)\nneedle(alpha)\n")) == ["code"]


@pytest.mark.parametrize(
    "secret",
    [
        'DB_PASSWORD = "correct horse battery"',
        "{'api_key': '0123456789abcdef'}",
        "key = AKIAABCDEFGHIJKLMNOP",
        "ghp_0123456789abcdefghijABCDEFGHIJ012345",
        "-----BEGIN RSA PRIVATE KEY-----",
    ],
)
def test_an_excerpt_with_a_secret_is_not_shown(secret: str) -> None:
    repository = Repository({"a": f"needle(1)\n{secret}\n", "b": "needle(other)\n"})

    assert keys(repository.find(NEEDLE)) == ["b"]


def test_nothing_of_a_long_private_key_is_shown() -> None:
    body = "needleAAAA\n" * 60
    text = f"-----BEGIN PRIVATE KEY-----\n{body}-----END PRIVATE KEY-----\n{PLAIN}needleAAAA(1)\n"

    found = Repository({"a": text}).find("needleAAAA\n")

    assert [chunk.last_line for chunk in found] == [text.count("\n") - 1]


def test_a_changed_file_is_read_again_and_an_unchanged_one_is_not() -> None:
    repository = Repository({"a": "needle(one)\n", "b": "needle(two)\n"})
    repository.find(NEEDLE)
    repository.write("b", "needle(three)\n")

    found = repository.find(NEEDLE)

    assert {chunk.text for chunk in found} == {"needle(one)\n", "needle(three)\n"}
    assert sorted(repository.read) == ["a", "b", "b"]


def test_memory_is_bounded_and_forgets_what_was_used_longest_ago(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(similar, "MAX_CACHED_CHARS", 30)
    repository = Repository({name: f"needle_{name}(1)\n" for name in "abc"})
    for name in "ababcba":
        repository.find(f"needle_{name}\n")

    assert repository.read == ["a", "b", "c", "a"]


@pytest.mark.parametrize(
    "text",
    ["", "\n\n\n", "needle\0", "needle " * 700_000, "\r\n\r\n", "needle = '\ud800'\n", "needle\x0c\u2028\n"],
    ids=["empty", "blank", "binary", "one line of 5 MB", "blank CRLF", "half a character", "odd line ends"],
)
def test_odd_texts_are_no_trouble(text: str) -> None:
    repository = Repository({"odd": text, "good": "needle(1)\r\nthread(2)\r\n"})

    found = repository.find("needle\n", near=["odd"])

    assert "needle(1)\nthread(2)\n" in [chunk.text for chunk in found]
    assert all(math.isfinite(chunk.score) for chunk in found)
    assert repository.find(text) == repository.find(text)


def test_a_minified_line_hides_only_its_surroundings() -> None:
    repository = Repository({"a": "x" * 1001 + " needle\n" + PLAIN + "needle(1)\n"})

    assert [chunk.first_line for chunk in repository.find("needle\n")] == [40 // 10 * 10 - 10]


def test_without_words_around_the_cursor_there_is_nothing_to_find() -> None:
    assert Repository({"a": "needle(1)\n"}).find("x = 1\n\n") == []
