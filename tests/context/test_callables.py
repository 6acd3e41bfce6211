"""Members like a name, and the parameters of functions, as far as the workspace tells."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from context import RepoContext

FILES = {
    "shop/base.py": "class Base:\n    def refresh(self):\n        self.stamp = 1\n",
    "shop/items.py": (
        "from .base import Base\n\n\nclass Item(Base):\n    price = 1\n\n"
        "    def __init__(self, name: dict[str, int], *rest, limit=3, **more):\n        self.label = name\n\n"
        "    def total(self, rate, /, *, exact: bool = False) -> int: ...\n"
    ),
    "shop/facts.py": "@dataclass\nclass Fact:\n    key: str\n    value: int = 0\n",
    "web/a.ts": (
        "export function load(url: string, { deep } = {}, ...rest: string[]) {}\n"
        "class Page { constructor(title: string) {} }\n"
    ),
    "shop/broken.py": "class Broken(\n    def f(self, a, b\n",
}


@pytest.fixture(name="context")
def context_fixture(tmp_path: Path) -> Iterator[RepoContext]:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    context = RepoContext([tmp_path])
    context.start()
    assert context.wait_ready(60)
    yield context
    context.close()


def members(context: RepoContext, owner: str) -> set[str]:
    return set(context.members_like(owner, lambda name: True))


def test_a_class_has_its_own_members_those_of_its_bases_and_what_it_sets(context: RepoContext) -> None:
    assert {"price", "label", "total", "refresh", "stamp"} <= members(context, "Item")


def test_a_module_has_what_it_defines_and_imports(context: RepoContext) -> None:
    assert {"Item", "Base"} <= members(context, "items")


def test_of_an_unknown_class_every_class_may_be_meant(context: RepoContext) -> None:
    assert {"refresh", "total"} <= members(context, "Nobody")
    assert context.members_like("Nobody", lambda name: name.startswith("tot")) == ("total",)


@pytest.mark.parametrize(
    ("name", "owner", "parameters"),
    [
        ("total", "", (("rate", "exact"),)),
        ("total", "Item", (("rate", "exact"),)),
        ("total", "Base", ()),
        ("Item", "", (("name", "rest", "limit", "more"),)),
        ("Fact", "", (("key", "value"),)),
        ("load", "", (("url", "rest"),)),
        ("Page", "", (("title",),)),
        ("nobody", "", ()),
    ],
)
def test_parameters_are_read_from_the_header(
    context: RepoContext, name: str, owner: str, parameters: tuple[tuple[str, ...], ...]
) -> None:
    assert context.parameters_of(name, owner) == parameters


def test_broken_code_gives_what_it_can(context: RepoContext) -> None:
    assert context.parameters_of("Broken") == ()
