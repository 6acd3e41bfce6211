"""Several distinct answers from one prefill, over HTTP, of the built-in model."""

from __future__ import annotations

import json
from dataclasses import replace

import httpx2
import pytest
import torch
from service_talk import PREFIX, SUFFIX, post, prompt_ids

from engine.api import CompletionRequest, FinishReason, Shape, StopRules, TextPiece
from engine.client import EngineClient
from engine.runtime import reference
from engine.runtime.resident import ResidentModel
from engine.runtime.sink import AlternativeTexts, TextSink
from engine.stopping import Stopper
from engine_http import evict_all

PREFIXES = [PREFIX, "def add(a, b):\n    return ", "for name in names:\n    ", "x = "]


def line(resident: ResidentModel, prefix: str, num_answers: int, max_tokens: int = 24) -> CompletionRequest:
    rules = StopRules(Shape.LINE, line_prefix=prefix.rsplit("\n", 1)[-1])
    ids = tuple(prompt_ids(resident, prefix, SUFFIX))
    return CompletionRequest(ids, max_tokens, stop_rules=rules, num_answers=num_answers)


@pytest.mark.parametrize("prefix", PREFIXES)
async def test_alternatives_are_distinct_and_say_something(
    client: EngineClient, resident: ResidentModel, prefix: str
) -> None:
    completion = await client.complete(line(resident, prefix, 4))

    texts = [completion.text, *(other.text for other in completion.alternatives)]
    assert len(texts) == 4
    assert len({text.strip() for text in texts}) == 4
    for other in completion.alternatives:
        assert other.text.strip()
        assert other.alternatives == ()
        assert other.scores[0].start == 0
        assert other.mean_logprob is not None
        assert other.finish_reason in (FinishReason.STOP, FinishReason.EOS, FinishReason.BUDGET)


@pytest.mark.parametrize("prefix", PREFIXES)
async def test_the_alternatives_are_the_oracles(
    client: EngineClient, resident: ResidentModel, prefix: str
) -> None:
    """The oracle forces each deviating token, the likeliest first, and decodes from scratch behind it."""
    request = line(resident, prefix, 4, max_tokens=10)

    completion = await client.complete(request)

    texts = [completion.text, *(other.text for other in completion.alternatives)]
    assert texts == oracle(resident, request)


def oracle(resident: ResidentModel, request: CompletionRequest) -> list[str]:
    """Texts of all answers, with neither slots nor streams."""
    assert resident.worker is not None
    loaded, max_tokens = resident.worker.loaded, request.max_tokens
    forbidden = set(resident.worker.lane.decoder.chooser._banned.tolist())

    def answer(begun: list[int]) -> list[int]:
        ids = [*request.prompt_ids, *begun]
        return begun + reference.generate(loaded, ids, max_tokens - len(begun), forbidden=forbidden)

    first = answer([])
    rows = reference.logits(loaded, [*request.prompt_ids, *first]).clone()[len(request.prompt_ids) - 1 :]
    rows[:, sorted(forbidden)] = -torch.inf
    rows = rows.log_softmax(-1)
    ranked, kept_logprob = [], 0.0
    for num_kept, row in enumerate(rows[:max_tokens]):
        taken = {*first[num_kept : num_kept + 1], *loaded.eos_ids}
        others = [token_id for token_id in row.argsort(descending=True).tolist() if token_id not in taken][:3]
        ranked += [(kept_logprob + row[each].item(), [*first[:num_kept], each]) for each in others]
        if num_kept == len(first) or "\n" in text_of(resident, request, first[: num_kept + 1], is_cut=False):
            break
        kept_logprob += row[first[num_kept]].item()
    texts = [text_of(resident, request, first)]
    for _, begun in sorted(ranked, key=lambda pair: -pair[0]):
        text = text_of(resident, request, answer(begun))
        if text.strip() not in {"", *(known.strip() for known in texts)}:
            texts.append(text)
        if len(texts) == request.num_answers:
            break
    return texts


def text_of(
    resident: ResidentModel, request: CompletionRequest, ids: list[int], *, is_cut: bool = True
) -> str:
    assert resident.tokenizer is not None
    stopper = Stopper(request.stop_rules if is_cut else None)
    stopper.feed(resident.tokenizer.decode(ids))
    return stopper.text


async def test_the_prompt_is_prefilled_once_however_many_answers_are_wanted(
    client: EngineClient, resident: ResidentModel
) -> None:
    prefilled, texts = [], []
    for num_answers in (1, 2, 4):
        evict_all(resident)
        completion = await client.complete(line(resident, PREFIX, num_answers))
        prefilled.append(completion.timings.prefilled_tokens)
        texts.append([completion.text, *(other.text for other in completion.alternatives)])

    assert prefilled == [len(line(resident, PREFIX, 1).prompt_ids)] * 3
    assert [len(some) for some in texts] == [1, 2, 4]
    assert texts[0] + texts[1][1:] + texts[2][2:] == texts[2], "asking for more changes none of the others"


async def test_the_next_prompt_finds_the_slot_as_after_one_answer(
    client: EngineClient, resident: ResidentModel
) -> None:
    request, reused, texts = line(resident, PREFIX, 1), [], []
    for num_answers in (1, 4):
        evict_all(resident)
        await client.complete(replace(request, num_answers=num_answers))
        longer = replace(request, prompt_ids=(*request.prompt_ids, 5, 6))
        completion = await client.complete(longer)
        reused.append(completion.timings.reused_tokens)
        texts.append(completion.text)

    assert reused == [len(request.prompt_ids)] * 2
    assert texts[0] == texts[1]


async def test_choices_have_openais_shape(http: httpx2.AsyncClient, resident: ResidentModel) -> None:
    answer = await post(http, prompt=prompt_ids(resident), n=3, max_tokens=5)

    assert [choice["index"] for choice in answer["choices"]] == [0, 1, 2]
    assert len({choice["text"] for choice in answer["choices"]}) == 3
    assert all(choice["finish_reason"] in ("length", "stop") for choice in answer["choices"])
    figures = answer["ghostfill"]["alternatives"]
    assert [sorted(each) for each in figures] == [
        ["end_logprob", "finish_reason", "mean_logprob", "scores"]
    ] * 2
    assert json.loads(json.dumps(figures)) == figures


async def test_of_several_answers_the_first_is_told_when_all_are_there(
    client: EngineClient, resident: ResidentModel
) -> None:
    told: list[TextPiece] = []

    completion = await client.complete(line(resident, PREFIX, 3), told.append)

    assert told == [TextPiece(completion.text, completion.scores)]
    assert len(completion.alternatives) == 2


# What counts as one more text


def texts_kept(resident: ResidentModel, first: str, *others: str) -> list[str]:
    tokenizer = resident.tokenizer
    assert tokenizer is not None

    def sink_of(text: str, sink: TextSink) -> TextSink:
        for token_id in tokenizer.encode(text):
            sink(token_id, -1.0)
        return sink

    alternatives = AlternativeTexts(
        sink_of(first, TextSink(tokenizer, Stopper())), lambda: TextSink(tokenizer, Stopper()), len(others)
    )
    for text in others:
        sink_of(text, alternatives.begin())
        alternatives.keep(FinishReason.EOS)
    assert alternatives.num_wanted == len(others) - len(alternatives.completions)
    return [completion.text for completion in alternatives.completions]


def test_only_a_text_that_differs_in_more_than_white_space_around_it_counts(resident: ResidentModel) -> None:
    assert texts_kept(resident, "a", " a", "b ", "", "\n ", "b", "a b", "a") == ["b ", "a b"]


@pytest.mark.parametrize(
    ("text", "in_line"),
    [("x\ny", "x\n"), ("\n    x\ny", "\n    x\n"), ("x", None), ("\n\n", None), ("", None)],
)
def test_the_first_line_is_the_first_that_says_something(
    resident: ResidentModel, text: str, in_line: str | None
) -> None:
    tokenizer = resident.tokenizer
    assert tokenizer is not None
    sink = TextSink(tokenizer, Stopper())
    for token_id in tokenizer.encode(text):
        sink(token_id, -1.0)

    expected = None if in_line is None else len(tokenizer.encode(in_line))
    assert sink.first_line_tokens == expected
