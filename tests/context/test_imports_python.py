"""imports/python: a statement names the same file that CPython's path finder would load."""

from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from context.extract.python import extract
from context.imports.python import PythonModules
from context.naive import naive_find

PARTS = ("alpha", "beta", "gamma")


def modules_of(root: Path, roots: list[Path] | None = None) -> PythonModules:
    files = [path.as_posix() for path in root.rglob("*.py*")]
    return PythonModules(files, [path.as_posix() for path in roots or [root]])


def write(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("")


def named(root: Path, importer: str, statement: str) -> set[str]:
    modules = modules_of(root)
    importing = (root / importer).as_posix()
    found = [file for row in extract(statement).imports for file in modules.files_of(importing, row)]
    return {Path(file).relative_to(root).as_posix() for file in found}


@settings(max_examples=150, deadline=None)
@given(
    names=st.sets(
        st.builds(
            lambda root, parts, last: "/".join([root, *parts, last]),
            st.sampled_from(["one", "two"]),
            st.lists(st.sampled_from(PARTS), max_size=2),
            st.sampled_from([f"{part}.py" for part in PARTS] + ["__init__.py"]),
        ),
        min_size=1,
        max_size=8,
    ),
    module=st.lists(st.sampled_from(PARTS), min_size=1, max_size=3).map(".".join),
)
def test_absolute_names_are_found_as_the_path_finder_finds_them(
    tmp_path_factory: pytest.TempPathFactory, names: set[str], module: str
) -> None:
    root = tmp_path_factory.mktemp("tree")
    write(root, *names, "one/script/main.py")
    (root / "two").mkdir(exist_ok=True)
    roots = [root / "one", root / "two"]

    packages = {(root / name).parent for name in names if name.endswith("__init__.py")}
    assume(
        {package.parent for package in packages if package.parent not in packages} <= set(roots)
    )  # no guesses
    found = modules_of(root, roots).find((root / "one/script/main.py").as_posix(), module)

    expected = naive_find(module, roots)
    file = found.file if found else None
    if expected is None and file is not None:
        # Python stops at the first package of a name; we also look behind it
        expected = next(path for path in (naive_find(module, [root]) for root in roots) if path)
    assert file == (expected.as_posix() if expected else None)


@pytest.mark.parametrize(
    ("importer", "statement", "expected"),
    [
        ("app/main.py", "import app.models", {"app/models.py"}),
        ("app/main.py", "from app import models, name", {"app/models.py", "app/__init__.py"}),
        ("app/main.py", "from . import models", {"app/models.py"}),
        ("app/main.py", "from .models import User as U, Group", {"app/models.py"}),
        ("app/sub/deep.py", "from .. import models", {"app/models.py"}),
        ("app/sub/deep.py", "from ..models import *", {"app/models.py"}),
        ("app/sub/deep.py", "from .... import models", set()),
        ("app/__init__.py", "from .models import User", {"app/models.py"}),
        ("app/models.py", "from .models import User", set()),
        ("app/main.py", "import library.core as c", {"src/library/core.py"}),
        ("app/main.py", "from ns.part import util", {"ns/part/util.py"}),
        ("scripts/run.py", "import helper", {"scripts/helper.py"}),
        ("tests/test_a.py", "from nested.project.inner import x", {"nested/project/inner/__init__.py"}),
        ("tests/test_a.py", "from inner import x", {"nested/project/inner/__init__.py"}),
        ("app/main.py", "import typed", {"typed.pyi"}),
        ("app/main.py", "import os, numpy.linalg", set()),
        ("app/main.py", "def f():\n    from app.models import User", {"app/models.py"}),
        ("left/main.py", "import shared.x", {"left/shared/x.py"}),
        ("right/main.py", "import shared.x", {"right/shared/x.py"}),
        ("left/main.py", "import shared.only_right", {"right/shared/only_right.py"}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_statements_name_workspace_files(
    tmp_path: Path, importer: str, statement: str, expected: set[str]
) -> None:
    write(
        tmp_path,
        "app/__init__.py",
        "app/main.py",
        "app/models.py",
        "app/sub/__init__.py",
        "app/sub/deep.py",
        "src/library/__init__.py",
        "src/library/core.py",
        "ns/part/util.py",
        "scripts/run.py",
        "scripts/helper.py",
        "nested/project/inner/__init__.py",
        "typed.pyi",
        "left/shared/__init__.py",
        "left/shared/x.py",
        "left/main.py",
        "right/shared/__init__.py",
        "right/shared/x.py",
        "right/shared/only_right.py",
        "right/main.py",
    )

    assert named(tmp_path, importer, statement) == expected


def test_a_submodule_comes_before_a_name(tmp_path: Path) -> None:
    write(tmp_path, "pkg/__init__.py", "pkg/part.py")
    modules = modules_of(tmp_path)

    bindings = [
        (binding.bound, binding.name)
        for row in extract("from pkg import part as p, other").imports
        for binding in modules.bindings((tmp_path / "main.py").as_posix(), row)
    ]

    assert bindings == [("p", ""), ("other", "other")]
