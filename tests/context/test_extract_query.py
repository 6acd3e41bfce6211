"""extract.query: what query files say of a source is what a reader would say, on golden files.

A source in tests/golden/context stands beside a file of its name with `.facts`: what must be found in it, and
its repo map. A language is added by adding files.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from context.extract import extract, query
from context.languages import LANGUAGES, Language, language_named, language_of
from context.repo_map import core_units, map_units, render
from context.symbols import FileFacts, Import, Kind, Scope

GOLDEN = Path(__file__).parents[1] / "golden" / "context"
SOURCES = sorted(path for path in GOLDEN.rglob("*.*") if path.suffix != ".facts")
READ = [row for row in LANGUAGES if row.grammar and row.grammar.queries]
"""Languages that are read by query files."""
BY_NAME = {"ids": lambda path: f"{path.parent.name}/{path.name}"}


def language(name: str) -> Language:
    row = language_named(name)
    assert row is not None
    return row


def read(path: Path) -> tuple[str, Language]:
    row = language_of(path)
    assert row is not None
    return path.read_text("utf-8"), row


def read_by_queries() -> list[Path]:
    return [path for path in SOURCES if read(path)[1] in READ]


def has_error(source: str, row: Language) -> bool:
    assert row.grammar is not None
    return query._reader(row.grammar).parser.parse(source.encode()).root_node.has_error


def as_text(facts: FileFacts) -> str:
    """The readable form in which golden files keep facts."""
    lines = ["imports"]
    lines += [f"  {import_line(row)}" for row in facts.imports]
    lines += [f"exports {'everything' if facts.exports is None else ', '.join(facts.exports) or 'nothing'}"]
    lines += [f"  {exported} is {local}" for exported, local in facts.aliases]
    lines += ["definitions", *definition_lines(facts, -1, "  ")]
    whole = {row.name: row.body for row in facts.definitions if row.body}
    chosen = {unit.index: False for unit in map_units(facts, [row.name for row in facts.definitions])}
    lines += [f"short {', '.join(whole) or 'none'}", "map", render(facts, chosen)]
    return "\n".join(lines)


def import_line(row: Import) -> str:
    names = ", ".join(name if name == bound else f"{name} as {bound}" for name, bound in row.names)
    where = "" if row.scope is Scope.MODULE else f" [{row.scope}]"
    passed = " [passed on]" if row.is_reexport else ""
    alias = f" as {row.alias}" if row.alias else ""
    said = f"{'.' * row.level}{row.module}{alias}{': ' if names else ''}{names}"
    return f"{row.first_line + 1}-{row.last_line + 1} {said}{where}{passed}"


def definition_lines(facts: FileFacts, owner: int, pad: str) -> Iterator[str]:
    for index in facts.members.get(owner, ()):
        row = facts.definitions[index]
        bases = f" ({', '.join(row.bases)})" if row.bases else ""
        outside = " outside" if row.is_outside else ""
        yield f"{pad}{row.first_line + 1}-{row.last_line + 1} {row.kind} {row.name}{bases}{outside}"
        yield from definition_lines(facts, index, f"{pad}  ")


@pytest.mark.parametrize("path", SOURCES, **BY_NAME)
def test_golden(path: Path) -> None:
    source, row = read(path)

    assert as_text(extract(source, row)) == path.with_name(f"{path.name}.facts").read_text("utf-8")


def test_every_language_has_golden_files() -> None:
    assert {row.id for _, row in map(read, SOURCES)} >= {"python", *(row.id for row in READ)} - {
        "javascriptreact"
    }


@pytest.mark.parametrize(
    "path", [path for path in read_by_queries() if not has_error(*read(path))], **BY_NAME
)
@pytest.mark.parametrize("is_whole", [False, True], ids=["signatures", "whole functions"])
def test_any_choice_of_definitions_parses(path: Path, is_whole: bool) -> None:
    """A repo map must look like its language to the model; also when definitions between are missing."""
    source, row = read(path)
    facts = extract(source, row)
    for step in (1, 2, 3):
        for start in range(step):
            text = render(facts, dict.fromkeys(range(start, len(facts.definitions), step), is_whole))
            assert not has_error(text, row), text


@pytest.mark.parametrize("path", SOURCES, **BY_NAME)
def test_owners_stand_before_their_members(path: Path) -> None:
    facts = extract(*read(path))

    assert all(-1 <= row.owner < index for index, row in enumerate(facts.definitions))


@pytest.mark.parametrize("path", read_by_queries(), **BY_NAME)
def test_imports_are_those_of_a_search_of_the_whole_tree(path: Path) -> None:
    """The search looks only where a word of imports occurs; the oracle looks everywhere."""
    source, row = read(path)
    assert row.grammar is not None
    reader = query._reader(row.grammar)
    data = source.encode()
    root = reader.parser.parse(data).root_node

    found, _ = query.find_imports(data, root, reader.imports, reader.near)
    everywhere, _ = query.find_imports(data, root, reader.imports, re.compile(b"(?s)."))

    assert found == everywhere


@pytest.mark.parametrize("row", READ, ids=lambda row: row.id)
@settings(max_examples=60, deadline=None)
@given(data=st.binary(max_size=300))
def test_random_bytes_never_raise(row: Language, data: bytes) -> None:
    extract(data.decode("utf-8", errors="replace"), row)


@pytest.mark.parametrize("row", READ, ids=lambda row: row.id)
@settings(max_examples=60, deadline=None)
@given(pick=st.data())
def test_broken_code_never_raises(row: Language, pick: st.DataObject) -> None:
    """Real sources with a piece missing: what someone is typing."""
    source, _ = read(pick.draw(st.sampled_from(read_by_queries())))
    start = pick.draw(st.integers(0, len(source)))
    end = pick.draw(st.integers(start, min(start + 200, len(source))))

    facts = extract(source[:start] + source[end:], row)

    render(facts, dict.fromkeys(range(len(facts.definitions)), False))


def test_a_file_that_a_program_wrote_has_words_only() -> None:
    source = "export function first(){return 1}" * 200

    facts = extract(source, language("javascript"))

    assert facts.definitions == ()
    assert facts.words == "export first function return"


def test_definitions_are_bounded() -> None:
    source = "\n".join(f"export const a{number} = {number};" for number in range(6_000))

    assert len(extract(source, language("javascript")).definitions) == 5_000


@pytest.mark.parametrize(
    "source",
    [
        "{\n" * 50_000,
        "const x = {a:\n" * 20_000,
        "namespace A {\n" * 20_000,
        'const x = "a"\n' + '+ "b"\n' * 50_000,
        "function f() {\n" + 'require("a")\n' * 50_000 + "}",
        "/** x */\n" * 50_000,
        "var " + ",\n".join(f"a{number} = 0" for number in range(50_000)),
    ],
    ids=["blocks", "objects", "namespaces", "a long sum", "requires", "comments", "one long declaration"],
)
def test_hostile_files_are_read_in_bounded_steps(source: str) -> None:
    """What is found is bounded, and no step is quadratic in its size, or this would not end in time."""
    facts = extract(source, language("typescript"))

    assert len(facts.definitions) <= 5_000
    assert len(facts.imports) <= 2_000


def test_later_overloads_are_left_out() -> None:
    source = "".join(f"export function pick(a: A{number}): B;\n" for number in range(9))

    facts = extract(source + "export function pick(a: any) { return a; }\n", language("typescript"))

    assert len(facts.definitions) == 5
    assert facts.definitions[-1].signature == "export function pick(a: any) {}\n"


def test_what_is_not_exported_is_not_in_the_map_unless_it_is_named() -> None:
    facts = extract(
        "function hidden() {}\nfunction used() {}\nexport function shown() {}\nexport { local as other };\n"
        "const local = 1;\n",
        language("javascript"),
    )

    names = [facts.definitions[unit.index].name for unit in map_units(facts, ["used"])]

    assert names == ["used", "shown", "local"]


def test_a_script_without_exports_shows_everything() -> None:
    facts = extract("function a() {}\nfunction _b() {}\n", language("javascript"))

    assert [facts.definitions[unit.index].name for unit in map_units(facts, [])] == ["a"]


def test_private_members_are_not_in_the_map() -> None:
    facts = extract(
        "export class A {\n  private a = 1;\n  #b = 2;\n  /** Doc. */\n  private c() {}\n  protected d = 3;\n"
        "  private_e = 4;\n}\n",
        language("typescript"),
    )

    assert [facts.definitions[unit.index].name for unit in map_units(facts, [])] == ["A", "d", "private_e"]


def test_of_a_long_table_the_first_rows_and_those_named_are_wanted() -> None:
    rows = "".join(f"  Row{number},\n" for number in range(40))
    facts = extract(f"export enum Table {{\n{rows}}}\n", language("typescript"))

    for units in (map_units(facts, ["Row33"]), core_units(facts, 0, ["Row33"])):
        names = [facts.definitions[unit.index].name for unit in units]
        assert sorted(names) == sorted(["Table", *(f"Row{number}" for number in range(20)), "Row33"])


def test_a_class_shows_that_members_are_missing() -> None:
    facts = extract("class A {\n  a() {}\n\n  b() {}\n}\nclass B {}\n", language("javascript"))

    assert render(facts, {0: False, 2: False, 3: False}) == "class A {\n  b() {}\n  // ...\n}\n\nclass B {}\n"
    assert render(facts, {0: False}) == "class A {\n  // ...\n}\n"


def test_an_owner_that_comes_later_gets_its_members() -> None:
    facts = extract("A.prototype.b = function () {};\nvar c = 1;\nfunction A() {}\n", language("javascript"))

    rows = [(row.name, row.kind, row.owner, row.is_outside) for row in facts.definitions]
    assert rows == [
        ("c", Kind.VARIABLE, -1, False),
        ("A", Kind.CLASS, -1, False),
        ("b", Kind.FUNCTION, 1, True),
    ]


def test_a_line_break_that_ends_a_statement_is_kept() -> None:
    """Members of an inline type may be separated by line ends alone."""
    source = "export function f(a: {\n  b: number\n  c: string\n}) {\n  return a;\n}\n"

    (definition,) = extract(source, language("typescript")).definitions

    assert definition.signature == "export function f(a: {\n  b: number\n  c: string\n}) {}\n"


@pytest.mark.parametrize("end", ["", ";"])
def test_lines_end_as_the_file_ends_them(end: str) -> None:
    row = language_named("typescript")
    assert row is not None
    text = f"interface A {{\n  id: number{end}\n}}\nclass B {{\n  name = ''{end}\n  find(): void {{}}\n}}\n"

    signatures = {found.name: found.signature for found in extract(text, row).definitions}

    assert signatures["id"] == f"  id: number{end}\n"
    assert signatures["name"] == f"  name = ''{end}\n"
