"""syntax: holes cut into code that people wrote. The text that stood in a hole is the oracle.

It adds no error, and it closes only brackets that the place allows.
"""

from __future__ import annotations

import configparser
import dataclasses
import inspect
import json.decoder
import random
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from context.grammars import parser_of
from context.languages import Language, language_of
from context.syntax import SyntaxTrees

CLOSER = {"(": ")", "[": "]", "{": "}", "${": "}"}
GOLDEN = Path(__file__).parent.parent / "golden" / "context"
NUM_HOLES = 200
"""In each file."""
MAX_WRONG = 0.005
"""Of all holes."""


class Source(NamedTuple):
    """A file, and its bracket tokens by offset."""

    language: Language
    text: str
    brackets: list[tuple[int, str]]


def source(path: str, text: str) -> Source:
    language = language_of(path)
    assert language is not None
    assert language.grammar is not None
    root = parser_of(language.grammar).parse(text.encode()).root_node
    assert not root.has_error
    brackets = []
    stack = [root]
    while stack:
        node = stack.pop()
        if not node.child_count and node.type in (*CLOSER, *CLOSER.values()):
            brackets.append((len(text.encode()[: node.start_byte].decode()), node.type))
        stack += reversed(node.children)
    return Source(language, text, brackets)


def python_sources() -> list[Source]:
    modules = (configparser, dataclasses, json.decoder, textwrap)
    return [source("a.py", inspect.getsource(module)) for module in modules]


def script_sources() -> list[Source]:
    """Laid one after another by language, as each of them is short."""
    texts: dict[str, str] = {}
    for file in sorted(GOLDEN.glob("*/*.*")):
        if file.suffix in (".js", ".ts", ".tsx") and file.stem != "broken":
            texts[file.suffix] = texts.get(file.suffix, "") + file.read_text("utf-8")
    return [source(f"a{suffix}", text) for suffix, text in texts.items()]


SOURCES = {"python": python_sources, "scripts": script_sources}


def indent_of(line: str) -> int:
    return len(line) - len(line.lstrip())


def holes(text: str, chance: random.Random) -> Iterator[tuple[int, int]]:
    """The rest of a line, a line, and a few lines with all that is deeper than the first."""
    lines = text.splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    code = [number for number, line in enumerate(lines) if line.strip()]
    while True:
        first = last = chance.choice(code)
        line, start = lines[first].rstrip(), starts[first]
        yield start + chance.randint(indent_of(line), len(line) - 1), start + len(line)
        yield start + indent_of(line), start + len(line)
        last += chance.randint(0, 3)
        while last + 1 < len(lines) and indent_of(lines[last + 1]) > indent_of(line):
            last += 1
        last = max(number for number in code if number <= last)
        yield start + indent_of(line), starts[last] + len(lines[last].rstrip())


def some_holes(kind: str) -> Iterator[tuple[Source, int, int]]:
    chance = random.Random(5)
    for file in SOURCES[kind]():
        cut = holes(file.text, chance)
        for _ in range(NUM_HOLES):
            yield file, *next(cut)


@pytest.mark.parametrize("kind", SOURCES)
def test_the_text_that_stood_there_breaks_nothing(kind: str) -> None:
    trees: Any = SyntaxTrees()
    wrong = [
        file.text[start:end]
        for file, start, end in some_holes(kind)
        if trees.breaks(
            "a", file.language, file.text[:start] + file.text[end:], start, start, file.text[start:end]
        )
    ]

    assert len(wrong) <= MAX_WRONG * NUM_HOLES * len(SOURCES[kind]()), wrong


@pytest.mark.parametrize("kind", SOURCES)
def test_a_stray_bracket_in_a_sound_file_is_seen(kind: str) -> None:
    """It leaves the one that was there without its partner."""
    chance = random.Random(6)
    trees = SyntaxTrees()
    for file in SOURCES[kind]():
        places = [start + 1 for start, token in file.brackets if token == "("]
        for start in chance.sample(places, min(30, len(places))):
            assert trees.breaks("a", file.language, file.text, start, start, ")"), file.text[:start][-80:]


@pytest.mark.parametrize("kind", SOURCES)
def test_the_text_that_stood_there_closes_what_the_place_allows(kind: str) -> None:
    """A text that closes an outer bracket and opens another in its stead is the one exception."""
    trees = SyntaxTrees()
    wrong = []
    num_closing = 0
    for file, start, end in some_holes(kind):
        place = trees.place("a", file.language, file.text[:start] + file.text[end:], start)
        closed, opened = unpaired(token for at, token in file.brackets if start <= at < end)
        num_closing += bool(closed)
        assert place is not None
        if place.closers is not None and not opened and not place.closers.startswith(closed):
            wrong.append((file.text[start:end], place.closers))

    assert num_closing > 20
    assert len(wrong) <= MAX_WRONG * NUM_HOLES * len(SOURCES[kind]()), wrong


@pytest.mark.parametrize("kind", SOURCES)
def test_a_file_that_ends_in_its_middle_lacks_what_is_open(kind: str) -> None:
    chance = random.Random(7)
    trees = SyntaxTrees()
    num_told = 0
    for file in SOURCES[kind]():
        for _ in range(150):
            end = chance.randrange(len(file.text))
            place = trees.place("a", file.language, file.text[:end], end)
            _, opened = unpaired(token for at, token in file.brackets if at < end)
            assert place is not None
            if place.closers is not None:
                num_told += 1
                assert place.closers == opened[::-1], file.text[max(0, end - 80) : end]

    assert num_told > 150


def unpaired(tokens: Iterator[str]) -> tuple[str, str]:
    """By plain counting: what is closed that was not opened, and what would close what is left open."""
    closed, stack = "", []
    for token in tokens:
        if token in CLOSER:
            stack.append(CLOSER[token])
        elif stack:
            stack.pop()
        else:
            closed += token
    return closed, "".join(stack)
