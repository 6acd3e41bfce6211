"""Workspace folders and files that change outside of the editor's buffers."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from lsprotocol import types as t
from pygls.exceptions import JsonRpcException

from lsp_server.documents import uri_to_path

if TYPE_CHECKING:
    from lsp_server.server import GhostfillServer

log = logging.getLogger(__name__)


def register(server: GhostfillServer) -> None:
    """Register this file's handlers."""

    @server.feature(t.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    def did_change_watched_files(params: t.DidChangeWatchedFilesParams) -> None:
        for change in params.changes:
            if (path := uri_to_path(change.uri)) is None:
                continue
            if change.type == t.FileChangeType.Deleted:
                server.session.context.file_deleted(path)
            else:
                server.session.context.file_changed(path)

    @server.feature(t.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS)
    def did_change_workspace_folders(params: t.DidChangeWorkspaceFoldersParams) -> None:
        folders = server.workspace.folders.values()
        roots = [path for folder in folders if (path := uri_to_path(folder.uri)) is not None]
        server.session.rebuild_context(roots)


async def watch_files(server: GhostfillServer) -> None:
    """Have the client tell of changed files, if it can."""
    if not server.session.can("workspace.did_change_watched_files.dynamic_registration"):
        return
    watchers = [t.FileSystemWatcher(glob_pattern="**/*")]
    registration = t.Registration(
        id="ghostfill-files",
        method=t.WORKSPACE_DID_CHANGE_WATCHED_FILES,
        register_options=t.DidChangeWatchedFilesRegistrationOptions(watchers=watchers),
    )
    try:
        await server.client_register_capability_async(t.RegistrationParams(registrations=[registration]))
    except JsonRpcException as error:
        log.info("the client watches no files for us: %s", error)
