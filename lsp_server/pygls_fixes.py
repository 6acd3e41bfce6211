"""pygls 2.1 made safe to live with: the server around `lsp_server.protocol`, and its parts.

Each class stands in for one of pygls 2.1.1 and its docstring names the fault. Knows no LSP feature.
"""

from __future__ import annotations

import inspect
import logging
from typing import Any

from cattrs import Converter
from lsprotocol import types as t
from pygls.lsp.server import LanguageServer
from pygls.progress import Progress
from pygls.protocol import (
    JsonRPCNotification,
    JsonRPCRequestMessage,
    JsonRPCResponseMessage,
    default_converter,
)

from lsp_server.documents import Documents
from lsp_server.protocol import HardenedProtocol

log = logging.getLogger(__name__)


class HardenedServer(LanguageServer):
    """A pygls server to derive from; start it with `lsp_server.stdio`, never with `start_io`."""

    protocol: HardenedProtocol

    def __init__(self, name: str, version: str, **rest: Any) -> None:
        super().__init__(
            name, version, protocol_cls=HardenedProtocol, converter_factory=plain_converter, **rest
        )
        self.protocol.progress = ForgetfulProgress(self.protocol)

    @property
    def workspace(self) -> Documents:
        """The open documents and the workspace folders."""
        return self.protocol.workspace

    def report_server_error(self, error: Exception, source: Any) -> None:
        """Upstream shows every error in a pop-up."""
        log.error("%s", error, exc_info=error)


class ForgetfulProgress(Progress):
    """Upstream never forgets a token, so that none could be used again."""

    def end(self, token: t.ProgressToken, value: t.WorkDoneProgressEnd) -> None:
        """Tell the client that the work is over."""
        super().end(token, value)
        self.tokens.pop(token, None)


def plain_converter() -> Converter:
    """Custom methods get their parameters as plain JSON values.

    Upstream makes named tuples of them, in which keys such as "file-name" or "class" lose their names.
    """
    converter: Converter = default_converter()  # type: ignore[no-untyped-call]

    def structure(message: dict[str, Any], cls: type[Any]) -> Any:
        message = {"params": None, "result": None, **message}
        return cls(**{name: message[name] for name in inspect.signature(cls).parameters})

    for cls in (JsonRPCNotification, JsonRPCRequestMessage, JsonRPCResponseMessage):
        converter.register_structure_hook(cls, structure)
    return converter
