"""What a key costs: start-up, first ghost text, then 50 typed characters in a real package, key by key.

`python -m benchmarks.keystroke [--quick]`. Times are wall clock from the edit to the answer, debounce off.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.editor import Editor
from benchmarks.report import finish
from benchmarks.workspace import unpacked_wheel
from engine.client import EngineClient
from engine.errors import EngineUnavailableError

PACKAGE = ("httpx", "0.28.1")
SITE_FILE = "httpx/_client.py"
SITE = "        auth = self._build_request_auth(request, auth)\n"
"""50 characters are typed over these and the following lines, first seen in `Client.send`."""
NUM_KEYS = 50
OPTIONS = {"inline": {"debounceMs": 0}}


def main() -> None:
    """Measure and report."""
    flags = argparse.ArgumentParser(description=__doc__)
    flags.add_argument("--quick", action="store_true", help="one start instead of five")
    quick = flags.parse_args().quick
    workspace = unpacked_wheel(*PACKAGE)
    with tempfile.TemporaryDirectory(prefix="gf") as runtime:
        figures = measure(workspace, Path(runtime), starts=1 if quick else 5)
    finish("keystroke", figures, quick=quick)


def measure(workspace: Path, runtime: Path, starts: int) -> dict[str, Any]:
    """All figures; times in milliseconds unless the name says otherwise."""
    environment = {"GHOSTFILL_RUNTIME_DIR": str(runtime)}
    start_ms = [_start_ms(environment, workspace) for _ in range(starts)]
    with Editor(environment, workspace) as editor:
        begun = time.perf_counter()
        editor.initialize(workspace, OPTIONS)
        text = (workspace / SITE_FILE).read_text(encoding="utf-8")
        offset = text.index(SITE)
        typed = text[offset : offset + NUM_KEYS]
        line_end = text.index("\n", offset + NUM_KEYS)
        editor.open(workspace / SITE_FILE, text[:offset] + text[line_end:])
        engine = Engine(runtime)
        engine.wait_ready()
        engine_ready_s = time.perf_counter() - begun
        cold = _key(editor, engine, offset, "")
        keys = [_key(editor, engine, offset + i, char) for i, char in enumerate(typed)]
        memory = {"front_mib": _rss_mib(editor.process.pid), "engine_mib": _rss_mib(engine.pid)}
        engine.stop()
    by_engine = [key for key in keys if key["requests"]]
    through = [key for key in keys if not key["requests"]]
    return {
        "initialize_ms": round(statistics.median(start_ms)),
        "engine_ready_s": round(engine_ready_s, 1),
        "cold_first_ms": round(cold["ms"]),
        "cold_prefilled_tokens": cold["prefilled"],
        "key_ms_median": round(statistics.median(key["ms"] for key in keys), 1),
        "key_ms_p95": round(sorted(key["ms"] for key in keys)[int(0.95 * len(keys))], 1),
        "keys": len(keys),
        "keys_without_engine": len(through),
        "engine_key_ms_median": _median(by_engine, "ms"),
        "cold_over_engine_key": round(cold["ms"] / (_median(by_engine, "ms") or cold["ms"]), 1),
        "typed_through_ms_median": _median(through, "ms"),
        "prefilled_tokens_median": _median(by_engine, "prefilled"),
        "prefilled_tokens_max": max((key["prefilled"] for key in by_engine), default=0),
        "decoded_tokens_median": _median(by_engine, "decoded"),
        **memory,
    }


def _start_ms(environment: dict[str, str], workspace: Path) -> float:
    """From spawning `serve` to the answer of `initialize`; the engine is not started by this."""
    begun = time.perf_counter()
    with Editor(environment, workspace) as editor:
        editor.initialize(workspace, {"inline": {"enabled": False}})
        return (time.perf_counter() - begun) * 1000


def _key(editor: Editor, engine: Engine, offset: int, char: str) -> dict[str, float]:
    before = engine.counters()
    begun = time.perf_counter()
    if char:
        editor.insert(offset, char)
    editor.ghost_text(offset + len(char), invoked=not char)
    elapsed = (time.perf_counter() - begun) * 1000
    after = engine.counters()
    return {
        "ms": elapsed,
        "prefilled": after["prefilled_tokens"] - before["prefilled_tokens"],
        "requests": after["requests"] - before["requests"],
        "decoded": after["decode_steps"] - before["decode_steps"],
    }


class Engine:
    """The running engine, asked for its counters beside the editor."""

    def __init__(self, runtime: Path) -> None:
        self._runtime = runtime
        self.pid = 0

    def wait_ready(self) -> None:
        """Until the model is loaded."""
        while self._health().get("state") != "ready":
            time.sleep(0.02)
        self.pid = self._health()["pid"]

    def counters(self) -> dict[str, int]:
        """What the engine has computed so far."""
        counters: dict[str, int] = self._health()["counters"]
        return counters

    def stop(self) -> None:
        """Take its socket away: it leaves by itself."""
        for socket in self._runtime.glob("*.sock"):
            socket.unlink()

    def _health(self) -> dict[str, Any]:
        sockets = list(self._runtime.glob("*.sock"))
        if not sockets:
            return {}

        async def ask() -> dict[str, Any]:
            client = EngineClient(socket=sockets[0])
            try:
                return await client.health()
            except EngineUnavailableError:
                return {}
            finally:
                await client.close()

        return asyncio.run(ask())


def _median(keys: list[dict[str, float]], name: str) -> float | None:
    return round(statistics.median(key[name] for key in keys), 1) if keys else None


def _rss_mib(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) // 1024


if __name__ == "__main__":
    main()
