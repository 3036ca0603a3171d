"""`/setup`: the exact strings for the person who connects an EHR, and whether its calls arrive as they should."""

from __future__ import annotations

from fastapi import FastAPI, Request, Response

from cds_service.clients.profile import ClientProfile
from cds_service.engine import Engine
from cds_service.onboarding import lacks, override_codes, service_strings
from cds_service.web.operators import offers_operator_pages, refusal
from cds_service.web.pages import Pages, headers
from cds_service.web.playground.clients import CLIENTS
from cds_service.web.setup.advice import ADVICE, entry

HERE = "/setup"
CODES = f"{HERE}/override-codes.csv"


def mount_setup(app: FastAPI, engine: Engine, pages: Pages) -> None:
    """Adds the page and the list of override codes; in production both are for operators."""
    settings = engine.settings
    if not offers_operator_pages(settings):
        return
    pages.offer(HERE)

    @app.get(HERE, include_in_schema=False)
    async def setup(request: Request, client: str = "") -> Response:
        return refusal(request, settings, pages) or _page(engine, pages, client)

    @app.get(CODES, include_in_schema=False)
    async def codes(request: Request) -> Response:
        disposition = {"Content-Disposition": 'attachment; filename="override-codes.csv"'}
        return refusal(request, settings, pages) or Response(
            override_codes(engine), media_type="text/csv", headers={**headers(), **disposition}
        )


def _choices(engine: Engine) -> dict[str, tuple[str, ClientProfile]]:
    """Id -> words and profile: the clients that are configured, then the kinds of client there are presets for."""
    configured = {each.id: (f"{each.id} (configured)", each) for each in engine.profiles}
    presets = {each.preset: (each.label, each.profile(engine)) for each in CLIENTS.values() if not each.plain}
    return {**configured, **{key: value for key, value in presets.items() if key not in configured}}


def _page(engine: Engine, pages: Pages, chosen: str) -> Response:
    choices = _choices(engine)
    if chosen not in choices:
        chosen = next(iter(choices))
    profile = choices[chosen][1]
    real = profile in engine.profiles
    received = engine.received
    callers = (profile.id,) if real else received.clients
    return pages.html(
        "setup/page.html",
        HERE,
        script=True,
        choices={key: words for key, (words, _) in choices.items()},
        chosen=chosen,
        profile=profile,
        real=real,
        base=engine.settings.base_url,
        discovery=f"{engine.settings.base_url}/cds-services",
        services=service_strings(engine, profile),
        titles={ready.service.hook: ready.service.title for ready in engine.services.values()},
        lacks=list(lacks(engine, profile)) if real else [],
        advice=ADVICE[profile.preset],
        entry=entry(profile.preset),
        codes=CODES,
        authenticated=engine.settings.authenticated,
        arrivals={client: received.of(client) for client in callers},
    )
