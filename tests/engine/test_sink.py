"""From decoded tokens to text: whole characters only, pieces that join to the text, stop as soon as known."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.api import Shape, StopRules, TextPiece, TokenScore
from engine.model_folder import BUILTIN_FOLDER
from engine.runtime.sink import TextSink
from engine.stopping import Stopper
from engine.tokens import Tokenizer
from engine_checkpoints import HOLE, make_tokenizer


@pytest.fixture(scope="module", params=["builtin", "deepseek"])
def tokenizer(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    folder: Path = BUILTIN_FOLDER
    if request.param == "deepseek":
        folder = make_tokenizer(tmp_path_factory.mktemp("tokenizer"))
    return Tokenizer.from_folder(folder)


def run(tokenizer: Tokenizer, ids: list[int], stopper: Stopper) -> tuple[TextSink, list[str], int]:
    """The sink, what it told, and how many tokens it took until it stopped."""
    told: list[str] = []
    sink = TextSink(tokenizer, stopper, lambda piece: told.append(piece.text))
    for num, token_id in enumerate(ids, start=1):
        if sink(token_id, -1.0):
            return sink, told, num
    return sink, told, len(ids)


texts = st.lists(
    st.sampled_from(["😋", "👩‍👩‍👧", "ü", "日本", "x = 1", "\n", "    ", "é", "\r\n", "return "]), max_size=12
).map("".join)


@given(text=texts)
def test_each_token_on_its_own_gives_the_text_that_all_give_at_once(tokenizer: Tokenizer, text: str) -> None:
    sink, told, _ = run(tokenizer, tokenizer.encode(text), Stopper())

    assert sink.text == "".join(told) == text


@given(text=texts)
def test_what_is_told_is_never_part_of_a_character(tokenizer: Tokenizer, text: str) -> None:
    _, told, _ = run(tokenizer, tokenizer.encode(text), Stopper())

    assert not any("\ufffd" in piece for piece in told)
    assert all(told)


def test_a_character_that_is_never_finished_is_left_out(tokenizer: Tokenizer) -> None:
    ids = tokenizer.encode("a😋")

    sink, _, _ = run(tokenizer, ids[:-1], Stopper())

    assert sink.text == "a"


def test_bytes_that_become_no_character_do_not_hold_up_what_follows(tokenizer: Tokenizer) -> None:
    ids = [*tokenizer.encode("😋")[:-1], *tokenizer.encode("ok")]

    sink, told, _ = run(tokenizer, ids, Stopper())

    assert sink.text == "".join(told)
    assert sink.text.endswith("ok")


def test_a_mark_adds_no_text(tokenizer: Tokenizer) -> None:
    x = tokenizer.encode("x")

    assert run(tokenizer, [*x, tokenizer.mark_id(HOLE), *x], Stopper())[0].text == "xx"


def test_it_stops_with_the_token_that_completes_the_line(tokenizer: Tokenizer) -> None:
    ids = tokenizer.encode("return 1") + tokenizer.encode("\n") + tokenizer.encode("x")

    sink, told, num = run(tokenizer, ids, Stopper(StopRules(Shape.LINE)))

    assert num == len(ids) - 1
    assert sink.text == "".join(told) == "return 1"


def test_what_may_be_taken_back_is_not_told_before_the_end(tokenizer: Tokenizer) -> None:
    sink, told, _ = run(tokenizer, tokenizer.encode("a <en"), Stopper(None, ["<end>"]))

    assert "".join(told) == "a "
    assert sink.text == "a <en"


# Scores


@given(text=texts)
def test_a_score_begins_where_its_token_does(tokenizer: Tokenizer, text: str) -> None:
    """The oracle decodes each beginning of the ids anew."""
    ids = tokenizer.encode(text)
    sink = TextSink(tokenizer, Stopper())
    starts, whole = [], ""
    for num, token_id in enumerate(ids):
        starts.append(len(whole))
        sink(token_id, -0.5 * num)
        so_far = tokenizer.decode(ids[: num + 1])
        whole = whole if so_far.endswith("\ufffd") else so_far

    assert sink.scores == tuple(TokenScore(start, -0.5 * num) for num, start in enumerate(starts))


def test_tokens_behind_the_end_of_the_text_have_no_score(tokenizer: Tokenizer) -> None:
    ids = tokenizer.encode("x") + tokenizer.encode("\n")

    sink, _, _ = run(tokenizer, ids, Stopper(StopRules(Shape.LINE)))

    assert (sink.text, sink.scores) == ("x", (TokenScore(0, -1.0),))


# Healing


@given(text=texts, size=st.integers(0, 12))
def test_what_is_healed_is_never_told_and_the_rest_scores_as_it_would_without(
    tokenizer: Tokenizer, text: str, size: int
) -> None:
    """The oracle finds each token's first character by decoding every beginning of the ids anew."""
    heal, rest = text[:size], text[size:]
    ids = tokenizer.encode(text)
    told: list[TextPiece] = []
    sink = TextSink(tokenizer, Stopper(), told.append, heal)
    expected, num_inside = [], 0
    for num, token_id in enumerate(ids):
        sink(token_id, -0.5 * num)
        begun = tokenizer.decode(ids[:num]).rstrip("\ufffd")
        touched = tokenizer.decode(ids[: num + 1])
        num_touched = len(touched.rstrip("\ufffd")) + touched.endswith("\ufffd")
        if heal and num_touched <= len(heal):
            num_inside += 1
        else:
            expected.append(TokenScore(max(0, len(begun) - len(heal)), -0.5 * num))

    assert sink.text == "".join(piece.text for piece in told) == rest
    assert sink.scores == tuple(expected)
    assert [score for piece in told for score in piece.scores] == expected
    if expected:
        assert sink.mean_logprob == pytest.approx(sum(each.logprob for each in expected) / len(expected))
    if rest.strip() and "\n" in rest.lstrip():
        assert sink.first_line_tokens is not None
        assert num_inside < sink.first_line_tokens <= len(ids)


def test_an_answer_that_was_cut_inside_what_is_healed_says_nothing(tokenizer: Tokenizer) -> None:
    told: list[TextPiece] = []
    sink = TextSink(tokenizer, Stopper(), told.append, "return value")
    for token_id in tokenizer.encode("return"):
        sink(token_id, -1.0)

    assert (sink.text, sink.scores, sink.end_logprob, sink.mean_logprob, told) == ("", (), None, None, [])


def test_stop_rules_see_nothing_of_what_is_healed(tokenizer: Tokenizer) -> None:
    """A line end in it does not end the line that is asked for."""
    sink = TextSink(tokenizer, Stopper(StopRules(Shape.LINE)), heal="\n    ")

    stopped = [sink(token_id, -1.0) for token_id in tokenizer.encode("\n    return\n")]

    assert sink.text == "return"
    assert stopped.index(True) == len(stopped) - 1
    assert sink.first_line_tokens is None


def test_a_token_across_the_end_belongs_to_what_comes_first_behind_it(tokenizer: Tokenizer) -> None:
    (token_id,) = tokenizer.encode(" def")

    sink = TextSink(tokenizer, Stopper(), heal=" d")
    sink(token_id, -0.25)

    assert (sink.text, sink.scores) == ("ef", (TokenScore(0, -0.25),))
