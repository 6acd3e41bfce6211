"""used_names: what a file uses is found through imports, members and mentions, in every language alike."""

import pytest

from context.imports import Module
from context.languages import language_of
from context.lookup import Lookup
from context.name_index import Target
from context.project import Project
from context.used_names import MAX_OWNERS, MAX_WAITING, UsedNames
from context.uses import uses_of
from context_projects import project_of


def used_in(project: Project, path: str, text: str, hidden: tuple[str, ...] = ()) -> UsedNames:
    """The used names of a text with the cursor at its end."""
    key = f"/w/{path}"
    return UsedNames(Lookup(project, {key, *hidden}), key, uses_of(text, len(text), language_of(path)))


def names(found) -> dict[str, str]:
    return {used.name: used.target.key.removeprefix("/w/") for used in found}


FRUIT = {
    "apple.py": "class Apple:\n    def peel(self): ...\n    def core(self): ...\n",
    "pear.py": "class Pear:\n    def core(self): ...\n",
}


def test_a_class_is_found_by_a_member_that_few_have() -> None:
    used = used_in(project_of(FRUIT), "main.py", "def f(thing):\n    thing.peel()\n\n")

    assert names(used.by_member([])) == {"peel": "apple.py"}
    assert used.by_member([])[0].lines == (1,)


def test_a_member_that_many_classes_have_says_nothing() -> None:
    many = {f"m{number}.py": "class C:\n    def run(self): ...\n" for number in range(MAX_OWNERS + 1)}

    assert used_in(project_of(many), "main.py", "thing.run()\n\n").by_member([]) == []


@pytest.mark.parametrize(
    ("path", "text"), [("main.py", "rows.append(1)\n\n"), ("main.ts", "Promise.resolve(1);\n\n")]
)
def test_a_member_of_the_languages_own_types_is_not_looked_up(path: str, text: str) -> None:
    project = project_of(
        {
            "rows.py": "class Rows:\n    def append(self, row): ...\n",
            "later.ts": "export class Later { resolve(value: number) {} }\n",
        }
    )

    assert used_in(project, path, text).by_member([]) == []


def test_owners_in_hidden_files_do_not_count() -> None:
    many = {f"m{number}.py": "class C:\n    def run(self): ...\n" for number in range(MAX_OWNERS + 1)}
    used = used_in(project_of(many), "main.py", "thing.run()\n\n", hidden=("/w/m0.py",))

    assert [found.target.key for found in used.by_member([])] == ["/w/m1.py", "/w/m2.py", "/w/m3.py"]


def test_a_member_of_the_files_own_classes_is_not_looked_up() -> None:
    text = "class Mine:\n    def peel(self):\n        self.peel()\n\n"

    assert used_in(project_of(FRUIT), "main.py", text).by_member([]) == []


def test_what_is_imported_and_not_used_comes_first() -> None:
    used = used_in(project_of(FRUIT), "main.py", "from apple import Apple\nfrom pear import Pear\nPear()\n\n")

    assert [found.name for found in used.by_import()] == ["Apple", "Pear"]


def test_a_file_that_only_passes_names_on_waits_for_none() -> None:
    functions = [f"f{number}" for number in range(MAX_WAITING + 1)]
    project = project_of({"lib.py": "".join(f"def {name}(): ...\n" for name in functions)})

    assert used_in(project, "api.py", f"from lib import {', '.join(functions)}\n\n").waiting() == []


def test_classes_named_in_signatures_follow() -> None:
    project = project_of(
        {
            "money.py": "class Price: ...\nclass Tax: ...\n",
            "shop.py": "from money import Price, Tax\ndef pay(price: Price): ...\n",
        }
    )
    used = used_in(project, "main.py", "from shop import pay\npay(1)\n\n")

    assert names(used.by_mention(used.by_import())) == {"Price": "money.py"}


SCRIPTS = {
    "package.json": "",
    "src/index.ts": "export * from './deep/thing';\nexport { helper as help } from './deep/helper';\n",
    "src/deep/thing.ts": "export class Thing { go(): void {} }\n",
    "src/deep/helper.ts": "export function helper(a: number) { return a; }\n",
    "src/old.js": "module.exports = { get(url) { return url; }, post(url) { return url; } };\n",
    "src/main.js": "const value = 1;\nexport default function start(port) { return port; }\n",
    "src/view.tsx": "export const Button = (props: { label: string }) => <b>{props.label}</b>;\n",
}


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("src/a.ts", "import { Thing } from '.';\nnew Thing();\n\n", {"Thing": "src/deep/thing.ts"}),
        ("src/a.ts", "import { help } from './index.js';\nhelp(1);\n\n", {"help": "src/deep/helper.ts"}),
        ("src/a.ts", "import * as all from './index';\nall.help(1);\n\n", {"help": "src/deep/helper.ts"}),
        ("src/a.js", "const { get } = require('./old');\nget('/');\n\n", {"get": "src/old.js"}),
        ("src/a.js", "const old = require('./old');\nold.post('/');\n\n", {"post": "src/old.js"}),
        ("src/a.mjs", "import start from './main.js';\nstart(1);\n\n", {"start": "src/main.js"}),
        (
            "src/a.tsx",
            "import { Button } from './view';\nf(<Button />);\n\n",
            {"Button": "src/view.tsx"},
        ),
    ],
    ids=[
        "through a star of a barrel",
        "under another name",
        "as a member of a namespace",
        "a member of what a module exports",
        "what a module exports",
        "a default",
        "as a tag",
    ],
)
def test_scripts_find_their_definitions(path: str, text: str, expected: dict[str, str]) -> None:
    files = {name: content for name, content in SCRIPTS.items() if not name.endswith(".json")}

    assert names(used_in(project_of(files), path, text).by_import()) == expected


def test_python_and_scripts_do_not_import_one_another() -> None:
    project = project_of({"thing.py": "class Thing: ...\n", "thing.ts": "export class Thing {}\n"})

    assert names(used_in(project, "a.py", "from thing import Thing\n\n").by_import()) == {"Thing": "thing.py"}
    assert names(used_in(project, "a.ts", "import {Thing} from './thing';\n\n").by_import()) == {
        "Thing": "thing.ts"
    }


def test_a_module_stands_for_its_attributes() -> None:
    lookup = Lookup(project_of({"pkg/__init__.py": "", "pkg/mod.py": "def f(): ...\n"}))

    module = lookup.define("/w/pkg/__init__.py", "mod")
    assert module is None
    assert lookup.resolve(Module("/w/pkg/__init__.py", ("/w/pkg",)), "mod") == Module("/w/pkg/mod.py")
    assert lookup.resolve(Module("/w/pkg/mod.py"), "f") == Target("/w/pkg/mod.py", (0,))
