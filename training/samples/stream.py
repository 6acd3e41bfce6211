"""Whole repositories as samples: file after file, as they import one another, with holes in a share of them.

Every piece of a file stands behind the product's header, so that a prompt's context looks like what was read
here. Runs wherever numpy and tokenizers do. Knows no cursor sites and no plans.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from engine.fim import Order, Part, Piece, assemble
from training.corpus.repository import Repository
from training.samples.encoder import Encoder
from training.samples.holes import draw_hole
from training.samples.sample import Role, Sample

MIN_PIECE_CHARS = 1500
PIECE_CHARS_PER_TOKEN = 2
"""The longest piece has so many characters for each token of a sample: it fills about half of it."""


@dataclass(frozen=True, slots=True)
class StreamMix:
    """What a stream is made of."""

    length: int = 4096
    """Tokens of a sample, at most."""
    fim: float = 0.5
    """The share of pieces with a hole."""
    spm: float = 0.5
    """Of those, the share in which the suffix stands first."""


@dataclass(frozen=True, slots=True)
class _Run:
    """Tokens of one role."""

    text: str
    """Empty where `mark` is all there is."""
    role: Role
    mark: int = -1


@dataclass(frozen=True, slots=True)
class _Piece:
    """Some lines of a file."""

    path: str
    text: str
    runs: Sequence[_Run]


_ROLES = {Part.MARK: Role.GIVEN, Part.HEADER: Role.GIVEN, Part.PREFIX: Role.PREFIX, Part.SUFFIX: Role.SUFFIX}


class Stream:
    """Makes the samples of one repository after the other; `counts` tells what became of them."""

    def __init__(self, encoder: Encoder, mix: StreamMix) -> None:
        self._encoder = encoder
        self._mix = mix
        fim = encoder.fim
        ids = (encoder.bos, encoder.begin, encoder.hole, encoder.end)
        self._mark_ids = dict(zip((fim.bos, fim.begin, fim.hole, fim.end), ids, strict=True))
        self.counts: Counter[str] = Counter()

    def samples(self, repository: Repository, seed: int) -> Iterator[Sample]:
        """The repository from its first file to its last."""
        rng = random.Random(f"{seed} {repository.key}")  # noqa: S311 - must be repeatable
        pieces = [
            _Piece(file.path, text, self._runs(file.path, text, rng))
            for file in repository.files
            for text in self._cut(file.text, rng)
        ]
        texts = [run.text for piece in pieces for run in piece.runs if run.mark < 0]
        encoded = iter(self._encoder.batch(texts))
        ids, roles = [self._encoder.bos], [int(Role.GIVEN)]
        for piece in pieces:
            for part_ids, part_roles in self._parts(piece, encoded):
                if len(ids) + len(part_ids) > self._mix.length:
                    yield _sample(ids, roles)
                    ids, roles = [self._encoder.bos], [int(Role.GIVEN)]
                ids += part_ids
                roles += part_roles
        if len(ids) > 1:
            yield _sample(ids, roles)

    def _parts(self, piece: _Piece, encoded: Iterator[list[int]]) -> Iterator[tuple[list[int], list[int]]]:
        """Ids and roles of a piece: one part, but several of one that is all digits, or no ASCII."""
        room = self._mix.length - 1
        ids, roles = _joined(piece.runs, [next(encoded) for run in piece.runs if run.mark < 0])
        if len(ids) > room and Role.MIDDLE in roles:  # half a hole would teach nonsense
            runs = self._plain(piece.path, piece.text)
            ids, roles = _joined(runs, self._encoder.batch([run.text for run in runs]))
        self.counts["holes"] += Role.MIDDLE in roles
        self.counts["pieces"] += 1
        for start in range(0, len(ids), room):
            yield ids[start : start + room], roles[start : start + room]

    def _cut(self, text: str, rng: random.Random) -> Iterator[str]:
        """The text in pieces of whole lines; a file has one size, another file another."""
        most = max(MIN_PIECE_CHARS, PIECE_CHARS_PER_TOKEN * self._mix.length)
        size = rng.randint(MIN_PIECE_CHARS, most)
        start = 0
        while start < len(text):
            end = text.rfind("\n", start, start + size) + 1 or text.find("\n", start + size) + 1
            # What is left after the last full piece would say little: it goes with that piece.
            if not end or len(text) - end < MIN_PIECE_CHARS // 4:
                end = len(text)
            yield text[start:end]
            start = end

    def _runs(self, path: str, text: str, rng: random.Random) -> Sequence[_Run]:
        fim = self._encoder.fim
        if rng.random() >= self._mix.fim:
            return self._plain(path, text)
        hole = draw_hole(text, rng)
        order = Order.SPM if rng.random() < self._mix.spm else Order.PSM
        pieces = assemble(fim, order, (), path, text[: hole.start], text[hole.end :])
        runs = [self._run(piece) for piece in pieces if piece.text != fim.bos]
        runs.append(_Run(text[hole.start : hole.end], Role.MIDDLE))
        return [run for run in runs if run.text or run.mark >= 0] + [_Run("", Role.MIDDLE, self._encoder.eos)]

    def _plain(self, path: str, text: str) -> Sequence[_Run]:
        text = text if text.endswith("\n") else text + "\n"
        return _Run(self._encoder.fim.file_header(path), Role.GIVEN), _Run(text, Role.PLAIN)

    def _run(self, piece: Piece) -> _Run:
        if piece.part is Part.MARK:
            return _Run("", Role.GIVEN, self._mark_ids[piece.text])
        return _Run(piece.text, _ROLES[piece.part])


def _joined(runs: Sequence[_Run], encoded: Sequence[list[int]]) -> tuple[list[int], list[int]]:
    texts = iter(encoded)
    ids: list[int] = []
    roles: list[int] = []
    for run in runs:
        part = [run.mark] if run.mark >= 0 else next(texts)
        ids += part
        roles += [int(run.role)] * len(part)
    return ids, roles


def _sample(ids: list[int], roles: list[int]) -> Sample:
    return Sample(np.asarray(ids, np.uint16), np.asarray(roles, np.uint8), np.zeros(len(ids), np.uint16))
