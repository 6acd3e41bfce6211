"""A plan does not change while a line is typed, never exceeds its budget, and costs one parse per edit."""

import random
import re
import sysconfig
from pathlib import Path

import pytest

from context import RepoContext
from context.extract import extract
from context.pack import HEADER_TOKENS

SHOP = {
    "a.py": "class Apple:\n    def peel(self): ...\n    def core(self): ...\n\ndef grow(): ...\n",
    "b.py": "from a import Apple\n\nclass Basket:\n    def put(self, apple: Apple) -> None: ...\n",
    "c.py": "def carve():\n    return 1\n",
}


def words_count(text: str) -> int:
    """As many tokens as words and signs."""
    return len(re.findall(r"\w+|[^\w\s]|\n+", text))


def odd_count(text: str) -> int:
    """A text costs more than its parts: no tokenizer is that bad."""
    return len(text) // 3 + text.count("\n") ** 2 // 8


def test_typing_a_line_leaves_the_plan_alone_until_the_line_is_left(workspace) -> None:
    context = workspace.open(SHOP)
    head, tail = "from a import Apple\n\n\ndef main():\n    ", "\n    return 1\n"
    line = "from c import carve; x = carve(Apple().core())  # '''"
    path = workspace.root / "main.py"

    def plan_with(typed: str, rest: str = ""):
        text = head + typed + rest + tail
        context.set_open(path, text)
        return workspace.plan(context, "main.py", head + typed + "|" + rest + tail).segments

    plans = [plan_with(line[:length]) for length in range(line.index("'''") + 1)]
    left = plan_with(line[: line.index("  #")] + "\n    ")

    assert len(set(plans)) == 1
    assert plans[0] != left
    assert "c.py" in {segment.path for segment in left if segment.kind == "definition"}


@pytest.mark.parametrize("count_tokens", [odd_count, words_count], ids=["not additive", "words"])
def test_no_plan_exceeds_its_budget(workspace, count_tokens) -> None:
    package = Path(sysconfig.get_paths()["purelib"]) / "pygls"
    context = workspace.open({f"pygls/{path.name}": path.read_bytes() for path in package.glob("*.py")})
    chance = random.Random(1)

    for path in sorted(package.glob("*.py")):
        text = path.read_text()
        for budget in (0, 1, 13, chance.randrange(20, 400), chance.randrange(400, 9000)):
            offset = chance.randrange(len(text) + 1)
            plan = context.plan(
                workspace.root / "pygls" / path.name,
                text,
                offset,
                budget_tokens=budget,
                count_tokens=count_tokens,
            )
            counted = sum(count_tokens(segment.text) + HEADER_TOKENS for segment in plan.segments)
            assert counted == plan.num_tokens <= budget
            assert [count_tokens(segment.text) for segment in plan.segments] == [
                segment.num_tokens for segment in plan.segments
            ]
            assert all(segment.text.endswith("\n") for segment in plan.segments)


def test_one_edit_of_an_open_file_parses_that_file_only(workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    context = workspace.open(SHOP)
    main = "import a, b, c\n|"
    context.set_open(workspace.root / "a.py", SHOP["a.py"])
    workspace.plan(context, "main.py", main)
    parsed: list[str] = []
    monkeypatch.setattr("context.files.extract", lambda text, row: parsed.append(text) or extract(text, row))

    edited = SHOP["a.py"] + "\ndef fresh(): ...\n"
    context.set_open(workspace.root / "a.py", edited)
    plan = workspace.plan(context, "main.py", main)
    workspace.plan(context, "main.py", main)

    assert parsed == [edited]
    assert "fresh" in "".join(segment.text for segment in plan.segments)


def test_dependencies_come_first_on_a_real_package(workspace) -> None:
    package = Path(sysconfig.get_paths()["purelib"]) / "rich"
    context = workspace.open({f"rich/{path.name}": path.read_bytes() for path in package.glob("*.py")})
    path = workspace.root / "rich" / "table.py"
    text = path.read_text()

    plan = context.plan(path, text, 3000, budget_tokens=6000, count_tokens=words_count)
    place = {segment.path: number for number, segment in enumerate(plan.segments[: plan.num_frozen])}

    assert place["rich/errors.py"] < place["rich/style.py"] < place["rich/padding.py"]
    assert len(place) > 10


def test_a_changed_tokenizer_is_asked_again(workspace) -> None:
    repo: RepoContext = workspace.open(SHOP)
    one = workspace.plan(repo, "main.py", "import a\n|", count_tokens=words_count)
    two = workspace.plan(repo, "main.py", "import a\n|", count_tokens=odd_count)

    assert one.segments[0].text == two.segments[0].text
    assert two.segments[0].num_tokens == odd_count(two.segments[0].text)


FARM = {
    "tools.py": "class Spade:\n    def dig(self, depth): ...\n\n\ndef rake(leaves):\n    return leaves\n",
    "field.py": "import tools\n\n\nclass Field:\n    def plough(self): ...\n",
}
WORK = (
    "from tools import Spade, rake\n\n\ndef morning():\n    Spade().dig(1)\n    |\n\n\n"
    "def evening():\n    rake(1)\n    @\n"
)


def at(mark: str, text: str = WORK) -> str:
    return text.replace("|" if mark == "@" else "@", "").replace(mark, "|")


def test_what_is_chosen_for_the_file_stays_while_the_cursor_moves(workspace) -> None:
    context = workspace.open(FARM)
    first = workspace.plan(context, "work.py", at("|"))

    second = workspace.plan(context, "work.py", at("@"), previous=first)

    assert first.num_frozen > 0
    assert second.frozen is first.frozen
    assert second.segments[: second.num_frozen] == first.segments[: first.num_frozen]


def test_a_new_import_line_chooses_again(workspace) -> None:
    context = workspace.open(FARM)
    first = workspace.plan(context, "work.py", at("|"))

    second = workspace.plan(context, "work.py", "from field import Field\n" + at("|"), previous=first)

    assert second.frozen is not first.frozen
    assert "class Field:" in "".join(segment.text for segment in second.segments[: second.num_frozen])


@pytest.mark.parametrize(
    ("old", "new", "is_kept"),
    [
        ("def dig(self, depth)", "def dig(self, depth, speed)", False),
        ("import tools\n", "import tools, os\n\n", True),
    ],
    ids=["a signature changes", "lines move"],
)
def test_a_changed_dependency_counts_if_it_says_something_else(
    workspace, old: str, new: str, is_kept: bool
) -> None:
    context = workspace.open(FARM)
    first = workspace.plan(context, "work.py", at("|"))
    for name, text in FARM.items():
        if old in text:
            context.set_open(workspace.root / name, text.replace(old, new))

    second = workspace.plan(context, "work.py", at("|"), previous=first)

    assert (second.frozen is first.frozen) == is_kept


def test_what_is_imported_and_waits_to_be_used_comes_first(workspace) -> None:
    context = workspace.open({**FARM, "barn.py": "def store(hay):\n    return hay\n"})
    text = "from barn import store\n" + at("|")

    plan = workspace.plan(context, "work.py", text, budget_tokens=40)

    assert [segment.path for segment in plan.segments] == ["barn.py"]
