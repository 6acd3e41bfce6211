"""What the doctor finds on this machine: Python, packages, torch and devices, grammars, file watching.

Knows neither settings nor engines. torch is asked in a child process: it is slow to import, and may crash.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import platform
import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

from context.languages import LANGUAGES, Grammar
from engine import launch
from engine.build import VERSION, build_id
from engine.errors import MissingExtraError
from engine.runtime_dir import state_dir
from lsp_server.cli.check import Check, ok, problem, warning

OLDEST_PYTHON, NEWEST_PYTHON = (3, 11), (3, 14)
BASE_PACKAGES = (
    "httpx2",
    "lsprotocol",
    "msgspec",
    "pathspec",
    "platformdirs",
    "pygls",
    "rich",
    "tokenizers",
    "tree-sitter",
    "tree-sitter-javascript",
    "tree-sitter-python",
    "tree-sitter-typescript",
    "watchdog",
)
PROBE_SECONDS = 120
MIN_WATCHES = 65_536
CPU_FLAGS = ("avx2", "avx512f", "avx512_bf16", "amx_bf16")
LINE_OF_ALL = b"call(1)\n"
"""Sound in every language that has a grammar."""
TORCH_PROBE = """
import json, time, torch
devices = []
for index in range(torch.cuda.device_count() if torch.cuda.is_available() else 0):
    found = torch.cuda.get_device_properties(index)
    free, total = torch.cuda.mem_get_info(index)
    devices.append({
        "name": found.name, "total_gib": round(total / 2**30, 1), "free_gib": round(free / 2**30, 1),
        "capability": [found.major, found.minor], "bf16": torch.cuda.is_bf16_supported(),
    })
mps = getattr(torch.backends, "mps", None)
has_mps = bool(mps and mps.is_available())
threads = torch.get_num_threads()
def bandwidth():
    # As many threads as an engine takes, memory that no cache holds, a read and a write of each byte.
    torch.set_num_threads(max(1, min(8, threads - 1)))
    source = torch.zeros(2**27, dtype=torch.uint8)
    target = source.clone()
    def copy():
        start = time.perf_counter()
        target.copy_(source)
        return time.perf_counter() - start
    return 2 * source.numel() / min(copy() for _ in range(8))
def product_seconds(dtype):
    left, right = torch.ones(64, 512, dtype=dtype), torch.ones(512, 1024, dtype=dtype)
    def multiply():
        start = time.perf_counter()
        torch.matmul(left, right)
        return time.perf_counter() - start
    return min(multiply() for _ in range(6))
print(json.dumps({
    "torch": torch.__version__, "cuda": torch.version.cuda, "devices": devices, "mps": has_mps,
    "mps_bytes": torch.mps.recommended_max_memory() if has_mps else 0,
    "threads": threads, "bandwidth": bandwidth(),
    "cpu_bf16": product_seconds(torch.bfloat16) < product_seconds(torch.float32),
}))
"""


def check_python() -> Check:
    """The interpreter."""
    version = platform.python_version()
    message = f"Python {version} ({sys.executable})"
    if not OLDEST_PYTHON <= sys.version_info[:2] <= NEWEST_PYTHON:
        return warning("python", message, "ghostfill is tested on Python 3.11 to 3.14: use one of these.")
    return ok("python", message, version=version)


def check_packages() -> Check:
    """ghostfill and what the base package needs."""
    versions = {name: _version(name) for name in BASE_PACKAGES}
    missing = [name for name, version in versions.items() if version is None]
    if missing:
        return problem(
            "packages", f"{', '.join(missing)} missing", "Install ghostfill again (pip install ghostfill)."
        )
    listed = ", ".join(f"{name} {version}" for name, version in versions.items())
    return ok("packages", f"ghostfill {VERSION}; {listed}", ghostfill=build_id(), **versions)


def check_local_extra(*, is_needed: bool) -> Check:
    """The packages of a resident engine."""
    missing = [name for name in launch.LOCAL_EXTRA if importlib.util.find_spec(name) is None]
    if not missing:
        versions = {name: _version(name) for name in launch.LOCAL_EXTRA}
        listed = ", ".join(f"{name} {version}" for name, version in versions.items())
        return ok("extra local", listed, **versions)
    if not is_needed:
        return ok("extra local", "not installed, and not needed with engine.url")
    message = f"not installed: {', '.join(missing)} missing"
    return problem("extra local", message, _sentence(str(MissingExtraError(missing[0]))), missing=missing)


def check_torch(*, is_needed: bool) -> Iterator[Check]:
    """torch as a child process sees it, and the devices it can compute on."""
    if importlib.util.find_spec("torch") is None:
        return
    try:
        probe = probe_torch()
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        said = getattr(error, "stderr", "") or str(error)
        words = said.strip().splitlines()[-1] if said.strip() else type(error).__name__
        advice = 'Install it again (pip install --force-reinstall "ghostfill[local]").'
        tell = problem if is_needed else warning
        yield tell("torch", f"cannot be imported: {words}", advice)
        return
    yield ok("torch", f"{probe['torch']}, {'CUDA ' + probe['cuda'] if probe['cuda'] else 'no CUDA'}", **probe)
    yield _check_device(probe)


def probe_torch() -> dict[str, Any]:
    """What torch says of itself and its devices; raises SubprocessError, OSError or ValueError."""
    done = subprocess.run(
        [sys.executable, "-P", "-c", TORCH_PROBE],
        cwd=state_dir(),
        env=launch.child_environment(),
        capture_output=True,
        text=True,
        timeout=PROBE_SECONDS,
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _check_device(probe: dict[str, Any]) -> Check:
    if probe["devices"]:
        listed = "; ".join(
            f"{gpu['name']}, {gpu['free_gib']} of {gpu['total_gib']} GiB free" for gpu in probe["devices"]
        )
        return ok("device", listed, devices=probe["devices"])
    if probe["mps"]:
        return ok("device", "Apple GPU (mps)")
    flags = cpu_flags()
    fast = ", ".join(flags) or "none of " + ", ".join(CPU_FLAGS)
    message = f"CPU alone: {probe['threads']} threads, {fast}"
    if Path("/dev/nvidiactl").exists():
        advice = "There is an NVIDIA driver: install a torch build with CUDA (pytorch.org says which)."
        return warning("device", f"{message}; torch sees no GPU", advice, flags=flags)
    return ok("device", message, flags=flags)


def cpu_flags() -> list[str]:
    """Which of the instruction sets that matter the CPU has; empty where /proc does not tell."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    flags = next((line.split(":", 1)[1].split() for line in lines if line.startswith("flags")), [])
    return [flag for flag in CPU_FLAGS if flag in flags]


def check_grammars() -> Check:
    """Each grammar parses a line."""
    rows = {row.grammar: row.id for row in reversed(LANGUAGES) if row.grammar is not None}
    failed: dict[str, str] = {}
    for grammar, name in sorted(rows.items(), key=lambda row: row[1]):
        trouble = _trouble_of(grammar)
        if trouble:
            failed[name] = trouble
    names = sorted(rows.values())
    if not failed:
        return ok("grammars", ", ".join(names), languages=names)
    packages = sorted({grammar.module.replace("_", "-") for grammar, name in rows.items() if name in failed})
    listed = "; ".join(f"{name} cannot be used: {trouble}" for name, trouble in failed.items())
    advice = f"Install them again (pip install --force-reinstall tree-sitter {' '.join(packages)})."
    return problem("grammars", listed, advice, languages=names, failed=failed)


def _trouble_of(grammar: Grammar) -> str:
    """Why a grammar cannot be used; empty if it can."""
    try:
        import tree_sitter

        module = importlib.import_module(grammar.module)
        language = tree_sitter.Language(getattr(module, grammar.function)())
        tree = tree_sitter.Parser(language).parse(LINE_OF_ALL)
    except (ImportError, AttributeError, TypeError, ValueError, OSError) as error:
        return str(error) or type(error).__name__
    return "it does not parse a call" if tree.root_node.has_error else ""


def check_watching() -> Iterator[Check]:
    """How many files the kernel lets us watch; Linux alone has such a limit."""
    try:
        watches = int(Path("/proc/sys/fs/inotify/max_user_watches").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return
    if watches < MIN_WATCHES:
        yield warning(
            "file watching",
            f"the kernel watches at most {watches:,} folders",
            f"For large workspaces: sudo sysctl fs.inotify.max_user_watches={8 * MIN_WATCHES}",
            max_user_watches=watches,
        )
    else:
        yield ok("file watching", f"up to {watches:,} folders", max_user_watches=watches)


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:]
