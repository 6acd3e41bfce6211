"""Which weights are measured, and against which: a model folder, known by a digest of what answers depend on.

Reads small files and digests large ones; loads nothing.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Self

from engine.errors import ModelError
from engine.fim import FimFormat, choose
from engine.model_folder import BUILTIN, BUILTIN_FOLDER, ModelFolder, weight_files
from engine.tokens import Tokenizer

DIGEST_CHARS = 12


@dataclass(frozen=True)
class Weights:
    """A model folder and how it is prompted."""

    path: Path
    fim: FimFormat
    digest: str
    """Of the weights, their shape and their tokenizer."""
    context_tokens: int
    """Of repository context the product would send so many at most."""

    @classmethod
    def open(cls, folder: Path | None = None, context_tokens: int | None = None) -> Self:
        """The packaged weights if no folder is named; raises ModelError."""
        found = ModelFolder.open(BUILTIN if folder is None else str(folder.resolve()))
        chosen = choose(found)
        if chosen.refusal:
            raise ModelError(chosen.refusal)
        return cls(
            found.path, chosen.fim, _digest(found.path), context_tokens or chosen.fim.max_context_tokens
        )

    @cached_property
    def tokenizer(self) -> Tokenizer:
        """Raises TokenizerError."""
        return Tokenizer.from_folder(self.path)

    @property
    def name(self) -> str:
        """For people."""
        return "the packaged weights" if self.path == BUILTIN_FOLDER else str(self.path)


def _digest(path: Path) -> str:
    digest = hashlib.blake2b(digest_size=DIGEST_CHARS // 2)
    for file in (path / "config.json", path / "tokenizer.json", *weight_files(path)):
        with file.open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "blake2b").digest())
    return digest.hexdigest()
