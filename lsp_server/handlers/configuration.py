"""`workspace/configuration` and `didChangeConfiguration`: settings that may change while the server runs."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING

from lsprotocol import types as t
from pygls.exceptions import JsonRpcException

if TYPE_CHECKING:
    from lsp_server.server import GhostfillServer

log = logging.getLogger(__name__)
SECTION = "ghostfill"


def register(server: GhostfillServer) -> None:
    """Register this file's handler."""

    @server.feature(t.WORKSPACE_DID_CHANGE_CONFIGURATION)
    async def did_change_configuration(params: t.DidChangeConfigurationParams) -> None:
        if server.session.can("workspace.configuration"):
            await pull_configuration(server)
        elif isinstance(params.settings, Mapping):
            server.session.configure(params.settings.get(SECTION))


async def pull_configuration(server: GhostfillServer) -> None:
    """Ask the client for our section, if it answers such questions."""
    session = server.session
    if not session.can("workspace.configuration"):
        return
    items = [t.ConfigurationItem(section=SECTION)]
    try:
        answer = await server.workspace_configuration_async(t.ConfigurationParams(items=items))
    except JsonRpcException as error:
        log.info("the client gives no configuration: %s", error)
        return
    session.configure(answer[0] if answer else None)
