"""Fills a token budget with candidates and writes one segment per file. Knows no disk and no ranking.

Greedy in the order given; a piece that does not fit is left out, never cut. What is emitted is counted once
more at the end as it stands, and the last pieces are taken back until it fits: the budget holds whatever the
tokenizer does.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from context.candidate import Candidate, Unit
from context.plan import Considered
from context.repo_map import render, unit_text
from context.symbols import FileFacts, Kind
from engine.api import Segment

HEADER_TOKENS = 12
"""What the path header of one segment costs in a FIM format, roughly."""
DEFINITION_TOKENS = 300
"""Large classes would eat the budget in order: each used definition gets this much first."""
MIN_TOKENS = HEADER_TOKENS + 8
"""Less is not worth a look."""
GAP_TOKENS = 4
"""A `...` line or a blank line between pieces."""
MAX_COUNTED_TEXTS = 20_000
_NOTHING = FileFacts()


class TokenCounts:
    """`count_tokens` with memory: the same pieces are counted at every plan."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._count_tokens: Callable[[str], int] | None = None

    def use(self, count_tokens: Callable[[str], int]) -> Callable[[str], int]:
        """The remembering form of a counter; another counter forgets what the last one said."""
        if self._count_tokens != count_tokens or len(self._counts) > MAX_COUNTED_TEXTS:
            self._counts = {}
            self._count_tokens = count_tokens
        counts = self._counts

        def count(text: str) -> int:
            number = counts.get(text)
            if number is None:
                number = counts[text] = count_tokens(text)
            return number

        return count


@dataclass
class _Chosen:
    """What is chosen of one file."""

    candidate: Candidate
    """The first one: it names kind and reason."""
    reasons: list[tuple[str, str]] = field(default_factory=list)
    units: dict[int, bool] = field(default_factory=dict)
    text: str = ""


class Packer:
    """One plan in the making."""

    def __init__(
        self,
        budget_tokens: int,
        count_tokens: Callable[[str], int],
        facts_of: Callable[[str], FileFacts | None],
        taken: Mapping[str, Collection[int]] = MappingProxyType({}),
    ) -> None:
        self._budget = budget_tokens
        self._count = count_tokens
        self._facts_of = facts_of
        self._taken = taken
        """Definitions that stand in the prompt already: of them only headers come again, above members."""
        self._used = 0
        self._chosen: dict[str, _Chosen] = {}
        self._spent: dict[tuple[str, str], int] = {}
        """What went to each used name."""
        self._history: list[tuple[str, int]] = []
        self._considered: dict[str, Candidate] = {}

    @property
    def free_tokens(self) -> int:
        """What is left of the budget, by the sum of the pieces."""
        return self._budget - self._used

    @property
    def is_full(self) -> bool:
        """Whether nothing of use will fit any more."""
        return self.free_tokens < MIN_TOKENS

    def add_all(self, candidates: Iterable[Candidate]) -> None:
        """Takes what fits, and asks for no further candidate once it is full."""
        for candidate in candidates:
            self.add(candidate)
            if self.is_full:
                return

    def add(self, candidate: Candidate) -> None:
        """Takes what fits of a candidate."""
        self._considered.setdefault(candidate.key, candidate)
        if candidate.text:
            self._add_text(candidate)
            return
        share = DEFINITION_TOKENS if candidate.is_capped else self._budget
        spent = self._spent.get((candidate.key, candidate.name), 0) if candidate.is_capped else 0
        taken = self._taken.get(candidate.key, ())
        for unit in candidate.units:
            group = self._with_headers(candidate, unit) if unit.index not in taken else []
            cost = self._cost(candidate.key, group) if group else None
            if (
                cost is None
                or self._used + cost > self._budget
                or (spent and self._is_too_much(spent, cost, share))
            ):
                continue
            self._choose(candidate, group, cost)
            spent += cost
        self._spent[candidate.key, candidate.name] = spent

    def _with_headers(self, candidate: Candidate, unit: Unit) -> list[Unit]:
        """A piece, below the classes around it that only an earlier part of the prompt holds."""
        taken = self._taken.get(candidate.key, ())
        if not taken:
            return [unit]
        definitions = self._facts(candidate.key).definitions
        chosen = self._chosen[candidate.key].units if candidate.key in self._chosen else {}
        listed = {other.index: other for other in candidate.units}
        group = [unit]
        owner = definitions[unit.index].owner
        while owner in taken and owner in listed and owner not in chosen:
            group.insert(0, listed[owner])
            owner = definitions[owner].owner
        return group

    @staticmethod
    def _is_too_much(spent: int, cost: int, share: int) -> bool:
        """A share ends with the piece that exceeds it, or long constructors would never be seen."""
        return spent >= share or spent + cost > 2 * share

    def promote(self, key: str, text: str) -> bool:
        """The whole text of a file instead of its pieces, if it fits."""
        chosen = self._chosen.get(key)
        before = self._count(self._text(key)) if chosen else 0
        cost = self._count(text) - before
        if chosen is None or not text or cost > self.free_tokens:
            return False
        chosen.text = text
        self._used += cost
        self._history.append((key, -1))
        return True

    def chosen(self) -> dict[str, frozenset[int]]:
        """The definitions that are in, by file; a file that is there as text has all of them."""
        return {
            key: frozenset(range(len(self._facts(key).definitions)) if chosen.text else chosen.units)
            for key, chosen in self._chosen.items()
            if self._facts_of(key) is not None
        }

    def candidates(self) -> list[Candidate]:
        """The first candidate of each file."""
        return list(self._considered.values())

    def texts(self) -> list[str]:
        """The files that are in as text."""
        return [key for key, chosen in self._chosen.items() if chosen.text]

    def finish(
        self, arrange: Callable[[list[str], list[str]], Iterable[str]], path_of: Callable[[str], str]
    ) -> tuple[tuple[Segment, ...], int, tuple[Considered, ...]]:
        """Segments in emission order, their tokens with headers, and every candidate file."""
        while self._history and self._total() > self._budget:
            self._take_back(*self._history.pop())
        direct = [key for key, chosen in self._chosen.items() if chosen.candidate.is_direct]
        segments = tuple(self._segment(key, path_of(key)) for key in arrange(list(self._chosen), direct))
        considered = tuple(self._report(key, path_of(key)) for key in self._considered)
        return segments, self._total(), considered

    def _facts(self, key: str) -> FileFacts:
        return self._facts_of(key) or _NOTHING

    def _add_text(self, candidate: Candidate) -> None:
        cost = self._count(candidate.text) + HEADER_TOKENS
        if candidate.key not in self._chosen and cost <= self.free_tokens:
            self._chosen[candidate.key] = _Chosen(candidate, [(candidate.reason, "")], text=candidate.text)
            self._history.append((candidate.key, -1))
            self._used += cost

    def _cost(self, key: str, group: Sequence[Unit]) -> int | None:
        """Tokens that pieces add, each in the one before; None if they are there or their class is not."""
        facts = self._facts(key)
        chosen = self._chosen[key].units if key in self._chosen else {}
        first, last = group[0], group[-1]
        owner = facts.definitions[first.index].owner
        is_new_text = last.is_whole and not chosen.get(last.index, True)
        if (last.index in chosen and not is_new_text) or (owner >= 0 and owner not in chosen):
            return None
        if is_new_text:
            text = unit_text(facts, last)
            return max(0, self._count(text) - self._count(facts.definitions[last.index].signature))
        cost = 0 if key in self._chosen else HEADER_TOKENS
        for unit in group:
            definition = facts.definitions[unit.index]
            gaps = GAP_TOKENS if definition.kind is Kind.CLASS or definition.owner < 0 else 0
            cost += self._count(unit_text(facts, unit)) + gaps
        return cost

    def _choose(self, candidate: Candidate, group: Sequence[Unit], cost: int) -> None:
        chosen = self._chosen.setdefault(candidate.key, _Chosen(candidate))
        if (candidate.reason, candidate.name) not in chosen.reasons:
            chosen.reasons.append((candidate.reason, candidate.name))
        for unit in group:
            if unit.index not in chosen.units:
                self._history.append((candidate.key, unit.index))
            chosen.units[unit.index] = unit.is_whole
        self._used += cost

    def _take_back(self, key: str, index: int) -> None:
        chosen = self._chosen[key]
        if index < 0:
            chosen.text = ""
        else:
            chosen.units.pop(index)
        if not chosen.units and not chosen.text:
            del self._chosen[key]

    def _total(self) -> int:
        return sum(self._count(self._text(key)) + HEADER_TOKENS for key in self._chosen)

    def _text(self, key: str) -> str:
        chosen = self._chosen[key]
        return chosen.text or render(self._facts(key), chosen.units)

    def _segment(self, key: str, path: str) -> Segment:
        chosen = self._chosen[key]
        text = self._text(key)
        return Segment(path, text, chosen.candidate.kind, _phrase(chosen.reasons), self._count(text))

    def _report(self, key: str, path: str) -> Considered:
        candidate = self._considered[key]
        if key in self._chosen:
            return Considered(path, _phrase(self._chosen[key].reasons), self._count(self._text(key)), True)
        facts = self._facts_of(key)
        texts = [unit_text(facts, unit) for unit in candidate.units] if facts else [candidate.text]
        return Considered(
            path, _phrase([(candidate.reason, candidate.name)]), sum(map(len, texts)) // 4, False
        )


def _phrase(reasons: list[tuple[str, str]]) -> str:
    """`defines A, B; imported here`."""
    names: dict[str, list[str]] = {}
    for reason, name in reasons:
        names.setdefault(reason, []).extend([name] if name else [])
    return "; ".join(f"{reason} {', '.join(found)}".strip() for reason, found in names.items())
