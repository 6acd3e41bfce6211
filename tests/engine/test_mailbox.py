"""The mailbox: visible before ahead before chat, oldest first; newest of a document wins, in its place."""

from __future__ import annotations

import random

import pytest

from engine.api import CompletionRequest, Priority
from engine.runtime.mailbox import Job, Mailbox

VISIBLE, AHEAD, CHAT = Priority.VISIBLE, Priority.AHEAD, Priority.CHAT


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


def test_visible_jobs_come_before_those_made_ahead_and_chat_comes_last() -> None:
    mailbox = Mailbox()
    chat = [make_job("c", CHAT), make_job(None, CHAT)]
    ahead = [make_job("a", AHEAD), make_job(None, AHEAD)]
    visible = [make_job("b"), make_job(None)]
    for job in (chat[0], ahead[0], visible[0], chat[1], ahead[1], visible[1]):
        assert mailbox.put(job) == []

    assert [take(mailbox) for _ in range(6)] == [*visible, *ahead, *chat]


@pytest.mark.parametrize(("document", "is_cancelled"), [("a", True), ("b", False), (None, False)])
def test_a_visible_job_cancels_what_is_made_ahead_for_its_document_and_preempts_the_rest(
    document: str | None, is_cancelled: bool
) -> None:
    mailbox, running = Mailbox(), make_job("a", AHEAD)
    mailbox.put(running)
    take(mailbox)
    assert not mailbox.is_preempted(running)

    mailbox.put(make_job(document))

    assert running.cancelled.is_set() is is_cancelled
    assert mailbox.is_preempted(running)


@pytest.mark.parametrize("newer", [VISIBLE, AHEAD, CHAT])
@pytest.mark.parametrize("running", [VISIBLE, AHEAD, CHAT])
def test_only_what_goes_before_it_preempts_a_running_job(running: Priority, newer: Priority) -> None:
    mailbox, job = Mailbox(), make_job(None, running)
    mailbox.put(job)
    take(mailbox)

    mailbox.put(make_job(None, newer))

    assert mailbox.is_preempted(job) is (
        [VISIBLE, AHEAD, CHAT].index(newer) < [VISIBLE, AHEAD, CHAT].index(running)
    )


@pytest.mark.parametrize("other", [VISIBLE, AHEAD])
def test_chat_about_a_document_and_its_completions_leave_each_other_alone(other: Priority) -> None:
    mailbox, chat, waiting = Mailbox(), make_job("a", CHAT), make_job("a", other)
    mailbox.put(chat)
    take(mailbox)

    assert mailbox.put(waiting) == []
    assert not chat.cancelled.is_set()

    assert mailbox.put_back(chat) == []
    assert mailbox.put(make_job("b", CHAT)) == []
    assert [take(mailbox), take(mailbox)] == [waiting, chat]


def test_a_job_put_back_is_the_first_of_its_kind() -> None:
    mailbox, running, equal, first = Mailbox(), *(make_job(None, kind) for kind in (AHEAD, AHEAD, VISIBLE))
    for job in (running, equal):
        mailbox.put(job)
    take(mailbox)
    mailbox.put(first)

    assert mailbox.put_back(running) == []

    assert [take(mailbox) for _ in range(3)] == [first, running, equal]


def test_a_job_put_back_gives_way_like_any_that_waits() -> None:
    mailbox, ahead, visible = Mailbox(), make_job("a", AHEAD), make_job("a")
    mailbox.put(ahead)
    take(mailbox)
    mailbox.put_back(ahead)

    assert mailbox.put(visible) == [ahead]
    assert take(mailbox) is visible


def test_a_job_put_back_once_closed_is_handed_back() -> None:
    mailbox, running = Mailbox(), make_job(None, CHAT)
    mailbox.put(running)
    take(mailbox)
    mailbox.close()

    assert mailbox.put_back(running) == [running]
    assert len(mailbox) == 0


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
        gone = []
        for place, older in [*self.waiting]:
            if is_pointless(older, job):
                if older.request.priority is job.request.priority:
                    number = place
                gone.append(older)
                self.waiting.remove((place, older))
        self.waiting.append((number, job))
        if self.running is not None and is_pointless(self.running, job):
            self.cancelled.append(self.running)
        return gone

    def sorted(self) -> list[Job]:
        kinds = [VISIBLE, AHEAD, CHAT]
        pairs = sorted(self.waiting, key=lambda pair: (kinds.index(pair[1].request.priority), pair[0]))
        return [job for _, job in pairs]

    def take(self) -> Job:
        self.running = self.sorted()[0]
        self.waiting = [pair for pair in self.waiting if pair[1] is not self.running]
        return self.running

    def put_back(self, number: int) -> None:
        assert self.running is not None
        self.waiting.append((-number, self.running))
        self.running = None

    def is_preempted(self) -> bool:
        kinds = [VISIBLE, AHEAD, CHAT]
        return self.running is not None and any(
            kinds.index(job.request.priority) < kinds.index(self.running.request.priority)
            for _, job in self.waiting
        )


def is_pointless(older: Job, newer: Job) -> bool:
    kinds = (older.request.priority, newer.request.priority)
    is_same = older.request.document is not None and older.request.document == newer.request.document
    return is_same and kinds in [(VISIBLE, VISIBLE), (AHEAD, AHEAD), (CHAT, CHAT), (AHEAD, VISIBLE)]


@pytest.mark.parametrize("seed", range(20))
def test_any_sequence_is_as_the_oracle_has_it(seed: int) -> None:
    chance, mailbox, oracle = random.Random(seed), Mailbox(), NaiveMailbox()
    jobs = []
    for number in range(1, 300):
        if oracle.running is not None and oracle.is_preempted() and chance.random() < 0.5:
            assert mailbox.put_back(oracle.running) == []
            oracle.put_back(number)
        elif oracle.waiting and chance.random() < 0.4:
            assert take(mailbox) is oracle.take()
        else:
            jobs.append(make_job(chance.choice(["a", "b", "c", None]), chance.choice(list(Priority))))
            assert sorted(mailbox.put(jobs[-1]), key=jobs.index) == sorted(
                oracle.put(number, jobs[-1]), key=jobs.index
            )
        assert len(mailbox) == len(oracle.waiting)
        if oracle.running is not None:
            assert mailbox.is_preempted(oracle.running) is oracle.is_preempted()
    assert [job for job in jobs if job.cancelled.is_set()] == sorted(set(oracle.cancelled), key=jobs.index)
