"""Recent edits in plans: which are shown, in which lines, and that nothing changes without them."""

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from context import Plan, RepoContext
from context.choose import EDIT_SHARE, SMALL_BUDGET
from context.pack import HEADER_TOKENS
from context.recent_edits import MAX_AGE_SECONDS
from engine.api import Segment

BODY = "".join(f"    step_{number} = {number}\n" for number in range(100))
FILES = {
    "net.py": "def fetch(url):\n    return url\n",
    "jobs.py": f'from net import fetch\n\n\ndef nightly():\n{BODY}    pages = fetch("a")\n    return pages\n',
    "far.py": f"def unrelated():\n{BODY}    return 1\n",
    "main.py": "",
}
MAIN = "from net import fetch\n\n\ndef run():\n    one = fetch(1)\n    |\n"
OLD, NEW = 'fetch("a")', 'fetch("a", retries=3)'


class Session:
    """A user with some files open, and a clock."""

    def __init__(self, workspace: Any, files: dict[str, str]) -> None:
        self.workspace = workspace
        self.texts = dict(files)
        self.now = 0.0
        self.context: RepoContext = workspace.open(files, clock=lambda: self.now)
        for name in files:
            self.show(name, files[name])

    def show(self, name: str, text: str) -> None:
        self.texts[name] = text
        self.context.set_open(self.workspace.root / name, text)

    def change(self, name: str, old: str, new: str) -> None:
        assert old in self.texts[name]
        self.show(name, self.texts[name].replace(old, new))

    def plan(self, text: str = MAIN, name: str = "main.py", **options: object) -> Plan:
        return self.workspace.plan(self.context, name, text, **options)

    def edits(self, text: str = MAIN, name: str = "main.py", **options: object) -> list[Segment]:
        return recent(self.plan(text, name, **options))


def recent(plan: Plan) -> list[Segment]:
    return [segment for segment in plan.segments if segment.kind == "recent_edit"]


def tokens(segments: Sequence[Segment], kind: str) -> int:
    return sum(segment.num_tokens + HEADER_TOKENS for segment in segments if segment.kind == kind)


@pytest.fixture
def session(workspace: Any) -> Session:
    return Session(workspace, FILES)


def test_without_edits_nothing_of_this_is_asked(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = session.plan()
    monkeypatch.setattr("context.choose.rank_edits", None)

    assert session.plan() == plan
    session.change("jobs.py", OLD, NEW)
    with pytest.raises(TypeError):
        session.plan()


def test_a_plan_is_the_same_as_before_once_its_edits_are_forgotten(session: Session) -> None:
    before = session.plan()
    session.change("far.py", "step_7 = 7", "step_7 = 70")
    assert session.plan().segments != before.segments
    session.show("far.py", FILES["far.py"])

    session.now += MAX_AGE_SECONDS

    assert session.plan() == before


def test_an_edit_stands_last_as_its_lines_and_those_around_them(session: Session) -> None:
    session.change("jobs.py", OLD, NEW)

    last = session.plan().segments[-1]

    assert last == Segment(
        path="jobs.py",
        text="    step_97 = 97\n    step_98 = 98\n    step_99 = 99\n"
        '    pages = fetch("a", retries=3)\n    return pages\n',
        kind="recent_edit",
        reason="changed lately, lines 105 to 105",
        num_tokens=last.num_tokens,
    )
    assert last.num_tokens > 0


def test_with_little_room_an_edit_is_shown_with_fewer_lines_around(session: Session) -> None:
    session.change("jobs.py", OLD, NEW)

    (edit,) = session.edits(budget_tokens=120)

    assert edit.text == '    pages = fetch("a", retries=3)\n'


def test_in_a_small_budget_an_edit_leaves_the_definition_its_place(session: Session) -> None:
    session.change("jobs.py", OLD, NEW)

    plan = session.plan(budget_tokens=SMALL_BUDGET // 2)

    assert [(row.path, row.kind) for row in plan.segments if row.kind in ("near", "recent_edit")] == [
        ("net.py", "near"),
        ("jobs.py", "recent_edit"),
    ]


def test_where_definitions_fill_a_small_budget_they_make_room(workspace: Any) -> None:
    names = [f"tool_{number}" for number in range(12)]
    body = "(first_argument, second_argument):\n    return first_argument, second_argument\n\n\n"
    tools = "".join(f"def {name}{body}" for name in names)
    session = Session(workspace, {**FILES, "tools.py": tools})
    text = f"from net import fetch\nfrom tools import *\n\n\ndef run():\n    {', '.join(names)}\n    |\n"
    full = session.plan(text, budget_tokens=245).segments
    session.change("jobs.py", OLD, "tool_0(first_argument=11111, second_argument=22222)")

    plan = session.plan(text, budget_tokens=245)

    assert tokens(full, "near") + tokens(plan.segments, "recent_edit") > 245
    assert 0 < tokens(plan.segments, "near") < tokens(full, "near")
    assert plan.segments[-1].kind == "recent_edit"
    assert plan.num_tokens <= 245


def test_an_excerpt_does_not_show_the_lines_of_an_edit_again(workspace: Any) -> None:
    calls = "".join(f"    answer_{number} = fetch(url, {number})\n" for number in range(14))
    session = Session(workspace, {**FILES, "calls.py": f"def calls(url):\n{BODY}\n\ndef more(url):\n{calls}"})
    session.change("calls.py", "(url, ", "(url, timeout=")
    text = "from net import fetch\n\n\ndef run(url):\n    answer = fetch(url, 1)\n    |\n"

    shown = "".join(segment.text for segment in session.plan(text, budget_tokens=3000).segments)

    assert shown.count("answer_7 = fetch(url, timeout=7)") == 1


def test_nothing_happens_and_the_segments_stay(session: Session) -> None:
    session.change("jobs.py", OLD, NEW)
    session.change("far.py", "step_7 = 7", "fetch_7 = fetch(7)")
    plan = session.plan()

    session.now += 300

    assert session.plan(previous=plan).segments == plan.segments


def test_typing_a_line_leaves_the_edits_alone(session: Session) -> None:
    session.change("jobs.py", OLD, NEW)
    plans = set()

    for length in range(len(NEW) + 1):
        typed = MAIN.replace("|", NEW[:length] + "|")
        session.show("main.py", typed.replace("|", ""))
        plans.add(session.plan(typed).segments)

    assert len(plans) == 1


def test_the_frozen_part_is_that_of_before_the_edit(session: Session) -> None:
    first = session.plan()
    session.change("jobs.py", OLD, NEW)

    second = session.plan(previous=first)

    assert first.num_frozen > 0
    assert second.frozen is first.frozen
    assert recent(second)


@pytest.mark.parametrize("budget", [60, 120, 250, 400, 1000, 4000])
def test_edits_keep_to_the_budget(session: Session, budget: int) -> None:
    chance = random.Random(budget)
    for number in range(12):
        step = chance.randrange(100)
        session.change(
            "far.py", f"    step_{step} = ", f"    fetch_{number} = fetch({number})\n    step_{step} = "
        )

    plan = session.plan(budget_tokens=budget)

    assert plan.num_tokens <= budget
    assert sum(segment.num_tokens + HEADER_TOKENS for segment in plan.segments) == plan.num_tokens
    assert tokens(plan.segments, "recent_edit") <= EDIT_SHARE * budget


# Which edits


def test_an_edit_that_names_nothing_of_here_counts_while_it_is_young(session: Session) -> None:
    session.change("far.py", "step_7 = 7", "planets = 9")
    assert "planets = 9" in session.edits()[0].text

    session.now += 121

    assert session.edits() == []


def test_an_edit_that_shares_a_name_counts_for_ten_minutes_and_stands_nearest(session: Session) -> None:
    session.change("jobs.py", OLD, NEW)
    session.now += 60
    session.change("far.py", "step_7 = 7", "planets = 9")
    assert [segment.path for segment in session.edits()] == ["far.py", "jobs.py"]

    session.now += 500
    assert [segment.path for segment in session.edits()] == ["jobs.py"]

    session.now += 50
    assert session.edits() == []


def test_a_changed_definition_that_is_shown_anyway_is_not_shown_twice(session: Session) -> None:
    session.change("net.py", "def fetch(url):", "def fetch(url, retries=0):")

    plan = session.plan()

    assert "".join(segment.text for segment in plan.segments).count("def fetch(url, retries=0):") == 1
    assert recent(plan) == []


def test_what_stands_around_the_cursor_already_is_not_shown(session: Session) -> None:
    """The same lines were written there too: the model would write them a third time."""
    session.change("jobs.py", OLD, NEW)

    assert session.edits(MAIN.replace("    |", f"    pages = {NEW}\n    |")) == []


def test_an_edit_near_the_cursor_is_not_shown_and_one_far_away_is(session: Session) -> None:
    far_away = "fetch_all = fetch(2)\n" + "# a line\n" * 300
    session.change("main.py", "", MAIN.replace("|", "two = fetch(2)"))
    assert session.edits() == []

    session.show("main.py", (far_away + MAIN).replace("|", ""))
    session.show("main.py", (far_away.replace("2", "22") + MAIN).replace("|", ""))

    assert [(row.path, row.text) for row in session.edits(far_away.replace("2", "22") + MAIN)] == [
        ("main.py", "fetch_all = fetch(22)\n# a line\n# a line\n# a line\n")
    ]


def test_an_edit_far_below_is_shown_where_it_is_now(session: Session) -> None:
    """The text that is planned for may be newer than what was told of it."""
    text = MAIN + "# a line\n" * 300 + "fetch_all = fetch(2)\n"
    session.show("main.py", text.replace("|", ""))
    session.change("main.py", "fetch(2)", "fetch(22)")

    (edit,) = session.edits("import os\n" + text.replace("fetch(2)", "fetch(22)"))

    assert edit.text == "# a line\n# a line\n# a line\nfetch_all = fetch(22)\n"
    assert edit.reason == "changed lately, lines 308 to 308"


def test_an_edit_is_shown_as_it_reads_now(session: Session) -> None:
    session.change("jobs.py", OLD, NEW)
    session.change("jobs.py", "retries=3", "retries=5, wait=1")
    session.change(
        "jobs.py", "from net import fetch\n", "import os\nfrom net import fetch\n" + "x = 1\n" * 20
    )

    texts = [segment.text for segment in session.edits(budget_tokens=4000)]

    assert any('fetch("a", retries=5, wait=1)' in text for text in texts)
    assert "retries=3" not in "".join(texts)


def test_an_undone_line_is_gone(session: Session) -> None:
    session.change("jobs.py", "    return pages\n", "    fetch(9)\n    return pages\n")
    assert "fetch(9)" in session.edits()[0].text

    session.change("jobs.py", "    fetch(9)\n", "")

    assert session.edits() == []


def test_languages_without_a_grammar_have_edits_too(workspace: Any) -> None:
    body = "".join(f"\tstep{number} := {number}\n" for number in range(250))
    go = {"a.go": f"package a\n\nfunc Nightly() {{\n{body}\tFetch(1)\n}}\n", "b.go": ""}
    session = Session(workspace, go)
    session.change("a.go", "Fetch(1)", "Fetch(1, retries)")

    plan = session.plan("package a\n\nfunc Run() {\n\tFetch(2)\n\t|\n}\n", "b.go")

    assert [segment.kind for segment in plan.segments][-1] == "recent_edit"
    assert "Fetch(1, retries)" in plan.segments[-1].text
    assert plan.num_tokens <= plan.budget_tokens


# What never enters


@pytest.mark.parametrize("name", [".env", "ignored.py", "mine/x.py"], ids=["a secret", "git", "the user"])
def test_an_edit_of_an_excluded_file_never_enters(workspace: Any, name: str) -> None:
    workspace.write({**FILES, ".gitignore": "ignored.py\n", ".git/HEAD": "", name: "fetch = 1\n"})
    context = workspace.open(exclude=["mine/"])
    for text in ("fetch = 1\n", "fetch = 'hidden'\n"):
        context.set_open(workspace.root / name, text)

    plan = workspace.plan(context, "main.py", MAIN)

    assert recent(plan) == []
    assert "hidden" not in "".join(segment.text for segment in plan.segments)


@pytest.mark.parametrize(
    "line",
    [
        'fetch(password="correct horse battery")',
        "-----BEGIN RSA PRIVATE KEY-----",
        "fetch(" + "1, " * 400 + ")",
    ],
    ids=["a password", "a private key", "a line nobody wrote"],
)
def test_an_edit_with_such_a_line_never_enters(session: Session, line: str) -> None:
    session.change("jobs.py", f"pages = {OLD}", line)

    assert session.edits(budget_tokens=8000) == []


def test_an_edit_of_a_copy_of_the_file_never_enters(workspace: Any) -> None:
    session = Session(workspace, {**FILES, "main.orig.py": FILES["jobs.py"]})
    session.change("main.orig.py", OLD, NEW)

    assert session.edits() == []


def test_the_edits_of_a_closed_file_are_those_that_were_saved(session: Session) -> None:
    path = session.workspace.root / "jobs.py"
    session.change("jobs.py", OLD, NEW)
    path.write_text(session.texts["jobs.py"])
    session.context.set_closed(path)
    assert NEW in session.edits()[0].text

    path.write_text(FILES["jobs.py"])
    assert all("retries" not in segment.text for segment in session.edits())


def test_a_file_that_is_opened_again_with_another_text_has_no_edits(session: Session) -> None:
    session.context.set_closed(session.workspace.root / "jobs.py")
    session.change("jobs.py", OLD, NEW)

    assert session.edits() == []


def test_a_closed_file_of_elsewhere_is_no_source_any_more(session: Session, tmp_path: Path) -> None:
    path = tmp_path / "elsewhere.py"
    path.write_text(FILES["jobs.py"].replace(OLD, NEW))
    session.context.set_open(path, FILES["jobs.py"])
    session.context.set_open(path, path.read_text())
    assert [segment.path for segment in session.edits()] == ["elsewhere.py"]

    session.context.set_closed(path)

    assert session.edits() == []


def test_changes_of_other_files_are_counted(session: Session) -> None:
    main, jobs = session.workspace.root / "main.py", session.workspace.root / "jobs.py"
    before = session.context.num_edits_elsewhere(main), session.context.num_edits_elsewhere(jobs)

    session.change("jobs.py", OLD, NEW)

    after = session.context.num_edits_elsewhere(main), session.context.num_edits_elsewhere(jobs)
    assert after == (before[0] + 1, before[1])


def test_a_log_that_changes_all_the_time_does_not_count(session: Session) -> None:
    main = session.workspace.root / "main.py"
    before = session.context.num_edits_elsewhere(main)
    for text in ("one\n", "one\ntwo\n"):
        session.context.set_open(session.workspace.root / "server.log", text)

    assert session.context.num_edits_elsewhere(main) == before


def test_a_link_to_a_file_is_that_file(session: Session) -> None:
    link: Path = session.workspace.root / "link.py"
    link.symlink_to(session.workspace.root / "jobs.py")
    session.context.set_open(link, FILES["jobs.py"].replace(OLD, NEW))

    assert [segment.path for segment in session.edits()] == ["jobs.py"]
