"""Which documents a run can still come to use in, against comparing with every text it can lead to."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from engine.api import TextPiece
from engine.backends.base import OnText
from lsp_server.engine_work import Asked, Finished
from lsp_server.hole import Hole
from lsp_server.in_flight import Run, Runs
from marked import hole

CODE = st.text(alphabet="ab\n", max_size=6)


class Work:
    """Asked for a place; says what it is told to."""

    def __init__(self, asked: Asked) -> None:
        self.asked = asked

    async def run(self, on_text: OnText) -> Finished:
        self.on_text = on_text
        await asyncio.Event().wait()
        return Finished()


async def run_at(asked: Asked, said: str) -> tuple[Run, Runs]:
    work, runs = Work(asked), Runs()
    run = runs.begin("a", Run(work, work.run, lambda finished: None))
    await asyncio.sleep(0)
    if said:
        work.on_text(TextPiece(said))
    return run, runs


@given(CODE, CODE, CODE, st.sampled_from(["", "\n", "a\n"]), CODE)
def test_a_run_survives_exactly_the_texts_on_its_way(
    before: str, after: str, said: str, lead: str, now: str
) -> None:
    """On the way: some of what stands before its cursor is missing there, or some of what it says is typed;
    what it has not said yet cannot be contradicted.
    """

    async def survives() -> bool:
        _, runs = await run_at(Asked(Hole(before + after, len(before)), lead), said)
        runs.note_text("a", now)
        is_alive = not runs.is_idle("a")
        runs.stop("a")
        return is_alive

    whole = lead + said
    on_the_way = {before[:size] + after for size in range(len(before) + 1)}
    typed = {before + whole[:size] + after for size in range(len(whole) + 1)}
    is_beyond = now.startswith(before + whole) and now[len(before) + len(whole) :].endswith(after)

    assert asyncio.run(survives()) == (now in on_the_way or now in typed or is_beyond)


async def test_an_unheard_run_is_not_worth_waiting_for_with_another_key() -> None:
    """The new key says more to the model; once it has spoken and agrees, it is."""
    run, _ = await run_at(Asked(hole("x = |\n")), "")
    assert run.can_serve(hole("x = |\n"))
    assert not run.can_serve(hole("x = o|\n"))

    run._on_text(TextPiece("one"))
    assert run.can_serve(hole("x = o|\n"))
    assert not run.can_serve(hole("x = t|\n"))
    run.cancel()


async def test_a_run_ahead_serves_both_ends_of_its_lead() -> None:
    """Right after the acceptance, and after the line end that the user may type by hand."""
    run, _ = await run_at(Asked(hole("x = 1|\n"), "\n"), "")

    assert run.can_serve(hole("x = 1|\n"))
    assert run.can_serve(hole("x = 1\n|\n"))
    assert not run.can_serve(hole("x = 1\ny|\n"))
    run.cancel()
