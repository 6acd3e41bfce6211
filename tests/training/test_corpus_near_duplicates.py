"""MinHash against exact Jaccard similarity, and what stays of texts that resemble each other."""

import random

import numpy as np
import pytest

from training.corpus.crossing import crossed
from training.corpus.near_duplicates import SHINGLE_WORDS, merged, near_duplicates, signature_of, similarity
from training.corpus.record import Kept, Record
from training.corpus.words import gram_hashes, word_hashes, words_of


def exact(one: str, other: str) -> float:
    """The oracle: Jaccard similarity of the two sets of 5-word runs."""
    sets = [
        {tuple(words[at : at + SHINGLE_WORDS]) for at in range(len(words) - SHINGLE_WORDS + 1)}
        for words in (words_of(one), words_of(other))
    ]
    return len(sets[0] & sets[1]) / len(sets[0] | sets[1])


def text_of(seed: int, num_words: int = 600) -> str:
    source = random.Random(seed)
    return " ".join(f"w{source.randrange(10**6)}" for _ in range(num_words))


def changed(text: str, share: float, seed: int = 0) -> str:
    source = random.Random(seed)
    return " ".join(
        f"n{source.random()}"[2:] + "x" if source.random() < share else word for word in text.split()
    )


@pytest.mark.parametrize("share", [0.0, 0.005, 0.01, 0.02, 0.05, 0.1, 0.3, 1.0])
def test_signatures_estimate_the_exact_similarity(share: float) -> None:
    one = text_of(1)
    other = changed(one, share)

    estimate = similarity(signature_of(word_hashes(one)), signature_of(word_hashes(other)))

    assert estimate == pytest.approx(exact(one, other), abs=0.13)  # four standard errors of 128 hashes


def test_a_signature_of_several_texts_is_that_of_their_union() -> None:
    one, other = text_of(1), text_of(2)
    both = gram_hashes(word_hashes(one), SHINGLE_WORDS), gram_hashes(word_hashes(other), SHINGLE_WORDS)

    of_both = merged(np.array([signature_of(word_hashes(one)), signature_of(word_hashes(other))]))

    assert similarity(of_both, signature_of(word_hashes(one))) == pytest.approx(0.5, abs=0.18)
    assert len(np.intersect1d(*both)) == 0


def test_the_same_are_found_as_by_comparing_every_pair() -> None:
    texts = [text_of(seed) for seed in range(25)]
    texts += [changed(text, share, seed) for seed, text in enumerate(texts[:20]) for share in (0.004, 0.2)]
    random.Random(3).shuffle(texts)

    found = near_duplicates([signature_of(word_hashes(text)) for text in texts], 0.85)

    stay: list[int] = []
    copies = set()
    for index, text in enumerate(texts):
        if any(exact(text, texts[other]) >= 0.85 for other in stay):
            copies.add(index)
        else:
            stay.append(index)
    assert len(copies) >= 15
    assert set(found) == copies
    for index, (other, _) in found.items():
        assert other < index
        assert exact(texts[index], texts[other]) >= 0.85


def test_a_text_with_few_words_has_a_signature() -> None:
    assert similarity(signature_of(word_hashes("a b")), signature_of(word_hashes("a b"))) == 1
    assert similarity(signature_of(word_hashes("a b")), signature_of(word_hashes("a c"))) < 0.1
    assert similarity(signature_of(word_hashes("")), signature_of(word_hashes("a"))) < 0.1


def package(key: str, files: dict[str, str]) -> tuple[Record, np.ndarray]:
    record = Record(
        key, "python", "MIT", "f", tuple(Kept(path, "python", len(text)) for path, text in files.items()), ()
    )
    return record, np.array([signature_of(word_hashes(text)) for text in files.values()], np.uint32)


def test_of_two_names_of_one_project_the_earlier_stays_and_a_copied_file_goes() -> None:
    files = {f"{n}.py": text_of(n) for n in range(5)}
    fork = {**{path: changed(text, 0.01) for path, text in files.items()}, "new.py": text_of(90)}
    user = {"own.py": text_of(50), "copied.py": changed(files["3.py"], 0.005), "own2.py": text_of(51)}

    records, pairs = crossed([package("a", files), package("fork", fork), package("user", user)])

    assert [len(record.kept) for record in records] == [5, 0, 2]
    assert {dropped.reason for dropped in records[1].dropped} == {"near-duplicate repository"}
    assert [(dropped.path, dropped.reason, dropped.detail) for dropped in records[2].dropped] == [
        ("copied.py", "near-duplicate file", "a:3.py")
    ]
    assert [(pair.dropped, pair.kept) for pair in pairs] == [("fork", "a"), ("user:copied.py", "a:3.py")]


def test_what_was_built_goes_and_its_source_stays() -> None:
    text = text_of(7)

    records, _ = crossed([package("a", {"build/lib/a.py": text, "other.py": text_of(8), "src/a.py": text})])

    assert [kept.path for kept in records[0].kept] == ["other.py", "src/a.py"]


def test_packages_without_files_resemble_nothing() -> None:
    empty = package("empty", {})[0], np.zeros((0, 128), np.uint32)

    records, pairs = crossed([empty, (empty[0], empty[1]), package("a", {"a.py": text_of(1)})])

    assert [len(record.kept) for record in records] == [0, 0, 1]
    assert pairs == []
