"""Newest wins, and the older is answered."""

import asyncio

import pytest

from lsp_server.newest import Newest


async def forever(started: asyncio.Event) -> str:
    started.set()
    await asyncio.Event().wait()
    return "never"


async def value() -> str:
    return "value"


async def test_a_newer_call_ends_the_older_with_none() -> None:
    newest, started = Newest(), asyncio.Event()
    older = asyncio.create_task(newest.run("a", forever(started)))
    await started.wait()

    assert await newest.run("a", value()) == "value"
    assert await older is None


async def test_calls_of_different_keys_do_not_meet() -> None:
    newest, started = Newest(), asyncio.Event()
    other = asyncio.create_task(newest.run("a", forever(started)))
    await started.wait()

    assert await newest.run("b", value()) == "value"
    assert not other.done()
    other.cancel()


async def test_cancelling_the_caller_cancels_the_work_and_is_seen() -> None:
    newest, started = Newest(), asyncio.Event()
    caller = asyncio.create_task(newest.run("a", forever(started)))
    await started.wait()

    caller.cancel()

    with pytest.raises(asyncio.CancelledError):
        await caller
    assert await newest.run("a", value()) == "value"


async def test_an_error_reaches_the_caller() -> None:
    async def fails() -> str:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await Newest().run("a", fails())
