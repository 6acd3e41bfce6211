"""imports/javascript: a path names the file that the written rules say, a package's name the one that Node.js
would load; and what a statement binds.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
from pathlib import Path
from posixpath import dirname, normpath

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from context.imports import Binding, Module
from context.imports.javascript import JavaScriptModules
from context.symbols import Import, Scope

EXTENSIONS = (".ts", ".tsx", ".d.ts", ".mts", ".cts", ".js", ".jsx", ".mjs", ".cjs")
BEHIND = {
    ".js": (".ts", ".tsx", ".d.ts"),
    ".jsx": (".tsx", ".ts", ".d.ts"),
    ".mjs": (".mts", ".d.mts"),
    ".cjs": (".cts", ".d.cts"),
}


def naive_find(files: set[str], importer: str, written: str) -> str | None:
    """The rules for paths as they are written, one candidate after the other."""
    path = normpath(f"{dirname(importer)}/{written}")
    is_folder = written.endswith("/") or written in (".", "..")
    candidates = []
    if not is_folder:
        for output, sources in BEHIND.items():
            if path.endswith(output):
                candidates += [path.removesuffix(output) + source for source in sources]
        candidates += [path, *(path + extension for extension in EXTENSIONS)]
    candidates += [f"{path}/index{extension}" for extension in EXTENSIONS]
    return next((candidate for candidate in candidates if candidate in files), None)


STEMS = st.lists(st.sampled_from(["a", "b", "index"]), min_size=1, max_size=3).map("/".join)
NAMES = st.builds(lambda stem, extension: f"/w/{stem}{extension}", STEMS, st.sampled_from(EXTENSIONS))
WRITTEN = st.one_of(
    st.sampled_from([".", "..", "./", "../"]),
    st.builds(
        lambda start, stem, end: start + stem + end,
        st.sampled_from(["./", "../", "../../", "./b/../"]),
        STEMS,
        st.sampled_from(["", "", "/", *EXTENSIONS]),
    ),
)


@settings(max_examples=500, deadline=None)
@given(files=st.sets(NAMES, max_size=12), written=WRITTEN)
def test_paths_are_found_by_the_written_rules(files: set[str], written: str) -> None:
    found = JavaScriptModules(files, ["/w"], {}).find("/w/a/b/main.ts", written)

    assert found == naive_find(files, "/w/a/b/main.ts", written)


ASK_NODE = """
const {createRequire} = require("module");
const ask = ([from, name]) => {
  try { return createRequire(from).resolve(name); } catch (error) { return null; }
};
console.log(JSON.stringify(JSON.parse(require("fs").readFileSync(0, "utf8")).map(ask)));
"""


@pytest.mark.skipif(
    shutil.which("node") is None and "CI" not in os.environ, reason="Node.js is not installed"
)
def test_packages_are_found_as_node_finds_them(tmp_path: Path) -> None:
    """Exports, private names and entry fields at random, each package asked for its own names."""
    chance = random.Random(1)
    paths = ["index.js", "a.js", "b.cjs", "src/index.js", "src/a.js", "src/b.js", "src/in/a.js"]
    manifests = {}
    questions = []
    for number in range(150):
        folder = tmp_path / f"p{number}"
        for path in chance.sample(paths, 5):
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text("")
        manifest = random_manifest(chance, number)
        (folder / "package.json").write_text(json.dumps(manifest))
        manifests[(folder / "package.json").as_posix()] = json.dumps(manifest)
        names = [*SUBPATHS, *(f"p{number}/{name}" for name in SUBPATHS), f"p{number}"]
        questions += [((folder / "index.js").as_posix(), name) for name in [*names, "#a", "#in/a", "#in/b"]]
    files = {path.as_posix() for path in tmp_path.rglob("*.*js")}

    done = subprocess.run(
        ["node", "-e", ASK_NODE], input=json.dumps(questions), capture_output=True, text=True, check=True
    )
    answers = json.loads(done.stdout)

    modules = JavaScriptModules(files, [tmp_path.as_posix()], manifests)
    found = [modules.find(importer, name) for importer, name in questions]
    wrong = [
        (questions[row], answer, found[row])
        for row, answer in enumerate(answers)
        if answer in files and found[row] != answer
    ]
    assert not wrong
    assert sum(answer in files for answer in answers) > 200


SUBPATHS = ("a", "b", "in/a", "in/b", "a.js", "b.cjs", "src/a.js", "in/x")


def random_manifest(chance: random.Random, number: int) -> dict[str, object]:
    targets = ["./index.js", "./a.js", "./src/a.js", "./src/b.js", "./nowhere.js"]
    stars = ["./src/*.js", "./src/in/*.js", "./src/*", "./*.js", "./*"]
    exports = {
        name: chance.choice([*targets, None])
        for name in chance.sample([".", "./a", "./b", "./a.js"], chance.randint(1, 3))
    }
    exports |= {
        name: chance.choice([*stars, None])
        for name in chance.sample(["./*", "./in/*", "./*.js", "./in/*a", "./src/*.js"], chance.randint(0, 3))
    }
    whole = chance.choice([exports, exports, chance.choice(targets)])
    private = {"#a": chance.choice(targets), "#in/*": chance.choice(stars), "#in/b": chance.choice(targets)}
    return {"name": f"p{number}", "exports": whole, "imports": private}


def statement(module: str, names: tuple[tuple[str, str], ...] = (), alias: str = "") -> Import:
    return Import(module, 0, names, alias, Scope.MODULE, 0, 0)


TOOL = Module("/w/tool.ts")


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (statement("./tool", (("cut", "cut"), ("saw", "s"))), [("cut", "cut"), ("s", "saw")]),
        (statement("./tool", (("default", "tool"),)), [("tool", "default")]),
        (statement("./tool", alias="tool"), [("tool", ""), ("tool", "default")]),
        (
            statement("./tool", (("default", "tool"),), "all"),
            [("tool", "default"), ("all", ""), ("all", "default")],
        ),
        (statement("./tool", (("*", "*"),)), [("*", "*")]),
        (statement("./tool"), []),
        (statement("./elsewhere", alias="gone"), []),
    ],
    ids=[
        "names",
        "a default",
        "a namespace, or what require gives",
        "a default and a namespace",
        "a star",
        "nothing for its side effect",
        "nothing from outside",
    ],
)
def test_a_statement_binds(row: Import, expected: list[tuple[str, str]]) -> None:
    modules = JavaScriptModules(["/w/tool.ts"], ["/w"], {})

    assert list(modules.bindings("/w/main.ts", row)) == [
        Binding(bound, TOOL, name) for bound, name in expected
    ]


def test_an_import_for_its_side_effect_names_its_file() -> None:
    modules = JavaScriptModules(["/w/tool.ts"], ["/w"], {})

    assert modules.files_of("/w/main.ts", statement("./tool")) == {"/w/tool.ts"}
    assert modules.child(TOOL, "cut") is None


def test_paths_with_a_drive_letter() -> None:
    files = ["C:/w/app/main.ts", "C:/w/shared/one.ts"]
    manifests = {"C:/w/tsconfig.json": '{"compilerOptions": {"paths": {"@s/*": ["C:/w/shared/*"]}}}'}
    modules = JavaScriptModules(files, ["C:/w"], manifests)

    assert modules.find(files[0], "../shared/one") == files[1]
    assert modules.find(files[0], "@s/one") == files[1]


def test_without_a_manifest_an_alias_means_the_root() -> None:
    modules = JavaScriptModules(["/w/src/one.ts", "/w/two.ts"], ["/w"], {})

    assert modules.find("/w/src/deep/main.ts", "@/one") == "/w/src/one.ts"
    assert modules.find("/w/src/deep/main.ts", "~/two") == "/w/two.ts"
    assert modules.find("/w/src/deep/main.ts", "@/three") is None
