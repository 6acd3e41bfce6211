"""The mailbox: visible before ahead, oldest first, newest of a document wins and keeps its elder's place."""

from __future__ import annotations

import random

import pytest

from engine.api import CompletionRequest, Priority
from engine.runtime.mailbox import Job, Mailbox

VISIBLE, AHEAD = Priority.VISIBLE, Priority.AHEAD


def make_job(document: str | None, priority: Priority = VISIBLE) -> Job:
    request = CompletionRequest((1,), document=document, priority=priority)
    return Job(request, lambda _id, _logprob: False, lambda _outcome: None)


def take(mailbox: Mailbox) -> Job:
    taken = mailbox.take()
    assert taken is not None
    return taken[0]


def test_jobs_of_different_documents_come_out_in_order() -> None:
    mailbox, jobs = Mailbox(), [make_job(name) for name in ("a", "b", None, None)]

    assert [mailbox.put(job) for job in jobs] == [[]] * 4

    assert [take(mailbox) for _ in jobs] == jobs


def test_a_newer_job_takes_the_place_of_its_waiting_elder() -> None:
    mailbox = Mailbox()
    old, other, new = make_job("a"), make_job("b"), make_job("a")
    mailbox.put(old)
    mailbox.put(other)

    assert mailbox.put(new) == [old]

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

    assert mailbox.put(make_job(document)) == []

    assert running.cancelled.is_set() is is_cancelled


def test_jobs_without_a_document_never_displace_each_other() -> None:
    mailbox, first, second = Mailbox(), make_job(None), make_job(None)
    mailbox.put(first)
    take(mailbox)

    assert mailbox.put(second) == []
    assert mailbox.put(make_job(None)) == []
    assert not first.cancelled.is_set()


def test_closing_cancels_the_running_job_and_hands_back_the_waiting_ones() -> None:
    mailbox, running, waiting = Mailbox(), make_job("a"), make_job("b")
    mailbox.put(running)
    take(mailbox)
    mailbox.put(waiting)

    assert mailbox.close() == [waiting]

    late = make_job("c")
    assert running.cancelled.is_set()
    assert mailbox.put(late) == [late]
    assert mailbox.take() is None


# Priorities


def test_visible_jobs_come_before_those_made_ahead() -> None:
    mailbox = Mailbox()
    ahead = [make_job("a", AHEAD), make_job(None, AHEAD)]
    visible = [make_job("b"), make_job(None)]
    for job in (ahead[0], visible[0], ahead[1], visible[1]):
        assert mailbox.put(job) == []

    assert [take(mailbox) for _ in range(4)] == [*visible, *ahead]


@pytest.mark.parametrize("document", ["a", "b", None])
def test_a_visible_job_cancels_the_running_one_made_ahead_whatever_its_document(document: str | None) -> None:
    mailbox, running = Mailbox(), make_job("a", AHEAD)
    mailbox.put(running)
    take(mailbox)

    mailbox.put(make_job(document))

    assert running.cancelled.is_set()


def test_a_visible_job_displaces_what_waits_ahead_of_its_document_and_takes_its_turn() -> None:
    mailbox = Mailbox()
    ahead, other, visible = make_job("a", AHEAD), make_job("b"), make_job("a")
    mailbox.put(ahead)
    mailbox.put(other)

    assert mailbox.put(visible) == [ahead]
    assert [take(mailbox), take(mailbox)] == [other, visible]


def test_a_job_made_ahead_leaves_the_visible_ones_of_its_document_alone() -> None:
    mailbox, running, waiting, ahead = Mailbox(), make_job("a"), make_job("a"), make_job("a", AHEAD)
    mailbox.put(running)
    take(mailbox)

    assert mailbox.put(ahead) == []
    assert not running.cancelled.is_set()

    assert mailbox.put(waiting) == [ahead]
    assert mailbox.put(make_job("a", AHEAD)) == []
    assert take(mailbox) is waiting


@pytest.mark.parametrize(("document", "is_cancelled"), [("a", True), ("b", False), (None, False)])
def test_among_jobs_made_ahead_the_newest_of_a_document_wins(
    document: str | None, is_cancelled: bool
) -> None:
    mailbox, running, waiting = Mailbox(), make_job("a", AHEAD), make_job("a", AHEAD)
    mailbox.put(running)
    take(mailbox)

    assert mailbox.put(make_job(document, AHEAD)) == []
    assert running.cancelled.is_set() is is_cancelled
    assert len(mailbox.put(waiting)) == is_cancelled


class NaiveMailbox:
    """The oracle: what waits is sorted anew for every question."""

    def __init__(self) -> None:
        self.waiting: list[tuple[int, Job]] = []
        self.running: Job | None = None
        self.cancelled: list[Job] = []

    def put(self, number: int, job: Job) -> list[Job]:
        document, is_ahead = job.request.document, job.request.priority is AHEAD
        gone = []
        for place, older in [*self.waiting]:
            if document is not None and older.request.document == document:
                if older.request.priority is job.request.priority:
                    number = place
                elif is_ahead:
                    continue
                gone.append(older)
                self.waiting.remove((place, older))
        self.waiting.append((number, job))
        self.waiting.sort(key=lambda pair: (pair[1].request.priority is AHEAD, pair[0]))
        if self.running is not None:
            runs_ahead = self.running.request.priority is AHEAD
            is_same = document is not None and self.running.request.document == document
            if (runs_ahead and not is_ahead) or (is_same and runs_ahead == is_ahead):
                self.cancelled.append(self.running)
        return gone

    def take(self) -> Job:
        self.running = self.waiting.pop(0)[1]
        return self.running


@pytest.mark.parametrize("seed", range(20))
def test_any_sequence_is_as_the_oracle_has_it(seed: int) -> None:
    chance, mailbox, oracle = random.Random(seed), Mailbox(), NaiveMailbox()
    jobs = []
    for number in range(200):
        if oracle.waiting and chance.random() < 0.4:
            assert take(mailbox) is oracle.take()
        else:
            jobs.append(make_job(chance.choice(["a", "b", "c", None]), chance.choice(list(Priority))))
            assert sorted(mailbox.put(jobs[-1]), key=jobs.index) == sorted(
                oracle.put(number, jobs[-1]), key=jobs.index
            )
        assert len(mailbox) == len(oracle.waiting)
    assert [job for job in jobs if job.cancelled.is_set()] == sorted(set(oracle.cancelled), key=jobs.index)
