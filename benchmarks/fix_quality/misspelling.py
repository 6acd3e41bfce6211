"""Wrong spellings of a name: slips of the fingers, and the other name that somebody had in mind."""

from __future__ import annotations

import keyword
import random
from collections.abc import Collection

NEIGHBOURS = {
    **dict(zip("qwertyuiop", "wertyuiopo", strict=True)),
    **dict(zip("asdfghjkl", "sdfghjklk", strict=True)),
    **dict(zip("zxcvbnm", "xcvbnmn", strict=True)),
}
"""A key beside each on a QWERTY keyboard."""


def misspelt(name: str, known: Collection[str], chance: random.Random) -> str | None:
    """A letter swapped with the next, left out, doubled or hit beside its key; None if each is a known name.

    The first letter stays: few people miss it.
    """
    places = list(range(1, len(name)))
    chance.shuffle(places)
    for at in places:
        ways = [
            name[: at - 1] + name[at] + name[at - 1] + name[at + 1 :] if at > 1 else name,
            name[:at] + name[at + 1 :],
            name[:at] + name[at] + name[at:],
            name[:at] + NEIGHBOURS.get(name[at], name[at]) + name[at + 1 :],
        ]
        chance.shuffle(ways)
        for way in ways:
            if _is_free(way, name, known):
                return way
    return None


def renamed(name: str, known: Collection[str], chance: random.Random) -> str | None:
    """A word left out, abbreviated, made plural or singular, or one more; None if each is a known name."""
    words = [word for word in name.split("_") if word]
    ways = ["_".join(words[:at] + words[at + 1 :]) for at in range(len(words)) if len(words) > 1]
    ways += [name.removesuffix("s") if name.endswith("s") else f"{name}s", f"new_{name}", f"{name}_value"]
    ways += [name[:3]] if len(name) > 5 else []
    chance.shuffle(ways)
    return next((way for way in ways if _is_free(way, name, known)), None)


def _is_free(way: str, name: str, known: Collection[str]) -> bool:
    return way != name and way.isidentifier() and not keyword.iskeyword(way) and way not in known
