"""The console script leaves the workspace before it imports anything from there."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cli_home import ROOT, Home

LOOK = (
    "import sys\n"
    "sys.path.insert(0, '')\n"
    "sys.path.insert(0, 'relative')\n"
    "from lsp_server.entry import leave_workspace\n"
    "cwd = leave_workspace()\n"
    "import json, os\n"
    "kept = {name: value for name, value in os.environ.items() if name.startswith('PYTHON')}\n"
    "print(json.dumps({'cwd': cwd, 'path': sys.path, 'now': os.getcwd(), 'python': kept}))\n"
)


def look(home: Home, cwd: Path, python_path: str) -> dict:
    """What is left after leaving `cwd`."""
    script = home.folder / "look.py"
    script.write_text(LOOK)
    done = subprocess.run(
        [sys.executable, script],
        cwd=cwd,
        env=home.environment(PYTHONPATH=python_path),
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


@pytest.mark.parametrize("entry", ["", ".", "lib", "../workspace", "{cwd}", "{cwd}/lib", "link"])
def test_nothing_of_the_workspace_stays_importable(home: Home, tmp_path: Path, entry: str) -> None:
    """Whether PYTHONPATH names it as it is, relatively, or through a link."""
    workspace = tmp_path / "workspace"
    (workspace / "lib").mkdir(parents=True)
    (workspace / "link").symlink_to(workspace / "lib")

    found = look(home, workspace, os.pathsep.join([entry.format(cwd=workspace), str(ROOT)]))

    assert all(Path(entry).is_absolute() for entry in found["path"])
    assert not any(str(workspace) in os.path.realpath(entry) for entry in found["path"])
    assert found["cwd"] == str(workspace)
    assert not Path(found["now"]).is_relative_to(workspace)


def test_our_own_packages_stay_importable_from_a_checkout(home: Home) -> None:
    """Also when the checkout is the working directory."""
    found = look(home, ROOT, str(ROOT))

    assert str(ROOT) in found["path"]


def test_children_inherit_no_wider_imports(home: Home, tmp_path: Path) -> None:
    """PYTHONPATH is gone, and PYTHONSAFEPATH keeps the working directory out."""
    found = look(home, tmp_path, str(ROOT))

    assert found["python"] == {"PYTHONSAFEPATH": "1"}


def test_a_deleted_working_directory_is_survived(home: Home, tmp_path: Path) -> None:
    """As when a branch was switched under a terminal."""
    gone = tmp_path / "gone"
    gone.mkdir()
    code = (
        "import os, subprocess, sys; os.rmdir(os.getcwd())\nsys.exit(subprocess.run(sys.argv[1:]).returncode)"
    )

    done = subprocess.run(
        [sys.executable, "-c", code, *home.command("--version")],
        cwd=gone,
        env=home.environment(),
        capture_output=True,
        text=True,
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("ghostfill ")
