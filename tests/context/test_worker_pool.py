"""worker_pool: files are parsed elsewhere, and a file that kills its worker is only skipped."""

import os
import sys
from pathlib import Path

import pytest

from context.extract import extract
from context.facts_codec import encode
from context.languages import language_named
from context.source import NO_CONTENT, content_of
from context.symbols import FileFacts
from context.worker import NICENESS
from context.worker_pool import MAX_DEATHS, WorkerPool
from context.worker_process import Job, Parsed, WorkerProcess, worker_command, worker_environment

PYTHON = language_named("python")
assert PYTHON is not None

DEADLY = """
import json, os, sys
for line in sys.stdin.buffer:
    key = json.loads(line)["key"]
    if "deadly" in key:
        os._exit(1)
    answer = bytes(16) + b"\\xc0"
    if "babble" in key:
        sys.stdout.write("this is no answer\\n")
    elif "damaged" in key:
        sys.stdout.buffer.write(len(answer).to_bytes(4, "big") + answer[:-1] + b"\\xff")
    elif "half" in key:
        sys.stdout.buffer.write(len(answer).to_bytes(4, "big") + answer[:-1])
        sys.stdout.flush()
        os._exit(0)
    else:
        sys.stdout.buffer.write(len(answer).to_bytes(4, "big") + answer)
    sys.stdout.flush()
"""
FINE = bytes([0xC0])


def parsed(pool: WorkerPool, *jobs: Job) -> dict[str, Parsed]:
    try:
        return {each.job.key: each for each in pool.parse(jobs)}
    finally:
        pool.release()


def facts(pool: WorkerPool, *jobs: Job) -> dict[str, FileFacts | None]:
    return {key: each.facts for key, each in parsed(pool, *jobs).items()}


def test_facts_from_a_worker_are_those_of_this_process(tmp_path: Path) -> None:
    text = "from a import b\nclass C(b):\n    x: int = 1\n    def f(self): ...\n"
    path = tmp_path / "a\u2028b\n \udcff.py"
    path.write_text(text)
    buffer = tmp_path / "buffer.py"

    found = facts(
        WorkerPool(2), Job(str(path)), Job(str(buffer), "def g(): pass\r\n"), Job(str(tmp_path / "gone.py"))
    )

    assert found == {
        str(path): extract(text, PYTHON),
        str(buffer): extract("def g(): pass\n", PYTHON),
        str(tmp_path / "gone.py"): None,
    }


def test_a_buffer_with_half_a_surrogate_pair_is_parsed() -> None:
    assert facts(WorkerPool(1), Job("/a.py", "def f(): '\ud83d'\n"))["/a.py"] is not None


def test_the_answer_holds_the_digest_of_what_was_read_and_the_facts_as_bytes(tmp_path: Path) -> None:
    good, binary, gone = (str(tmp_path / name) for name in ("good.py", "binary.py", "gone.py"))
    Path(good).write_bytes(b"x = 1\r\n")
    Path(binary).write_bytes(b"\0\1")

    found = parsed(WorkerPool(1), Job(good), Job(binary), Job(gone), Job("/buffer.py", "x = 1\n"))

    assert found[good].content == content_of(good, b"x = 1\r\n")
    assert found[good].encoded == encode(extract("x = 1\n", PYTHON))
    assert (found[binary].content, found[binary].facts) == (content_of(binary, b"\0\1"), None)
    assert (found[gone].content, found[gone].encoded) == (NO_CONTENT, encode(None))
    assert found["/buffer.py"].content == NO_CONTENT


@pytest.mark.parametrize("name", ["deadly", "babble", "damaged", "half"])
def test_a_file_that_kills_the_worker_is_skipped(name: str) -> None:
    pool = WorkerPool(1, [sys.executable, "-c", DEADLY])

    found = parsed(pool, Job("one"), Job(name), Job("two"))

    assert found[name].encoded == b""
    assert found["one"].encoded == FINE
    assert found["two"].encoded == FINE


def test_workers_that_keep_dying_are_given_up() -> None:
    pool = WorkerPool(1, [sys.executable, "-c", DEADLY])

    found = parsed(pool, *[Job(f"deadly{number}") for number in range(MAX_DEATHS)], Job("fine"))

    assert {each.encoded for each in found.values()} == {b""}


def test_many_deadly_files_among_good_ones_are_only_skipped() -> None:
    pool = WorkerPool(1, [sys.executable, "-c", DEADLY])
    jobs = [Job(f"{kind}{number}") for number in range(MAX_DEATHS + 2) for kind in ("deadly", "fine")]

    found = parsed(pool, *jobs)

    assert {key for key, each in found.items() if each.encoded} == {
        job.key for job in jobs if job.key.startswith("fine")
    }


def test_a_missing_interpreter_gives_no_facts_and_no_error() -> None:
    assert facts(WorkerPool(1, ["/nonexistent/python"]), Job("one")) == {"one": None}


def test_many_jobs_use_all_workers_and_all_come_back() -> None:
    jobs = [Job(f"buffer{number}.py", f"x{number} = 1\n") for number in range(200)]

    assert len(parsed(WorkerPool(2), *jobs)) == 200


def test_a_pool_that_rested_parses_again() -> None:
    jobs = [Job(f"buffer{number}.py", f"x{number} = 1\n") for number in range(150)]
    pool = WorkerPool(2)
    assert len(list(pool.parse(jobs))) == 150

    pool.rest()

    assert len(parsed(pool, *jobs)) == 150


def test_a_call_that_is_left_early_does_not_disturb_the_next() -> None:
    pool = WorkerPool(2)
    first = pool.parse([Job(f"buffer{number}.py", f"x{number} = 1\n") for number in range(150)])
    next(first)
    first.close()

    assert facts(pool, Job("other.py", "y = 2\n")) == {"other.py": extract("y = 2\n", PYTHON)}


def test_a_closed_pool_answers_at_once() -> None:
    pool = WorkerPool(1)
    pool.close()

    assert facts(pool, Job("one.py", "x = 1")) == {"one.py": None}


@pytest.mark.skipif(sys.platform == "win32", reason="told by the parent there")
def test_workers_run_behind_the_users_own_programs() -> None:
    worker = WorkerProcess(worker_command())
    try:
        worker.parse(Job("a.py", "x = 1\n"))

        assert worker._process is not None
        assert os.getpriority(os.PRIO_PROCESS, worker._process.pid) >= NICENESS
    finally:
        worker.release()


def test_nothing_of_the_workspace_can_be_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A workspace with modules named like ours and the standard library's is opened as working folder."""
    for name in ("context", "tree_sitter", "json", "faulthandler", "engine", "msgspec"):
        trap = tmp_path / f"{name}.py"
        trap.write_text(f"open({str(tmp_path / 'sprung')!r}, 'w').write({name!r})\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", f":.:{tmp_path}")

    found = facts(WorkerPool(1), Job(str(tmp_path / "json.py")))

    assert found[str(tmp_path / "json.py")] is not None
    assert not (tmp_path / "sprung").exists()
    assert worker_command()[1] == "-P"
    assert str(tmp_path) not in worker_environment()["PYTHONPATH"]
