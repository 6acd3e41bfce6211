"""The mailbox: oldest first, newest of a document wins and keeps its elder's place."""

from __future__ import annotations

import pytest

from engine.api import CompletionRequest
from engine.runtime.mailbox import Job, Mailbox


def make_job(document: str | None) -> Job:
    return Job(CompletionRequest((1,), document=document), lambda _id, _logprob: False, lambda _outcome: None)


def take(mailbox: Mailbox) -> Job:
    taken = mailbox.take()
    assert taken is not None
    return taken[0]


def test_jobs_of_different_documents_come_out_in_order() -> None:
    mailbox, jobs = Mailbox(), [make_job(name) for name in ("a", "b", None, None)]

    assert [mailbox.put(job) for job in jobs] == [None] * 4

    assert [take(mailbox) for _ in jobs] == jobs


def test_a_newer_job_takes_the_place_of_its_waiting_elder() -> None:
    mailbox = Mailbox()
    old, other, new = make_job("a"), make_job("b"), make_job("a")
    mailbox.put(old)
    mailbox.put(other)

    assert mailbox.put(new) is old

    assert not old.cancelled.is_set()  # it is answered at once by who displaced it
    assert [take(mailbox), take(mailbox)] == [new, other]
    assert len(mailbox) == 0


@pytest.mark.parametrize(("document", "is_cancelled"), [("a", True), ("b", False), (None, False)])
def test_only_a_newer_job_of_the_same_document_cancels_the_running_one(
    document: str | None, is_cancelled: bool
) -> None:
    mailbox, running = Mailbox(), make_job("a")
    mailbox.put(running)
    take(mailbox)

    assert mailbox.put(make_job(document)) is None

    assert running.cancelled.is_set() is is_cancelled


def test_jobs_without_a_document_never_displace_each_other() -> None:
    mailbox, first, second = Mailbox(), make_job(None), make_job(None)
    mailbox.put(first)
    take(mailbox)

    assert mailbox.put(second) is None
    assert mailbox.put(make_job(None)) is None
    assert not first.cancelled.is_set()


def test_closing_cancels_the_running_job_and_hands_back_the_waiting_ones() -> None:
    mailbox, running, waiting = Mailbox(), make_job("a"), make_job("b")
    mailbox.put(running)
    take(mailbox)
    mailbox.put(waiting)

    assert mailbox.close() == [waiting]

    late = make_job("c")
    assert running.cancelled.is_set()
    assert mailbox.put(late) is late
    assert mailbox.take() is None
