"""extract.python: what tree-sitter's targeted walk finds is what `ast` finds."""

import ast
import sysconfig
import warnings
from pathlib import Path

import pytest

from context.extract.python import extract
from context.naive import naive_definitions, naive_imports
from context.repo_map import render
from context.source import read_source
from context.symbols import FileFacts, Kind, Scope

STDLIB = Path(sysconfig.get_paths()["stdlib"])
SITE_PACKAGES = Path(sysconfig.get_paths()["purelib"])
FILES = [
    *sorted(STDLIB.glob("*.py")),
    *sorted((STDLIB / "asyncio").glob("*.py")),
    *sorted((STDLIB / "email").glob("*.py")),
    *sorted((SITE_PACKAGES / "rich").glob("*.py")),
    *sorted((SITE_PACKAGES / "pygls").rglob("*.py")),
]


def parseable() -> list[tuple[Path, str]]:
    found = []
    for path in FILES:
        text = read_source(str(path.resolve()))
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                ast.parse(text or "")
        except (SyntaxError, ValueError):
            continue
        found.append((path, text or ""))
    return found


SOURCES = parseable()


def test_there_are_enough_real_files_to_compare() -> None:
    assert len(SOURCES) > 200


def test_imports_are_those_of_ast_on_real_files() -> None:
    for path, text in SOURCES:
        rows = [row[:5] for row in extract(text).imports]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            assert rows == naive_imports(text), path


def test_classes_and_functions_are_those_of_ast_on_real_files() -> None:
    for path, text in SOURCES:
        rows = solid_rows(extract(text))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            assert rows == naive_definitions(text), path


@pytest.mark.parametrize("is_whole", [False, True], ids=["signatures", "whole functions"])
def test_the_repo_map_of_every_real_file_parses(is_whole: bool) -> None:
    """A repo map must look like Python to the model; also when every third definition is missing."""
    for path, text in SOURCES:
        facts = extract(text)
        for step in (1, 3):
            chosen = dict.fromkeys(range(0, len(facts.definitions), step), is_whole)
            source = render(facts, chosen)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                try:
                    ast.parse(source)
                except SyntaxError as error:
                    pytest.fail(f"{path}: {error}: {source.splitlines()[(error.lineno or 1) - 2 :][:5]}")


def test_class_shows_header_fields_and_first_attributes() -> None:
    facts = extract(
        '''\
@decorated(1)
class Account(Base[int], metaclass=Meta):
    """Money of one owner.

    More.
    """

    limit: int = 10

    def __init__(self, owner: str, *, limit: int = 3) -> None:
        """Opens it."""
        super().__init__()
        self.owner = owner
        self.total: int = compute(
            limit,
        )
        self._hidden = 1
        if owner:
            self.owner = "again"

    async def pay(
        self,
        amount: int,
    ) -> None:
        self.last = amount
'''
    )

    assert [row.bases for row in facts.definitions if row.kind is Kind.CLASS] == [("Base",)]
    assert "".join(row.signature for row in facts.definitions) == (
        '''\
@decorated(1)
class Account(Base[int], metaclass=Meta):
    """Money of one owner."""
    limit: int = 10
    def __init__(self, owner: str, *, limit: int = 3) -> None:
        """Opens it."""
        self.owner = owner
        self.total: int = ...
        ...
    async def pay(self, amount: int) -> None:
        self.last = amount
        ...
'''
    )


@pytest.mark.parametrize(
    ("text", "exports"),
    [
        ("__all__ = ['a', 'b']", ("a", "b")),
        ("__all__ = ('a',)\n__all__ += ['b']\n__all__.append('c')", ("a", "b", "c")),
        ("__all__ = base.__all__ + ['a']", None),
        ("x = 1", None),
    ],
    ids=["a list", "a tuple that grows", "computed", "absent"],
)
def test_exports(text: str, exports: tuple[str, ...] | None) -> None:
    assert extract(text).exports == exports


def test_imports_say_where_they_stand() -> None:
    facts = extract(
        "import a\n"
        "if TYPE_CHECKING:\n    import b\nelse:\n    import c\n"
        "try:\n    import d\nexcept ImportError:\n    import e\n"
        "def f():\n    import g\n"
        "class C:\n    import h\n"
        "text = 'import i'  # import j\n"
    )

    assert {row.module: row.scope for row in facts.imports} == {
        "a": Scope.MODULE,
        "b": Scope.TYPE_CHECKING,
        "c": Scope.MODULE,
        "d": Scope.MODULE,
        "e": Scope.MODULE,
        "g": Scope.FUNCTION,
        "h": Scope.MODULE,
    }


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "def",
        "class :\n",
        "from . import",
        "x = '''\nimport a",
        "(" * 50_000,
        "if x:\n" * 3000,
        "\ufeffx=1",
        "\x0c",
    ],
    ids=range(10),
)
def test_broken_text_never_raises(text: str) -> None:
    extract(text)


def test_broken_text_still_gives_what_can_be_read() -> None:
    facts = extract("from .a import b\nclass C:\n    def f(self, x):\n        return (x +\n\ndef g(): pass\n")

    assert [row.module for row in facts.imports] == ["a"]
    assert {"C", "f"} <= {row.name for row in facts.definitions}


def solid_rows(facts: FileFacts) -> list[tuple[str, str, int]]:
    """Definitions without variables, owners renumbered to match."""
    numbers: dict[int, int] = {-1: -1}
    rows = []
    for index, row in enumerate(facts.definitions):
        if row.kind is not Kind.VARIABLE:
            numbers[index] = len(rows)
            rows.append((row.name, str(row.kind), numbers[row.owner]))
    return rows


def test_a_long_signature_is_shown_without_annotations_and_long_defaults() -> None:
    """What takes many lines gives way to other members."""
    parameters = ", ".join(f"option_{i}: dict[str, int] | None = None" for i in range(8))
    source = (
        f"async def run(self, path: str, /, *rest: int, {parameters}, mode=make_default_mode(), **more: str)"
        " -> int:\n    return 1\n"
    )

    (definition,) = extract(source).definitions

    names = ", ".join(f"option_{i}=None" for i in range(8))
    header = f"async def run(self, path, /, *rest, {names}, mode=..., **more) -> int: ...\n"
    assert definition.signature == header


def test_the_indent_is_that_of_the_code_and_not_of_an_example() -> None:
    example = '"""Use:\n\n    class A:\n            def a(self): ...\n"""\n'
    text = f'{example}\nclass B:\n  """So:\n        x\n  """\n  def b(self): ...\n'

    facts = extract(text)

    assert facts.indent == "  "
    assert facts.definitions[1].signature == "  def b(self): ...\n"


@pytest.mark.parametrize("text", ["", "x = 1\n", "def f(): ...\n", "class (:\n  x\n", "if a: pass\n"])
def test_without_a_block_the_indent_is_the_usual_one(text: str) -> None:
    assert extract(text).indent == "    "
