"""worker_pool: files are parsed elsewhere, and a file that kills its worker is only skipped."""

import sys
from pathlib import Path

import pytest

from context.parse import extract
from context.worker_pool import MAX_DEATHS, Job, WorkerPool, worker_command, worker_environment

DEADLY = """
import json, os, sys
for line in sys.stdin.buffer:
    job = json.loads(line)
    if "deadly" in job["key"]:
        os._exit(1)
    if "babble" in job["key"]:
        sys.stdout.write("this is not JSON\\n")
    else:
        facts = dict(imports=[], definitions=[], exports=None, docstring="", indent="", words=job["key"])
        sys.stdout.write(json.dumps(facts) + "\\n")
    sys.stdout.flush()
"""


def parsed(pool: WorkerPool, *jobs: Job) -> dict[str, object]:
    try:
        return {job.key: facts for job, facts in pool.parse(jobs)}
    finally:
        pool.release()


def test_facts_from_a_worker_are_those_of_this_process(tmp_path: Path) -> None:
    text = "from a import b\nclass C(b):\n    x: int = 1\n    def f(self): ...\n"
    path = tmp_path / "a\u2028b \udcff.py"
    path.write_text(text)

    found = parsed(
        WorkerPool(2), Job(str(path)), Job("buffer", "def g(): pass\r\n"), Job(str(tmp_path / "gone.py"))
    )

    assert found == {
        str(path): extract(text),
        "buffer": extract("def g(): pass\n"),
        str(tmp_path / "gone.py"): None,
    }


@pytest.mark.parametrize("name", ["deadly", "babble"])
def test_a_file_that_kills_the_worker_is_skipped(name: str) -> None:
    pool = WorkerPool(1, [sys.executable, "-c", DEADLY])

    found = parsed(pool, Job("one"), Job(name), Job("two"))

    assert found[name] is None
    assert found["one"] is not None
    assert found["two"] is not None


def test_workers_that_keep_dying_are_given_up() -> None:
    pool = WorkerPool(1, [sys.executable, "-c", DEADLY])

    found = parsed(pool, *[Job(f"deadly{number}") for number in range(MAX_DEATHS)], Job("fine"))

    assert set(found.values()) == {None}


def test_a_missing_interpreter_gives_no_facts_and_no_error() -> None:
    assert parsed(WorkerPool(1, ["/nonexistent/python"]), Job("one")) == {"one": None}


def test_many_jobs_use_all_workers_and_all_come_back(tmp_path: Path) -> None:
    jobs = [Job(f"buffer{number}", f"x{number} = 1\n") for number in range(200)]

    assert len(parsed(WorkerPool(2), *jobs)) == 200


def test_a_call_that_is_left_early_does_not_disturb_the_next() -> None:
    pool = WorkerPool(2)
    first = pool.parse([Job(f"buffer{number}", f"x{number} = 1\n") for number in range(150)])
    next(iter(first))
    first.close()

    assert parsed(pool, Job("other", "y = 2\n")) == {"other": extract("y = 2\n")}


def test_a_closed_pool_answers_at_once() -> None:
    pool = WorkerPool(1)
    pool.close()

    assert parsed(pool, Job("one", "x = 1")) == {"one": None}


def test_nothing_of_the_workspace_can_be_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A workspace with modules named like ours and the standard library's is opened as working folder."""
    for name in ("context", "tree_sitter", "json", "faulthandler", "engine"):
        trap = tmp_path / f"{name}.py"
        trap.write_text(f"open({str(tmp_path / 'sprung')!r}, 'w').write({name!r})\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", f":.:{tmp_path}")

    found = parsed(WorkerPool(1), Job(str(tmp_path / "json.py")))

    assert found[str(tmp_path / "json.py")] is not None
    assert not (tmp_path / "sprung").exists()
    assert worker_command()[1] == "-P"
    assert str(tmp_path) not in worker_environment()["PYTHONPATH"]
