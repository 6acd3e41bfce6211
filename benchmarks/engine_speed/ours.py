"""The resident engine as a peer: the real process, asked over its socket, prompts laid out at each key."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.engine_speed.peer import ChildError, environment, peak_mib
from benchmarks.engine_speed.scene import Scene, Typist, read_layout
from benchmarks.engine_speed.words import Answer, Burden
from engine.client import EngineClient
from engine.errors import EngineUnavailableError

PATIENCE_S = 120
LONG_FORMAT = "deepseek-coder"
"""The built-in format reads 8,192 tokens at most of the 16,384 that the model has positions for. This one has
the same marks and reads them all; prompts come as ids, so nothing else of it is used."""


class Ours:
    """One engine process and a client. Laying out the prompt and HTTP are part of a key's time."""

    def __init__(self, name: str, burden: Burden, folder: Path, flags: Sequence[str], threads: int) -> None:
        self.name = name
        self.burden = burden
        self._runner = asyncio.Runner()
        self._typist = Typist(read_layout())
        socket = folder / f"{len(list(folder.iterdir()))}.sock"
        self._client = EngineClient(socket=socket)
        command = [sys.executable, "-P", "-m", "engine", "--socket", str(socket), "--device", "cpu"]
        self._log = socket.with_suffix(".log").open("wb")
        self._process = subprocess.Popen(
            [*command, "--fim-format", LONG_FORMAT, "--idle-minutes", "10", *flags],
            cwd=folder,
            env=environment(threads) | {"GHOSTFILL_RUNTIME_DIR": str(folder)},
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
        )

    def wait_ready(self) -> None:
        """Until the model is loaded; raises ChildError if it never is."""
        begun = time.monotonic()
        while time.monotonic() - begun < PATIENCE_S and self._process.poll() is None:
            try:
                health = self._runner.run(self._client.health())
            except EngineUnavailableError:
                health = {}
            if health.get("state") == "ready":
                return
            if health.get("state") == "error":
                raise ChildError(str(health["message"]))
            time.sleep(0.05)
        log = Path(self._log.name).read_text(encoding="utf-8", errors="replace")
        raise ChildError(f"the engine did not start: {log.strip()[-500:]}")

    def ask(self, scene: Scene, num_keys: int, drafts: tuple[str, ...] = ()) -> Answer:
        """See Peer; `drafts` are texts that the answer may repeat."""
        begun = time.perf_counter()
        request = self._typist.request(scene, num_keys, drafts)
        completion = self._runner.run(self._client.complete(request))
        elapsed = (time.perf_counter() - begun) * 1000
        timings = completion.timings
        return Answer(
            ms=elapsed,
            prefilled=timings.prefilled_tokens,
            decoded=timings.decoded_tokens,
            passes=timings.decode_steps,
            decode_ms=timings.decode_ms,
            text=completion.text,
            drafted=timings.drafted_tokens,
        )

    def peak_mib(self) -> int | None:
        """See Peer."""
        return peak_mib(self._process.pid)

    def close(self) -> None:
        """See Peer."""
        self._runner.run(self._client.close())
        self._runner.close()
        self._process.terminate()
        self._process.wait()
        self._log.close()
