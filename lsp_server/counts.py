"""What is counted of completions, and how counts add up. Pure; knows no completion and no file.

A count belongs to a language and to a source, and its name is one of a few words: nothing that stands in a
document, and no path, can become part of one.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, NamedTuple, Self

LATENCY_BOUNDS_MS = (5, 10, 20, 50, 100, 200, 350, 500, 750, 1000, 1500, 2000)
OTHER = "other"
"""Stands in for what is no plain word."""
_MORE = "more"
_EMPTY, _LATENCY = "empty", "latency"
_LANGUAGE = re.compile(r"[a-z][a-z0-9+#_-]{0,31}")
_SOURCE = re.compile(r"[A-Za-z]{1,20}")
_REASON = re.compile(r"[a-z][a-z -]{0,39}")


class Key(NamedTuple):
    """What a number counts."""

    language: str
    source: str
    name: str

    @classmethod
    def of(cls, language: str, source: str, name: str) -> Self:
        """A key made of plain words, whatever a client calls its languages."""
        return cls(_plain(_LANGUAGE, language.lower()), _plain(_SOURCE, str(source)), name)

    @property
    def is_plain(self) -> bool:
        """It is made of what `of` lets pass, and the name is known."""
        group, _, rest = self.name.partition(".")
        is_known = (
            self.name in _PLAIN_NAMES
            or (group == _LATENCY and rest in _SLOTS)
            or (group == _EMPTY and _REASON.fullmatch(rest) is not None)
        )
        return is_known and bool(_LANGUAGE.fullmatch(self.language) and _SOURCE.fullmatch(self.source))


Tally = Counter[Key]


def empty_name(reason: str) -> str:
    """The name of the count of requests that got nothing for this reason."""
    return f"{_EMPTY}.{_plain(_REASON, reason)}"


def latency_name(ms: float) -> str:
    """The name of the count of answers that took about so long."""
    return f"{_LATENCY}.{next((bound for bound in LATENCY_BOUNDS_MS if ms <= bound), _MORE)}"


@dataclass(frozen=True, slots=True)
class Latency:
    """How long answers with text took: one number for each of `LATENCY_BOUNDS_MS`, and one for more."""

    counts: tuple[int, ...] = (0,) * (len(LATENCY_BOUNDS_MS) + 1)

    def percentile(self, share: float) -> int | None:
        """So many milliseconds at most did this share of the answers take.

        None if there are no answers, or if the share is not reached within the last bound.
        """
        wanted, reached = share * sum(self.counts), 0
        for bound, number in zip(LATENCY_BOUNDS_MS, self.counts, strict=False):
            reached += number
            if number and reached >= wanted:
                return bound
        return None


@dataclass(frozen=True, slots=True)
class Counts:
    """A tally, read."""

    shown: int = 0
    accepted: int = 0
    """Whole, at once or piece by piece."""
    partially_accepted: int = 0
    dismissed: int = 0
    """Turned down by a key, or the user typed something else."""
    accepted_chars: int = 0
    """Code points that the user did not have to type, of whole and of partial acceptances."""
    requests: int = 0
    answered: int = 0
    """With text."""
    without_engine: int = 0
    """Of those answered: from what was there already."""
    cancelled: int = 0
    prompt_tokens: int = 0
    reused_tokens: int = 0
    prefilled_tokens: int = 0
    decoded_tokens: int = 0
    empty: Mapping[str, int] = field(default_factory=dict)
    """Requests that got nothing, by reason."""
    latency: Latency = field(default_factory=Latency)

    @classmethod
    def of(cls, tally: Mapping[Key, int]) -> Self:
        """Add up a tally, whatever the languages and sources."""
        plain, empty, latency = Counter[str](), Counter[str](), [0] * (len(LATENCY_BOUNDS_MS) + 1)
        for key, number in tally.items():
            group, _, rest = key.name.partition(".")
            if group == _EMPTY:
                empty[rest] += number
            elif group == _LATENCY:
                latency[_SLOTS[rest]] += number
            else:
                plain[key.name] += number
        # What was counted on one day may have been taken back on the next.
        whole = {name: max(plain[name], 0) for name in _PLAIN_NAMES}
        return cls(**whole, empty=dict(empty.most_common()), latency=Latency(tuple(latency)))

    @property
    def accepted_share(self) -> float | None:
        """Of those shown."""
        return _share(self.accepted, self.shown)

    @property
    def without_engine_share(self) -> float | None:
        """Of those answered."""
        return _share(self.without_engine, self.answered)

    @property
    def reused_share(self) -> float | None:
        """Of the prompts' tokens."""
        return _share(self.reused_tokens, self.prompt_tokens)

    def to_json(self) -> dict[str, Any]:
        """Every number, and those that follow from them."""
        latency = {
            "bounds_ms": list(LATENCY_BOUNDS_MS),
            "counts": list(self.latency.counts),
            "p50_ms": self.latency.percentile(0.5),
            "p95_ms": self.latency.percentile(0.95),
        }
        shares = {
            "accepted_share": self.accepted_share,
            "without_engine_share": self.without_engine_share,
            "reused_share": self.reused_share,
        }
        return asdict(self) | shares | {"latency": latency}


_SLOTS = {str(bound): slot for slot, bound in enumerate((*LATENCY_BOUNDS_MS, _MORE))}
_PLAIN_NAMES = frozenset(each.name for each in fields(Counts)) - {_EMPTY, _LATENCY}


def _plain(words: re.Pattern[str], text: str) -> str:
    return text if words.fullmatch(text) else OTHER


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None
