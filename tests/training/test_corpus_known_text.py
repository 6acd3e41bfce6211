"""The 10-gram check against a naive search, and what counts as a copy."""

import random
from pathlib import Path

import pytest

from training.corpus.known_text import GRAM_WORDS, KnownText
from training.corpus.verdicts import MIN_COPIED_WORDS, answers, copied_from
from training.corpus.words import word_hashes, words_of


def naive(known: list[str], text: str) -> tuple[int, int, set[int]]:
    """The oracle: known runs, words in the longest row of them, and which words of the text they cover."""
    grams = {
        tuple(words[at : at + GRAM_WORDS])
        for words in map(words_of, known)
        for at in range(len(words) - GRAM_WORDS + 1)
    }
    words = words_of(text)
    hits = [tuple(words[at : at + GRAM_WORDS]) in grams for at in range(len(words) - GRAM_WORDS + 1)]
    covered = {at + step for at, hit in enumerate(hits) if hit for step in range(GRAM_WORDS)}
    longest = max((len(row) for row in "".join("x" if hit else " " for hit in hits).split()), default=0)
    return sum(hits), longest + GRAM_WORDS - 1 if longest else 0, covered


def prose(source: random.Random, num_words: int) -> list[str]:
    return [f"w{source.randrange(3000)}" for _ in range(num_words)]


@pytest.mark.parametrize("seed", range(20))
def test_the_overlap_is_what_a_naive_search_finds(seed: int) -> None:
    source = random.Random(seed)
    known = [" ".join(prose(source, 300)) for _ in range(4)]
    words = prose(source, 50)
    for _ in range(source.randrange(6)):
        copied = source.choice(known).split()
        start, length = source.randrange(280), source.randrange(5, 40)
        words += copied[start : start + length] + prose(source, 15)
    text = " ".join(words)

    found = KnownText.of([(f"k{n}", text) for n, text in enumerate(known)], max_owners=9).overlap(
        word_hashes(text)
    )

    num_grams, num_words, covered = naive(known, text)
    assert (found is None) == (num_grams == 0)
    if found is not None:
        assert (found.num_grams, found.num_words) == (num_grams, num_words)
        assert found.share == pytest.approx(len(covered) / len(words))


def test_formatting_hides_no_copy() -> None:
    code = (
        "def area(width, height, depth):\n    volume = width * height * depth\n    return round(volume, 2)\n"
    )
    known = KnownText.of([("shapes", code)], max_owners=1)

    found = known.overlap(word_hashes(code.replace("    ", "\t").replace(", ", ",\n")))

    assert found is not None
    assert (found.owner, found.share) == ("shapes", 1)


def test_what_many_say_belongs_to_none() -> None:
    common = "one two three four five six seven eight nine ten"
    texts = [(f"p{n}", f"{common} own{n} a{n} b{n} c{n} d{n} e{n} f{n} g{n} h{n} i{n}") for n in range(3)]
    words = word_hashes(common)

    assert KnownText.of(texts, max_owners=3).overlap(words) is not None
    assert KnownText.of(texts, max_owners=2).overlap(words) is None
    assert KnownText.of(texts, max_owners=2).overlap(word_hashes(texts[1][1])) is not None


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("datetime " * 40, id="one word again and again"),
        pytest.param("0, 1, 2, 3, " * 40, id="numbers"),
        pytest.param(
            "this software is provided as is without warranty of any kind", id="a licence's wording"
        ),
        pytest.param("too few words", id="too few words"),
        pytest.param("", id="nothing"),
    ],
)
def test_some_texts_are_nobodys(text: str) -> None:
    known = KnownText.of([("x", text), ("y", "a b c d e f g h i j k")], max_owners=9)

    assert known.overlap(word_hashes(text)) is None


def test_nothing_known_is_no_overlap() -> None:
    assert KnownText.of([], max_owners=1).overlap(word_hashes("a b c d e f g h i j k l")) is None


def test_known_texts_are_kept_for_other_processes(tmp_path: Path) -> None:
    text = " ".join(f"w{n}" for n in range(40))
    known = KnownText.of([("b", text), ("a", "x " + text)], max_owners=2)

    known.save(tmp_path / "known.npz")

    assert KnownText.load(tmp_path / "known.npz").overlap(word_hashes(text)) == known.overlap(
        word_hashes(text)
    )


def test_a_copied_function_is_a_copy_and_a_list_of_imports_is_not() -> None:
    source = random.Random(1)
    theirs = prose(source, 400)
    known = KnownText.of([("theirs", " ".join(theirs))], max_owners=1)
    ours = prose(source, 400)

    def with_copied(num_words: int, of: int = 400) -> str:
        return " ".join([*ours[: of - num_words], *theirs[100 : 100 + num_words]])

    assert copied_from(known, word_hashes(with_copied(MIN_COPIED_WORDS - 1))) is None
    assert copied_from(known, word_hashes(with_copied(MIN_COPIED_WORDS))) is not None
    assert copied_from(known, word_hashes(with_copied(22, of=60))) is not None
    assert copied_from(known, word_hashes(with_copied(15, of=20))) is None
    assert answers(known, word_hashes(with_copied(9))) is None
    assert answers(known, word_hashes(with_copied(10))) is not None
