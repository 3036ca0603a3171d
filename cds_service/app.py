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
from starlette.middleware.cors import CORSMiddleware

from cds_service import __version__, discovery, pipeline
from cds_service.clients.verify import Unauthenticated
from cds_service.engine import Engine
from cds_service.errors import (
    BadRequest,
    BodyTooLarge,
    CdsError,
    MethodNotAllowed,
    UnknownService,
    UnsupportedEncoding,
)
from cds_service.feedback import receive_feedback
from cds_service.fhir.write import operation_outcome
from cds_service.openapi import OPERATIONS
from cds_service.protocol.response import encode
from cds_service.shield import Shield
from cds_service.web.routes import mount_pages

log = structlog.get_logger()
JSON = "application/json"
FHIR_JSON = "application/fhir+json"
_Pipeline = Callable[[Engine, str, dict[str, str], bytes], Awaitable[pipeline.Reply]]
_ANY_LOOPBACK = r"https?://(localhost|127\.0\.0\.1|\[::1\])(:\d+)?"


def create_app(engine: Engine) -> FastAPI:
    """The application around an engine; the engine's owner closes it after the server has stopped."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        engine.warm()
        # Objects made at start-up never die: taking them out of the collector's sight keeps pauses short.
        gc.collect()
        gc.freeze()
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
    )
    app.add_middleware(Shield)
    _add_cors(app, engine)
    _add_errors(app, engine)
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
            CORSMiddleware,
            allow_origins=list(settings.cors_origins),
            allow_origin_regex=_ANY_LOOPBACK if development else None,
            allow_methods=["GET", "POST"],
            allow_headers=["authorization", "content-type"],
            allow_private_network=development,
        )


def _outcome(error: CdsError) -> Response:
    body = operation_outcome(error.issue, error.code, error.message)
    return Response(body, status_code=error.status, media_type=FHIR_JSON)


def _add_errors(app: FastAPI, engine: Engine) -> None:
    async def cds_error(_: Request, error: Exception) -> Response:
        if not isinstance(error, CdsError):
            raise error
        engine.metrics.refused.labels(error.code).inc()
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


async def read_body(request: Request, limit: int) -> bytes:
    """The whole body, never more than `limit` bytes.

    Raises:
        BodyTooLarge: more bytes, declared or sent.
        UnsupportedEncoding: a compressed body.
    """
    encoding = request.headers.get("content-encoding", "identity")
    if encoding.lower() != "identity":
        raise UnsupportedEncoding("Compressed request bodies are not accepted.")
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > limit:
        raise BodyTooLarge(f"The body is larger than {limit:,} bytes.")
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit:
            raise BodyTooLarge(f"The body is larger than {limit:,} bytes.")
        chunks.append(chunk)
    return b"".join(chunks)


def _add_hooks(app: FastAPI, engine: Engine) -> None:
    limit = engine.settings.max_body_bytes

    @app.get("/cds-services", openapi_extra=OPERATIONS["discovery"])
    async def discover(request: Request) -> Response:
        return Response(await discovery.document(engine, dict(request.headers)), media_type=JSON)

    async def run(line: _Pipeline, service_id: str, request: Request) -> Response:
        begun = time.perf_counter()
        name = service_id if service_id in engine.services else "unknown"
        status = 500
        try:
            body = await read_body(request, limit)
            reply = await line(engine, service_id, dict(request.headers), body)
            status = reply.status
            return Response(reply.body, status_code=reply.status, media_type=JSON, headers=reply.headers)
        except CdsError as error:
            status = error.status
            raise
        except Unauthenticated:
            status = 401
            raise
        finally:
            engine.metrics.requests.labels("any", name, str(status)).inc()
            engine.metrics.seconds.labels(name).observe(time.perf_counter() - begun)

    @app.post("/cds-services/{service_id}", openapi_extra=OPERATIONS["call"])
    async def call(service_id: str, request: Request) -> Response:
        return await run(pipeline.answer, service_id, request)

    @app.post("/explain/{service_id}", openapi_extra=OPERATIONS["explain"])
    async def explain(service_id: str, request: Request) -> Response:
        if engine.settings.environment == "production":
            raise UnknownService("There is nothing at this address.")
        return await run(pipeline.trace, service_id, request)

    @app.post("/cds-services/{service_id}/feedback", openapi_extra=OPERATIONS["feedback"])
    async def feedback(service_id: str, request: Request) -> Response:
        body = await read_body(request, limit)
        await receive_feedback(engine, service_id, dict(request.headers), body)
        return Response(status_code=200)


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
        return Response(engine.metrics.render(), media_type="text/plain; version=0.0.4")


async def readiness(engine: Engine) -> dict[str, Any]:
    """Configuration, store, rules: what an operator must know before sending calls here."""
    store = await engine.store.healthy() if engine.store is not None else True
    live = engine.live_rules()
    notes = []
    if engine.settings.as_of is not None:
        notes.append("the clinical clock is fixed by CDS_AS_OF")
    if not engine.settings.authenticated:
        notes.append("callers are not authenticated (development)")
    if live == 0:
        notes.append("no rule is live: every rule lacks a site approval or is switched off")
    report: dict[str, Any] = {
        "ready": store,
        "store": "ok" if store else "not reachable",
        "liveRules": live,
        "configuration": engine.config_hash,
        "environment": engine.settings.environment,
    }
    if notes:
        report["notes"] = notes
    return report
