"""A user's home for tests of the command line: own folders, the console script, and an end to its engines."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from engine.client import EngineClient
from engine.errors import EngineUnavailableError

ROOT = Path(__file__).parents[1]
CONSOLE_SCRIPT = "import sys\nfrom lsp_server.entry import main\nsys.exit(main())\n"
"""What pip writes for `ghostfill`."""

RunCli = Callable[..., subprocess.CompletedProcess[str]]


class Home:
    """A user's folders, apart from the real ones, and the console script."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.runtime = folder / "run"
        self.script = folder / "ghostfill"
        self.script.write_text(CONSOLE_SCRIPT)

    @property
    def config(self) -> Path:
        return self.folder / "config" / "ghostfill" / "ghostfill.toml"

    def environment(self, **changes: str) -> dict[str, str]:
        """For a child process; our own packages are importable whether they are installed or not."""
        environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
        paths = {"state": "XDG_STATE_HOME", "config": "XDG_CONFIG_HOME", "cache": "XDG_CACHE_HOME"}
        environment |= {variable: str(self.folder / name) for name, variable in paths.items()}
        environment["GHOSTFILL_RUNTIME_DIR"] = str(self.runtime)
        environment["PYTHONPATH"] = str(ROOT)
        return environment | changes

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, str(self.script), *arguments]

    def run(
        self, *arguments: str, cwd: Path | None = None, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Run `ghostfill` with these arguments."""
        return subprocess.run(
            self.command(*arguments),
            cwd=cwd or self.folder,
            env=self.environment(**environment),
            capture_output=True,
            text=True,
            timeout=200,
            stdin=subprocess.DEVNULL,
        )

    def engine_pids(self) -> list[int]:
        """The engines that answer, those left out that could not load their model."""
        return [
            pid for socket in self.runtime.glob("*.sock") if (pid := asyncio.run(_pid(socket))) is not None
        ]

    def end_engines(self) -> None:
        for pid in self.engine_pids():
            os.kill(pid, signal.SIGTERM)


async def _pid(socket: Path) -> int | None:
    client = EngineClient(socket=socket)
    try:
        health = await client.health()
        return None if health["state"] == "error" else int(health["pid"])
    except EngineUnavailableError:
        return None
    finally:
        await client.close()
