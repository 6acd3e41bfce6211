"""training.batches: shares, shuffling, positions that can be gone back to, and passes."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from training.batches import Batches, Source, split_passes
from training.samples.sample import Sample, SampleFolder
from training_samples import random_sample


def folder(path: Path, seed: int, num: int) -> Path:
    generator = np.random.default_rng(seed)
    samples = [random_sample(generator, int(generator.integers(3, 30))) for _ in range(num)]
    SampleFolder.write(path, samples, {})
    return path


def key(sample: Sample) -> bytes:
    return sample.ids.tobytes()


def test_every_sample_comes_once_a_round_in_another_order_each_round(tmp_path: Path) -> None:
    source = Source(folder(tmp_path / "a", 0, 20))
    whole = SampleFolder(source.folder)
    batches = Batches([source], seed=1)
    rounds = []
    for _ in range(3):
        found: list[bytes] = []
        while len(found) < len(whole):
            found += [key(sample) for sample in batches.step(1)]
        rounds.append(found)
    everything = Counter(key(sample) for sample in whole)
    assert [Counter(found) for found in rounds] == [everything] * 3
    assert rounds[0] != rounds[1] != rounds[2]
    assert batches.rounds == 3


def test_shares_are_kept_by_tokens(tmp_path: Path) -> None:
    one, other = folder(tmp_path / "one", 0, 30), folder(tmp_path / "other", 1, 5)
    batches = Batches([Source(one, 3.0), Source(other, 1.0)], seed=0)
    mine = {key(sample) for sample in SampleFolder(one)}
    taken = Counter[bool]()
    for sample in batches.step(8_000):
        taken[key(sample) in mine] += len(sample.ids)
    assert taken[True] / taken.total() == pytest.approx(0.75, abs=0.01)


def test_a_position_can_be_gone_back_to_and_the_seed_decides(tmp_path: Path) -> None:
    sources = [Source(folder(tmp_path / "one", 0, 9)), Source(folder(tmp_path / "other", 1, 7), 0.3)]
    batches, again, other = Batches(sources, 5), Batches(sources, 5), Batches(sources, 6)
    for _ in range(7):
        batches.step(50)
    again.restore(batches.state())
    following = [[key(sample) for sample in batches.step(60)] for _ in range(5)]
    assert [[key(sample) for sample in again.step(60)] for _ in range(5)] == following
    other.restore(again.state())
    assert [key(sample) for sample in other.step(300)] != [key(sample) for sample in again.step(300)]


def test_a_step_has_at_least_its_tokens_and_not_a_sample_more(tmp_path: Path) -> None:
    batches = Batches([Source(folder(tmp_path / "a", 0, 20))], 0)
    for _ in range(10):
        lengths = [len(sample.ids) for sample in batches.step(100)]
        assert sum(lengths[:-1]) < 100 <= sum(lengths)


def test_passes_hold_every_sample_once_and_are_not_longer_than_allowed() -> None:
    generator = np.random.default_rng(0)
    samples = [random_sample(generator, int(length)) for length in generator.integers(1, 60, 50)]
    samples.append(random_sample(generator, 150))
    passes = split_passes(samples, 100)
    assert sorted(key(sample) for group in passes for sample in group) == sorted(map(key, samples))
    sizes = [sum(len(sample.ids) for sample in group) for group in passes]
    assert [size for size in sizes if size > 100] == [150]
    assert len(passes) <= sum(sizes) / 100 * 1.2 + 1


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("samples/a", Source(Path("samples/a"), 1.0)),
        ("samples/a:0.2", Source(Path("samples/a"), 0.2)),
        ("C:\\samples", Source(Path("C:\\samples"), 1.0)),
    ],
)
def test_a_source_is_a_folder_and_perhaps_a_share(text: str, source: Source) -> None:
    assert Source.parse(text) == source


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no samples"):
        Batches([Source(folder(tmp_path / "a", 0, 0))], 0)
