"""project: re-exports are followed to definitions, and files come in the order in which they depend."""

import pytest

from context.imports.python import Module
from context.parse import extract
from context.project import Entry, Project, Target


def project_of(files: dict[str, str], previous: Project | None = None) -> Project:
    entries = {f"/w/{path}": Entry(path, None, extract(text)) for path, text in files.items()}
    return Project(entries, ("/w",), previous)


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
    found = project_of(REEXPORTS).define(f"/w/{file}", name)

    assert found == (Target(f"/w/{expected}", (found.indices)) if isinstance(found, Target) else None)
    assert (found is None) == (expected is None)


def test_a_bound_submodule_is_a_module() -> None:
    assert project_of(REEXPORTS).define("/w/pkg/__init__.py", "d") == Module("/w/pkg/deep.py")


def test_weak_imports_do_not_turn_the_order_round() -> None:
    project = project_of(
        {
            "a_main.py": "import b_model, c_base",
            "b_model.py": "import c_base",
            "c_base.py": "def f():\n    import a_main\nif TYPE_CHECKING:\n    import b_model\n",
        }
    )

    assert sorted(project.order, key=project.order.__getitem__) == [
        "/w/c_base.py",
        "/w/b_model.py",
        "/w/a_main.py",
    ]


def test_files_wanted_last_stay_before_what_depends_on_them() -> None:
    project = project_of({"a.py": "", "b.py": "import a", "c.py": "", "d.py": ""})
    keys = [f"/w/{name}.py" for name in "abcd"]

    assert project.arrange(keys, ["/w/a.py"]) == ["/w/c.py", "/w/d.py", "/w/a.py", "/w/b.py"]


def test_a_project_made_from_another_equals_one_made_afresh() -> None:
    """Whatever is taken over from the view before."""
    first = project_of(REEXPORTS)
    for changed in (
        {**REEXPORTS, "pkg/_impl.py": "import local\ndef run(): ...\n"},
        {**REEXPORTS, "pkg/new.py": "import pkg._fast\n"},
        {path: text for path, text in REEXPORTS.items() if path != "pkg/_fast.py"},
    ):
        fast, slow = project_of(changed, first), project_of(changed)
        assert fast.order == slow.order
        for key in changed:
            assert fast.imported_by(f"/w/{key}") == slow.imported_by(f"/w/{key}")


def test_without_a_file_nothing_depends_on_what_stands_in_it() -> None:
    one = project_of({**REEXPORTS, "me.py": "import pkg\nclass Secret: ...\n"})
    two = project_of({**REEXPORTS, "me.py": "import local\n"})

    blind_one, blind_two = one.without(["/w/me.py"]), two.without(["/w/me.py"])

    assert blind_one.entries == blind_two.entries
    assert blind_one.order == blind_two.order
    assert blind_one.define("/w/me.py", "Secret") is None
