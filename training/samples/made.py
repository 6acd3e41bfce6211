"""Keeps a set of samples whole or not at all, and counts what it is made of."""

from __future__ import annotations

import errno
import shutil
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from training.samples.errors import SamplesError
from training.samples.sample import Role, Sample, SampleFolder


def keep(folder: Path, samples: Iterable[Sample], about: dict[str, Any]) -> SampleFolder:
    """A whole set in `folder`, in place of the set that was there. Raises SamplesError."""
    if folder.exists() and not (folder / "about.json").is_file() and not _is_empty(folder):
        raise SamplesError(f"{folder} holds something else than samples: name another folder with --out.")
    partial = folder.with_name(folder.name + ".partial")
    try:
        shutil.rmtree(partial, ignore_errors=True)
        SampleFolder.write(partial, samples, about)
        shutil.rmtree(folder, ignore_errors=True)
        partial.replace(folder)
    except OSError as error:
        is_full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        why = "the disk is full: make room and run it again" if is_full else error.strerror or str(error)
        raise SamplesError(f"No samples were kept in {folder}: {why}.") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return SampleFolder(folder)


def counts(samples: Iterable[Sample]) -> dict[str, int]:
    """Samples, branches, tokens and tokens by role."""
    found: Counter[str] = Counter()
    for sample in samples:
        found["samples"] += 1
        found["branches"] += int(sample.branches[-1])
        found["tokens"] += len(sample.ids)
        for role, number in enumerate(np.bincount(sample.roles, minlength=len(Role))):
            found[f"tokens_{Role(role).name.lower()}"] += int(number)
    return dict(found)


def _is_empty(folder: Path) -> bool:
    return folder.is_dir() and next(folder.iterdir(), None) is None
