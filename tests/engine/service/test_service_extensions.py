"""Beyond OpenAI's shape: reading ahead, healing, drafts; and what Prometheus reads."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx2
import pytest
from service_talk import SUFFIX, asgi, counters, events, post, prompt_ids, text_of

from engine.api import CompletionRequest, FinishReason, Priority
from engine.client import EngineClient
from engine.runtime.resident import EngineOptions, ResidentModel
from engine_http import Hold, evict_all

WARM = "".join(f"value_{n} = compute({n}, offset={n * 7})\n" for n in range(10))


# Reading ahead


@pytest.mark.parametrize("is_stream", [False, True], ids=["answer", "stream"])
async def test_a_request_for_no_tokens_reads_the_prompt_and_says_nothing(
    http: httpx2.AsyncClient, resident: ResidentModel, is_stream: bool
) -> None:
    evict_all(resident)
    ids = prompt_ids(resident, WARM)
    body: dict[str, Any] = {"prompt": ids, "max_tokens": 0, "ghostfill": {"priority": "ahead"}}
    before = await counters(http)

    answer = (await events(http, **body))[-1] if is_stream else await post(http, **body)

    after = await counters(http)
    assert (text_of(answer), answer["choices"][0]["finish_reason"]) == ("", "length")
    assert answer["ghostfill"]["finish_reason"] == "budget"
    assert answer["ghostfill"]["timings"]["prefilled_tokens"] == len(ids)
    assert after["decode_steps"] == before["decode_steps"]


async def test_what_follows_a_prompt_that_was_read_is_all_that_is_read(
    client: EngineClient, resident: ResidentModel
) -> None:
    assert resident.tokenizer is not None
    ids = tuple(resident.tokenizer.encode(WARM))
    typed = tuple(resident.tokenizer.encode("total = "))
    evict_all(resident)
    cold = await client.complete(CompletionRequest((*ids, *typed), 8))
    evict_all(resident)
    await client.complete(CompletionRequest(ids, 0, document="file:///a.py", priority=Priority.AHEAD))

    warm = await client.complete(CompletionRequest((*ids, *typed), 8, document="file:///a.py"))

    assert cold.timings.prefilled_tokens == len(ids) + len(typed)
    assert warm.timings.prefilled_tokens == len(typed)
    assert (warm.text, warm.finish_reason) == (cold.text, cold.finish_reason)


async def test_reading_what_is_read_already_computes_nothing_and_loses_nothing(
    client: EngineClient, http: httpx2.AsyncClient, resident: ResidentModel
) -> None:
    """What is said behind the prompt stays, too: it will be accepted."""
    ids = tuple(prompt_ids(resident, WARM))
    await client.complete(CompletionRequest(ids, 8))
    assert resident.worker is not None
    held = resident.worker.held()
    before = await counters(http)

    again = await client.complete(CompletionRequest(ids, 0, priority=Priority.AHEAD))

    assert again.timings.reused_tokens == len(ids)
    assert (await counters(http))["prefill_chunks"] == before["prefill_chunks"]
    assert resident.worker.held() == held


async def test_reading_ahead_is_interrupted_and_goes_on(
    client: EngineClient, resident: ResidentModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = tuple(prompt_ids(resident, WARM))
    evict_all(resident)
    with monkeypatch.context() as patch:
        hold = Hold(resident, patch, at_pass=3, chunk_tokens=16)
        reading = asyncio.create_task(
            client.complete(CompletionRequest(ids, 0, document="file:///a.py", priority=Priority.AHEAD))
        )
        assert await asyncio.to_thread(hold.is_reached.wait, 60)
        visible = asyncio.create_task(
            client.complete(CompletionRequest((5, 6, 7), 2, document="file:///b.py"))
        )
        while len(hold.jobs) < 2:
            await asyncio.sleep(0.001)
        hold.release()
        await visible
        assert not reading.done() or reading.result().timings.queue_ms > 0
        completion = await reading

    assert completion.finish_reason is FinishReason.BUDGET
    assert completion.timings.prefilled_tokens == len(ids)
    assert await client.cached_tokens(ids) == len(ids)


# Healing and drafts


async def test_a_healed_answer_goes_on_behind_what_was_typed(
    client: EngineClient, resident: ResidentModel
) -> None:
    """Typed as the model would have said it, so its own answer is the oracle."""
    ids = tuple(prompt_ids(resident, "def area(radius):\n    return math.", SUFFIX))
    free = await client.complete(CompletionRequest(ids, 8))
    assert len(free.text) > 6

    for num_typed in range(1, 6):
        healed = await client.complete(CompletionRequest(ids, 8, heal=free.text[:num_typed]))

        assert healed.text.startswith(free.text[num_typed:])
        assert healed.scores[0].start == 0


async def test_healing_changes_an_answer_that_contradicts_what_was_typed(client: EngineClient) -> None:
    request = CompletionRequest((5, 6, 7), 6, heal="zq\u00e9")

    completion = await client.complete(request)

    assert completion.finish_reason in (FinishReason.BUDGET, FinishReason.EOS)
    assert not completion.text.startswith("zq")


@pytest.mark.parametrize("num_typed", [0, 2])
async def test_a_right_draft_saves_passes_and_a_wrong_one_changes_nothing(
    client: EngineClient, resident: ResidentModel, num_typed: int
) -> None:
    ids = tuple(prompt_ids(resident, "for name in names:\n    ", SUFFIX))
    free = await client.complete(CompletionRequest(ids, 24))
    heal = free.text[:num_typed]

    right = await client.complete(CompletionRequest(ids, 24, heal=heal, drafts=(free.text[num_typed:],)))
    wrong = await client.complete(CompletionRequest(ids, 24, heal=heal, drafts=("\u2603 no", "import os\n")))

    assert right.text == wrong.text
    assert right.text.startswith(free.text[num_typed:])
    assert 0 < right.timings.decode_steps < right.timings.decoded_tokens
    assert 0 < right.timings.accepted_tokens <= right.timings.drafted_tokens


async def test_a_first_draft_that_is_empty_says_that_nothing_is_known(
    client: EngineClient, resident: ResidentModel
) -> None:
    ids = tuple(prompt_ids(resident, "for name in names:\n    ", SUFFIX))
    free = await client.complete(CompletionRequest(ids, 24))

    found = await client.complete(CompletionRequest(ids, 24, drafts=("", "x\n" + free.text)))

    assert found.text == free.text
    assert found.timings.accepted_tokens > 0


# Metrics


async def test_metrics_are_the_counters_and_what_slots_hold(
    http: httpx2.AsyncClient, resident: ResidentModel
) -> None:
    evict_all(resident)
    await post(http, prompt=[5, 6, 7], max_tokens=1)

    response = await http.get("/metrics")

    assert response.headers["content-type"].startswith("text/plain; version=0.0.4")
    lines = response.text.splitlines()
    values = dict(line.split() for line in lines if not line.startswith("#"))
    kinds = dict(line.split()[2:] for line in lines if line.startswith("# TYPE"))
    assert values.keys() == kinds.keys()
    for name, value in (await counters(http)).items():
        assert values[f"ghostfill_{name}_total"] == str(value)
        assert kinds[f"ghostfill_{name}_total"] == "counter"
    assert (values["ghostfill_slots_in_use"], values["ghostfill_kv_tokens"]) == ("1", "3")
    assert kinds["ghostfill_kv_tokens"] == "gauge"


async def test_metrics_need_the_key_and_are_empty_while_loading() -> None:
    async with asgi(ResidentModel(EngineOptions()), "secret") as stranger:
        assert (await stranger.get("/metrics")).status_code == 401
    async with asgi(ResidentModel(EngineOptions())) as early:
        assert (await early.get("/metrics")).text == ""
