"""A stream is the repository's whole text, in order, in the product's form."""

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.corpus.repository import Repository, SourceFile
from training.samples.encoder import Encoder
from training.samples.sample import Role, Sample
from training.samples.stream import Stream, StreamMix

ENCODER = Encoder.from_folder()


def repository(*texts: str) -> Repository:
    files = tuple(SourceFile(f"pkg/m{num}.py", "python", text) for num, text in enumerate(texts))
    return Repository("pypi-pkg-1", "MIT", files)


def code(seed: int, num_lines: int) -> str:
    rng = random.Random(seed)
    words = ["alpha", "beta", "gamma", "return", "value", "(x)", "= 12", "# note", "    "]
    return "".join(" ".join(rng.choices(words, k=rng.randint(0, 9))) + "\n" for _ in range(num_lines))


def told(sample: Sample) -> list[tuple[str, str]]:
    """The pieces of a sample: path and whole text, holes filled."""
    marks = {ENCODER.begin, ENCODER.hole, ENCODER.end, ENCODER.bos, ENCODER.eos}
    pieces: list[tuple[str, dict[Role, list[int]]]] = []
    header: list[int] = []
    for token_id, role in zip(sample.ids.tolist(), map(Role, sample.roles.tolist()), strict=True):
        if role is Role.GIVEN:
            if token_id not in marks:
                header.append(token_id)
            continue
        if header:
            pieces.append((ENCODER.tokenizer.decode(header), {}))
            header = []
        if token_id not in marks:
            pieces[-1][1].setdefault(role, []).append(token_id)
    order = (Role.PLAIN, Role.PREFIX, Role.MIDDLE, Role.SUFFIX)
    return [
        (path, "".join(ENCODER.tokenizer.decode(parts.get(role, [])) for role in order))
        for path, parts in pieces
    ]


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.integers(1, 400), min_size=1, max_size=5),
    st.integers(0, 1000),
    st.sampled_from([0.0, 0.5, 1.0]),
)
def test_the_text_of_every_file_stands_in_order(sizes: list[int], seed: int, fim: float) -> None:
    texts = [code(seed + num, size) + "x = 1\n" for num, size in enumerate(sizes)]
    stream = Stream(ENCODER, StreamMix(2048, fim=fim))
    samples = list(stream.samples(repository(*texts), seed))
    pieces = [piece for sample in samples for piece in told(sample)]
    for num, text in enumerate(texts):
        assert "".join(part for path, part in pieces if path == f"#pkg/m{num}.py\n") == text
    paths = [path for path, _ in pieces]
    assert paths == sorted(paths), "in the repository's order"


@pytest.mark.parametrize("length", [512, 4096])
def test_samples_are_stems_of_at_most_the_length(length: int) -> None:
    stream = Stream(ENCODER, StreamMix(length))
    samples = list(stream.samples(repository(*(code(num, 300) for num in range(6))), 1))
    assert len(samples) > 1
    for sample in samples:
        assert len(sample.ids) == len(sample.roles) <= length
        assert sample.ids[0] == ENCODER.bos
        assert not sample.branches.any()
        assert not np.any(sample.ids[1:] == ENCODER.bos)


def test_a_hole_has_the_form_of_the_card() -> None:
    text = code(3, 30)
    for spm, expected in ((1.0, "begin hole end"), (0.0, "begin hole end")):
        (sample,) = Stream(ENCODER, StreamMix(4096, fim=1, spm=spm)).samples(repository(text), 2)
        ids, roles = sample.ids.tolist(), sample.roles.tolist()
        marks = {ENCODER.begin: "begin", ENCODER.hole: "hole", ENCODER.end: "end"}
        assert " ".join(marks[each] for each in ids if each in marks) == expected
        first = roles.index(Role.PREFIX)
        assert (first > ids.index(ENCODER.end)) == bool(spm), "the prefix stands last, or first"
        assert roles.index(Role.SUFFIX) > ids.index(ENCODER.hole)
        assert ids[-1] == ENCODER.eos
        assert roles[-1] == Role.MIDDLE
        middle = [at for at, role in enumerate(roles) if role == Role.MIDDLE]
        assert middle == [*range(middle[0], len(ids))]


def test_the_shares_are_kept() -> None:
    stream = Stream(ENCODER, StreamMix(1024, fim=0.5, spm=0.25))
    samples = list(stream.samples(repository(*(code(num, 60) for num in range(200))), 1))
    share = stream.counts["holes"] / stream.counts["pieces"]
    assert 0.4 < share < 0.6
    ids = [token_id for sample in samples for token_id in sample.ids.tolist()]
    first = [one for one, two in zip(ids[1:], ids, strict=False) if two == ENCODER.begin]
    assert 0.15 < first.count(ENCODER.hole) / len(first) < 0.35


def test_a_text_longer_than_a_sample_is_cut_and_keeps_no_half_hole() -> None:
    text = "x = [" + "1, " * 3000 + "]\n"
    samples = list(Stream(ENCODER, StreamMix(512, fim=1)).samples(repository(text), 1))
    assert len(samples) > 2
    assert all(len(sample.ids) <= 512 for sample in samples)
    assert not any(Role.MIDDLE in sample.roles for sample in samples)
    text_ids = [i for s in samples for i, role in zip(s.ids, s.roles, strict=True) if role == Role.PLAIN]
    assert ENCODER.tokenizer.decode(text_ids) == text


def test_a_seed_gives_one_stream_and_another_seed_another() -> None:
    def ids(seed: int) -> list[list[int]]:
        pieces = Stream(ENCODER, StreamMix(1024)).samples(repository(code(1, 200)), seed)
        return [sample.ids.tolist() for sample in pieces]

    assert ids(1) == ids(1) != ids(2)
