"""repo_context: what a plan holds, on small workspaces that can be read at a glance."""

from pathlib import Path

import pytest

from context import Plan, RepoContext
from engine.api import Segment

SHOP = {
    "shop/__init__.py": "from .models import Item\n",
    "shop/models.py": '''\
from shop.money import Price

MAX_ITEMS = 10


class Item:
    """One thing that is sold."""

    def __init__(self, name: str, price: Price) -> None:
        self.name = name
        self.price = price

    def discount(self, percent: int) -> Price:
        """The price after a discount."""
        total = self.price.cents
        return Price(total - total * percent // 100)

    def _secret_sauce(self):
        return 1


def unrelated(value):
    """Nobody calls it."""
    return value
''',
    "shop/money.py": """\
from dataclasses import dataclass


@dataclass
class Price:
    cents: int

    def text(self) -> str:
        return f"{self.cents / 100:.2f}"


def parse_price(text: str) -> Price:
    return Price(int(float(text) * 100))
""",
    "shop/other.py": "def far_away():\n    return 0\n",
}


def chosen_by_name(plan: Plan) -> list[Segment]:
    """All but the excerpts that look like the cursor's surroundings: in a shop this small everything does."""
    return [segment for segment in plan.segments if segment.kind != "similar"]


def segments(plan: Plan) -> dict[str, str]:
    return {segment.path: segment.text for segment in chosen_by_name(plan)}


def test_used_definitions_come_with_their_types_and_dependencies_first(workspace) -> None:
    context = workspace.open(SHOP)

    plan = workspace.plan(
        context, "shop/cart.py", "from shop import Item\n\n\nclass Cart:\n    items: list[Item]\n    |\n"
    )

    assert plan.path == "shop/cart.py"
    assert plan.is_complete
    assert [(segment.path, segment.kind) for segment in chosen_by_name(plan)] == [
        ("shop/money.py", "definition"),
        ("shop/other.py", "sibling"),
        ("shop/models.py", "definition"),
    ]
    assert (
        segments(plan)["shop/models.py"]
        == '''\
MAX_ITEMS = 10

class Item:
    """One thing that is sold."""
    def __init__(self, name: str, price: Price) -> None:
        self.name = name
        self.price = price
        ...
    def discount(self, percent: int) -> Price:
        """The price after a discount."""
        ...
    ...

def unrelated(value):
    """Nobody calls it."""
    ...
'''
    )
    assert chosen_by_name(plan)[-1].reason == "defines Item; imported here"


def test_a_tight_budget_holds_the_used_definition_alone(workspace) -> None:
    context = workspace.open(SHOP)

    plan = workspace.plan(
        context, "main.py", "from shop.money import parse_price\nparse_price(|", budget_tokens=50
    )

    assert segments(plan) == {
        "shop/money.py": "def parse_price(text: str) -> Price:\n    return Price(int(float(text) * 100))\n"
    }
    assert next((row.path, row.chosen) for row in plan.considered) == ("shop/money.py", True)
    assert plan.num_tokens <= 50


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("import shop.money\nshop.money.parse_price(1)\n\n|", "parse_price"),
        ("import shop.money as m\nm.parse_price(1)\n\n|", "parse_price"),
        ("from shop import money\nmoney.parse_price(1)\n\n|", "parse_price"),
        ("from shop.money import *\nparse_price(1)\n\n|", "parse_price"),
        ("import shop\nshop.Item(1)\n\n|", "Item"),
        ("def f():\n    from shop.money import parse_price as p\n    p(1)\n\n|", "parse_price"),
        ("from shop.money import parse_price\n\n|", "parse_price"),
    ],
    ids=[
        "a dotted import",
        "a module under another name",
        "a module from its package",
        "a star import",
        "a re-export as attribute",
        "an import inside a function",
        "imported and not used yet",
    ],
)
def test_definitions_are_found_through(workspace, text: str, name: str) -> None:
    context = workspace.open(SHOP)

    plan = workspace.plan(context, "main.py", text, budget_tokens=150)

    assert plan.segments
    assert chosen_by_name(plan)[-1].kind == "near"
    assert f" {name}(" in chosen_by_name(plan)[-1].text or f"class {name}:" in chosen_by_name(plan)[-1].text


def test_a_subclass_sees_the_bases_of_its_base(workspace) -> None:
    context = workspace.open(
        {
            "root.py": "class Root:\n    def from_the_root(self): ...\n",
            "middle.py": "import root\nclass Middle(root.Root):\n    def from_the_middle(self): ...\n",
        }
    )

    plan = workspace.plan(context, "leaf.py", "from middle import Middle\n\nclass Leaf(Middle):\n    |\n")

    assert [segment.path for segment in chosen_by_name(plan)] == ["root.py", "middle.py"]
    assert "from_the_root" in segments(plan)["root.py"]
    assert plan.segments[0].reason.startswith("defines")


def test_a_test_sees_the_fixtures_it_asks_for(workspace) -> None:
    context = workspace.open(
        {
            "tests/conftest.py": "def wallet():\n    return 5\n\ndef unused():\n    return 6\n",
            "tests/unit/test_old.py": "",
        }
    )

    plan = workspace.plan(
        context, "tests/unit/test_new.py", "def test_it(wallet):\n    assert wallet\n    |", 30
    )

    assert segments(plan) == {"tests/conftest.py": "def wallet():\n    return 5\n"}


def test_members_that_the_file_names_come_before_others(workspace) -> None:
    members = "".join(f"    def method_{number}(self, argument_{number}): ...\n" for number in range(40))
    context = workspace.open({"big.py": f"class Big:\n{members}"})
    text = "from big import Big\nBig().method_33(1)\n\n|"

    chosen = segments(workspace.plan(context, "main.py", text, budget_tokens=80))["big.py"]

    assert "method_33" in chosen
    assert "method_32" not in chosen
    assert chosen.endswith("    ...\n")


def test_an_empty_file_is_shown_its_folder_and_nothing_else(workspace) -> None:
    context = workspace.open({**SHOP, "elsewhere/far.py": "def f(): ...\n"})

    plan = workspace.plan(context, "shop/new.py", "|")

    assert {segment.kind for segment in plan.segments} == {"sibling"}
    assert "elsewhere/far.py" not in {row.path for row in plan.considered}


def test_small_files_of_the_folder_are_whole_when_the_budget_is_ample(workspace) -> None:
    context = workspace.open(SHOP)

    assert "    return 0\n" in segments(workspace.plan(context, "shop/new.py", "|", 4000))["shop/other.py"]
    assert (
        segments(workspace.plan(context, "shop/new.py", "|", 220))["shop/other.py"] == "def far_away(): ...\n"
    )


def test_the_first_plan_is_not_complete_and_does_not_wait(workspace) -> None:
    workspace.write(SHOP)
    context = RepoContext([workspace.root])

    plan = workspace.plan(context, "main.py", "import shop\n|")

    assert not plan.is_complete
    assert plan.segments == ()
    context.close()


def test_languages_without_a_grammar_get_their_folder_and_open_buffers(workspace) -> None:
    context = workspace.open(
        {"web/a.lua": "local a = 1\n", "web/b.css": "x", "far/c.lua": "c\n", "web/z.py": ""}
    )
    context.set_open(workspace.root / "far/d.lua", "local d = 4\n")
    context.set_open(workspace.root / "far/e.go", "package e\n")

    plan = workspace.plan(context, "web/main.lua", "local |", language="lua")

    assert [(segment.path, segment.kind) for segment in chosen_by_name(plan)] == [
        ("web/a.lua", "sibling"),
        ("far/e.go", "open_file"),
        ("far/d.lua", "open_file"),
    ]
    assert plan.segments[0].text == "local a = 1\n"


def test_a_file_in_several_parts_is_one_row(workspace) -> None:
    context = workspace.open(SHOP)
    text = "from shop.money import parse_price\n\n\ndef total(text):\n    price = parse_price(text)\n    |\n"

    plan = workspace.plan(context, "main.py", text, budget_tokens=600)
    rows = [row for row in plan.considered if row.path == "shop/money.py"]

    assert len(rows) == 1
    assert rows[0].num_tokens == sum(
        segment.num_tokens for segment in plan.segments if segment.path == rows[0].path
    )


def test_names_are_relative_to_the_workspace(workspace, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(workspace.root)
    context = RepoContext([link])

    assert context.relative(link / "pkg" / "mod.py") == "pkg/mod.py"
    assert context.relative(workspace.root / "pkg" / "mod.py") == "pkg/mod.py"
    assert context.relative(tmp_path / "outside.py") == "outside.py"


def test_the_same_question_has_the_same_answer(workspace) -> None:
    text = "from shop import Item\nfrom shop.money import parse_price\n|"
    first = workspace.plan(workspace.open(SHOP), "main.py", text)
    again = workspace.plan(workspace.open(), "main.py", text)

    assert first == again


def test_progress_reaches_the_number_of_files(workspace) -> None:
    seen: list[tuple[int, int]] = []

    workspace.open(SHOP, on_progress=lambda done, total: seen.append((done, total)))

    assert seen == [(number, len(SHOP)) for number in range(1, len(SHOP) + 1)]
