"""Runs a program that a model wrote, in a child process from which little harm can come.

The child has an empty environment and folder, limits on time, memory and files, and refuses to open sockets,
start programs or write files; where the system allows it, it has a network and process space of its own. It
is no wall against somebody who means harm, but for a model's mistakes.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

CPU_SECONDS = 4
WALL_SECONDS = 60.0
"""Only for one that sleeps: beside a training run, a right program may wait long for its turn."""
MEMORY_BYTES = 2**30
FILE_BYTES = 2**20
REFUSED = (
    *("socket.", "subprocess.", "ctypes.", "shutil."),
    *("os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "os.kill", "signal.pthread_kill"),
    *("os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.chmod", "os.chown", "os.link", "os.symlink"),
    "os.truncate",
)
"""Beginnings of the names of audit events."""
_OUTPUT = "out"

_CHILD = f"""
import resource, sys
for kind, most in (
    (resource.RLIMIT_CPU, {CPU_SECONDS}),
    (resource.RLIMIT_AS, {MEMORY_BYTES}),
    (resource.RLIMIT_FSIZE, {FILE_BYTES}),
    (resource.RLIMIT_CORE, 0),
):
    resource.setrlimit(kind, (most, most))
program = compile(sys.stdin.read(), "<program>", "exec")
names = {{"__name__": "program", "__builtins__": __builtins__}}
refused = {REFUSED!r}
def refuse(event, args):
    writes = event == "open" and ((isinstance(args[1], str) and set(args[1]) & set("wax+")) or args[2] & 3)
    if writes or event.startswith(refused):
        raise PermissionError(f"a program under test may not do this: {{event}}")
sys.addaudithook(refuse)
del refuse, resource
exec(program, names)
"""
"""Reads the program from its standard input, gives up what it may not do, and runs it."""


def passes(program: str) -> bool:
    """Whether the program runs to its end: without an error, in time, and not by leaving early."""
    secret = secrets.token_hex(16)
    # Only whoever reaches the last line prints it: leaving with status 0 is not enough.
    return _last_line(f"{program}\nprint('\\n' + {secret!r})\n") == secret


def _last_line(program: str) -> str:
    with tempfile.TemporaryDirectory(prefix="program") as folder:
        # What it prints goes to a file, whose size is limited.
        output = Path(folder) / _OUTPUT
        with output.open("wb") as stream:
            child = subprocess.Popen(
                [*_apart(), sys.executable, "-I", "-S", "-c", _CHILD],
                stdin=subprocess.PIPE,
                stdout=stream,
                stderr=subprocess.DEVNULL,
                cwd=folder,
                env={},
                start_new_session=True,
            )
            try:
                child.communicate(program.encode("utf-8", "replace"), timeout=WALL_SECONDS)
            except subprocess.TimeoutExpired:
                return ""
            finally:
                _end(child)
        lines = output.read_bytes().splitlines()
        return lines[-1].decode("ascii", "replace") if child.returncode == 0 and lines else ""


def _end(child: subprocess.Popen[bytes]) -> None:
    """The child and whatever it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


@cache
def _apart() -> tuple[str, ...]:
    """A command that gives a child no network and a process space of its own; nothing where there is none."""
    tool = shutil.which("unshare")
    if tool is None:
        return ()
    command = (tool, "--user", "--map-root-user", "--net", "--pid", "--fork", "--kill-child")
    try:
        done = subprocess.run(
            [*command, sys.executable, "-I", "-S", "-c", ""],
            capture_output=True,
            check=False,
            timeout=WALL_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ()
    return command if done.returncode == 0 else ()
