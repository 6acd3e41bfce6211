"""Work-done progress on one thing, shown by the client if it can. Knows nothing of what is done."""

from __future__ import annotations

import asyncio
import logging
import uuid
from typing import TYPE_CHECKING

from lsprotocol import types as t
from pygls.capabilities import get_capability
from pygls.exceptions import JsonRpcException

if TYPE_CHECKING:
    from pygls.lsp.server import LanguageServer

log = logging.getLogger(__name__)


class WorkDoneProgress:
    """Begins with the first report, ends with `end`; messages keep their order."""

    def __init__(self, server: LanguageServer, title: str) -> None:
        self._server = server
        self._title = title
        self._queue: asyncio.Queue[tuple[float, str] | None] = asyncio.Queue()
        can_show = get_capability(server.client_capabilities, "window.work_done_progress", False)
        self._task = asyncio.ensure_future(self._show()) if can_show else None

    def report(self, fraction: float, message: str) -> None:
        """A fraction of 1 is done."""
        self._queue.put_nowait((fraction, message))

    def end(self, message: str) -> None:
        """It is over, well or not."""
        self._queue.put_nowait((1.0, message))
        self._queue.put_nowait(None)

    async def _show(self) -> None:
        token = uuid.uuid4().hex
        progress = self._server.work_done_progress
        try:
            await progress.create_async(token)
        except JsonRpcException as error:
            log.info("the client shows no progress: %s", error)
            return
        progress.begin(token, t.WorkDoneProgressBegin(title=self._title, percentage=0))
        shown = -1
        message = ""
        while (item := await self._queue.get()) is not None:
            percentage, message = int(item[0] * 100), item[1]
            if percentage != shown:
                shown = percentage
                report = t.WorkDoneProgressReport(message=message, percentage=percentage)
                progress.report(token, report)
        progress.end(token, t.WorkDoneProgressEnd(message=message))
