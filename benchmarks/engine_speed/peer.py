"""Whoever is asked at each key; children that answer in JSON lines over pipes.

Knows processes; knows no models. Children are `python -P -m benchmarks.engine_speed.NAME_child`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any, Protocol

from benchmarks.engine_speed.scene import Scene
from benchmarks.engine_speed.words import Answer, Burden
from engine.launch import child_environment


class Peer(Protocol):
    """An engine with the built-in weights in a process of its own."""

    @property
    def name(self) -> str:
        """In tables."""
        ...

    @property
    def burden(self) -> Burden:
        """Known once it is ready."""
        ...

    def wait_ready(self) -> None:
        """Until its model is loaded; raises ChildError."""
        ...

    def ask(self, scene: Scene, num_keys: int) -> Answer:
        """The answer once so many characters are typed."""
        ...

    def peak_mib(self) -> int | None:
        """The most memory its process had until now; None where the system does not tell."""
        ...

    def close(self) -> None:
        """End its process."""
        ...


class ChildError(RuntimeError):
    """A child ended or said what it cannot do; the message is its own."""


class Child:
    """A Python module in a process of its own, asked and answering one JSON object at a time."""

    def __init__(self, module: str, arguments: Sequence[str], threads: int | None = None) -> None:
        self._module = module
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", module, *arguments],
            env=environment(threads),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.pid = self._process.pid

    def wait_ready(self) -> dict[str, Any]:
        """Until it has loaded; what it says of itself. Raises ChildError."""
        return self._read()

    def ask(self, question: dict[str, Any]) -> dict[str, Any]:
        """Its answer; raises ChildError."""
        self._pipe(self._process.stdin).write(json.dumps(question) + "\n")
        self._pipe(self._process.stdin).flush()
        return self._read()

    def close(self) -> None:
        """Let it end."""
        self._pipe(self._process.stdin).close()
        self._process.wait()
        self._pipe(self._process.stdout).close()

    def _read(self) -> dict[str, Any]:
        line = self._pipe(self._process.stdout).readline()
        if not line:
            raise ChildError(f"{self._module} ended with status {self._process.wait()}")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise ChildError(str(answer["error"]))
        return answer

    @staticmethod
    def _pipe(pipe: IO[str] | None) -> IO[str]:
        assert pipe is not None
        return pipe


class ChildPeer:
    """A peer behind a child; `prompt` makes what it is asked with."""

    def __init__(self, name: str, child: Child, prompt: Callable[[Scene, int], dict[str, Any]]) -> None:
        self.name = name
        self.burden = Burden(0, 0)
        self.child = child
        self._prompt = prompt

    def wait_ready(self) -> None:
        """See Peer."""
        self.burden = Burden(**self.child.wait_ready())

    def ask(self, scene: Scene, num_keys: int) -> Answer:
        """See Peer."""
        return Answer(**self.child.ask(self._prompt(scene, num_keys)))

    def peak_mib(self) -> int | None:
        """See Peer."""
        return peak_mib(self.child.pid)

    def close(self) -> None:
        """See Peer."""
        self.child.close()


def environment(threads: int | None) -> dict[str, str]:
    """Of a child that may use so many threads."""
    limits = {} if threads is None else {"OMP_NUM_THREADS": str(threads)}
    offline = {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
    return child_environment() | offline | limits


def peak_mib(pid: int) -> int | None:
    """The most memory a living process had; None where the system does not tell."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except OSError:
        return None
    line = next((line for line in status.splitlines() if line.startswith("VmHWM")), None)
    return None if line is None else int(line.split()[1]) // 1024


def serve(ready: Burden, answer: Callable[[dict[str, Any]], Answer]) -> None:
    """The child's side: say what it loaded, then answer until the parent closes the pipe."""
    out = own_stdout()
    tell(out, asdict(ready))
    for line in sys.stdin:
        tell(out, asdict(answer(json.loads(line))))


def own_stdout() -> IO[str]:
    """The pipe to the parent; what libraries print from now on goes to stderr."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return out


def tell(out: IO[str], what: dict[str, Any]) -> None:
    """One object to the parent."""
    out.write(json.dumps(what) + "\n")
    out.flush()
