"""`initialize`, `initialized`, `shutdown`: the session's beginning and end."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from lsprotocol import types as t

from lsp_server.documents import uri_to_path
from lsp_server.handlers import completion
from lsp_server.handlers.configuration import pull_configuration
from lsp_server.handlers.workspace_files import watch_files
from lsp_server.session import Session

if TYPE_CHECKING:
    from lsp_server.server import GhostfillServer


def register(server: GhostfillServer) -> None:
    """Register this file's handlers."""

    @server.feature(t.INITIALIZE)
    def initialize(params: t.InitializeParams) -> None:
        server.session = Session(server, params.initialization_options, workspace_roots(params))
        completion.register_if_wanted(server)  # pygls advertises what is registered by now

    @server.feature(t.INITIALIZED)
    async def initialized(params: t.InitializedParams) -> None:
        server.session.start()
        await watch_files(server)
        await pull_configuration(server)

    @server.feature(t.SHUTDOWN)
    async def shutdown(params: None) -> None:
        await server.session.close()


def workspace_roots(params: t.InitializeParams) -> list[Path]:
    """The workspace's folders, by the newest of the three ways in which clients name them."""
    if params.workspace_folders:
        uris = [folder.uri for folder in params.workspace_folders]
    else:
        uris = [params.root_uri] if params.root_uri else []
    paths = [path for uri in uris if (path := uri_to_path(uri)) is not None]
    if not paths and not uris and params.root_path:
        paths = [Path(params.root_path)]
    return paths
