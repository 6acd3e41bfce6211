"""The client's end of a protocol in this process: bytes in through `receive`, messages out of a list."""

from __future__ import annotations

import asyncio
import json

from lsp_server.pygls_fixes import HardenedServer

INITIALIZE = {"processId": None, "rootUri": None, "capabilities": {}}


class Wire:
    """What is sent, and a list of what came back."""

    def __init__(self, server: HardenedServer) -> None:
        self.protocol = server.protocol
        self.protocol.set_writer(self)
        self.messages: list[dict] = []
        self._came = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    def write(self, data: bytes) -> None:
        header, _, body = data.partition(b"\r\n\r\n")
        assert header == b"Content-Length: %d" % len(body)
        self.messages.append(json.loads(body))
        self._loop.call_soon_threadsafe(self._came.set)

    def close(self) -> None:
        pass

    def send(self, **message) -> None:
        self.protocol.receive(json.dumps({"jsonrpc": "2.0", **message}).encode())

    async def receive(self, **fields) -> dict:
        """Take the first message that has these fields, once it has come."""
        async with asyncio.timeout(20):
            while True:
                for message in self.messages:
                    if fields.items() <= message.items():
                        self.messages.remove(message)
                        return message
                self._came.clear()
                await self._came.wait()

    async def request(self, method: str, params=None, msg_id=1) -> dict:
        self.send(id=msg_id, method=method, params=params)
        return await self.receive(id=msg_id)

    async def result(self, method: str, params=None) -> object:
        return (await self.request(method, params))["result"]

    async def error(self, method: str, params=None) -> dict:
        return (await self.request(method, params))["error"]


async def is_alive(wire: Wire) -> bool:
    return await wire.result("lab/echo", {"still": "here"}) == {"still": "here"}


async def open_wire(server: HardenedServer) -> Wire:
    """A session that is initialized."""
    wire = Wire(server)
    assert "capabilities" in await wire.result("initialize", INITIALIZE)
    wire.send(method="initialized", params={})
    return wire
