"""`/trend`: the synthetic patients without a launch; `/trend/launch` and `/trend/callback` for an EHR."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import structlog
from fastapi import FastAPI, Request, Response

from cds_service.clients.profile import ClientProfile
from cds_service.engine import Engine
from cds_service.errors import ForeignPatient
from cds_service.facts.model import Facts
from cds_service.fhir.results import FailureReason
from cds_service.fhir.source import Source
from cds_service.rules.rule import Rule
from cds_service.smart import refusal
from cds_service.smart.cookie import LIFETIME_S, cookie_name
from cds_service.smart.launch import CALLBACK, Granted, begin, finish, sealer_of
from cds_service.smart.refusal import LaunchRefused
from cds_service.trend import given_patient, read_patient, resources_of, trend_service
from cds_service.web import charts
from cds_service.web.fixtures import MISSING, Fixtures
from cds_service.web.pages import Pages

_HERE = "/trend"
log = structlog.get_logger()


def mount_trend(app: FastAPI, engine: Engine, pages: Pages, fixtures: Fixtures) -> None:
    """Adds the trend page and the launch that leads to it."""
    if trend_service(engine) is None:
        return
    _mount_launch(app, engine, pages)
    if engine.settings.offers_playground:
        pages.offer(_HERE)

        @app.get("/trend", include_in_schema=False)
        async def trend(patient: str = "", rule: str = "") -> Response:
            if not fixtures.found:
                return pages.message(404, "No synthetic patients here", MISSING, _HERE)
            if not patient:
                return pages.html("trend/choose.html", _HERE, patients=fixtures.patients)
            bundle = fixtures.patient(patient)
            if bundle is None:
                return pages.message(
                    404, "No such patient", "There is no synthetic patient with this id.", _HERE
                )
            profile = engine.anonymous or ClientProfile(id="neutral")
            facts = await given_patient(engine, profile, patient, resources_of(bundle))
            return await trend_page(
                engine, pages, facts, rule=find_rule(engine, rule), patients=fixtures.patients
            )


def _mount_launch(app: FastAPI, engine: Engine, pages: Pages) -> None:
    production = engine.settings.environment == "production"

    def refused(error: LaunchRefused) -> Response:
        log.warning("launch_refused", cause=error.cause)
        return pages.message(error.status, error.title, error.text, _HERE)

    @app.get("/trend/launch", include_in_schema=False)
    async def launch(iss: str = "", launch: str = "") -> Response:
        try:
            begun = await asyncio.to_thread(begin, engine, iss, launch)
        except LaunchRefused as error:
            return refused(error)
        answer = Response(status_code=303, headers={"Location": begun.url, "Cache-Control": "no-store"})
        answer.set_cookie(
            cookie_name(begun.pending.state),
            sealer_of(engine).seal(begun.pending),
            max_age=LIFETIME_S,
            path=CALLBACK,
            secure=production,
            httponly=True,
            # The EHR sends the browser back with a top-level GET, which Lax lets the cookie go with.
            samesite="lax",
        )
        return answer

    @app.get(CALLBACK, include_in_schema=False)
    async def callback(request: Request) -> Response:
        query = dict(request.query_params)
        name = cookie_name(query.get("state", ""))
        try:
            granted = await asyncio.to_thread(finish, engine, query, request.cookies.get(name))
            facts = await _record(engine, granted)
            rule = find_rule(engine, granted.rule or "")
            answer = await trend_page(engine, pages, facts, rule=rule)
        except LaunchRefused as error:
            answer = refused(error)
        answer.delete_cookie(name, path=CALLBACK, secure=production, httponly=True, samesite="lax")
        return answer


async def _record(engine: Engine, granted: Granted) -> Facts:
    """The patient's facts, read with the token of this launch, which is let go of at once.

    Raises:
        LaunchRefused: the record could not be read at all, or is another patient's.
    """
    try:
        facts, sources = await read_patient(
            engine, granted.profile, granted.patient, base=granted.base, token=granted.token
        )
    except ForeignPatient:
        raise refusal.unknown_patient() from None
    _check(sources)
    return facts


def _check(sources: Mapping[str, Source]) -> None:
    """A page with gaps is of use, a page of nothing but gaps is not."""
    patient = sources["patient"]
    if patient.failure is FailureReason.NOT_FOUND:
        raise refusal.unknown_patient()
    failures = {source.failure for source in sources.values()}
    if None in failures:
        return
    raise refusal.token_refused() if FailureReason.NOT_PERMITTED in failures else refusal.unreadable()


def find_rule(engine: Engine, rule_id: str) -> Rule | None:
    """The rule of that id on any service."""
    used = (use.rule for ready in engine.services.values() for use in ready.service.rules)
    return next((rule for rule in used if rule.id == rule_id), None)


async def trend_page(
    engine: Engine,
    pages: Pages,
    facts: Facts,
    *,
    rule: Rule | None,
    patients: tuple[str, ...] = (),
) -> Response:
    """The page of one patient; `patients` offers a choice of others."""
    # Altair takes a second to load, which a process without visitors never needs.
    from cds_service.web.trend import view  # noqa: PLC0415

    ready = trend_service(engine)
    make = ready.service.content.trend if ready else None
    if make is None:
        return pages.message(404, "No trend page", "The installed content has no trend page.", _HERE)
    shown = await charts.draw(lambda: view.build(facts, make, rule))
    return pages.html("trend/page.html", _HERE, view=shown, units=view.UNITS, patients=patients)
