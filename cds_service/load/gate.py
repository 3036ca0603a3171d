"""Turns calls away before any work is done on them, when the queue has no place for them.

A flood must cost less to refuse than to send: here a refusal takes some hundredths of a millisecond, while the
web framework's own path to an error takes twenty times that.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

from cds_service.errors import Overloaded
from cds_service.load.admission import Admission, rank_of

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
AsgiApp = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

_CALL = re.compile(r"/(?:cds-services|explain)/([^/]*)\Z")


class Gate:
    """ASGI middleware in front of the routes.

    Args:
        app: what lies behind.
        admission: how full it is.
        hooks: service id -> hook.
        refusal: body of a refusal, an OperationOutcome.
        refused: told the service id (or `unknown`) of every call turned away.
    """

    def __init__(
        self,
        app: AsgiApp,
        *,
        admission: Admission,
        hooks: Mapping[str, str],
        refusal: bytes,
        refused: Callable[[str], None],
    ) -> None:
        self._app = app
        self._admission = admission
        self._hooks = hooks
        self._refusal = refusal
        self._refused = refused

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        service = self._service(scope)
        if service is None or not self._admission.full(rank_of(self._hooks.get(service))):
            await self._app(scope, receive, send)
            return
        self._refused(service if service in self._hooks else "unknown")
        headers = [
            (b"content-type", b"application/fhir+json"),
            (b"content-length", str(len(self._refusal)).encode()),
            (b"retry-after", str(Overloaded.retry_after).encode()),
        ]
        if not any(name == b"content-length" for name, _ in scope["headers"]):
            # Nobody knows how much would still come; a body of known length is skipped by the server.
            headers.append((b"connection", b"close"))
        await send({"type": "http.response.start", "status": Overloaded.status, "headers": headers})
        await send({"type": "http.response.body", "body": self._refusal})

    @staticmethod
    def _service(scope: MutableMapping[str, Any]) -> str | None:
        if scope["type"] != "http" or scope["method"] != "POST":
            return None
        found = _CALL.match(scope["path"])
        return found[1] if found else None
