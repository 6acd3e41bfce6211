"""Prefix and suffix windows: what of a long document is seen, and how seldom that changes with typing."""

from __future__ import annotations

import ast
import itertools
import statistics
from pathlib import Path

import pytest

from engine.api import Segment
from engine.fim import FORMATS
from engine.layout import Budget, Layout, Prompt
from engine.model_folder import BUILTIN_FOLDER
from engine.tokens import Tokenizer

REAL_FILE = Path(ast.__file__).read_text(encoding="utf-8")
KEYS = 120


@pytest.fixture(scope="module")
def builtin_tokenizer() -> Tokenizer:
    return Tokenizer.from_folder(BUILTIN_FOLDER)


@pytest.fixture(scope="module")
def builtin(builtin_tokenizer: Tokenizer) -> Layout:
    return Layout(builtin_tokenizer, FORMATS["builtin"])


def prefix_text(layout: Layout, prompt: Prompt) -> str:
    """What the model has of the text before the cursor, SPM: everything behind the end mark, and to heal."""
    end = prompt.ids.index(layout.tokenizer.mark_id(layout.fim.end))
    return layout.tokenizer.decode(prompt.ids[end + 1 :]) + prompt.heal


@pytest.mark.parametrize("budget_tokens", [300, 1536])
def test_the_prefix_window_is_the_end_of_the_prefix_from_a_line_start_on(
    builtin: Layout, budget_tokens: int
) -> None:
    budget = Budget(context=0, prefix=budget_tokens, suffix=10, answer=1)

    for size in range(20000, 20600, 7):
        prefix = REAL_FILE[:size]
        window = prefix_text(builtin, builtin.prompt([], None, prefix, "", budget))

        assert prefix.endswith(window)
        assert prefix[: len(prefix) - len(window)].endswith("\n")
        assert builtin.tokenizer.count(window) > budget_tokens // 3, "a window uses what it may"


@pytest.mark.parametrize("text", [REAL_FILE, REAL_FILE.replace("\n", "\r\n"), REAL_FILE.replace("\n", " ")])
def test_the_window_keeps_the_end_whatever_the_line_ends(builtin: Layout, text: str) -> None:
    budget = Budget(context=0, prefix=200, suffix=10, answer=1)

    window = prefix_text(builtin, builtin.prompt([], None, text, "", budget))

    assert len(window) > 200
    assert text.endswith(window)


@pytest.mark.parametrize(
    "suffix", [REAL_FILE[5000:], REAL_FILE[5000:].replace("\n", "\r\n"), "x = 1\n" * 9000]
)
def test_the_suffix_window_is_the_start_of_the_suffix_up_to_a_line_end(builtin: Layout, suffix: str) -> None:
    prompt = builtin.prompt([], None, "", suffix, Budget(0, 10, 200, 1))

    window = builtin.tokenizer.decode(prompt.ids)

    assert suffix.startswith(window)
    assert window.endswith("\n")
    assert prompt.suffix_tokens > 150


def test_a_suffix_of_one_huge_line_is_cut_inside(builtin: Layout) -> None:
    suffix = "word " * 9000

    window = builtin.tokenizer.decode(builtin.prompt([], None, "", suffix, Budget(0, 10, 200, 1)).ids)

    assert suffix.startswith(window)
    assert len(window) > 400


def test_a_cut_suffix_ends_in_no_half_character(builtin: Layout) -> None:
    for budget_tokens in range(1, 40):
        prompt = builtin.prompt([], None, "", "😋" * 50, Budget(0, 10, budget_tokens, 1))

        assert "\ufffd" not in builtin.tokenizer.decode(prompt.ids)


# Stability


def common(old: Prompt, new: Prompt) -> int:
    """How many tokens of `new` the cache has if it holds `old`."""
    pairs = zip(old.ids, new.ids, strict=False)
    return next((n for n, (a, b) in enumerate(pairs) if a != b), min(len(old.ids), len(new.ids)))


def test_a_typed_character_changes_few_tokens_at_the_end(
    builtin: Layout, record_property: pytest.RecordProperty
) -> None:
    """Typing within a real file, several thousand characters in: what is new to the cache, key by key."""
    at, budget = 20000, Budget.split(4096, 128, builtin.fim)
    segments = [Segment("a.py", REAL_FILE[:1500], "definition", "test")]
    old = builtin.prompt(segments, "ast.py", REAL_FILE[:at], REAL_FILE[at:], budget)
    changed: list[int] = []
    for key in range(1, KEYS + 1):
        new = builtin.prompt(segments, "ast.py", REAL_FILE[: at + key], REAL_FILE[at:], budget)
        changed.append(len(new.ids) - common(old, new))
        old = new

    record_property("median tokens changed by a key", statistics.median(changed))
    record_property("most tokens changed by a key", max(changed))
    assert statistics.median(changed) <= 2
    assert max(changed) <= 6, "the window did not move"


def test_the_window_moves_seldom_while_lines_are_appended(builtin: Layout) -> None:
    """Once for about a quarter of the budget; else the cache would hold nothing of use, line by line."""
    lines, budget = REAL_FILE.splitlines(keepends=True), Budget(0, 1536, 10, 1)
    start_tokens, moves, tokens = None, 0, 0
    for num in range(300, 700):
        prefix = "".join(lines[:num])
        prompt = builtin.prompt([], None, prefix, "", budget)
        start = len(prefix) - len(prefix_text(builtin, prompt))
        moves += start_tokens is not None and start != start_tokens
        start_tokens = start
        tokens += builtin.tokenizer.count(lines[num])

    assert moves <= 1.3 * tokens / (1536 / 4)


@pytest.mark.parametrize("text", ["0.4821, " * 4000, "😋🎉" * 4000, "漢字仮名" * 2000])
def test_the_window_moves_seldom_in_text_of_many_tokens_too(builtin: Layout, text: str) -> None:
    """No line ends and more tokens than characters: still in steps of a quarter of the budget."""
    budget = Budget(context=0, prefix=400, suffix=10, answer=1)
    prompts = [builtin.prompt([], None, text[: 7000 + key], "", budget) for key in range(120)]

    kept = [common(old, new) for old, new in itertools.pairwise(prompts)]

    tokens = builtin.tokenizer.count(text[7000:7120])
    assert sum(size < 100 for size in kept) <= tokens / (400 / 4) + 1
    assert min(prompt.prefix_tokens for prompt in prompts) >= 200


def test_a_huge_file_is_laid_out_from_its_end_alone(builtin: Layout) -> None:
    """5 MB before and behind the cursor: the same prompt as for the parts near it."""
    budget = Budget.split(4096, 128, builtin.fim)
    near = builtin.prompt([], "a.py", "y = 1\n" * 40_000, "z = 1\n" * 9_000, budget)

    far = builtin.prompt([], "a.py", "y = 1\n" * 900_000, "z = 1\n" * 900_000, budget)

    assert far.suffix_tokens == near.suffix_tokens
    assert abs(far.prefix_tokens - near.prefix_tokens) <= budget.prefix // 3
    assert len(far.ids) > 1500
