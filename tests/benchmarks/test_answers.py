"""Answers are remembered by what they depend on, and every condition gets the same room."""

import asyncio

from benchmarks.context_quality.answers import Answerer, AnswerStore
from benchmarks.context_quality.sites import Origin, Site
from engine.api import Completion, FinishReason, Segment
from engine.fake import builtin_info
from lsp_server.hole import Hole

SITE = Site("shop", "python", "a.py", "two", Origin.CROSS_FILE, (), "two(1)", Hole("one = \n", 6))
CONTEXT = [Segment("b.py", "def two(number): ...\n", "definition", "")]


class Backend:
    """Counts what it is asked and answers two lines."""

    def __init__(self):
        self.prompts = []

    async def complete(self, request):
        self.prompts.append(request.prompt_ids)
        return Completion(" two(1)\nthree", FinishReason.STOP)

    async def close(self):
        pass


def ask(path, *questions):
    """What a new process with the same store answers, and how often it asked."""
    backend = Backend()
    answerer = Answerer(backend, builtin_info(), AnswerStore(path))

    async def run():
        found = [await answerer.answer(SITE, segments, budget) for segments, budget in questions]
        await answerer.close()
        return found

    return asyncio.run(run()), len(backend.prompts)


def test_the_first_line_is_the_answer_and_is_asked_for_once_across_processes(tmp_path):
    path = tmp_path / "deep" / "answers.sqlite"
    found, asked = ask(path, (CONTEXT, 1024), (CONTEXT, 1024))
    assert [text for text, _ in found] == ["two(1)", "two(1)"]
    assert asked == 1
    assert ask(path, (CONTEXT, 1024)) == (found[:1], 0)


def test_another_context_is_another_question(tmp_path):
    other = [Segment("b.py", "def two(number, more): ...\n", "definition", "")]
    found, asked = ask(tmp_path / "a.sqlite", (CONTEXT, 1024), (other, 1024), ((), 0))
    assert asked == 3
    assert found[2][1] == 0 < found[0][1] < found[1][1]


def test_the_room_for_context_is_what_is_measured_even_where_the_format_would_take_less(tmp_path):
    answerer = Answerer(Backend(), builtin_info(), AnswerStore(tmp_path / "a.sqlite"))
    fim = answerer.info.layout.fim
    assert answerer.budget(4096).context == 4096 > fim.max_context_tokens
    assert answerer.budget(4096).prefix == answerer.budget(1024).prefix == fim.max_prefix_tokens
    most = answerer.budget(10**6)
    assert most.context + most.prefix + most.suffix + most.answer < fim.context_length
    answerer._store.close()
