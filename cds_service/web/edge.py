"""What the web framework does for every request, cut down for the calls that must be cheap."""

from __future__ import annotations

from fastapi import Request
from fastapi.routing import APIRoute
from starlette.middleware.cors import CORSMiddleware
from starlette.types import Message, Receive, Scope, Send

_VARY = (b"vary", b"Origin")


class Direct(APIRoute):
    """A route of one service that FastAPI documents, and whose endpoint reads the request itself.

    FastAPI's own way to an endpoint (parameters, dependencies, exit stacks) costs as much as all the rest around
    the engine.
    """

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Call the endpoint with the service id and the request, and send what it returns."""
        if scope["method"] not in (self.methods or ()):
            # Answered with 405.
            await super().handle(scope, receive, send)
            return
        response = await self.endpoint(scope["path_params"]["service_id"], Request(scope, receive))
        await response(scope, receive, send)


class Cors(CORSMiddleware):
    """Which pages of other origins may call: Starlette's rules.

    A caller that is no browser sends no `Origin`: then there is nothing to judge, only to say that an answer may
    depend on it.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer the question that a browser asks first."""
        if scope["type"] != "http" or any(name == b"origin" for name, _ in scope["headers"]):
            await super().__call__(scope, receive, send)
            return

        async def varying(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), _VARY]
            await send(message)

        await self.app(scope, receive, varying)
