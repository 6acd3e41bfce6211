"""A cursor site laid out as the product does, with what is to be written there: one branch of a sample.

Knows prompts and tokens; knows neither repositories nor how sites are chosen.
"""

from __future__ import annotations

from collections.abc import Collection, Container, Sequence
from dataclasses import dataclass

import numpy as np

from engine.api import Segment
from engine.fim import Order
from engine.layout import Budget, Layout, Prompt, without_closers
from training.samples.encoder import Encoder
from training.samples.sample import Role, Sample
from training.samples.told import names_in, told


@dataclass(frozen=True, slots=True)
class Branch:
    """The product's prompt, then the middle and its end of sentence."""

    ids: tuple[int, ...]
    roles: tuple[int, ...]
    num_prompt: int
    """Tokens of the prompt, which stand first."""
    shown: frozenset[str]
    """Names that the context shows."""

    @property
    def num_answer(self) -> int:
        """Tokens behind the prompt."""
        return len(self.ids) - self.num_prompt

    @property
    def is_told(self) -> bool:
        """Whether the middle holds a name that only the context tells."""
        return Role.TOLD in self.roles


@dataclass(frozen=True, slots=True)
class Cursor:
    """A hole in a file."""

    path: str
    text: str
    """Of the file, the middle included."""
    start: int
    end: int
    """The middle's characters."""
    words: Container[int] | None = None
    """Offsets of the file's names in code; all its words count if None."""


class Brancher:
    """Lays out branches in one order."""

    def __init__(self, encoder: Encoder, order: Order) -> None:
        self._encoder = encoder
        self.layout = Layout(encoder.tokenizer, encoder.fim, order)

    def cost(self, segment: Segment) -> int:
        """Tokens of a segment as it stands in a prompt."""
        return self._encoder.tokenizer.count(self._encoder.fim.segment_text(segment))

    def branch(
        self,
        cursor: Cursor,
        segments: Sequence[Segment],
        budget: Budget,
        shown: Collection[str] | None = None,
    ) -> Branch:
        """The prompt at a hole, and its middle. `shown` stands for the names that the segments show."""
        fim, suffix, words = self._encoder.fim, cursor.text[cursor.end :], cursor.words
        prompt = self.layout.prompt(segments, cursor.path, cursor.text[: cursor.start], suffix, budget)
        # What the layout hides of the suffix is the model's to say, and so is what it leaves out to heal.
        hidden = len(suffix) - len(without_closers(suffix)) if fim.hides_closers else 0
        origin = cursor.start - len(prompt.heal)
        middle = cursor.text[origin : cursor.end + hidden]
        encoded = self._encoder.encode(middle)
        if shown is None:
            shown = {name for segment in prompt.segments for name in names_in(segment.text)}
        roles = self._prompt_roles(prompt)
        visible = self._visible(prompt, roles)
        told_ones = told(
            middle, encoded.spans, shown, visible, lambda at: words is None or origin + at in words
        )
        answer = [Role.TOLD if is_told else Role.MIDDLE for is_told in told_ones]
        ids, all_roles = (*prompt.ids, *encoded.ids, self._encoder.eos), (*roles, *answer, Role.MIDDLE)
        return Branch(ids, all_roles, len(prompt.ids), frozenset(shown))

    def _prompt_roles(self, prompt: Prompt) -> list[Role]:
        """By the marks, which no text can hold."""
        ids, encoder = prompt.ids, self._encoder
        roles = [Role.GIVEN] * len(ids)
        at = 1
        for segment in prompt.segments:
            header = len(encoder.fim.file_header(segment.path))
            spans = encoder.encode(encoder.fim.segment_text(segment)).spans
            roles[at : at + len(spans)] = [
                Role.GIVEN if start < header else Role.CONTEXT for start, _ in spans
            ]
            at += len(spans)
        marks = ids.index(encoder.begin), ids.index(encoder.hole), ids.index(encoder.end)
        begin, hole, end = marks
        prefix = begin + 1 if self.layout.order is Order.PSM else end + 1
        for start, count, role in (
            (prefix, prompt.prefix_tokens, Role.PREFIX),
            (hole + 1, prompt.suffix_tokens, Role.SUFFIX),
        ):
            roles[start : start + count] = [role] * count
        return roles

    def _visible(self, prompt: Prompt, roles: Sequence[Role]) -> set[str]:
        """Names of the file itself that the prompt shows."""
        pairs = list(zip(prompt.ids, roles, strict=True))
        parts = [[each for each, role in pairs if role is kind] for kind in (Role.PREFIX, Role.SUFFIX)]
        return names_in("\n".join(self._encoder.tokenizer.decode(part) for part in parts))


def joined(branches: Sequence[Branch]) -> Sample:
    """One sample: the stem is what all prompts begin with."""
    num_stem = _num_common([branch.ids[: branch.num_prompt] for branch in branches])
    ids, roles = [*branches[0].ids[:num_stem]], [*branches[0].roles[:num_stem]]
    numbers = [0] * num_stem
    for number, branch in enumerate(branches, start=1):
        ids += branch.ids[num_stem:]
        roles += branch.roles[num_stem:]
        numbers += [number] * (len(branch.ids) - num_stem)
    return Sample(np.asarray(ids, np.uint16), np.asarray(roles, np.uint8), np.asarray(numbers, np.uint16))


def _num_common(prompts: Sequence[Sequence[int]]) -> int:
    for number, column in enumerate(zip(*prompts, strict=False)):
        if len({*column}) > 1:
            return number
    return min(map(len, prompts))
