"""Real `python -P -m engine` processes: where they listen, when they leave, what they say if they fail."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from engine.api import CompletionRequest, Shape, StopRules
from engine.backends.local import LocalBackend
from engine.backends.remote import RemoteBackend
from engine.client import EngineClient
from engine.errors import EngineUnavailableError
from engine.launch import EngineSpec, child_environment
from engine.layout import Budget

PATIENCE_S = 120
WITHOUT_MODEL = """
import sys
from engine.runtime.resident import ResidentModel
def load(self):
    self.state = "ready"
ResidentModel.load = load
from engine.__main__ import main
sys.exit(main(sys.argv[1:]))
"""
"""An engine that is ready at once and has no model, for tests of the process alone."""


@pytest.fixture(scope="module")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The runtime folder of all engines here; whatever still runs there is ended."""
    folder = tmp_path_factory.mktemp("r") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GHOSTFILL_RUNTIME_DIR", str(folder))
        yield folder
        for path in folder.glob("*.sock"):
            path.unlink()  # an engine whose socket is gone leaves


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An opened folder whose modules leave a trace when they are imported."""
    folder = tmp_path_factory.mktemp("workspace")
    for name in ("engine/__init__", "json", "torch", "multiprocessing", "tokenizers", "sitecustomize"):
        module = folder / f"{name}.py"
        module.parent.mkdir(exist_ok=True)
        module.write_text(f"open({str(folder / 'imported')!r}, 'a').write({name!r})\n", encoding="utf-8")
    return folder


@dataclass
class Started:
    """An engine process with its output in a file."""

    process: subprocess.Popen[bytes]
    log: Path

    def words(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def status(self) -> int:
        return self.process.wait(PATIENCE_S)


@pytest.fixture
def start(runtime: Path, tmp_path: Path) -> Iterator[Any]:
    """Starts engines; those that still run are ended with the test."""
    started: list[Started] = []

    def run(*flags: Any, code: str | None = None) -> Started:
        log = tmp_path / f"{len(started)}.log"
        program = ["-c", code] if code else ["-m", "engine"]
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-P", *program, *map(str, flags)],
                env=child_environment(),
                cwd=tmp_path,
                stderr=output,
                stdout=output,
            )
        started.append(Started(process, log))
        return started[-1]

    yield run
    for one in started:
        one.process.kill()
        one.process.wait()


async def health_of(client: EngineClient, started: Started | None = None, *states: str) -> dict[str, Any]:
    """Health once it answers, in one of these states if any are named."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                health = await client.health()
            except EngineUnavailableError:
                assert started is None or started.process.poll() is None, started.words()
            else:
                if not states or health["state"] in states:
                    return health
            await asyncio.sleep(0.02)


async def until_gone(path: Path) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while path.exists():
            await asyncio.sleep(0.05)


# A shared engine with the built-in model


@pytest.fixture(scope="module")
def shared(runtime: Path, workspace: Path) -> EngineSpec:
    """Started by whichever test first needs it, from the workspace and with PYTHONPATH pointing there."""
    return EngineSpec(device="cpu", dtype="float32", idle_minutes=5)


async def test_two_fronts_share_one_engine_and_nothing_of_the_workspace_is_imported(
    shared: EngineSpec, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(workspace)
    monkeypatch.setenv("PYTHONPATH", str(workspace))
    told: list[float] = []
    fronts = [LocalBackend(shared), LocalBackend(shared)]

    infos = await asyncio.gather(*(front.ready(lambda part, _: told.append(part)) for front in fronts))
    layout = infos[0].layout
    budget = Budget.split(1024, 32, layout.fim)
    ids = layout.prompt([], "a.py", "import os\n\nx = os.", "\n", budget, heals=False).ids
    answers = [await front.complete(CompletionRequest(ids, 8)) for front in fronts]

    assert infos[0].pid == infos[1].pid != os.getpid()
    assert answers[0].text == answers[1].text != ""
    assert answers[1].timings.reused_tokens == len(ids) - 1, "the slot of the other front's request"
    assert told == [] or max(told) <= 1
    assert not (workspace / "imported").exists()
    for front in fronts:
        await front.close()


async def test_the_engine_is_private_and_in_a_session_of_its_own(shared: EngineSpec, runtime: Path) -> None:
    front = LocalBackend(shared)
    info = await front.ready()
    files = shared.files()

    assert stat.S_IMODE(files.socket.stat().st_mode) == 0o600
    assert stat.S_IMODE(runtime.stat().st_mode) == 0o700
    assert os.getsid(info.pid) == info.pid
    await front.close()


async def test_a_second_engine_of_the_same_identity_leaves_at_once_without_torch(shared: EngineSpec) -> None:
    front = LocalBackend(shared)
    await front.ready()
    code = (
        "import sys; from engine.__main__ import main; status = main(sys.argv[1:]);"
        "print(status, sorted({'torch', 'transformers'} & sys.modules.keys()))"
    )
    flags = ["--device", shared.device, "--dtype", shared.dtype]

    second = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-P", "-c", code, *flags],
        env=child_environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )

    assert second.stdout == "0 []\n"
    assert f"already runs at {shared.files().socket}" in second.stderr
    await front.close()


# Death and return


async def test_a_killed_engine_is_unavailable_and_the_next_ready_starts_it_again(
    runtime: Path, deepseek_folder: Path
) -> None:
    """Killed mid-request; the socket it leaves behind is taken over. The new one leaves when idle."""
    spec = EngineSpec(str(deepseek_folder), device="cpu", dtype="float32", idle_minutes=0.05)
    front = LocalBackend(spec)
    killed = await front.ready()
    client = EngineClient(socket=spec.files().socket)
    request = asyncio.create_task(front.complete(CompletionRequest((40, 41, 42), max_tokens=4000)))
    async with asyncio.timeout(PATIENCE_S):
        while not (await client.health())["counters"]["decode_steps"]:
            await asyncio.sleep(0.01)

    os.kill(killed.pid, signal.SIGKILL)
    with pytest.raises(EngineUnavailableError, match="no engine answers at"):
        await request

    assert spec.files().socket.exists(), "a stale socket"
    info = await front.ready()
    assert info.pid != killed.pid
    assert (await front.complete(CompletionRequest((40, 41, 42), max_tokens=3))).timings.decoded_tokens == 3
    await until_gone(spec.files().socket)
    await client.close()
    await front.close()


async def test_an_idle_engine_leaves_in_good_order(start: Any, tmp_path: Path) -> None:
    path = tmp_path / "e.sock"
    engine = start("--socket", path, "--idle-minutes", 0.005, code=WITHOUT_MODEL)

    assert await asyncio.to_thread(engine.status) == 0
    assert not path.exists()
    assert "no request for 0.005 minutes: leaving" in engine.words()


@pytest.mark.parametrize("replace", [True, False], ids=["replaced", "removed"])
async def test_an_engine_whose_socket_is_no_longer_its_own_leaves(
    start: Any, tmp_path: Path, replace: bool
) -> None:
    path = tmp_path / "e.sock"
    engine = start("--socket", path, code=WITHOUT_MODEL)
    client = EngineClient(socket=path)
    await health_of(client, engine)
    await client.close()

    path.unlink()
    with socket.socket(socket.AF_UNIX) as other:
        if replace:
            other.bind(str(path))
        assert await asyncio.to_thread(engine.status) == 0

    assert path.exists() == replace, "another's socket is left alone"
    assert "the socket is no longer ours" in engine.words()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_an_engine_in_good_order(start: Any, tmp_path: Path, number: int) -> None:
    path = tmp_path / "e.sock"
    engine = start("--socket", path, code=WITHOUT_MODEL)
    client = EngineClient(socket=path)
    await health_of(client, engine)

    engine.process.send_signal(number)

    assert await asyncio.to_thread(engine.status) == 0
    assert not path.exists()
    assert "Traceback" not in engine.words()
    await client.close()


async def test_a_stale_socket_is_taken_over(start: Any, tmp_path: Path) -> None:
    path = tmp_path / "e.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    engine = start("--socket", path, code=WITHOUT_MODEL)
    client = EngineClient(socket=path)

    assert (await health_of(client, engine))["pid"] == engine.process.pid
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    await client.close()


async def test_two_engines_at_one_named_socket_are_one(start: Any, tmp_path: Path) -> None:
    path = tmp_path / "e.sock"
    first = start("--socket", path, code=WITHOUT_MODEL)
    client = EngineClient(socket=path)
    await health_of(client, first)

    second = start("--socket", path, "--dtype", "float32", code=WITHOUT_MODEL)

    assert await asyncio.to_thread(second.status) == 0
    assert f"already runs at {path}" in second.words()
    assert (await client.health())["pid"] == first.process.pid
    await client.close()


# What it cannot serve


def half_downloaded(folder: Path, model: Path) -> Path:
    shutil.copytree(model, folder)
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1000])
    return folder


async def test_an_engine_that_cannot_load_says_why_and_leaves(
    start: Any, tmp_path: Path, deepseek_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Health tells for some seconds, then the process ends with status 1. All at once, to wait but once."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub"))
    no_tokenizer = tmp_path / "no-tokenizer"
    shutil.copytree(deepseek_folder, no_tokenizer)
    (no_tokenizer / "tokenizer.json").unlink()
    cases = {
        "missing": (["--model", tmp_path / "none"], r"none does not exist: correct the setting 'model'"),
        "half": (
            ["--model", half_downloaded(tmp_path / "half", deepseek_folder)],
            r"model\.safetensors is cut short or damaged; download it again",
        ),
        "unknown": (
            ["--model", "nobody/nothing"],
            r"is not on this machine: run 'ghostfill pull nobody/nothing'",
        ),
        "tokenizer": (
            ["--model", no_tokenizer],
            r"holds no readable tokenizer\.json .*download the model again",
        ),
        "format": (
            ["--fim-format", "guesswork"],
            r"'guesswork' is unknown; there are: deepseek-coder, builtin",
        ),
        "device": (["--device", "cuda"], r"PyTorch sees no CUDA GPU here: set device to auto or cpu"),
    }
    paths = {name: tmp_path / f"{name}.sock" for name in cases}
    engines = {name: start("--socket", paths[name], *flags) for name, (flags, _) in cases.items()}

    async def message_of(name: str) -> str:
        client = EngineClient(socket=paths[name])
        health = await health_of(client, engines[name], "error")
        await client.close()
        return str(health["message"])

    messages = await asyncio.gather(*map(message_of, cases))
    for message, (name, (_, expected)) in zip(messages, cases.items(), strict=True):
        assert re.search(expected, message), message
        assert await asyncio.to_thread(engines[name].status) == 1, name
        assert re.search(expected, engines[name].words())
        assert not paths[name].exists()


async def test_a_front_tells_why_its_engine_cannot_load(runtime: Path, tmp_path: Path) -> None:
    front = LocalBackend(EngineSpec(str(tmp_path / "none")))

    with pytest.raises(EngineUnavailableError, match="none does not exist: correct the setting 'model'"):
        await front.ready()

    await front.close()


# Over TCP


async def test_a_remote_front_completes_over_tcp_with_a_key(
    start: Any, tmp_path: Path, deepseek_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "key").write_text(" secret\n")
    flags = ["--model", deepseek_folder, "--device", "cpu", "--dtype", "float32", "--log-prompts"]
    engine = start("--host", "127.0.0.1", "--port", 0, "--api-key-file", tmp_path / "key", *flags)
    async with asyncio.timeout(PATIENCE_S):
        while (found := re.search(r"listening at \('127\.0\.0\.1', (\d+)\)", engine.words())) is None:
            assert engine.process.poll() is None, engine.words()
            await asyncio.sleep(0.02)
    url = f"http://127.0.0.1:{found[1]}/"
    monkeypatch.setenv("TEAM_KEY", "secret\n")
    keyless, front = RemoteBackend(url), RemoteBackend(url, "TEAM_KEY")

    client = EngineClient(url=url, api_key="secret")
    await health_of(client, engine)
    with pytest.raises(EngineUnavailableError, match=r"valid API key"):
        await keyless.ready()
    info = await front.ready()
    prompt = info.layout.prompt([], "a.py", "x = 1\n", "y\n", Budget.split(512, 16, info.layout.fim))
    rules = StopRules(Shape.BLOCK, "x = ")
    completion = await front.complete(CompletionRequest(prompt.ids, 5, stop_rules=rules))

    assert info.layout.fim.name == "deepseek-coder"
    assert completion.timings.prompt_tokens == len(prompt.ids)
    assert "# a.py\\nx = 1\\n" in engine.words(), "--log-prompts"
    engine.process.terminate()
    assert await asyncio.to_thread(engine.status) == 0
    for one in (client, keyless, front):
        await one.close()
