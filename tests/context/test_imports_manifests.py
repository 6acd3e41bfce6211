"""imports: manifests are read as their tools read them, and a hostile one costs little and says nothing."""

from __future__ import annotations

import json
from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from context.imports import Modules, resolver
from context.imports.jsonc import read_object
from context.imports.star_map import StarMap
from context.imports.workspace_globs import is_member, member_globs
from context.symbols import Import, Scope

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)
NOISE = st.sampled_from(["", " ", "\n", '/* a " , } */', "// it's, ]\n"])


@given(value=st.dictionaries(st.text(), VALUES, max_size=4), data=st.data())
def test_comments_and_last_commas_change_nothing(value: dict[str, object], data: st.DataObject) -> None:
    def write(item: object) -> str:
        noise = data.draw(NOISE)
        if isinstance(item, dict):
            rows = [f"{json.dumps(name)}{noise}:{write(inner)}" for name, inner in item.items()]
            return "{" + noise + "".join(f"{row}{noise},{noise}" for row in rows) + "}"
        if isinstance(item, list):
            return "[" + "".join(f"{write(inner)},{noise}" for inner in item) + "]" + noise
        return noise + json.dumps(item, ensure_ascii=data.draw(st.booleans()))

    assert read_object("\ufeff" + write(value)) == value


PARTS = st.lists(st.sampled_from(["a", "ab", "b"]), min_size=1, max_size=4).map("/".join)
GLOBS = st.lists(st.sampled_from(["a", "a*", "*", "**", "."]), min_size=1, max_size=4).map("/".join)


def naive_match(parts: list[str], steps: list[str]) -> bool:
    if not steps:
        return not parts
    if steps[0] == "**":
        return any(naive_match(parts[skip:], steps[1:]) for skip in range(len(parts) + 1))
    return bool(parts) and PurePosixPath(parts[0]).match(steps[0]) and naive_match(parts[1:], steps[1:])


@given(folder=PARTS, glob=GLOBS)
def test_a_glob_lists_what_it_matches(folder: str, glob: str) -> None:
    steps = [step for step in glob.split("/") if step != "."]

    assert is_member(folder, [glob]) == naive_match(folder.split("/"), steps)
    assert not is_member(folder, ["**", f"!{glob}"]) or not naive_match(folder.split("/"), steps)


@pytest.mark.parametrize(
    "text",
    [
        "packages:\n  - a/*\n  - 'b c'\n",
        '# first\npackages: # these\n\n- a/*\n- "b c" # and\nother:\n- d\n',
        "other: [d]\npackages: [a/*, 'b c']\n",
        'packages: [\n  a/*,\n  "b c",\n]\nother:\n  - d\n',
    ],
    ids=["indented", "not indented", "in brackets", "in brackets over lines"],
)
def test_a_list_of_yaml(text: str) -> None:
    assert member_globs("/w/pnpm-workspace.yaml", text) == ("a/*", "b c")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("./a", ("exact", "")),
        ("./a/x", ("short", "x")),
        ("./a/x.js", ("short with end", "x")),
        ("./a/b/x/y", ("long", "x/y")),
        ("./b", None),
        ("./c/", ("empty star", "")),
        ("./xyx", ("around", "y")),
        ("./xx", ("around", "")),
        ("./x", None),
    ],
)
def test_the_longest_pattern_wins(name: str, expected: tuple[str, str] | None) -> None:
    rows = {
        "./a/*": "short",
        "./a/*.js": "short with end",
        "./a/b/*": "long",
        "./a": "exact",
        "./c/*": "empty star",
        "./x*x": "around",
    }

    assert StarMap(rows).match(name) == expected


# Hostile manifests

DEEP = 100_000
MANY = 20_000
HOSTILE = {
    "nothing": "",
    "no object": "[1, 2]",
    "NUL and half a character": "\x00\ud800{",
    "deep lists": "[" * DEEP,
    "deep objects": '{"exports":' * DEEP,
    "deep conditions": '{"name": "p", "exports": ' + '{"import":' * 900 + "1" + "}" * 901,
    "wide conditions": json.dumps({"name": "p", "exports": {f"c{n}": [[], {}, [1]] for n in range(MANY)}}),
    "wrong types": json.dumps(
        {"name": {}, "exports": 3, "imports": [], "main": [], "workspaces": {"packages": {"a": 1}}}
        | {"extends": {"a": 1}, "references": [1, {"path": 2}], "compilerOptions": [{"paths": 1}]}
    ),
    "wrong types inside": json.dumps(
        {"name": "p", "exports": {".": {"import": 4, "require": None}}, "imports": {"#x": [[["./a.ts"]]]}}
        | {"compilerOptions": {"baseUrl": "\x00", "paths": {"*": [1, "../" * 400 + "*"], "": {}, "p*": 5}}}
    ),
    "many stars": json.dumps(
        {"name": "p", "exports": {"./*": "*" * MANY}, "imports": {"#*": "./" + "*/" * MANY}}
        | {"compilerOptions": {"paths": {"*": ["*" * MANY] * 50}}}
    ),
    "many rows": json.dumps(
        {"name": "p", "exports": {f"./{n}*": f"./{n}" for n in range(MANY)}}
        | {"compilerOptions": {"paths": {f"{n}*": ["./a"] for n in range(MANY)}}}
    ),
    "many globs": json.dumps(
        {"name": "p", "workspaces": ["**/*/**/" * 50] * MANY, "packages": ["**"] * MANY}
    ),
    "itself": json.dumps(
        {"name": "p", "main": ".", "exports": {"./*": "p/*"}, "imports": {"#x": "#x", "#p": "p"}}
        | {"extends": ["./tsconfig.json", "../tsconfig.json"] * MANY, "references": [{"path": "."}] * MANY}
    ),
    "a long number": "9" * MANY,
    "open string": '{"a": "' + '\\"' * DEEP + "\\",
    "open comments": "/*" * DEEP,
    "quotes": '{"' * DEEP,
    "commas": "," * DEEP + " " * DEEP,
    "large": "{" + " " * (1 << 21) + "}",
    "long key": "a." * (DEEP // 2) + "b = 1",
    "long header": "[" + "a." * (DEEP // 2) + "b]",
    "dotted keys": "\n".join(f"k{row}.{'a.' * 100}b = 1" for row in range(500)),
    "long line": "[options]\npackage_dir" + " " * DEEP + "x",
    "many roots": "[tool.setuptools.packages.find]\nwhere = [" + '"../x/../y", ' * (MANY // 4) + "]",
    "wrong tables": "tool = 3",
    "wrong rows": "[tool]\npoetry = {packages = [1, {from = 2}]}\nhatch = {build = {sources = {a = {}}}}",
    "yaml": "packages:\n" + "  - '**/*/**/" + "a" * DEEP + "\n" + "  -\n" * DEEP,
}
MANIFESTS = {
    "python": ("pyproject.toml", "setup.cfg"),
    "javascript": ("package.json", "tsconfig.json", "tsconfig.app.json", "pnpm-workspace.yaml", "lerna.json"),
}
STATEMENTS = [
    "p",
    "p/x",
    "#x",
    "#p",
    "x",
    "../a",
    "@/a",
    "@s/p/x",
    "a.b.c",
    "a",
    "../" * 400,
    "dist/" * 200,
    "p/" * 5000,
]


def answers(modules: Modules, importer: str) -> set[str]:
    rows = [
        Import(text, level, names, "n", Scope.MODULE, 0, 0) for text in STATEMENTS for level, names in FORMS
    ]
    return {name for row in rows for name in modules.files_of(importer, row)}


FORMS = ((0, ()), (0, (("a", "a"),)), (2, (("a", "a"),)))


@pytest.mark.timeout(20)
@pytest.mark.parametrize("family", MANIFESTS)
@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_manifest_hides_no_file(family: str, text: str) -> None:
    """Whatever it holds, nothing raises, answers are files that exist, and paths still resolve."""
    extension = {"python": "py", "javascript": "ts"}[family]
    files = [f"/w/{folder}/{name}.{extension}" for folder in ("a", "b/c", "b/c/d") for name in ("main", "a")]
    manifests = {
        f"{folder}/{name}": text for folder in ("/w", "/w/a", "/w/b/c") for name in MANIFESTS[family]
    }
    modules = resolver(family, files, ["/w"], manifests)
    assert modules is not None

    found = answers(modules, f"/w/b/c/d/main.{extension}")

    assert found <= set(files)
    assert f"/w/b/c/a.{extension}" in found


@pytest.mark.timeout(60)
def test_thousands_of_hostile_manifests_are_bounded() -> None:
    """A chain of configs, packages of one name, and a folder full of configs."""
    files = [f"/w/p{number}/a.ts" for number in range(3000)]
    manifests = {f"/w/tsconfig.{n}.json": f'{{"extends": "./tsconfig.{n + 1}.json"}}' for n in range(3000)}
    manifests |= {
        f"/w/p{number}/package.json": '{"name": "p", "workspaces": ["**"]}' for number in range(3000)
    }
    manifests |= {
        f"/w/p{number}/tsconfig.json": json.dumps(
            {
                "extends": [f"../tsconfig.{n}.json" for n in range(64)],
                "compilerOptions": {"paths": {"*": ["x*"]}},
            }
        )
        for number in range(3000)
    }
    modules = resolver("javascript", files, ["/w"], manifests)
    assert modules is not None

    for file in files:
        modules.files_of(file, Import("p", 0, (), "p", Scope.MODULE, 0, 0))
        modules.files_of(file, Import("q/r", 0, (), "q", Scope.MODULE, 0, 0))
