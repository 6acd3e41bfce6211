"""Whatever the files, the text or the workspace are like, a plan comes, is bounded, and is the same again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from context import Plan, RepoContext
from context.pack import HEADER_TOKENS

ROOT = Path(__file__).parents[2]
LANGUAGES = {"main.py": "python", "main.js": "javascript", "main.ts": "typescript", "main.tsx": "tsx"}
GOOD: dict[str, str | bytes] = {
    "tool.py": "class Tool:\n    def use(self): ...\n\ndef helper(): ...\n",
    "tool.ts": "export class Tool { use(): void {} }\nexport function helper() {}\n",
}
USE = {
    ".py": "from tool import Tool, helper\n\nhelper()\nTool().use()\n|\n",
    ".js": "import { Tool, helper } from './tool'\n\nhelper()\nnew Tool().use()\n|\n",
}
USE[".ts"] = USE[".tsx"] = USE[".js"]
BROKEN = {
    "brackets": "((((([[[[{{{{<div><p>\n",
    "keywords": "def class import from export function if\n",
    "quotes": "x = '''a\ny = `b ${\nz = \"c\n",
    "a conflict": "<<<<<<< HEAD\nimport a\n=======\nimport b\n>>>>>>> other\n",
    "prose": "This is not a program at all, is it? I can't say: no.\n",
    "signs": "@@@ $$$ ### \\\\ %%% ^^^ ~~~ ``` \u2028 \u0085 \f \v\n",
}


def emitted(plan: Plan) -> str:
    return "".join(segment.text + segment.path + segment.reason for segment in plan.segments)


def use_of(name: str) -> str:
    return USE[Path(name).suffix]


@pytest.mark.parametrize("name", LANGUAGES)
@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
class TestSyntaxErrors:
    """Code is broken most of the time that it is being written."""

    def test_in_the_file_at_the_cursor_leave_its_imports(self, workspace, name: str, broken: str) -> None:
        context = workspace.open(GOOD)

        plan = workspace.plan(context, name, use_of(name).replace("|", "|\n" + broken), 2000)

        assert "helper" in emitted(plan)

    def test_in_other_files_leave_what_can_be_read(self, workspace, name: str, broken: str) -> None:
        files = {path: f"{text}\n{broken}" for path, text in GOOD.items()}
        odd = {f"odd{number}{Path(name).suffix}": broken * number for number in range(5)}
        context = workspace.open({**files, **odd})

        assert "helper" in emitted(workspace.plan(context, name, use_of(name), 2000))


LONG = {
    "minified": lambda size: "!function(e,t){" + "a.b(c);" * (size // 7) + "}",
    "lines": lambda size: "x = call(argument, other)\n" * (size // 26),
    "blanks": lambda size: "\n" * size,
    "one word": lambda size: "a" * size,
    "open brackets": lambda size: "(" * size,
}


@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", LANGUAGES)
@pytest.mark.parametrize("make", LONG.values(), ids=LONG)
def test_a_long_file_at_the_cursor_is_read_around_it(workspace, name: str, make) -> None:
    context = workspace.open(GOOD)
    text = use_of(name).replace("|", "") + make(5_000_000)
    path = workspace.root / name
    context.set_open(path, text)

    for place in ("|" + text, text[:100] + "|" + text[100:], text + "|"):
        assert workspace.plan(context, name, place).num_tokens <= 2000


@pytest.mark.timeout(60)
def test_50_mb_at_the_cursor_are_survived(workspace) -> None:
    context = workspace.open(GOOD)
    text = use_of("main.py").replace("|", "") + LONG["lines"](50_000_000)

    context.set_open(workspace.root / "main.py", text)
    plan = workspace.plan(context, "main.py", text + "|")

    assert "helper" in emitted(plan)


CIRCLES = {
    "main.py": {
        "a.py": "from b import helper\nfrom b import *\n",
        "b.py": "from a import helper\nfrom a import *\nimport b\n",
        "p/__init__.py": "from .q import *\nfrom . import q\n",
        "p/q.py": "from p import *\nfrom .q import there\ndef there(): ...\n",
        "main.py": "from main import me\n",
    },
    "main.ts": {
        "a.ts": "export { helper } from './b'\nexport * from './b'\nexport * from './a'\n",
        "b.ts": "export { helper } from './a'\nexport * from './a'\nexport { default } from './a'\n",
        "p/index.ts": "export * from './q'\nexport * as q from '.'\n",
        "p/q.ts": "export * from '.'\nexport { there as here } from './q'\nexport function there() {}\n",
        "main.ts": "export * from './main'\n",
    },
}
CIRCLES["main.js"] = {name.replace(".ts", ".js"): text for name, text in CIRCLES["main.ts"].items()}
IMPORTS = {
    "main.py": "from a import helper\nfrom p import there\nimport main, a, b\na.b.a.helper()\nthere()\n|",
    "main.ts": "import { helper } from './a'\nimport * as p from './p'\nimport d from './b'\n"
    "helper()\np.there()\np.q.q.q.there()\nd()\n|",
}
IMPORTS["main.js"] = IMPORTS["main.ts"]


@pytest.mark.timeout(30)
@pytest.mark.parametrize("name", CIRCLES)
def test_imports_in_a_circle_end(workspace, name: str) -> None:
    context = workspace.open(dict(CIRCLES[name]))

    plan = workspace.plan(context, name, IMPORTS[name])

    assert "there()" in emitted(plan)
    assert len(context.imports_around(workspace.root / f"a{Path(name).suffix}").nodes) == 2


@pytest.mark.parametrize("suffix", [".py", ".ts"])
def test_of_two_modules_of_one_name_the_nearest_is_meant(workspace, suffix: str) -> None:
    text = {".py": "def {}(): ...\n", ".ts": "export function {}() {{}}\n"}[suffix]
    folders = ("one", "two", "two/deep", "three")
    context = workspace.open({f"{at}/tool{suffix}": text.format(at.replace("/", "_")) for at in folders})
    use = {".py": "import tool\ntool.{}()\n|", ".ts": "import * as tool from './tool'\ntool.{}()\n|"}[suffix]

    for folder in folders:
        name = folder.replace("/", "_")
        plan = workspace.plan(context, f"{folder}/main{suffix}", use.format(name), 60)
        assert [segment.path for segment in plan.segments] == [f"{folder}/tool{suffix}"]


def test_names_that_differ_in_case_are_two_files(workspace) -> None:
    workspace.write({"tool.py": "def small(): ...\n"})
    if (workspace.root / "TOOL.py").exists():
        pytest.skip("one file on this file system")
    context = workspace.open({"Tool.py": "def large(): ...\n"})

    small = workspace.plan(context, "main.py", "from tool import small\n|", 60)
    large = workspace.plan(context, "main.py", "from Tool import large\n|", 60)

    assert [segment.path for segment in small.segments if segment.kind == "near"] == ["tool.py"]
    assert [segment.path for segment in large.segments if segment.kind == "near"] == ["Tool.py"]


class TestChangesBehindOurBack:
    """The index is told of changes later than the disk knows them."""

    def test_files_that_are_gone_are_named_as_they_were(self, workspace) -> None:
        context = workspace.open({**GOOD, "like.py": "helper()\nTool().use()\n" * 5})
        for path in workspace.root.iterdir():
            path.unlink()

        plan = workspace.plan(context, "main.py", USE[".py"])

        assert "helper" in emitted(plan)
        assert "like.py" not in {segment.path for segment in plan.segments if segment.kind == "similar"}

    def test_files_that_became_something_else_are_survived(self, workspace) -> None:
        context = workspace.open(
            {**GOOD, "like.py": "helper()\nTool().use()\n", "gone.py": "def helper(): 1"}
        )
        (workspace.root / "like.py").unlink()
        (workspace.root / "like.py").mkdir()
        (workspace.root / "gone.py").write_bytes(b"\0" * 5000)
        (workspace.root / "tool.py").write_bytes(b"x" * 5_000_000)

        assert "helper" in emitted(workspace.plan(context, "main.py", USE[".py"]))

    def test_a_workspace_that_is_gone_is_survived(self, workspace, tmp_path: Path) -> None:
        context = workspace.open(GOOD)
        workspace.root.rename(tmp_path / "elsewhere")

        assert "helper" in emitted(workspace.plan(context, "main.py", USE[".py"]))
        context.file_changed(workspace.root / "tool.py")
        context.file_deleted(workspace.root)
        assert workspace.plan(context, "main.py", USE[".py"]).num_tokens <= 2000


class TestOddTexts:
    """What an editor may send."""

    @pytest.mark.parametrize("offset", [-(10**9), -1, 10**9, sys.maxsize])
    def test_an_offset_outside_is_moved_inside(self, workspace, offset: int) -> None:
        context = workspace.open(GOOD)
        text = USE[".py"].replace("|", "")
        inside = max(0, min(offset, len(text)))

        plans = [
            context.plan(workspace.root / "main.py", text, place, budget_tokens=900, count_tokens=len)
            for place in (offset, inside)
        ]

        assert plans[0] == plans[1]

    @pytest.mark.parametrize("end", ["\r\n", "\r"])
    def test_line_ends_change_nothing(self, workspace, end: str) -> None:
        files = {**GOOD, "like.py": "thing = helper()\nTool().use()\nother(thing)\n"}
        odd = {f"odd_{name}": text.replace("\n", end) for name, text in files.items()}
        context = workspace.open({**files, **odd})

        plain = workspace.plan(context, "main.py", USE[".py"])
        written = workspace.plan(context, "main.py", USE[".py"].replace("\n", end))
        other = workspace.plan(context, "main.py", USE[".py"].replace("tool", "odd_tool"))

        assert written == plain
        texts = [{s.text for s in plan.segments if s.kind != "sibling"} for plan in (plain, other)]
        assert texts[0] == texts[1]
        assert "\r" not in emitted(other)

    @pytest.mark.parametrize("name", LANGUAGES)
    @pytest.mark.parametrize("odd", ["\ufeff", "\ud800\udfff", "\0", "\x1b[31m", "\u202e", "𝒳", "e\u0301"])
    def test_odd_characters_are_survived(self, workspace, name: str, odd: str) -> None:
        context = workspace.open({**GOOD, "odd.py": f"def odd(): ...  # {odd}".encode(errors="replace")})
        context.set_open(workspace.root / "open.py", f"# {odd}\nhelper(Tool)\ndef opened(): '{odd}'\n{odd}")

        plan = workspace.plan(context, name, odd + use_of(name).replace("|", odd + "|" + odd))
        workspace.plan(context, f"{odd}{name}", use_of(name))

        assert "helper" in emitted(plan)


class TestOddWorkspaces:
    """What an editor may call a workspace."""

    def test_no_folder_at_all(self, workspace) -> None:
        workspace.write(GOOD)
        context = RepoContext([])
        context.start()
        assert context.wait_ready(30)
        context.set_open(workspace.root / "tool.py", str(GOOD["tool.py"]))

        plan = workspace.plan(context, "main.py", USE[".py"])
        context.close()

        assert "helper" in emitted(plan)
        assert plan.path == "main.py"
        assert {segment.path for segment in plan.segments} == {"tool.py"}

    def test_folders_in_one_another_are_read_once(self, workspace) -> None:
        workspace.write({"inner/tool.py": GOOD["tool.py"], "inner/deep/far.py": "def far(): ...\n"})
        roots = [
            workspace.root / "inner",
            workspace.root,
            workspace.root / "inner",
            workspace.root / "inner/deep",
        ]
        context = RepoContext(roots)
        context.start()
        assert context.wait_ready(30)

        plan = workspace.plan(context, "inner/main.py", USE[".py"] + "import deep.far\ndeep.far.far()")
        context.close()

        assert sorted({segment.path for segment in plan.segments}) == ["far.py", "tool.py"]
        assert len({segment.text for segment in plan.segments}) == len(plan.segments)

    def test_a_folder_that_is_not_there_or_goes(self, workspace, tmp_path: Path) -> None:
        workspace.write(GOOD)
        (tmp_path / "other").mkdir()
        (tmp_path / "other" / "far.py").write_text("def far(): ...\n")
        (tmp_path / "file").write_text("")
        roots = [workspace.root, tmp_path / "other", tmp_path / "nothing", tmp_path / "file", tmp_path / "\0"]
        context = RepoContext(roots)
        context.start()
        assert context.wait_ready(30)
        (tmp_path / "other" / "far.py").unlink()
        (tmp_path / "other").rmdir()

        plan = workspace.plan(context, "main.py", USE[".py"])
        context.close()

        assert "helper" in emitted(plan)

    @pytest.mark.parametrize("root", [Path("/"), Path.home()], ids=["/", "home"])
    def test_a_whole_machine_is_listed_in_part(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("context.scan.MAX_FOLDERS", 40)
        monkeypatch.setattr("context.scan.MAX_FILES", 20)
        context = RepoContext([root])
        context.start()
        is_ready = context.wait_ready(60)
        plan = context.plan(root / "main.py", "import os\n", 0, budget_tokens=500, count_tokens=len)
        context.close()

        assert is_ready
        assert plan.num_tokens <= 500

    @pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
    def test_links_that_lead_in_circles(self, workspace) -> None:
        workspace.write(GOOD)
        (workspace.root / "up").symlink_to("..", target_is_directory=True)
        (workspace.root / "self").symlink_to("self")
        (workspace.root / "here").symlink_to(workspace.root, target_is_directory=True)
        context = workspace.open()

        plain = workspace.plan(context, "main.py", USE[".py"])
        through = workspace.plan(context, "here/here/here/main.py", USE[".py"])
        lost = workspace.plan(context, "self/main.py", USE[".py"])

        assert through.segments == plain.segments
        assert lost.num_tokens <= 2000


def test_a_plan_of_any_budget_is_bounded(workspace) -> None:
    context = workspace.open(GOOD)

    for budget in (-5, 0, 1, HEADER_TOKENS, 10**9):
        plan = workspace.plan(context, "main.py", USE[".py"], budget)
        assert plan.num_tokens <= max(0, budget)


PROGRAM = """
import json, sys
from pathlib import Path
from context import RepoContext

root, name, text = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
context = RepoContext([root])
context.start()
context.wait_ready(60)
plan = context.plan(root / name, text, len(text), budget_tokens=1500, count_tokens=len)
context.close()
print(json.dumps([[(s.path, s.kind, s.reason, s.text) for s in plan.segments],
                  [(row.path, row.reason, row.chosen) for row in plan.considered]]))
"""


@pytest.mark.parametrize("name", ["main.py", "main.ts", "main.lua"])
def test_two_processes_make_the_same_plan(workspace, tmp_path: Path, name: str) -> None:
    """Nothing depends on the order of sets, of threads, or on what was stored before."""
    suffix = Path(name).suffix
    names = [f"part{number}" for number in range(12)]
    lines = {
        ".py": ("from part{0} import make{0}\n", "def make{0}(value): return shared(value, {0})\n"),
        ".ts": ("import {{ make{0} }} from './part{0}'\n", "export const make{0} = (v) => shared(v, {0})\n"),
        ".lua": ("local part{0}\n", "local make{0} = shared(value, {0})\n"),
    }[suffix]
    workspace.write({f"{part}{suffix}": lines[1].format(number) * 3 for number, part in enumerate(names)})
    text = "".join(lines[0].format(number) for number in range(12)) + "\nshared(value, make1)\nmake2\n"
    answers = []
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "XDG_CACHE_HOME": str(tmp_path / f"cache{seed}")}
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, str(workspace.root), name, text],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        )
        answers.append(json.loads(done.stdout))

    assert answers[0] == answers[1]
    assert len(answers[0][0]) > 3
