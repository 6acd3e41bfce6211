"""Starting the resident engine as a process of its own. Knows command lines and files; speaks no HTTP."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

from engine.build import build_id
from engine.errors import EngineUnavailableError, MissingExtraError
from engine.runtime_dir import EngineFiles, runtime_dir

MAX_LOG_BYTES = 2_000_000
EXPECTED_BUILD = "GHOSTFILL_EXPECTED_BUILD"
"""Environment variable: the build of whoever starts an engine."""
LOCAL_EXTRA = ("torch", "transformers", "safetensors", "starlette", "uvicorn")


@dataclass(frozen=True, slots=True)
class EngineSpec:
    """Which engine is wanted; equal specs share one process."""

    model: str = "builtin"
    device: str = "auto"
    dtype: str = "auto"
    fim_format: str = "auto"
    idle_minutes: float = 30.0
    memory_gb: float | None = None
    trust_remote_code: bool = False
    quantize: str | None = None
    """`int8`, or as the checkpoint has its weights."""

    def files(self) -> EngineFiles:
        """Socket, lock and log of this engine; raises EngineUnavailableError."""
        return EngineFiles.of(
            runtime_dir(), self.model, self.device, self.dtype, self.fim_format, self.quantize
        )


def require_local_extra() -> None:
    """Raise MissingExtraError if a package of the resident engine is not installed; imports none of them."""
    for package in LOCAL_EXTRA:
        if importlib.util.find_spec(package) is None:
            raise MissingExtraError(package)


def check_build() -> None:
    """Raise EngineUnavailableError if we were started by a process older than the installed package.

    It would wait for us at the socket of its own build, where we never listen.
    """
    if os.environ.get(EXPECTED_BUILD, build_id()) != build_id():
        raise EngineUnavailableError(
            "ghostfill was updated while it ran: restart the editor's language server."
        )


def start_engine(spec: EngineSpec) -> subprocess.Popen[bytes]:
    """Start the engine, in its own session and folder; it lives on when we end.

    Raises MissingExtraError or EngineUnavailableError if it cannot. If one already runs, the new process sees
    that and ends with status 0.
    """
    require_local_extra()
    files = spec.files()
    command = [sys.executable, "-P", "-m", "engine", "--model", spec.model, "--device", spec.device]
    command += ["--dtype", spec.dtype, "--fim-format", spec.fim_format]
    command += ["--idle-minutes", str(spec.idle_minutes)]
    if spec.memory_gb is not None:
        command += ["--memory-gb", str(spec.memory_gb)]
    if spec.quantize is not None:
        command += ["--quantize", spec.quantize]
    if spec.trust_remote_code:
        command.append("--trust-remote-code")
    _rotate(files.log)
    try:
        with files.log.open("ab") as log:
            process = subprocess.Popen(
                command,
                cwd=files.folder,
                env=child_environment() | {EXPECTED_BUILD: build_id()},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
    except OSError as error:
        raise EngineUnavailableError(f"the engine cannot be started: {error}") from error
    # Waited for in a thread: an engine that ends long after its front forgot it leaves no zombie.
    threading.Thread(target=process.wait, name="wait for the engine", daemon=True).start()
    return process


def child_environment() -> dict[str, str]:
    """Our environment for a Python child that must import nothing from an opened workspace.

    PYTHONPATH keeps only the entry that holds these very packages, for a run from a source checkout.
    """
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    home = str(Path(__file__).resolve().parent.parent)
    if "site-packages" not in home:
        environment["PYTHONPATH"] = home
    environment["PYTHONSAFEPATH"] = "1"
    environment["PYTHONUNBUFFERED"] = "1"
    # OpenMP threads that spin while they wait take the editor's core (research: 0.5 s became 8.4 s).
    environment.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    environment.setdefault("GOMP_SPINCOUNT", "0")
    return environment


def last_words(log: Path) -> str:
    """The last line an engine wrote, for a message about its death."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 4096))
            lines = file.read().decode("utf-8", "replace").strip().splitlines()
    except OSError:
        return ""
    return lines[-1].strip().removeprefix("ghostfill engine: ") if lines else ""


def _rotate(log: Path) -> None:
    try:
        if log.stat().st_size > MAX_LOG_BYTES:
            log.replace(log.with_suffix(".log.1"))
    except OSError:
        return  # no log yet
