"""One sample as text for people: marks visible, stem and branches apart, each role in its colour.

A middle begins at `▶`. Where there are no colours, what the context tells stands in `⟦⟧`.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from itertools import groupby
from typing import TextIO

from training.samples.encoder import Encoder
from training.samples.sample import Role, Sample

MIDDLE_BEGINS = "▶"
_COLOURS = {
    Role.GIVEN: "2",
    Role.CONTEXT: "36",
    Role.PREFIX: "0",
    Role.SUFFIX: "35",
    Role.MIDDLE: "1;32",
    Role.TOLD: "1;30;43",
    Role.PLAIN: "0",
}


def show(
    sample: Sample,
    encoder: Encoder,
    branch: int | None = None,
    *,
    colours: bool = True,
    out: TextIO | None = None,
) -> None:
    """Print the stem and its branches, or the stem and one branch, counted from 1."""
    num_branches = int(sample.branches[-1])
    counts = Counter(Role(role).name.lower() for role in sample.roles)
    print(f"{len(sample.ids)} tokens, {num_branches} branches: {dict(counts)}", file=out or sys.stdout)
    for number in [0, *([branch] if branch else range(1, num_branches + 1))]:
        chosen = sample.branches == number
        name = f"branch {number}" if number else "stem"
        print(f"--- {name}, {int(chosen.sum())} tokens " + "-" * 40, file=out or sys.stdout)
        pairs = zip(sample.ids[chosen].tolist(), sample.roles[chosen].tolist(), strict=True)
        print("".join(_painted(list(pairs), encoder, colours)), file=out or sys.stdout)


def _painted(pairs: list[tuple[int, int]], encoder: Encoder, colours: bool) -> Iterator[str]:
    names = {encoder.tokenizer.mark_id(mark): mark for mark in encoder.fim.marks}
    is_in_middle = False
    for (is_mark, role), run in groupby(pairs, key=lambda pair: (pair[0] in names, Role(pair[1]))):
        ids = [token_id for token_id, _ in run]
        text = "".join(names[each] for each in ids) if is_mark else encoder.tokenizer.decode(ids)
        if not is_in_middle and role in (Role.MIDDLE, Role.TOLD):
            yield MIDDLE_BEGINS
        is_in_middle = role in (Role.MIDDLE, Role.TOLD)
        if colours:
            yield f"\x1b[{_COLOURS[role]}m{text}\x1b[0m"
        else:
            yield f"⟦{text}⟧" if role is Role.TOLD else text
