"""Token healing: an answer begins with what was typed, whatever the model and its vocabulary are like."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.api import FinishReason
from engine.errors import ModelError
from engine.model_folder import BUILTIN_FOLDER
from engine.runtime.decode import Decoder, Step
from engine.runtime.draft import Drafter
from engine.runtime.healing import Healer
from engine.runtime.model import LoadedModel
from engine.tokens import Tokenizer
from engine_jobs import prompt

CPU = torch.device("cpu")
NUM_MARKS = 4
BANNED = [*range(NUM_MARKS)]
"""The model's end of sequence is one of them, and is never banned."""
PIECES = [
    "def",
    " def",
    "de",
    "self",
    "self.",
    ".",
    "  ",
    "    ",
    "\n",
    "\n    ",
    "😋",
    "👩‍👩‍👧",
    "é",
    "日本",
]
heals = st.lists(st.sampled_from([*PIECES, "f", "s", "x_1", "\ufffd", "\x00"]), min_size=1, max_size=4).map(
    "".join
)


def odd_vocabulary(seed: int) -> list[bytes]:
    """320 ids: marks, every byte once, and pieces of text cut anywhere, some of them twice."""
    chance = random.Random(seed)
    text = "".join(chance.choices(PIECES, k=60)).encode()
    found = [b""] * NUM_MARKS + [bytes([byte]) for byte in range(256)]
    while len(found) < 310:
        start = chance.randrange(len(text))
        found.append(text[start : start + chance.randrange(1, 9)])
    found += found[300:304]
    rest = found[NUM_MARKS:]
    chance.shuffle(rest)
    return [*found[:NUM_MARKS], *rest, *[b""] * (320 - len(found))]


VOCABULARIES = [odd_vocabulary(seed) for seed in range(4)]


def go_on() -> None:
    """A poll that never ends anything."""


def heal_with(
    loaded: LoadedModel,
    vocabulary: list[bytes],
    ids: list[int],
    heal: bytes,
    *,
    max_tokens: int = 8,
    drafter: Drafter | None = None,
    num_runners_up: int = 0,
) -> tuple[list[Step], Decoder]:
    decoder, slot = Decoder(loaded, banned_ids=BANNED, token_bytes=vocabulary), loaded.new_slot()
    logits = decoder.prefill(slot, ids, go_on)
    decoding = decoder.decode(
        slot,
        logits,
        max_tokens=max_tokens,
        poll=go_on,
        heal=heal,
        drafter=drafter,
        num_runners_up=num_runners_up,
    )
    return list(decoding), decoder


def ids_of(steps: list[Step]) -> list[int]:
    return [step.token_id for step in steps]


def text_of(vocabulary: list[bytes], steps: list[Step]) -> bytes:
    return b"".join(vocabulary[step.token_id] for step in steps)


# Which ids may come


@pytest.mark.parametrize("vocabulary", VOCABULARIES)
@given(heal=heals, start=st.integers(0, 12))
def test_what_may_come_begins_what_is_left_or_begins_with_it(
    vocabulary: list[bytes], heal: str, start: int
) -> None:
    left = heal.encode()[start:]
    if not left:
        return
    allowed = Healer(vocabulary, [5, 6], CPU).allowed(left).tolist()

    assert sorted(allowed) == [
        i
        for i, text in enumerate(vocabulary)
        if text and i not in (5, 6) and (text.startswith(left) or left.startswith(text))
    ]


@pytest.mark.parametrize("vocabulary", VOCABULARIES)
@given(heal=heals)
def test_a_spelling_spells_it(vocabulary: list[bytes], heal: str) -> None:
    healer = Healer(vocabulary, [], CPU)

    ids = healer.spelling(heal.encode())

    assert b"".join(vocabulary[i] for i in ids) == heal.encode()
    assert healer.after(heal.encode(), ids) == (b"", len(ids))


def test_the_only_token_there_is_belongs_to_a_spelling_though_it_goes_further() -> None:
    healer = Healer([b"", b"retur", b"return x", b"ret"], [3], CPU)

    assert healer.spelling(b"return") == [1]
    assert healer.spelling(b"return x"[:3]) == []
    assert Healer([b"", b"return x"], [], CPU).spelling(b"ret") == [1]


def test_tokens_inside_and_across_the_end_are_told_apart() -> None:
    healer = Healer([b"", b"ab", b"cd"], [], CPU)

    assert healer.after(b"abc", [1]) == (b"c", 1)
    assert healer.after(b"abc", [1, 2]) == (b"", 1)
    assert healer.after(b"abcd", [1, 2, 2]) == (b"", 2)


# What is decoded


@pytest.mark.parametrize("vocabulary", VOCABULARIES)
@settings(max_examples=20, deadline=None)
@given(heal=heals, seed=st.integers(0, 5))
def test_an_answer_never_contradicts_what_was_typed(
    small: LoadedModel, vocabulary: list[bytes], heal: str, seed: int
) -> None:
    typed = heal.encode()

    steps, decoder = heal_with(small, vocabulary, prompt(seed), typed)

    answer = text_of(vocabulary, steps)
    assert answer.startswith(typed)
    _, num_inside = decoder.chooser.healer.after(typed, ids_of(steps))
    assert num_inside <= len(steps) <= num_inside + 8


@pytest.mark.parametrize("vocabulary", VOCABULARIES)
@settings(max_examples=15, deadline=None)
@given(heal=heals, seed=st.integers(0, 5))
def test_it_is_greedy_among_what_may_come(
    small: LoadedModel, vocabulary: list[bytes], heal: str, seed: int
) -> None:
    """The oracle looks at every id of every step, one pass each."""
    left, ids = heal.encode(), prompt(seed)
    steps, _ = heal_with(small, vocabulary, ids, left, num_runners_up=2)

    decoder, slot = Decoder(small), small.new_slot()
    row = decoder.prefill(slot, ids, go_on)
    for step in steps:
        allowed = [
            i
            for i, text in enumerate(vocabulary)
            if (i not in BANNED or i in small.eos_ids)
            and (not left or (text and (text.startswith(left) or left.startswith(text))))
        ]
        logprobs = row[allowed].log_softmax(-1)
        assert step.token_id == allowed[int(logprobs.argmax())]
        assert step.logprob == pytest.approx(logprobs.max().item(), abs=1e-4)
        assert all(len(vocabulary[other.token_id]) >= len(left) for other in step.runners_up)
        assert all(other.token_id in allowed for other in step.runners_up)
        left = left[len(vocabulary[step.token_id]) :]
        row = decoder.extend(slot, [step.token_id])


@pytest.mark.parametrize("vocabulary", VOCABULARIES)
@pytest.mark.parametrize("seed", range(6))
def test_where_greedy_says_what_was_typed_anyway_healing_changes_nothing(
    small: LoadedModel, vocabulary: list[bytes], seed: int
) -> None:
    """Each beginning of what the model would say from the rolled-back prompt, as if it had been typed."""
    loaded, ids = replace(small, eos_ids=frozenset()), prompt(seed)
    plain, _ = heal_with(loaded, vocabulary, ids, b"")
    text = text_of(vocabulary, plain)
    for size in range(1, len(text) + 1):
        healed, _ = heal_with(loaded, vocabulary, ids, text[:size])

        assert text_of(vocabulary, healed).startswith(text[:size])
        assert ids_of(healed)[: len(plain)] == ids_of(plain)


@pytest.mark.parametrize("vocabulary", VOCABULARIES)
@pytest.mark.parametrize("seed", range(4))
def test_drafts_change_nothing_under_healing(small: LoadedModel, vocabulary: list[bytes], seed: int) -> None:
    """Right ones and wrong ones, which hold what is healed too; the oracle drafts not even a spelling."""
    chance, ids = random.Random(seed), prompt(seed)
    heal = "".join(chance.choices(PIECES, k=3)).encode()
    decoder, slot = Decoder(small, banned_ids=BANNED, token_bytes=vocabulary), small.new_slot()
    decoder.draft_length.choose = lambda draft: 0  # type: ignore[method-assign]
    logits = decoder.prefill(slot, ids, go_on)
    plain = [*decoder.decode(slot, logits, max_tokens=8, poll=go_on, heal=heal)]

    right = ids_of(plain)
    wrong = [chance.randrange(320) if chance.random() < 0.4 else i for i in right]
    for draft in (right, wrong, [0, 0, 1]):
        steps, _ = heal_with(small, vocabulary, ids, heal, drafter=Drafter(ids, [draft]))

        assert ids_of(steps) == right
        assert [step.logprob for step in steps] == pytest.approx([step.logprob for step in plain], abs=1e-4)


def test_a_spelling_that_the_model_agrees_with_takes_no_pass_of_its_own(small: LoadedModel) -> None:
    """Only single bytes: every step of the typed text is forced."""
    vocabulary = [b""] * NUM_MARKS + [bytes([byte]) for byte in range(256)]
    vocabulary += [b""] * (320 - len(vocabulary))

    steps, decoder = heal_with(small, vocabulary, prompt(0), b"return", max_tokens=1)

    assert text_of(vocabulary, steps).startswith(b"return")
    assert len(steps) == 7
    assert decoder.counters.decode_steps == 1
    assert [step.logprob for step in steps[:6]] == [0.0] * 6


def test_the_end_of_sequence_waits_for_what_was_typed(small: LoadedModel) -> None:
    vocabulary, ids = VOCABULARIES[0], prompt(1)
    (wanted,), _ = heal_with(small, vocabulary, ids, b"", max_tokens=1)
    loaded = replace(small, eos_ids=frozenset([wanted.token_id]))
    assert heal_with(loaded, vocabulary, ids, b"")[0] == []

    steps, _ = heal_with(loaded, vocabulary, ids, b"def ")

    assert text_of(vocabulary, steps).startswith(b"def ")


def test_only_tokens_beyond_what_was_typed_count(small: LoadedModel) -> None:
    loaded = replace(small, eos_ids=frozenset())
    for max_tokens in (1, 2, 5):
        steps, decoder = heal_with(loaded, VOCABULARIES[1], prompt(2), b"self.x_1", max_tokens=max_tokens)

        _, num_inside = decoder.chooser.healer.after(b"self.x_1", ids_of(steps))
        assert len(steps) == num_inside + max_tokens
        assert num_inside > 0


def test_what_was_interrupted_inside_the_typed_text_is_healed_on(small: LoadedModel) -> None:
    vocabulary, ids, heal = VOCABULARIES[2], prompt(3), "self.x_1é".encode()
    whole, _ = heal_with(small, vocabulary, ids, heal)
    for num_begun in range(1, len(whole)):
        begun = ids_of(whole)[:num_begun]
        decoder, slot = Decoder(small, banned_ids=BANNED, token_bytes=vocabulary), small.new_slot()
        logits = decoder.prefill(slot, [*ids, *begun], go_on)

        rest = decoder.decode(slot, logits, max_tokens=8, poll=go_on, heal=heal, begun=begun)

        assert [*begun, *ids_of(list(rest))] == ids_of(whole)


def test_a_vocabulary_that_cannot_spell_it_is_an_error_that_says_so(small: LoadedModel) -> None:
    letters = [b""] * NUM_MARKS + [b"a", b"b"] + [b""] * 314

    with pytest.raises(ModelError, match=r"cannot spell b'c'.*without healing"):
        heal_with(small, letters, prompt(0), b"abc")


def test_healing_without_the_tokens_bytes_is_an_error_that_says_so(small: LoadedModel) -> None:
    decoder, slot = Decoder(small), small.new_slot()
    logits = decoder.prefill(slot, prompt(0), go_on)

    with pytest.raises(ModelError, match="does not know its tokens' bytes"):
        list(decoder.decode(slot, logits, max_tokens=3, poll=go_on, heal=b"a"))


# The built-in model


@pytest.fixture(scope="module")
def builtin_tokenizer() -> Tokenizer:
    return Tokenizer.from_folder(BUILTIN_FOLDER)


@pytest.mark.parametrize(
    ("before", "typed", "after"),
    [
        ("def total(numbers):\n    result = 0\n    for number in numbers:\n        ", "resu", "lt"),
        ("import os\n\n\ndef read(path):\n    with ope", "", "n"),
        ("class A:\n    def __init__(self, size):\n        ", "self.si", "ze"),
        ("x = '😋'\ny = '", "😋", ""),
    ],
)
def test_the_builtin_model_goes_on_with_half_a_word(
    builtin: LoadedModel, builtin_tokenizer: Tokenizer, before: str, typed: str, after: str
) -> None:
    text = before + typed
    start = builtin_tokenizer.healing_start(text)
    heal = text[start:]
    decoder = Decoder(
        builtin,
        num_valid_ids=builtin_tokenizer.num_ids,
        banned_ids=builtin_tokenizer.known_mark_ids(),
        token_bytes=builtin_tokenizer.token_bytes(),
    )
    slot = builtin.new_slot()
    begin = builtin_tokenizer.mark_id("<｜begin▁of▁sentence｜>")
    logits = decoder.prefill(slot, [begin, *builtin_tokenizer.encode(text[:start])], go_on)

    decoding = decoder.decode(slot, logits, max_tokens=6, poll=go_on, heal=heal.encode())
    answer = builtin_tokenizer.decode(ids_of(list(decoding)))

    assert answer.startswith(heal + after)
    assert decoding.finish_reason in (FinishReason.BUDGET, FinishReason.EOS)
