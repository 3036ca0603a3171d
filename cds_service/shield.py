"""The last line: an unexpected error becomes a 500 OperationOutcome with an error id.

Without it the web framework would raise the error on to the server, which prints its message and
traceback; both may quote a request. While the process drains, every answer also closes its connection, so
that the next call of that client goes to another replica.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import structlog

from cds_service.errors import CdsError, InternalError, Unavailable
from cds_service.fhir.write import operation_outcome
from cds_service.state import State

log = structlog.get_logger()
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
AsgiApp = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]


class Shield:
    """ASGI middleware around everything but the server itself."""

    def __init__(self, app: AsgiApp, state: State) -> None:
        self._app = app
        self._state = state

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                if self._state.draining:
                    message["headers"] = [*message.get("headers", ()), (b"connection", b"close")]
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except asyncio.CancelledError:
            # The server ends, and this call outlived the time that calls have then.
            if scope["type"] != "http" or started:
                return
            log.warning("call_cut_off")
            await _answer(send, Unavailable("The service is being stopped; try again."))
        except Exception as error:
            if scope["type"] != "http":
                raise
            error_id = uuid.uuid4().hex[:12]
            # The class alone: the message of an unexpected error may quote the request.
            log.error("call_failed", error_class=type(error).__name__, error_id=error_id)  # noqa: TRY400
            if started:
                # Too late for an answer; the server closes the connection.
                return
            await _answer(send, InternalError(f"Internal error {error_id}; nothing was assessed."))


async def _answer(send: Send, error: CdsError) -> None:
    body = operation_outcome(error.issue, error.code, error.message)
    headers = [
        (b"content-type", b"application/fhir+json"),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": error.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
