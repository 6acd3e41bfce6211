"""A plan does not change while a line is typed, never exceeds its budget, and costs one parse per edit."""

import random
import re
import sysconfig
from pathlib import Path

import pytest

from context import RepoContext
from context.pack import HEADER_TOKENS
from context.parse import extract

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
            assert len({segment.path for segment in plan.segments}) == len(plan.segments)


def test_one_edit_of_an_open_file_parses_that_file_only(workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    context = workspace.open(SHOP)
    main = "import a, b, c\n|"
    context.set_open(workspace.root / "a.py", SHOP["a.py"])
    workspace.plan(context, "main.py", main)
    parsed: list[str] = []
    monkeypatch.setattr("context.files.extract", lambda text: parsed.append(text) or extract(text))

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

    plan = context.plan(path, text, 3000, budget_tokens=3000, count_tokens=words_count)
    place = {segment.path: number for number, segment in enumerate(plan.segments)}

    assert place["rich/errors.py"] < place["rich/style.py"] < place["rich/padding.py"]
    assert len(plan.segments) > 10


def test_a_changed_tokenizer_is_asked_again(workspace) -> None:
    repo: RepoContext = workspace.open(SHOP)
    one = workspace.plan(repo, "main.py", "import a\n|", count_tokens=words_count)
    two = workspace.plan(repo, "main.py", "import a\n|", count_tokens=odd_count)

    assert one.segments[0].text == two.segments[0].text
    assert two.segments[0].num_tokens == odd_count(two.segments[0].text)
