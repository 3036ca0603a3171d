"""The last line: an unexpected error becomes a 500 OperationOutcome with an error id.

Without it the web framework would raise the error on to the server, which prints its message and
traceback; both may quote a request.
"""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import structlog

from cds_service.errors import InternalError
from cds_service.fhir.write import operation_outcome

log = structlog.get_logger()
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
AsgiApp = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]


class Shield:
    """ASGI middleware around everything but the server itself."""

    def __init__(self, app: AsgiApp) -> None:
        self._app = app

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except Exception as error:
            if scope["type"] != "http" or started:
                raise
            error_id = uuid.uuid4().hex[:12]
            # The class alone: the message of an unexpected error may quote the request.
            log.error("call_failed", error_class=type(error).__name__, error_id=error_id)  # noqa: TRY400
            outcome = InternalError(f"Internal error {error_id}; nothing was assessed.")
            body = operation_outcome(outcome.issue, outcome.code, outcome.message)
            headers = [
                (b"content-type", b"application/fhir+json"),
                (b"content-length", str(len(body)).encode()),
            ]
            await send({"type": "http.response.start", "status": outcome.status, "headers": headers})
            await send({"type": "http.response.body", "body": body})
