"""change_queue: changes of many threads come to one as bursts, each key once."""

import threading

import pytest

from context.change_queue import ChangeQueue


def test_a_burst_comes_as_one() -> None:
    changes = ChangeQueue()
    for number in range(1000):
        changes.put(f"{number % 10}.py")

    assert changes.take(is_waiting=True) == {f"{number}.py" for number in range(10)}


def test_without_waiting_only_what_is_there_comes() -> None:
    changes = ChangeQueue()
    assert changes.take(is_waiting=False) == set()
    changes.put("a.py")
    changes.put("b.py")

    assert changes.take(is_waiting=False) == {"a.py", "b.py"}
    assert changes.take(is_waiting=False) == set()


def test_waiting_ends_with_the_next_change() -> None:
    changes = ChangeQueue()
    thread = threading.Timer(0.01, changes.put, ["late.py"])
    thread.start()

    assert changes.take(is_waiting=True) == {"late.py"}
    thread.join()


def test_what_pauses_shortly_belongs_to_the_burst(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("context.change_queue.PAUSE_S", 5.0)
    changes = ChangeQueue()
    changes.put("a.py")
    threads = [threading.Timer(0.01, changes.put, ["b.py"]), threading.Timer(0.05, changes.close)]
    for thread in threads:
        thread.start()

    assert changes.take(is_waiting=True) == {"a.py", "b.py"}
    for thread in threads:
        thread.join()


def test_a_burst_without_an_end_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("context.change_queue.MAX_BURST_S", 0.1)
    monkeypatch.setattr("context.change_queue.PAUSE_S", 60.0)
    changes, is_over = ChangeQueue(), threading.Event()

    def chatter() -> None:
        while not is_over.wait(0.001):
            changes.put("a.py")

    thread = threading.Thread(target=chatter)
    thread.start()
    try:
        assert changes.take(is_waiting=True) == {"a.py"}
    finally:
        is_over.set()
        thread.join()


def test_closing_ends_the_wait_for_good() -> None:
    changes = ChangeQueue()
    changes.put("a.py")
    changes.close()

    assert changes.take(is_waiting=True) == {"a.py"}
    changes.close()
    assert changes.take(is_waiting=True) == set()
