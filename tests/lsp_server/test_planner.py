"""Plans are kept while the user types, and renewed when the user pauses."""

import asyncio
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from context import Plan
from engine.api import Segment
from lsp_server import planner as planner_module
from lsp_server.planner import Planner, PlanRequest


class CountingContext:
    """Makes a new plan at each call, and may hold one back."""

    def __init__(self) -> None:
        self.num_plans = 0
        self.num_begun = 0
        self.num_edits = 0
        self.is_ready = True
        self.segments: tuple[Segment, ...] = ()
        self.release = threading.Event()
        self.release.set()

    def wait_ready(self, timeout_s: float | None = None) -> bool:
        return self.is_ready

    def num_edits_elsewhere(self, path: Path) -> int:
        return self.num_edits

    def plan(self, path: Path, text: str, offset: int, *, budget_tokens: int, **rest: Any) -> Plan:
        self.num_begun += 1
        self.release.wait(10)
        self.num_plans += 1
        return Plan(
            path=f"plan {self.num_plans}",
            segments=self.segments,
            num_tokens=0,
            budget_tokens=budget_tokens,
            is_complete=self.is_ready,
            considered=(),
        )


def ask(text: str = "a\nb", budget_tokens: int = 100) -> PlanRequest:
    return PlanRequest("file:///a.py", Path("/a.py"), text, 0, "python", budget_tokens, len)


@pytest.fixture
def context() -> CountingContext:
    return CountingContext()


@pytest.fixture
def planner(context: CountingContext) -> Planner:
    return Planner(context)  # type: ignore[arg-type]


async def test_a_plan_stands_while_a_line_is_typed(planner: Planner, context: CountingContext) -> None:
    first = await planner.plan(ask("a\nb"), None)
    second = await planner.plan(ask("a\nbc"), None)

    assert first is second
    assert context.num_plans == 1


async def test_a_plan_is_renewed_once_the_user_left_the_line_and_pauses(
    planner: Planner, context: CountingContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planner_module, "IDLE_SECONDS", 0.01)
    first = await planner.plan(ask("a\nb"), None)
    assert await planner.plan(ask("a\nb\nc"), None) is first
    while context.num_plans < 2:
        await asyncio.sleep(0.01)

    renewed = await planner.plan(ask("a\nb\nc"), None)

    assert renewed is not None
    assert renewed.path == "plan 2"


async def test_who_listens_is_told_of_a_renewed_plan_that_says_something_new(
    planner: Planner, context: CountingContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planner_module, "IDLE_SECONDS", 0.01)
    told: list[str] = []
    planner.on_renewed = told.append
    await planner.plan(ask("a\nb"), None)
    await planner.plan(ask("a\nb\nc"), None)  # renewed, with the same segments
    while context.num_plans < 2:
        await asyncio.sleep(0.01)
    context.segments = (Segment("b.py", "B = 1\n", "definition", "imported"),)
    await planner.plan(ask("a\nb\nc\nd"), None)
    async with asyncio.timeout(10):
        while not told:
            await asyncio.sleep(0.01)

    assert told == ["file:///a.py"]


async def test_typing_puts_the_renewal_off(
    planner: Planner, context: CountingContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each key re-arms the timer: with an hour's pause to wait for, no plan is made."""
    monkeypatch.setattr(planner_module, "IDLE_SECONDS", 3600)
    await planner.plan(ask("a\nb"), None)
    for _ in range(20):
        await planner.plan(ask("a\nb\nc"), None)

    assert context.num_plans == 1
    planner.close()


async def test_a_late_plan_is_there_for_the_next_key(planner: Planner, context: CountingContext) -> None:
    context.release.clear()
    assert await planner.plan(ask(), 0.01) is None

    context.release.set()

    assert await planner.plan(ask(), None) is not None
    assert context.num_plans == 1


async def test_who_asks_once_the_index_is_there_gets_no_plan_of_before(
    planner: Planner, context: CountingContext
) -> None:
    """The first plan is made as the document is opened, often before the index is there."""
    context.is_ready = False
    await planner.plan(ask(), None)
    context.is_ready = True

    plan = await planner.plan(ask(), None)

    assert plan is not None
    assert plan.is_complete
    assert context.num_plans == 2


async def test_a_plan_of_before_the_index_is_better_than_a_missed_deadline(
    planner: Planner, context: CountingContext
) -> None:
    context.is_ready = False
    await planner.plan(ask(), None)
    context.is_ready = True
    context.release.clear()

    plan = await planner.plan(ask(), 0.01)
    context.release.set()

    assert plan is not None
    assert plan.path == "plan 1"
    while context.num_plans < 2:
        await asyncio.sleep(0.01)


async def test_another_budget_needs_another_plan(planner: Planner, context: CountingContext) -> None:
    await planner.plan(ask(budget_tokens=100), None)
    plan = await planner.plan(ask(budget_tokens=50), None)

    assert plan is not None
    assert plan.budget_tokens == 50


async def test_a_closed_document_is_forgotten(planner: Planner, context: CountingContext) -> None:
    await planner.plan(ask(), None)
    planner.note_closed("file:///a.py")
    await planner.plan(ask(), None)

    assert context.num_plans == 2


LONG = "line\n" * 200


def ask_at(line: int) -> PlanRequest:
    return PlanRequest("file:///a.py", Path("/a.py"), LONG, line * 5, "python", 100, len)


async def test_a_jump_is_planned_for_at_once(planner: Planner, context: CountingContext) -> None:
    await planner.plan(ask_at(0), None)

    plan = await planner.plan(ask_at(150), None)

    assert plan is not None
    assert plan.path == "plan 2"


async def test_a_jump_falls_back_on_the_plan_at_hand(planner: Planner, context: CountingContext) -> None:
    first = await planner.plan(ask_at(0), None)
    context.release.clear()

    assert await planner.plan(ask_at(150), 0.01) is first
    context.release.set()


async def test_each_plan_is_made_from_the_one_before(planner: Planner, context: CountingContext) -> None:
    seen: list[Plan | None] = []
    make = context.plan
    context.plan = lambda *args, **rest: seen.append(rest["previous"]) or make(*args, **rest)  # type: ignore[method-assign]

    first = await planner.plan(ask_at(0), None)
    await planner.plan(ask_at(100), None)

    assert seen == [None, first]


async def test_what_was_planned_before_the_cursor_was_known_is_planned_again(
    planner: Planner, context: CountingContext
) -> None:
    await planner.plan(replace(ask_at(0), is_guess=True), None)

    first = await planner.plan(ask_at(1), None)
    second = await planner.plan(ask_at(1), None)

    assert first is not None
    assert first.path == "plan 2"
    assert second is first


async def test_who_asks_by_hand_gets_no_plan_that_was_in_the_making_for_an_unknown_cursor(
    planner: Planner, context: CountingContext
) -> None:
    context.release.clear()
    opening = asyncio.ensure_future(planner.plan(replace(ask_at(0), is_guess=True), None))
    await asyncio.sleep(0)
    asking = asyncio.ensure_future(planner.plan(ask_at(1), None))
    await asyncio.sleep(0)
    context.release.set()

    assert [plan.path for plan in await asyncio.gather(opening, asking) if plan] == ["plan 1", "plan 2"]


async def test_who_comes_back_from_changing_another_file_is_planned_for_at_once(
    planner: Planner, context: CountingContext
) -> None:
    await planner.plan(ask(), None)
    context.num_edits += 1

    plan = await planner.plan(ask(), None)
    again = await planner.plan(ask(), None)

    assert plan is not None
    assert plan.path == "plan 2"
    assert again is plan


async def test_a_change_made_while_a_plan_is_in_the_making_is_not_missed(
    planner: Planner, context: CountingContext
) -> None:
    context.release.clear()
    first = asyncio.ensure_future(planner.plan(ask(), None))
    while not context.num_begun:
        await asyncio.sleep(0.001)
    context.num_edits += 1
    context.release.set()
    await first

    plan = await planner.plan(ask(), None)

    assert plan is not None
    assert plan.path == "plan 2"
