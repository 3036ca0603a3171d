"""HTTP routes. Bodies are read raw, whatever the content type; answers are ready-made bytes."""

from __future__ import annotations

import gc
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import structlog
from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException

from cds_service import __version__, discovery, pipeline
from cds_service.arrival import Body, SenderGone, WhileConnected
from cds_service.background import Background
from cds_service.clients.verify import Unauthenticated
from cds_service.engine import Engine
from cds_service.errors import (
    BadRequest,
    BodyTooLarge,
    BodyTooSlow,
    CdsError,
    MethodNotAllowed,
    Overloaded,
    UnknownService,
)
from cds_service.feedback import receive_feedback
from cds_service.fhir.write import operation_outcome
from cds_service.gauges import scrape
from cds_service.load.admission import Turn, rank_of
from cds_service.load.gate import Gate
from cds_service.openapi import OPERATIONS
from cds_service.protocol.response import encode
from cds_service.readiness import readiness
from cds_service.shield import Shield
from cds_service.web.edge import Cors, Direct
from cds_service.web.routes import mount_pages

log = structlog.get_logger()
JSON = "application/json"
FHIR_JSON = "application/fhir+json"
_Pipeline = Callable[[Engine, str, dict[str, str], bytes, Turn], Awaitable[pipeline.Reply]]
# Seen in our own metrics only: a client that has gone gets no status.
_GONE = 499
_ANY_LOOPBACK = r"https?://(localhost|127\.0\.0\.1|\[::1\])(:\d+)?"


def create_app(engine: Engine) -> FastAPI:
    """The application around an engine; the engine's owner closes it after the server has stopped."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        engine.warm()
        # Objects made at start-up never die: taking them out of the collector's sight keeps pauses short.
        gc.collect()
        gc.freeze()
        async with Background(engine):
            yield

    # FastAPI's own docs page loads scripts from a CDN; ours is in `web/`.
    app = FastAPI(
        title="Calciphylaxis CDS Hooks service",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        # A redirect would be built from the Host header, which a caller can choose.
        redirect_slashes=False,
        lifespan=lifespan,
        # It would record the messages of errors, which may quote a request; and it costs every call.
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    _add_gate(app, engine)
    if engine.store is not None:
        admission = engine.admission
        engine.store.more_follow = lambda: admission.waiting > 0
    app.add_middleware(Shield, state=engine.state)
    _add_cors(app, engine)
    _add_errors(app, engine)
    # First: routes are looked through in order.
    _add_hooks(app, engine)
    _add_operations(app, engine)
    mount_pages(app, engine)
    app.openapi = partial(_openapi, app)  # type: ignore[method-assign]
    return app


def _openapi(app: FastAPI) -> dict[str, Any]:
    """FastAPI's document without the 422 it adds to every route with a path parameter: we never answer it."""
    document = FastAPI.openapi(app)
    for operations in document["paths"].values():
        for operation in operations.values():
            operation["responses"].pop("422", None)
    return document


def _add_cors(app: FastAPI, engine: Engine) -> None:
    settings = engine.settings
    development = settings.environment == "development"
    if settings.cors_origins or development:
        app.add_middleware(
            Cors,
            allow_origins=list(settings.cors_origins),
            allow_origin_regex=_ANY_LOOPBACK if development else None,
            allow_methods=["GET", "POST"],
            allow_headers=["authorization", "content-type"],
            allow_private_network=development,
        )


def _add_gate(app: FastAPI, engine: Engine) -> None:
    busy = Overloaded("The service is busy; try again.")

    def refused(service_id: str) -> None:
        engine.metrics.refused.labels(busy.code).inc()
        engine.metrics.requests.labels("unknown", service_id, str(busy.status)).inc()

    app.add_middleware(
        Gate,
        admission=engine.admission,
        hooks={service_id: ready.service.hook for service_id, ready in engine.services.items()},
        refusal=operation_outcome(busy.issue, busy.code, busy.message),
        refused=refused,
    )


def _outcome(error: CdsError) -> Response:
    body = operation_outcome(error.issue, error.code, error.message)
    headers = {"Retry-After": str(error.retry_after)} if error.retry_after is not None else {}
    if isinstance(error, BodyTooLarge | BodyTooSlow | Overloaded):
        # The rest of the body is not wanted, nor is the connection it would come on.
        headers["Connection"] = "close"
    return Response(body, status_code=error.status, media_type=FHIR_JSON, headers=headers)


def _add_errors(app: FastAPI, engine: Engine) -> None:
    async def cds_error(_: Request, error: Exception) -> Response:
        if not isinstance(error, CdsError):
            raise error
        engine.metrics.refused.labels(error.reason or error.code).inc()
        return _outcome(error)

    async def unauthenticated(_: Request, error: Exception) -> Response:
        if isinstance(error, Unauthenticated):
            engine.metrics.auth_failures.labels(error.cause.value).inc()
            log.warning("caller_refused", cause=error.cause.value, **error.log_fields)
        body = operation_outcome("login", "CDS-0401", "The caller could not be authenticated.")
        return Response(body, status_code=401, media_type=FHIR_JSON, headers={"WWW-Authenticate": "Bearer"})

    async def http_error(_: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        if status == 405:  # noqa: PLR2004
            return _outcome(MethodNotAllowed("This method is not offered here."))
        if status == 404:  # noqa: PLR2004
            return _outcome(UnknownService("There is nothing at this address."))
        return _outcome(BadRequest("The request could not be understood."))

    app.add_exception_handler(CdsError, cds_error)
    app.add_exception_handler(Unauthenticated, unauthenticated)
    app.add_exception_handler(HTTPException, http_error)


def _add_hooks(app: FastAPI, engine: Engine) -> None:
    async def call(service_id: str, request: Request) -> Response:
        return await _call(engine, pipeline.answer, service_id, request)

    async def explain(service_id: str, request: Request) -> Response:
        if engine.settings.environment == "production":
            raise UnknownService("There is nothing at this address.")
        return await _call(engine, pipeline.trace, service_id, request)

    async def feedback(service_id: str, request: Request) -> Response:
        async def keep(headers: dict[str, str], body: bytes, turn: Turn) -> Response:
            await receive_feedback(pinned, service_id, headers, body, turn)
            return Response(status_code=200)

        pinned = engine.pinned()
        return await _counted(pinned, "feedback", request, keep)

    for path, endpoint, name in (
        ("/cds-services/{service_id}", call, "call"),
        ("/explain/{service_id}", explain, "explain"),
        ("/cds-services/{service_id}/feedback", feedback, "feedback"),
    ):
        app.router.add_api_route(
            path, endpoint, methods=["POST"], openapi_extra=OPERATIONS[name], route_class_override=Direct
        )

    @app.get("/cds-services", openapi_extra=OPERATIONS["discovery"])
    async def discover(request: Request) -> Response:
        return Response(await discovery.document(engine, dict(request.headers)), media_type=JSON)


async def _call(engine: Engine, line: _Pipeline, service_id: str, request: Request) -> Response:
    pinned = engine.pinned()
    ready = pinned.services.get(service_id)

    async def answer(headers: dict[str, str], body: bytes, turn: Turn) -> Response:
        await pinned.admission.enter(rank_of(ready.service.hook if ready else None))
        try:
            async with WhileConnected(request.receive):
                reply = await line(pinned, service_id, headers, body, turn)
        finally:
            pinned.admission.leave()
        return Response(reply.body, status_code=reply.status, media_type=JSON, headers=reply.headers)

    return await _counted(pinned, service_id if ready else "unknown", request, answer)


def _headers(request: Request) -> dict[str, str]:
    """By name in small letters; of a name that comes twice the first."""
    return {
        name.decode("latin-1"): value.decode("latin-1") for name, value in reversed(request.scope["headers"])
    }


async def _counted(
    engine: Engine,
    name: str,
    request: Request,
    work: Callable[[dict[str, str], bytes, Turn], Awaitable[Response]],
) -> Response:
    """Read the body, do the work with it, and count how it went and for whom."""
    turn, held = engine.admission.turn(), Body(engine.admission)
    settings = engine.settings
    status = 500
    try:
        headers = _headers(request)
        body = await held.read(
            headers,
            request.receive,
            limit=settings.max_body_bytes,
            seconds=settings.body_deadline_ms / 1000,
        )
        # How long a client takes to send is not our time.
        turn.arrived = time.perf_counter()
        response = await work(headers, body, turn)
    except CdsError as error:
        status = error.status
        raise
    except Unauthenticated:
        status = 401
        raise
    except SenderGone:
        status = _GONE
        return Response(status_code=_GONE)
    else:
        status = response.status_code
        return response
    finally:
        held.let_go()
        engine.metrics.requests.labels(turn.client, name, str(status)).inc()
        engine.metrics.seconds.labels(name).observe(time.perf_counter() - turn.arrived)


def _add_operations(app: FastAPI, engine: Engine) -> None:
    @app.get("/health", openapi_extra=OPERATIONS["health"])
    async def health() -> Response:
        return Response(encode({"status": "ok", "version": __version__}), media_type=JSON)

    @app.get("/ready", openapi_extra=OPERATIONS["ready"])
    async def ready() -> Response:
        report = await readiness(engine)
        return Response(encode(report), status_code=200 if report["ready"] else 503, media_type=JSON)

    @app.get("/metrics", openapi_extra=OPERATIONS["metrics"])
    async def metrics() -> Response:
        return Response(scrape(engine), media_type="text/plain; version=0.0.4")
