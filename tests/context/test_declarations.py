"""Which function or class a range means, and where a description of it goes."""

from __future__ import annotations

import pytest

from context.grammars import parser_of
from context.languages import language_of
from context.syntax.calls import calls_in
from context.syntax.declarations import Declaration, declarations_at, declarations_of
from context.syntax.described import Span, plain_text
from context.syntax.tree import SyntaxTree

PYTHON = '''\
import os

@cached(1)
def first(a):
    # a comment
    return os.path.join(a).strip()


class Shop:
    """What sells."""

    def open(self): return self.door.push(first)

    async def close(
        self,
        late: bool,
    ) -> None:  # why
        if late:
            await self.lock()
'''
TYPESCRIPT = """\
/** Adds. */
export function add(a: number) { return plus(a) }

export const twice = async (n: number) => {
  return add(n)
}, other = 1

export default class Shop extends Base {
  open = () => { this.door.push() }
  @logged()
  private close(late: boolean): void { new Lock() }
}
const table = { get: () => 2, put() {} }
items.map(function (x) { return x })
interface Door { push(): void }
"""


def tree_of(text: str, name: str) -> SyntaxTree:
    language = language_of(name)
    assert language is not None
    assert language.grammar is not None
    return SyntaxTree.parse(parser_of(language.grammar), text)


def family(name: str) -> str:
    return "python" if name.endswith(".py") else "javascript"


def at(text: str, picked: str, name: str = "a.py") -> list[str]:
    """The names of what a selection of `picked` means."""
    start = text.index(picked)
    return [
        each.name for each in declarations_at(tree_of(text, name), family(name), start, start + len(picked))
    ]


def named(text: str, wanted: str, name: str = "a.py") -> Declaration:
    (found,) = (each for each in declarations_of(tree_of(text, name), family(name)) if each.name == wanted)
    return found


def described(text: str, wanted: str, name: str = "a.py") -> str:
    """The text with DOC in the slot of one declaration."""
    slot = named(text, wanted, name).slot
    assert slot is not None
    return f"{text[: slot.start]}{slot.before}DOC{slot.after}{text[slot.end :]}"


@pytest.mark.parametrize(
    ("picked", "names"),
    [
        ("import os", []),
        ("@cached", ["first"]),
        ("a comment", ["first"]),
        ("@cached(1)\ndef first(a):\n    # a comment\n    return os.path.join(a).strip()\n\n", ["first"]),
        ("class Shop", ["Shop"]),
        ("self.door", ["open"]),
        ("late: bool", ["close"]),
        ("    def open(self): return self.door.push(first)\n", ["open"]),
        ("def open(self): return self.door.push(first)\n\n    async def close", ["open", "close"]),
        (PYTHON, ["first", "Shop"]),
    ],
)
def test_a_range_means_the_smallest_definition_around_it(picked: str, names: list[str]) -> None:
    """One that reaches over several means all of these."""
    assert at(PYTHON, picked) == names


@pytest.mark.parametrize(
    ("picked", "names"),
    [
        ("plus(a)", ["add"]),
        ("export function", ["add"]),
        ("return add", ["twice"]),
        ("const twice", ["twice"]),
        ("this.door", ["open"]),
        ("late: boolean", ["close"]),
        ("extends Base", ["Shop"]),
        ("=> 2", ["get"]),
        ("put() {}", ["put"]),
        ("items.map", []),
        ("return x", []),
        ("push(): void", ["push"]),
    ],
)
def test_values_that_are_functions_have_the_name_they_are_given(picked: str, names: list[str]) -> None:
    assert at(TYPESCRIPT, picked, "a.ts") == names


@pytest.mark.parametrize("line", ["    return 1", "\treturn 1", "    return 1  "])
def test_a_cursor_beside_the_code_of_its_line_means_that_code(line: str) -> None:
    text = f"def f():\n{line}\n\nx = 1\n"
    tree = tree_of(text, "a.py")

    starts = range(text.index("\n") + 1, text.index("\n") + 1 + len(line))
    assert {tuple(d.name for d in declarations_at(tree, "python", at, at)) for at in starts} == {("f",)}
    assert declarations_at(tree, "python", len(text) - 2, len(text) - 2) == ()


def test_a_docstring_goes_below_the_header_with_the_margin_of_the_body() -> None:
    assert described(PYTHON, "first") == PYTHON.replace("    # a comm", '    """DOC"""\n    # a comm')
    assert described(PYTHON, "close") == PYTHON.replace(
        "        if late", '        """DOC"""\n        if late'
    )


def test_a_body_on_the_line_of_its_header_gets_lines_of_its_own() -> None:
    expected = 'open(self):\n        """DOC"""\n        return self.door'
    assert described(PYTHON, "open") == PYTHON.replace("open(self): return self.door", expected)


def test_a_docstring_of_a_class_is_followed_by_a_blank_line() -> None:
    assert described("class A:\n    x = 1\n", "A") == 'class A:\n    """DOC"""\n\n    x = 1\n'
    assert described("class A:\n\n    x = 1\n", "A") == 'class A:\n    """DOC"""\n\n    x = 1\n'


def test_line_ends_stay_what_they_are() -> None:
    assert described("def f():\r\n\treturn 1\r\n", "f") == 'def f():\r\n\t"""DOC"""\r\n\treturn 1\r\n'


def test_a_description_that_is_there_is_found_and_would_be_replaced() -> None:
    shop, add = named(PYTHON, "Shop"), named(TYPESCRIPT, "add", "a.ts")

    assert shop.doc is not None
    assert PYTHON[slice(*shop.doc)] == "What sells."
    assert add.doc is not None
    assert plain_text(TYPESCRIPT[slice(*add.doc)], is_docstring=False) == "Adds."
    assert described(PYTHON, "Shop") == PYTHON.replace("What sells.", "DOC")


def test_an_empty_description_is_none() -> None:
    assert named('def f():\n    """ """\n', "f").doc is None
    assert named("/** */\nfunction f() {}\n", "f", "a.js").doc is None


def test_a_formatted_string_is_no_description() -> None:
    assert named('def f():\n    f"""{x}"""\n', "f").doc is None


@pytest.mark.parametrize(
    ("wanted", "line"),
    [
        ("twice", "export const twice"),
        ("Shop", "export default class Shop"),
        ("open", "  open = "),
        ("close", "  @logged()"),
    ],
)
def test_a_doc_comment_goes_above_the_whole_statement(wanted: str, line: str) -> None:
    margin = line[: len(line) - len(line.lstrip())]
    expected = TYPESCRIPT.replace(line, f"{margin}/**DOC */\n{line}")
    assert described(TYPESCRIPT, wanted, "a.ts") == expected


def test_a_doc_comment_inside_of_a_line_stays_there() -> None:
    assert described(TYPESCRIPT, "put", "a.ts") == TYPESCRIPT.replace("put()", "/**DOC */ put()")


def test_headers_end_where_bodies_begin() -> None:
    close = named(PYTHON, "close")
    assert PYTHON[close.start : close.header_end].endswith(") -> None:")
    shop = named(TYPESCRIPT, "Shop", "a.ts")
    assert TYPESCRIPT[shop.start : shop.header_end].strip() == "export default class Shop extends Base"


def test_owners_are_classes_and_not_functions() -> None:
    text = "class A:\n    def m(self):\n        def inner(): pass\n"
    assert [(each.name, each.owner) for each in declarations_of(tree_of(text, "a.py"), "python")] == [
        ("A", ""),
        ("m", "A"),
        ("inner", ""),
    ]


def calls(text: str, wanted: str, name: str = "a.py") -> list[tuple[str, ...]]:
    found = named(text, wanted, name)
    return [call.chain for call in calls_in(tree_of(text, name), Span(found.start, found.end))]


def test_calls_are_given_as_they_are_written_each_once() -> None:
    assert calls(PYTHON, "first") == [("cached",), ("", "strip"), ("os", "path", "join")]
    assert calls(PYTHON, "close") == [("self", "lock")]
    assert calls("def f():\n    g()\n    g()\n", "f") == [("g",)]
    assert calls(TYPESCRIPT, "Shop", "a.ts") == [("this", "door", "push"), ("logged",), ("Lock",)]
    assert calls("function F() { return <Box a={b()}/> }", "F", "a.jsx") == [("Box",), ("b",)]


def test_other_languages_have_no_declarations() -> None:
    assert declarations_at(tree_of(PYTHON, "a.py"), "go", 0, 0) == ()


@pytest.mark.parametrize(
    "text", ["", "def", "def f(:\n", "class", "function (", "\ufeff", "def é():\n  pass"]
)
@pytest.mark.parametrize("name", ["a.py", "a.ts"])
def test_broken_text_breaks_nothing(text: str, name: str) -> None:
    tree = tree_of(text, name)
    for start in range(len(text) + 1):
        declarations_at(tree, family(name), start, len(text))
    list(declarations_of(tree, family(name)))


def test_offsets_are_code_points() -> None:
    text = 's = "äöü€𝒳"\n\n\ndef f():\n    return s\n'
    assert described(text, "f") == text.replace("    return", '    """DOC"""\n    return')
