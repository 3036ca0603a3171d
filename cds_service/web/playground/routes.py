"""`/playground`: choose or paste a call, see its cards as an EHR draws them, and why. Nothing is recorded."""

from __future__ import annotations

from fastapi import FastAPI, Request, Response

from cds_service.engine import Engine
from cds_service.web.fixtures import Fixtures
from cds_service.web.forms import read_form
from cds_service.web.operators import refusal
from cds_service.web.pages import Pages, from_another_site, headers
from cds_service.web.playground.desk import HERE, Desk
from cds_service.web.playground.source import Sources, Unusable

_SHARED = ("case", "patient", "service", "order")
"""What an address may name: fixtures, never data."""


def mount_playground(app: FastAPI, engine: Engine, pages: Pages, fixtures: Fixtures) -> None:
    """Adds the pages; without them (in production, by default) the address is a 404 like any other."""
    settings = engine.settings
    pages.offer(HERE)
    desk = Desk(engine, pages, Sources(engine, fixtures))

    @app.get(HERE, include_in_schema=False)
    async def look(request: Request) -> Response:
        return refusal(request, settings, pages) or await desk.answer(
            _named(request, *_SHARED, "client", "q")
        )

    @app.post(HERE, include_in_schema=False)
    async def try_out(request: Request) -> Response:
        if refused := refusal(request, settings, pages):
            return refused
        if from_another_site(request):
            return pages.message(
                403, "Not from another site", "Open the playground itself and try again.", HERE
            )
        return await desk.answer(await read_form(request, engine))

    @app.get(f"{HERE}/request.json", include_in_schema=False)
    async def request_body(request: Request) -> Response:
        """The call itself, so that a `curl` line can send it."""
        if refused := refusal(request, settings, pages):
            return refused
        try:
            source = desk.sources.choose(_named(request, *_SHARED))
        except Unusable as problem:
            return pages.message(404, "Not found", str(problem), HERE)
        if source is None:
            return pages.message(404, "Not found", "Name a case or a synthetic patient.", HERE)
        return Response(source.body, media_type="application/json", headers=headers())


def _named(request: Request, *names: str) -> dict[str, str]:
    return {name: value for name, value in request.query_params.items() if name in names}
