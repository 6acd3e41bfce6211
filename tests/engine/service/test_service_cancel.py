"""Closing the connection cancels; the newest request of a document wins; many are all answered."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import httpx2
import pytest
from service_talk import CHUNK, SUFFIX, counters, file_ids, post, prompt_ids, text_of

from engine.api import Completion, CompletionRequest, FinishReason, Priority
from engine.client import EngineClient
from engine.runtime.resident import ResidentModel
from engine_http import Hold, evict_all

LONG = "".join(f"value_{n} = compute({n}, offset={n * 7})\n" for n in range(10)) + "total = "


@pytest.mark.parametrize("is_stream", [False, True], ids=["answer", "stream"])
@pytest.mark.parametrize("phase", ["first chunk", "prefill", "decode"])
async def test_a_closed_connection_costs_at_most_the_chunk_or_step_in_progress(
    http: httpx2.AsyncClient,
    socket_path: Path,
    resident: ResidentModel,
    monkeypatch: pytest.MonkeyPatch,
    phase: str,
    is_stream: bool,
) -> None:
    """And the next text is that of a fresh slot. The model is held until the server saw the close."""
    ids = prompt_ids(resident, LONG, SUFFIX)
    chunks = -(-len(ids) // CHUNK)
    assert chunks > 6
    evict_all(resident)
    expected = await post(http, prompt=ids, max_tokens=12)
    evict_all(resident)

    at_pass = {"first chunk": 1, "prefill": 4, "decode": chunks + 3}[phase]
    with monkeypatch.context() as patch:
        hold = Hold(resident, patch, at_pass, CHUNK)
        body = json.dumps({"prompt": ids, "max_tokens": 200, "stream": is_stream}).encode()
        _, writer = await asyncio.open_unix_connection(str(socket_path))
        head = f"POST /v1/completions HTTP/1.1\r\nhost: e\r\ncontent-length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        await writer.drain()
        assert await asyncio.to_thread(hold.is_reached.wait, 60)
        at_close = await counters(http)
        writer.close()
        outcome = await asyncio.to_thread(hold.outcome)
    after = await counters(http)

    assert hold.was_cancelled, "the server noticed the close while the model was held"
    assert outcome.finish_reason is FinishReason.CANCELLED
    extra = {key: after[key] - at_close[key] for key in ("prefill_chunks", "decode_steps", "cancelled")}
    is_decoding = phase == "decode"
    assert extra == {"prefill_chunks": not is_decoding, "decode_steps": is_decoding, "cancelled": 1}
    again = await post(http, prompt=ids, max_tokens=12)
    assert text_of(again) == text_of(expected)
    reused = again["ghostfill"]["timings"]["reused_tokens"]
    assert reused == (len(ids) - 1 if is_decoding else at_pass * CHUNK), "what was computed is kept"


async def test_a_request_closed_while_it_waits_never_reaches_the_model(
    http: httpx2.AsyncClient,
    client: EngineClient,
    resident: ResidentModel,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Our client: cancelling the task closes the connection."""
    with monkeypatch.context() as patch:
        hold = Hold(resident, patch, at_pass=1, chunk_tokens=CHUNK)
        first = asyncio.create_task(post(http, prompt=LONG, max_tokens=1))
        assert await asyncio.to_thread(hold.is_reached.wait, 60)
        waiting = asyncio.create_task(client.complete(CompletionRequest((5, 6, 7))))
        while len(hold.jobs) < 2:
            await asyncio.sleep(0.001)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        assert await asyncio.to_thread(hold.jobs[1].cancelled.wait, 60)
        at_release = await counters(http)
        hold.release()
        assert (await asyncio.to_thread(hold.outcome)).finish_reason is FinishReason.BUDGET
        assert (await asyncio.to_thread(hold.outcome)).finish_reason is FinishReason.CANCELLED
    await first
    after = await counters(http)

    assert waiting.cancelled()
    assert after["cancelled"] - at_release["cancelled"] == 1
    chunks = -(-(await first)["ghostfill"]["timings"]["prefilled_tokens"] // CHUNK)
    assert after["prefill_chunks"] - at_release["prefill_chunks"] == chunks, "the first's, and no more"


# Newest wins, and many


async def test_the_newest_request_of_a_document_wins_and_the_older_is_answered(
    http: httpx2.AsyncClient, client: EngineClient, resident: ResidentModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The older one already runs: it ends with what it has, and says why."""
    ids = tuple(file_ids(resident))
    request = CompletionRequest(ids, max_tokens=12, document="file:///a.py")
    expected = await client.complete(request)
    with monkeypatch.context() as patch:
        hold = Hold(resident, patch, at_pass=5)
        older = asyncio.create_task(client.complete(request))
        assert await asyncio.to_thread(hold.is_reached.wait, 60)
        newer = asyncio.create_task(client.complete(request))
        answers = await asyncio.gather(older, newer)

    assert hold.was_cancelled
    assert answers[0].finish_reason is FinishReason.CANCELLED
    assert expected.text.startswith(answers[0].text)
    assert 0 < answers[0].timings.decoded_tokens < 12
    assert (answers[1].text, answers[1].finish_reason) == (expected.text, expected.finish_reason)


async def test_an_older_request_that_still_waits_is_answered_at_once(
    client: EngineClient, resident: ResidentModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = tuple(prompt_ids(resident))
    with monkeypatch.context() as patch:
        hold = Hold(resident, patch, at_pass=1)
        running = asyncio.create_task(client.complete(CompletionRequest(ids, 4, document="file:///a.py")))
        assert await asyncio.to_thread(hold.is_reached.wait, 60)
        older = asyncio.create_task(client.complete(CompletionRequest(ids, 4, document="file:///b.py")))
        while len(hold.jobs) < 2:
            await asyncio.sleep(0.001)
        newer = asyncio.create_task(client.complete(CompletionRequest(ids, 4, document="file:///b.py")))

        answer = await older

        assert (answer.text, answer.finish_reason) == ("", FinishReason.CANCELLED)
        assert not running.done(), "the model is still held"
        hold.release()
        assert [c.finish_reason for c in await asyncio.gather(running, newer)] == [FinishReason.BUDGET] * 2


async def test_a_visible_request_goes_before_what_is_made_ahead_which_goes_on_behind_it(
    client: EngineClient, resident: ResidentModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of other documents; chat comes last. What ran when the visible one came ends with its whole text."""
    ids = tuple(prompt_ids(resident))
    expected = await client.complete(CompletionRequest(ids, 4))
    ended: list[str] = []

    async def complete(document: str, priority: Priority) -> Completion:
        completion = await client.complete(CompletionRequest(ids, 4, document=document, priority=priority))
        ended.append(document)
        return completion

    with monkeypatch.context() as patch:
        hold = Hold(resident, patch, at_pass=1)
        tasks = []
        for number, kind in enumerate((Priority.CHAT, Priority.AHEAD, Priority.VISIBLE)):
            tasks.append(asyncio.create_task(complete(kind, kind)))
            while len(hold.jobs) <= number:
                await asyncio.sleep(0.001)
            assert await asyncio.to_thread(hold.is_reached.wait, 60)
        hold.release()
        completions = await asyncio.gather(*tasks)

    assert ended == ["visible", "ahead", "chat"]
    assert [completion.text for completion in completions] == [expected.text] * 3
    assert completions[0].timings.queue_ms > completions[2].timings.total_ms - completions[2].timings.queue_ms


async def test_a_visible_request_ends_what_is_made_ahead_for_its_document(
    client: EngineClient, resident: ResidentModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody waits for a completion of a text that was asked about anew."""
    ids = tuple(prompt_ids(resident))
    ahead, visible = (
        CompletionRequest(ids, 4, document="file:///a.py", priority=kind)
        for kind in (Priority.AHEAD, Priority.VISIBLE)
    )
    with monkeypatch.context() as patch:
        hold = Hold(resident, patch, at_pass=1)
        running = asyncio.create_task(client.complete(ahead))
        assert await asyncio.to_thread(hold.is_reached.wait, 60)
        reasons = [each.finish_reason for each in await asyncio.gather(running, client.complete(visible))]

    assert reasons == [FinishReason.CANCELLED, FinishReason.BUDGET]


async def test_twenty_clients_at_once_are_all_answered_right(
    socket_path: Path, client: EngineClient, resident: ResidentModel
) -> None:
    prompts = [tuple(prompt_ids(resident, f"def f{n % 4}(a, b):\n    return ", "\n")) for n in range(20)]
    alone = {ids: (await client.complete(CompletionRequest(ids, 6))).text for ids in set(prompts)}
    clients = [EngineClient(socket=socket_path) for _ in prompts]

    answers = await asyncio.gather(
        *(
            client.complete(CompletionRequest(ids, 6, document=f"file:///{n}.py"))
            for n, (client, ids) in enumerate(zip(clients, prompts, strict=True))
        )
    )

    assert [answer.text for answer in answers] == [alone[ids] for ids in prompts]
    assert {answer.finish_reason for answer in answers} <= {FinishReason.BUDGET, FinishReason.EOS}
    for one in clients:
        await one.close()


async def test_a_request_keeps_the_engine_from_being_idle(
    http: httpx2.AsyncClient, resident: ResidentModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        hold = Hold(resident, patch, at_pass=1)
        request = asyncio.create_task(post(http, prompt="x", max_tokens=1))
        assert await asyncio.to_thread(hold.is_reached.wait, 60)
        assert resident.idle_seconds == 0
        hold.release()
        await request
    before = resident.idle_seconds
    await http.get("/health")

    assert resident.idle_seconds > before > 0, "health is no use of the model"
