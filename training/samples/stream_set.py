"""A set of stream samples, from a folder of repositories to a folder of samples."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from training.samples.encoder import Encoder
from training.samples.made import counts, keep
from training.samples.sample import Sample, SampleFolder
from training.samples.source import check_found, read, repository_files, with_bar
from training.samples.stream import Stream, StreamMix


def make_stream(
    repositories: Path,
    out: Path,
    encoder: Encoder,
    mix: StreamMix,
    seed: int,
    languages: frozenset[str] = frozenset(),
    limit: int = 0,
) -> SampleFolder:
    """Every repository of a folder, in the folder's order. Raises SamplesError."""
    paths = repository_files(repositories, limit)
    stream = Stream(encoder, mix)
    by_language: Counter[str] = Counter()

    def samples() -> Iterator[Sample]:
        for path in with_bar(paths, len(paths), "stream"):
            repository = read(path, languages)
            by_language.update(file.language for file in repository.files)
            yield from stream.samples(repository, seed)

    made = list(samples())
    check_found(len(made), repositories, languages)
    about = {
        "made": "stream",
        "seed": seed,
        "tokenizer": encoder.tokenizer.digest,
        "mix": asdict(mix),
        "repositories": len(paths),
        "files_by_language": dict(by_language),
        **stream.counts,
        **counts(made),
    }
    return keep(out, made, about)
