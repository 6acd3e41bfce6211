"""What every route answers in: OpenAI's shape of an error, and server-sent events. Knows no models."""

from __future__ import annotations

import json
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

DONE = "data: [DONE]\n\n"
"""The last event of a stream."""
GONE = 499
"""A status that nobody is there to read."""

_KINDS = {401: "authentication_error", 500: "engine_error", 503: "unavailable"}


async def http_error(request: Request, error: Exception) -> Response:
    """The answer to a request that raised an HTTPException."""
    assert isinstance(error, HTTPException)
    return JSONResponse(error_object(error), status_code=error.status_code)


def error_object(error: HTTPException) -> dict[str, Any]:
    """OpenAI's object of an error."""
    kind = _KINDS.get(error.status_code, "invalid_request_error")
    return {"error": {"message": error.detail, "type": kind}}


def event(data: dict[str, Any]) -> str:
    """One server-sent event."""
    return f"data: {json.dumps(data, ensure_ascii=False)}\n\n"
