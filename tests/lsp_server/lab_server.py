"""A server with one handler for each way of misbehaving; test_pygls_fixes.py and test_stdio.py use it."""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
import time

from lsprotocol import types as t

from engine.errors import ModelError
from lsp_server.pygls_fixes import HardenedServer
from lsp_server.stdio import end_process, serve_stdio, serve_tcp

log = logging.getLogger("lab")
released = threading.Event()
"""What handlers in threads wait for."""
SECRET = "secret path /home/me"


async def wait_async(params):
    """Ends only when cancelled."""
    log.warning("async handler started")
    try:
        await asyncio.Event().wait()
    finally:
        log.warning("async handler ended")


def wait_in_thread(params):
    log.warning("thread handler started")
    released.wait()


async def wait_to_thread(params):
    log.warning("to_thread handler started")
    await asyncio.to_thread(released.wait)


def block(params):
    log.warning("blocking handler started")
    time.sleep(3600)


async def echo(params):
    return params


def echo_from_thread(params):
    return params


async def boom(params):
    raise RuntimeError(SECRET)


def boom_sync(params):
    raise RuntimeError(SECRET)


async def takes_nothing():
    """Cannot be called with parameters."""


async def model_error(params):
    raise ModelError("Get the model with: ghostfill pull")


async def not_json(params):
    return {"bytes": b"no JSON"}


async def text(ls, params):
    """The document as this handler sees it first."""
    snapshot = ls.workspace.snapshot(params["uri"])
    return snapshot and {"text": snapshot.text, "version": snapshot.version}


async def print_and_read(params):
    print("printed")
    return {"stdin": sys.stdin.read()}


async def progress(ls, params):
    """The same token twice; gives how many tokens are remembered."""
    for _ in range(2):
        await ls.work_done_progress.create_async("token")
        ls.work_done_progress.begin("token", t.WorkDoneProgressBegin(title="work"))
        ls.work_done_progress.end("token", t.WorkDoneProgressEnd())
    return len(ls.work_done_progress.tokens)


async def ask_configuration(ls, params):
    item = t.ConfigurationItem(section="lab")
    return await ls.workspace_configuration_async(t.ConfigurationParams(items=[item]))


async def ask_folders(ls, params):
    return await ls.workspace_workspace_folders_async(None)


async def hover(params: t.HoverParams):
    return t.Hover(contents=f"{params.position.line}:{params.position.character}")


async def command_echo(argument):
    return argument


async def command_wait():
    log.warning("command started")
    try:
        await asyncio.Event().wait()
    finally:
        log.warning("command ended")


async def command_cancelled():
    """As when a newer request displaces this one."""
    raise asyncio.CancelledError


def command_in_thread(argument):
    return [threading.current_thread() is threading.main_thread(), argument]


FEATURES = {
    "lab/async": wait_async,
    "lab/thread": wait_in_thread,
    "lab/toThread": wait_to_thread,
    "lab/block": block,
    "lab/echo": echo,
    "lab/echoFromThread": echo_from_thread,
    "lab/boom": boom,
    "lab/boomSync": boom_sync,
    "lab/takesNothing": takes_nothing,
    "lab/modelError": model_error,
    "lab/notJson": not_json,
    "lab/text": text,
    "lab/print": print_and_read,
    "lab/progress": progress,
    "lab/askConfiguration": ask_configuration,
    "lab/askFolders": ask_folders,
    "textDocument/hover": hover,
}
COMMANDS = {
    "lab.echo": command_echo,
    "lab.wait": command_wait,
    "lab.cancelled": command_cancelled,
    "lab.thread": command_in_thread,
}
IN_THREADS = (wait_in_thread, echo_from_thread, command_in_thread)


def lab_server(**options) -> HardenedServer:
    server = HardenedServer("lab", "1", **options)
    for name, handler in FEATURES.items():
        server.feature(name)(handler)
    for name, handler in COMMANDS.items():
        server.command(name)(handler)
    for handler in IN_THREADS:
        server.thread()(handler)
    return server


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, format="%(name)s %(message)s")
    if sys.argv[1:] == ["--tcp"]:
        end_process(serve_tcp(lab_server(), 0, lambda port: log.warning("port %d.", port)))
    end_process(serve_stdio(lab_server()))
