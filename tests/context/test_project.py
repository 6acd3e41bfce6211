"""project and lookup: re-exports are followed to definitions, files come in the order in which they depend.

A project that followed changes equals one made afresh.
"""

import random

import pytest

from context.imports import Module
from context.lookup import Lookup
from context.name_index import Target
from context.project import Entry, Project
from context_projects import facts_of, order_again, project_of


def order_of(project: Project) -> list[str]:
    return project.graph.arrange(project.entries, [])


REEXPORTS = {
    "pkg/__init__.py": "from .api import *\nfrom .deep import Thing as Renamed\nfrom . import deep as d\n",
    "pkg/api.py": "from ._impl import run, _private, hidden\n__all__ = ['run', '_private']\n",
    "pkg/_impl.py": "def run(): ...\ndef _private(): ...\ndef hidden(): ...\n",
    "pkg/deep.py": "try:\n    from ._fast import Thing\nexcept ImportError:\n    Thing = None\n",
    "pkg/_fast.py": "class Thing: ...\n",
    "pkg/lazy.py": "if TYPE_CHECKING:\n    from ._fast import Thing\n",
    "loop/a.py": "from .b import *\n",
    "loop/b.py": "from .a import *\n",
    "local.py": "def f():\n    from pkg._fast import Thing\n",
}


@pytest.mark.parametrize(
    ("file", "name", "expected"),
    [
        ("pkg/__init__.py", "run", "pkg/_impl.py"),
        ("pkg/__init__.py", "_private", "pkg/_impl.py"),
        ("pkg/__init__.py", "hidden", None),
        ("pkg/__init__.py", "Renamed", "pkg/_fast.py"),
        ("pkg/deep.py", "Thing", "pkg/_fast.py"),
        ("pkg/lazy.py", "Thing", "pkg/_fast.py"),
        ("local.py", "Thing", None),
        ("loop/a.py", "anything", None),
    ],
    ids=[
        "through a star import",
        "a private name that __all__ lists",
        "a public name that __all__ leaves out",
        "under another name",
        "not hidden by the fallback under except",
        "through an import for type checkers",
        "not an import inside a function",
        "not for ever in a circle",
    ],
)
def test_names_are_followed_to_their_definition(file: str, name: str, expected: str | None) -> None:
    found = Lookup(project_of(REEXPORTS)).define(f"/w/{file}", name)

    assert found == (Target(f"/w/{expected}", (found.indices)) if isinstance(found, Target) else None)
    assert (found is None) == (expected is None)


def test_a_bound_submodule_is_a_module() -> None:
    assert Lookup(project_of(REEXPORTS)).define("/w/pkg/__init__.py", "d") == Module("/w/pkg/deep.py")


def test_weak_imports_do_not_turn_the_order_round() -> None:
    project = project_of(
        {
            "a_main.py": "import b_model, c_base",
            "b_model.py": "import c_base",
            "c_base.py": "def f():\n    import a_main\nif TYPE_CHECKING:\n    import b_model\n",
        }
    )

    assert order_of(project) == ["/w/c_base.py", "/w/b_model.py", "/w/a_main.py"]


def test_files_wanted_last_stay_before_what_depends_on_them() -> None:
    graph = project_of({"a.py": "", "b.py": "import a", "c.py": "", "d.py": ""}).graph
    keys = [f"/w/{name}.py" for name in "abcd"]

    assert graph.arrange(keys, ["/w/a.py"]) == ["/w/c.py", "/w/d.py", "/w/a.py", "/w/b.py"]


MODULES = ("a", "b", "pkg/__init__", "pkg/c", "pkg/sub/__init__", "pkg/sub/d", "deep/e")
SPELLINGS = (
    "import a",
    "from b import x",
    "from pkg import c",
    "import pkg.sub.d",
    "from pkg.sub import d",
    "import deep.e",
)


@pytest.mark.parametrize("seed", range(30))
def test_following_changes_equals_making_it_afresh(seed: int) -> None:
    """Random files come, change and go; edges, order and owners are those of a new project."""
    chance = random.Random(seed)
    project, files = Project(("/w",)), {}
    for _ in range(40):
        path = f"{chance.choice(MODULES)}.py"
        if path in files and chance.random() < 0.3:
            del files[path]
            project.drop(f"/w/{path}")
        else:
            imports = "\n".join(chance.sample(SPELLINGS, chance.randrange(4)))
            members = "".join(f"    def m{chance.randrange(5)}(self): ...\n" for _ in range(2))
            files[path] = f"{imports}\nclass C{chance.randrange(3)}:\n{members}"
            project.put(f"/w/{path}", Entry(path, None, facts_of(path, files[path])))
        if chance.random() < 0.5:
            project.graph.settle()
        if chance.random() < 0.2:
            order_again(project)
    order_again(project)
    fresh = project_of(dict(sorted(files.items())))

    assert project.entries == fresh.entries
    assert order_of(project) == order_of(fresh)
    for key in fresh.entries:
        assert project.graph.imports_of(key) == fresh.graph.imports_of(key)
        assert set(project.graph.importers_of(key)) == set(fresh.graph.importers_of(key))
        assert project.same_file(key, None) == fresh.same_file(key, None)
    for number in range(5):
        assert set(project.names.owners_of(f"m{number}")) == set(fresh.names.owners_of(f"m{number}"))
        assert project.words.idf(f"m{number}") == fresh.words.idf(f"m{number}")


def test_an_edit_finds_the_edges_of_the_edited_file_only(monkeypatch: pytest.MonkeyPatch) -> None:
    project = project_of({f"m{number}.py": f"import m{number // 2}" for number in range(200)})
    found: list[str] = []
    find_edges = project.graph._find_edges
    monkeypatch.setattr(project.graph, "_find_edges", lambda key: found.append(key) or find_edges(key))

    project.put("/w/m7.py", Entry("m7.py", None, facts_of("m7.py", "import m1\ndef fresh(): ...\n")))
    project.graph.settle()

    assert found == ["/w/m7.py"]
    assert project.graph.imports_of("/w/m7.py") == {"/w/m1.py"}


def test_what_is_hidden_defines_nothing() -> None:
    lookup = Lookup(project_of(REEXPORTS), ["/w/pkg/_impl.py"])

    assert lookup.facts("/w/pkg/_impl.py") is None
    assert lookup.define("/w/pkg/__init__.py", "run") is None
    assert lookup.define("/w/pkg/__init__.py", "Renamed") == Target("/w/pkg/_fast.py", (0,))
