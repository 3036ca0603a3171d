"""The facts of one patient for a page, without orders: the same stages and the same bounds as a call.

Nothing is kept: no record, no cache; a token lives only as long as the reads.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

from cds_service import stages
from cds_service.clients.profile import ClientProfile
from cds_service.engine import Engine
from cds_service.errors import NothingAssessable, UnknownService
from cds_service.facts.model import Facts
from cds_service.fhir.decode import Dropped, Entry, Resource, decode_resource
from cds_service.fhir.source import Source, take_apart
from cds_service.protocol.request import Authorization, HookRequest
from cds_service.registry import ReadyService
from cds_service.stages import Call


def trend_service(engine: Engine) -> ReadyService | None:
    """The service of which a trend page takes content and queries: the one that asks for most."""
    offering = [ready for ready in engine.services.values() if ready.service.content.trend is not None]
    return max(offering, key=lambda ready: len(ready.service.prefetch), default=None)


async def read_patient(
    engine: Engine, profile: ClientProfile, patient_id: str, *, base: str, token: str
) -> tuple[Facts, dict[str, Source]]:
    """Facts read from the client's FHIR server, and how each read went.

    Raises:
        UnknownService: no installed content has a trend page.
        ForeignPatient: the server answered with another patient.
    """
    return await _facts(engine, profile, patient_id, {}, base=base, token=token)


async def given_patient(
    engine: Engine, profile: ClientProfile, patient_id: str, resources: Iterable[Resource]
) -> Facts:
    """Facts of a patient all of whose resources are at hand; what is not among them does not exist.

    Raises:
        UnknownService: no installed content has a trend page.
        ForeignPatient: the Patient among them is another one.
    """
    ready = trend_service(engine)
    everything = tuple(resources)
    seen: set[str] = set()
    prefetch: dict[str, Resource | None] = {}
    for template in ready.service.prefetch if ready else ():
        # Observations answer several templates; the normaliser sorts them by code, so one place will do.
        wanted = [] if template.resource_type in seen else [template.resource_type, "Medication"]
        seen.add(template.resource_type)
        entries: list[Entry | None] = [
            Entry(resource=item) for item in everything if item.resourceType in wanted
        ]
        prefetch[template.key] = Resource(resourceType="Bundle", type="searchset", entry=entries)
    facts, _ = await _facts(engine, profile, patient_id, prefetch)
    return facts


def resources_of(bundle: bytes) -> list[Resource]:
    """The readable resources of a Bundle."""
    dropped: list[Dropped] = []
    decoded = decode_resource(bundle, "$", dropped)
    entries = (decoded.entry if decoded else None) or ()
    return [entry.resource for entry in entries if entry is not None and entry.resource is not None]


async def _facts(
    engine: Engine,
    profile: ClientProfile,
    patient_id: str,
    prefetch: dict[str, Resource | None],
    *,
    base: str | None = None,
    token: str | None = None,
) -> tuple[Facts, dict[str, Source]]:
    ready = trend_service(engine)
    service = engine.service_for(ready.service.id, profile) if ready else None
    if service is None:
        raise UnknownService("There is no trend page.")
    call = Call(engine, b"")
    call.profile, call.service = profile, service
    call.request = HookRequest(
        hook=service.ready.service.hook,
        hook_instance="",
        patient_id=patient_id,
        user_id=None,
        encounter_id=None,
        fhir_server=base,
        authorization=Authorization(access_token=token) if token else None,
        drafts=None,
        selections=None,
        prefetch=prefetch,
    )
    call.given = {key: take_apart(value) for key, value in prefetch.items()}
    # Charts stand without a problem list; the page names what could not be read.
    with suppress(NothingAssessable):
        await stages.complete(call)
    stages.normalise(call)
    if call.facts is None:
        raise RuntimeError("normalise leaves facts")
    return call.facts, call.sources
