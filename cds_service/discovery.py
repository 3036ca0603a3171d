"""`GET /cds-services`: which services there are, and the data each would like as prefetch."""

from __future__ import annotations

from cds_service.callers import caller_profile
from cds_service.engine import Engine
from cds_service.protocol.response import ServiceOut, ServicesOut, encode

SPECIFICATION = "2.0.1"
"""Version of CDS Hooks that is spoken (member `version`, from the 3.0 ballot)."""


async def document(engine: Engine, headers: dict[str, str]) -> bytes:
    """The discovery document; with authentication required it needs a token like every other call."""
    if engine.settings.authenticated:
        await caller_profile(engine, headers, "/cds-services", b"")
    silent = engine.live_rules() == 0
    return encode(ServicesOut([_entry(engine, service_id, silent=silent) for service_id in engine.services]))


def _entry(engine: Engine, service_id: str, *, silent: bool) -> ServiceOut:
    service = engine.services[service_id].service
    usage = service.usage_requirements
    if silent:
        usage += " No rule is live at the moment: calls are answered without cards."
    return ServiceOut(
        hook=service.hook,
        title=service.title,
        description=service.description,
        id=service.id,
        prefetch={template.key: template.query for template in service.prefetch},
        usage_requirements=usage,
        version=SPECIFICATION,
    )
