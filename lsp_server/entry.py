"""The console script: leaves the opened workspace before anything is imported from it. Knows no commands.

Python puts the working directory (with `-m`) and whatever `PYTHONPATH` names before the standard library, so
a folder with a `json.py` in it would run that file. This module needs `os` and `sys` alone, which are loaded
by then; so it cannot use pathlib.
"""
# ruff: noqa: PTH100, PTH109, PTH111, PTH117, PTH118, PTH120

import os
import sys

HOME = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
"""The folder that holds our own packages."""
WIDENING = ("PYTHONPATH", "PYTHONSTARTUP", "PYTHONUSERBASE", "PYTHONPYCACHEPREFIX", "PYTHONINSPECT")
"""Variables through which a child would import, or run, what lies elsewhere."""


def main() -> int:
    """Run a `ghostfill` command from our state folder; returns the exit status."""
    cwd = leave_workspace()
    from lsp_server.cli.main import run

    return run(sys.argv[1:], cwd)


def leave_workspace() -> str:
    """Import nothing from the working directory from now on, and leave it; returns what it was."""
    cwd = _working_directory()
    named = [entry for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry]
    # `site` has made every entry absolute by now, so a relative one is known by where it leads.
    unwanted = {os.path.realpath(cwd), *(os.path.realpath(os.path.join(cwd, entry)) for entry in named)}
    unwanted.discard(os.path.realpath(HOME))
    sys.path[:] = [
        entry for entry in sys.path if os.path.isabs(entry) and os.path.realpath(entry) not in unwanted
    ]
    if HOME not in sys.path:
        sys.path.append(HOME)
    for variable in WIDENING:
        os.environ.pop(variable, None)
    os.environ["PYTHONSAFEPATH"] = "1"
    _change_folder()
    return cwd


def _working_directory() -> str:
    try:
        return os.getcwd()
    except OSError:  # it was deleted under us
        return os.path.expanduser("~")


def _change_folder() -> None:
    """Go to our state folder, or else to one that belongs to no project."""
    from engine.errors import EngineUnavailableError
    from engine.runtime_dir import state_dir

    try:
        os.chdir(state_dir())
    except (EngineUnavailableError, OSError):
        try:
            os.chdir(os.path.expanduser("~"))
        except OSError:
            os.chdir(os.sep)
