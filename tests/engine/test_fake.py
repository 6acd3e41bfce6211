"""The scripted backend does what a real one does, one step at a time where a test wants it."""

from __future__ import annotations

import asyncio

import pytest

from engine.api import CompletionRequest, FinishReason, Shape, StopRules, TokenScore
from engine.errors import EngineUnavailableError
from engine.fake import FakeBackend

LINE = CompletionRequest((5,), stop_rules=StopRules(Shape.LINE))
TEXT = "return a + b\nmore"


async def test_pieces_are_told_in_order_and_join_to_the_text() -> None:
    told: list[str] = []

    completion = await FakeBackend(lambda prompt: TEXT).complete(LINE, lambda piece: told.append(piece.text))

    assert told == ["return", " a", " +", " b"]
    assert completion.text == "return a + b"
    assert completion.finish_reason is FinishReason.STOP


async def test_a_step_lets_one_piece_through() -> None:
    told: list[str] = []
    backend = FakeBackend(lambda prompt: TEXT)
    backend.step = asyncio.Semaphore(0)
    running = asyncio.ensure_future(backend.complete(LINE, lambda piece: told.append(piece.text)))

    for expected in ("return", "return a"):
        backend.step.release()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert "".join(told) == expected
        assert not running.done()

    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert backend.num_cancelled == 1


async def test_text_that_may_be_taken_back_is_told_at_the_end() -> None:
    told: list[str] = []
    request = CompletionRequest((5,), stop_rules=StopRules(Shape.BLOCK, "if a:"))

    backend = FakeBackend(lambda prompt: "\n    b()\n    c()")
    await backend.complete(request, lambda piece: told.append(piece.text))

    assert told == ["\n    b()", "\n    c()"]


async def test_each_token_has_its_score() -> None:
    backend = FakeBackend(lambda prompt: TEXT)
    backend.logprob = -2.0

    completion = await backend.complete(LINE)

    assert completion.scores == tuple(TokenScore(start, -2.0) for start in (0, 6, 8, 10))
    assert completion.mean_logprob == -2.0


@pytest.mark.parametrize(("num_answers", "expected"), [(1, []), (2, ["b"]), (4, ["b", "c"])])
async def test_alternatives_are_cut_as_the_first_is(num_answers: int, expected: list[str]) -> None:
    backend = FakeBackend(lambda prompt: "a")
    backend.alternatives = lambda prompt: ["b\nx", "c"]

    completion = await backend.complete(
        CompletionRequest((5,), stop_rules=LINE.stop_rules, num_answers=num_answers)
    )

    assert [other.text for other in completion.alternatives] == expected


async def test_a_dead_one_is_unavailable() -> None:
    backend = FakeBackend(lambda prompt: TEXT)
    backend.is_dead = True

    with pytest.raises(EngineUnavailableError):
        await backend.complete(LINE)
