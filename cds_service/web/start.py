"""The start page: what this is, patients to try it with, and who finds what where."""

from __future__ import annotations

from functools import cache

from fastapi import FastAPI, Response

from cds_service.content.find import unique_rules
from cds_service.engine import Engine
from cds_service.web import documents
from cds_service.web.fixtures import Fixtures
from cds_service.web.pages import Pages
from cds_service.web.people import Person, people

DEMO_CASE = "vka-dialysis-new-start"
"""The case that `cds-service demo` signs."""

SHOWN = 6


def mount_start(app: FastAPI, engine: Engine, pages: Pages, fixtures: Fixtures) -> None:
    """Adds `/`. Patients appear only where the playground is offered."""
    pages.offer("/")

    # Read when the page is first looked at: no call waits for it.
    @cache
    def examples() -> tuple[dict[str, Person], str]:
        return people(fixtures) if engine.settings.offers_playground else {}, _drafted(fixtures)

    @app.get("/", include_in_schema=False)
    async def start() -> Response:
        services = [ready.service for ready in engine.services.values()]
        everybody, order = examples()
        return pages.html(
            "start.html",
            "/",
            services=services,
            rules=len(unique_rules(services)),
            live=engine.live_rules(),
            # Those with the longest charts show most: a card, a trace and a trend.
            people=sorted(everybody.values(), key=lambda person: -person.entries)[:SHOWN],
            everybody=len(everybody),
            order=order,
            demo_case=DEMO_CASE if DEMO_CASE in fixtures.cases else "",
        )


def _drafted(fixtures: Fixtures) -> str:
    """The name of the order that the demo signs."""
    case = fixtures.cases.get(DEMO_CASE)
    document = documents.read(bytes(case.request)) if case else None
    drafts = documents.resources(document["context"]["draftOrders"]) if document else iter(())
    return documents.wording(next(drafts, {}).get("medicationCodeableConcept"))
