"""pygls' protocol with its faults answered; each docstring of an override names that of pygls 2.1.1.

What holds: every request is answered exactly once, whatever it holds and whatever its handler does; nothing
that a client sends ends the server; no traceback reaches a client. Knows no LSP feature.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import logging
from collections.abc import Callable, Generator
from concurrent.futures import Future
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from cattrs import Converter
from lsprotocol import types as t
from pygls.exceptions import JsonRpcException
from pygls.feature_manager import is_thread_function
from pygls.protocol import LanguageServerProtocol, lsp_method

from engine.errors import GhostfillError
from lsp_server.documents import Documents
from lsp_server.refusal import MsgId, Refusal, refusal_of, valid_id

if TYPE_CHECKING:
    from lsp_server.pygls_fixes import HardenedServer

log = logging.getLogger(__name__)

Handler = Callable[..., Any]

OUR_FAULT = "ghostfill could not answer this request; its log says why."


class HardenedProtocol(LanguageServerProtocol):
    """The protocol between one client and one server; `receive` is fed by `lsp_server.stdio`."""

    _server: HardenedServer

    def __init__(self, server: HardenedServer, converter: Converter) -> None:
        super().__init__(server, converter)
        self.exit_code: int | None = None
        """Set once the client has sent `exit`."""
        self.on_exit: Callable[[], object] = lambda: None
        """Called when `exit_code` is set."""
        self._unanswered: set[MsgId] = set()
        self._is_client_gone = False

    @property
    def is_shut_down(self) -> bool:
        """Whether the client has sent `shutdown`."""
        return self._shutdown

    # What the client sends

    def receive(self, body: bytes) -> None:
        """Take one message; never raises.

        Upstream structures every JSON object on the way, so that a "jsonrpc" key inside parameters broke
        the message, and only logs what is no JSON at all.
        """
        if self.exit_code is not None:
            return
        try:
            message = json.loads(body)
        except (ValueError, RecursionError) as error:
            log.warning("a message is not JSON: %s", error)
            self.refuse(None, Refusal(t.ErrorCodes.ParseError, "The message is not valid JSON."))
            return
        if not isinstance(message, dict):
            self.refuse(None, Refusal(t.ErrorCodes.InvalidRequest, "A message must be one JSON object."))
        elif "method" in message:
            self._receive_call(message)
        else:
            self._guard(None, partial(self._receive_answer, message))

    def _receive_call(self, message: dict[str, Any]) -> None:
        """Upstream never answers a request with malformed parameters, or one that comes after `shutdown`."""
        is_request, msg_id = "id" in message, valid_id(message.get("id"))
        if msg_id is not None:
            message["id"] = msg_id
        refusal = refusal_of(
            message,
            unanswered=self._unanswered,
            is_initialized=self._workspace is not None,
            is_shut_down=self._shutdown,
        )
        call = None
        if refusal is None:
            call, refusal = self._structure_call(message)
        if refusal is None:
            if msg_id is not None:
                self._unanswered.add(msg_id)
            self._guard(msg_id, partial(self.handle_message, cast("Any", call)))
        elif is_request:
            self.refuse(msg_id, refusal)
        else:
            log.debug("notification %r dropped: %s", message["method"], refusal.message)

    def _structure_call(self, message: dict[str, Any]) -> tuple[Any, Refusal | None]:
        method = message["method"]
        try:
            call = self.structure_message(message)
        except JsonRpcException:  # the cause is in the log
            return None, Refusal(t.ErrorCodes.InvalidParams, f"The parameters of {method} are malformed.")
        if "id" in message and not hasattr(call, "id"):
            return None, Refusal(t.ErrorCodes.InvalidRequest, f"{method} is a notification: it has no id.")
        return call, None

    def _receive_answer(self, message: dict[str, Any]) -> None:
        """An answer to one of our requests.

        Upstream lets whoever waits for a malformed answer wait for ever, takes `"error": null` beside a
        result for an error, and an answer with the id of a client's own request for an answer to that.
        """
        msg_id = valid_id(message.get("id"))
        if msg_id is None or msg_id not in self._result_types:
            log.warning("an answer to nothing that was asked; its id is %.80r", message.get("id"))
            return
        if message.get("error", ...) is None:
            del message["error"]
        try:
            answer = self.structure_message(message)
        except JsonRpcException as error:
            self._handle_response(msg_id, error=error.to_response_error())
        else:
            self.handle_message(answer)
        self._result_types.pop(msg_id, None)

    def _handle_response(
        self, msg_id: MsgId, result: Any = None, error: t.ResponseError | None = None
    ) -> None:
        """Upstream fails on the answer to a request whose waiting task was cancelled meanwhile."""
        future = self._request_futures.get(msg_id)
        if future is not None and future.done():
            del self._request_futures[msg_id]
            return
        super()._handle_response(msg_id, result, error)

    def _handle_cancel_notification(self, msg_id: MsgId) -> None:
        """Upstream would also cancel our own requests, and warns of every cancel that comes too late."""
        if msg_id in self._unanswered:
            super()._handle_cancel_notification(msg_id)

    # What handlers do

    def _execute_handler(
        self,
        msg_id: MsgId,
        handler: Handler,
        callback: Callable[[Future[Any]], None],
        args: tuple[Any, ...] | None = None,
        kwargs: dict[str, Any] | None = None,
    ) -> None:
        """Upstream keeps the future of every notification for ever."""

        def done(future: Future[Any]) -> None:
            self._request_futures.pop(msg_id, None)
            callback(future)

        super()._execute_handler(msg_id, handler, done, args, kwargs)

    def _run_generator(
        self, future: Future[Any] | None, *, gen: Generator[Any, Any, Any], result_future: Future[Any]
    ) -> None:
        """Upstream never answers a built-in request whose handler of ours was cancelled."""
        if future is not None and future.cancelled():
            result_future.cancel()
        else:
            super()._run_generator(future, gen=gen, result_future=result_future)

    def _send_handler_result(self, future: Future[Any], *, msg_id: MsgId) -> None:
        """Upstream sends the traceback of a failed handler, with its paths, to the client."""
        result, error = None, None
        if future.cancelled():
            error = _response_error(t.LSPErrorCodes.RequestCancelled, "The request was cancelled.")
        elif (cause := future.exception()) is None:
            result = future.result()
        elif isinstance(cause, GhostfillError):
            error = _response_error(t.LSPErrorCodes.RequestFailed, str(cause))
        elif isinstance(cause, JsonRpcException):
            error = cause.to_response_error()
        else:
            log.error("the handler of request %r failed", msg_id, exc_info=cause)
            error = _response_error(t.ErrorCodes.InternalError, OUR_FAULT)
        self._guard(msg_id, lambda: self._send_response(msg_id, result, error))

    def _check_handler_result(self, future: Future[Any]) -> None:
        """Upstream shows a failed notification handler in a pop-up."""
        if not future.cancelled() and (error := future.exception()) is not None:
            log.error("the handler of a notification failed", exc_info=error)

    def _guard(self, msg_id: MsgId | None, step: Callable[[], object]) -> None:
        """The boundary of this room: whatever `step` raises is logged, and its request is answered."""
        try:
            step()
        except Exception:
            log.exception("a message could not be dealt with")
            if msg_id is not None:
                self._send_response(msg_id, error=_response_error(t.ErrorCodes.InternalError, OUR_FAULT))

    # What the client gets

    def refuse(self, msg_id: MsgId | None, refusal: Refusal) -> None:
        """Answer a call that is not looked at."""
        log.info("refused a message: %s", refusal.message)
        self._send_data({"jsonrpc": self.VERSION, "id": msg_id, "error": refusal._asdict()})

    def _send_response(self, msg_id: MsgId, result: Any = None, error: t.ResponseError | None = None) -> None:
        """The one place that answers a request, once: later answers to the same request are dropped.

        Raises what cannot be sent as JSON; upstream leaves that request without an answer.
        """
        if error is not None and isinstance(error.data, dict) and "traceback" in error.data:
            error = _response_error(error.code, OUR_FAULT)
        outcome = {"result": result} if error is None else {"error": error}
        body = self._encode({"jsonrpc": self.VERSION, "id": msg_id, **outcome})
        try:
            self._unanswered.remove(msg_id)  # one step, as thread handlers answer from their threads
        except KeyError:
            log.debug("second answer to request %r dropped", msg_id)
        else:
            self._write(body)

    def _send_data(self, data: Any) -> None:
        self._write(self._encode(data))

    def _encode(self, data: Any) -> bytes:
        return json.dumps(data, default=self._serialize_message).encode()

    def _write(self, body: bytes) -> None:
        """Upstream reports a dead pipe over the dead pipe, a thousand calls deep."""
        if self.writer is None or self._is_client_gone:
            return
        try:
            self.writer.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        except (OSError, ValueError) as error:  # ValueError: written to after it was closed
            self._is_client_gone = True
            log.warning("the client does not listen any more: %s", error)

    # Built-in features

    @property
    def workspace(self) -> Documents:
        """Upstream's documents corrupt text; ours stand in for them before the first is opened."""
        workspace = super().workspace
        if not isinstance(workspace, Documents):
            self._workspace = workspace = Documents.of(workspace)
        return workspace

    @lsp_method(t.EXIT)
    def lsp_exit(self, *args: Any) -> Generator[Any, Any, None]:
        """Upstream raises SystemExit, which its own loop swallows: the exit status was always 0."""
        if (handler := self.fm.features.get(t.EXIT)) is not None:
            yield handler, args, None
        self.exit_code = 0 if self._shutdown else 1
        self.on_exit()

    @lsp_method(t.SHUTDOWN)
    def lsp_shutdown(self, *args: Any) -> Generator[Any, Any, None]:
        """Upstream fails when a future that it cancels here leaves the table that it walks through."""
        if (handler := self.fm.features.get(t.SHUTDOWN)) is not None:
            yield handler, args, None
        this_request = self.msg_id
        for msg_id, future in list(self._request_futures.items()):
            if msg_id != this_request:
                future.cancel()
        self._shutdown = True

    @lsp_method(t.WORKSPACE_EXECUTE_COMMAND)
    async def lsp_workspace__execute_command(self, params: t.ExecuteCommandParams) -> Any:  # type: ignore[override]
        """Upstream runs a command beside its request, so that cancelling the request left it running."""
        handler, args, kwargs = next(super().lsp_workspace__execute_command(params))
        call = partial(handler, *args, **kwargs)
        if is_thread_function(handler):  # type: ignore[no-untyped-call]
            return await asyncio.get_running_loop().run_in_executor(self._server.thread_pool, call)
        result = call()
        return await result if inspect.isawaitable(result) else result


def _response_error(code: int, message: str) -> t.ResponseError:
    return t.ResponseError(code=code, message=message)
