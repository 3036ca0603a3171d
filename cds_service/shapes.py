"""The shape of a call: what arrived, without a single value of it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime

import structlog

from cds_service.clients.profile import ClientProfile
from cds_service.clients.verify import Unauthenticated
from cds_service.content.words import RESOURCES, SYSTEMS
from cds_service.errors import CdsError
from cds_service.fhir.decode import Resource
from cds_service.fhir.prefetch import members
from cds_service.received import UNKNOWN, Arrival, KeyShape, SourceShape
from cds_service.stages import Call
from cds_service.terminology.codes import normalise_system

log = structlog.get_logger()
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.\-]{0,40}")
_USERS = frozenset({"Practitioner", "PractitionerRole", "Patient", "RelatedPerson"})
_TYPES = frozenset(
    {
        *RESOURCES,
        *("Medication", "MedicationStatement", "MedicationAdministration", "MedicationDispense"),
        *("AllergyIntolerance", "DiagnosticReport", "DocumentReference", "Immunization", "Practitioner"),
        *("NutritionOrder", "DeviceRequest", "VisionPrescription", "Task", "Appointment", "OperationOutcome"),
        *("MedicationOrder", "DiagnosticOrder", "ProcedureRequest", "ReferralRequest"),
    }
)
_ANOTHER = "another code system"


class watched:  # noqa: N801 - reads as the block it opens
    """Notes the shape of the call when it has been answered or refused."""

    __slots__ = ("_call", "_headers")

    def __init__(self, call: Call, headers: dict[str, str]) -> None:
        self._call, self._headers = call, headers

    def __enter__(self) -> None:
        pass

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if error is None:
            _note(self._call, self._headers, 200, "")
        elif isinstance(error, CdsError):
            _note(self._call, self._headers, error.status, error.message)
        elif isinstance(error, Unauthenticated):
            problem = f"The token was refused: {error.cause.value}."
            _note(self._call, self._headers, 401, problem)


def _note(call: Call, headers: dict[str, str], status: int, problem: str) -> None:
    profile: ClientProfile | None = getattr(call, "profile", None)
    client = profile.id if profile is not None else UNKNOWN
    received = call.engine.received
    if call.let_go or not received.due(client):
        return
    try:
        received.note(client, _shape(call, profile, headers, status, problem))
    except Exception as error:  # noqa: BLE001 - a look at a call must never cost its answer
        log.error("shape_failed", error_class=type(error).__name__)  # noqa: TRY400 - the message may quote the call


def _shape(
    call: Call, profile: ClientProfile | None, headers: dict[str, str], status: int, problem: str
) -> Arrival:
    service = getattr(call, "service", None)
    request = getattr(call, "request", None)
    arrival = Arrival(
        at=datetime.now(UTC),
        service=service.ready.service.id if service is not None else "",
        status=status,
        problem=problem,
        trust=_trust(profile, headers),
    )
    if request is None:
        return arrival
    given = {key: list(members(value)) for key, value in request.prefetch.items()}
    everything = [*call.order_resources, *(each for found in given.values() for each in found)]
    for source in call.sources.values():
        everything += source.resources or () if source.origin == "fhir" else ()
    return Arrival(
        at=arrival.at,
        service=arrival.service,
        status=status,
        problem=problem,
        trust=arrival.trust,
        hook=request.hook
        if service is not None and request.hook == service.ready.service.hook
        else "another",
        user=_user(request.user_id),
        encounter=request.encounter_id is not None,
        fhir_server=_server(call),
        orders=_types(call.order_resources),
        prefetch=tuple(
            KeyShape(_safe(key), _state(request.prefetch[key], found), _types(found))
            for key, found in given.items()
        ),
        sources=tuple(
            SourceShape(
                key,
                "could not be read"
                if source.resources is None
                else "complete"
                if source.complete
                else "not complete",
                source.origin,
                len(source.resources or ()),
            )
            for key, source in call.sources.items()
        ),
        systems=_systems(everything),
        dropped=len(call.dropped),
        cards=len(call.cards),
    )


def _trust(profile: ClientProfile | None, headers: dict[str, str]) -> str:
    present = "authorization" in headers
    if profile is None:
        return "sent, refused" if present else "none"
    if profile.anonymous:
        return "sent, not looked at" if present else "none, and none needed here"
    return "sent and verified"


def _user(user_id: str | None) -> str:
    if not user_id:
        return "none"
    kind = user_id.partition("/")[0]
    return kind if kind in _USERS else "without a type we know"


def _server(call: Call) -> str:
    named = (call.request.fhir_server or "").rstrip("/")
    if not named:
        return "none"
    if call.profile.anonymous:
        known = named in call.engine.fhir_names
    else:
        known = named in {base.rstrip("/") for base in call.profile.fhir_base}
    return "named, on the list" if known else "named, not on the list: it is not read"


def _state(value: Resource | None, found: list[Resource]) -> str:
    if value is None:
        return "null: looked, found none"
    if value.resourceType == "OperationOutcome":
        return "an error instead of data"
    return "with data" if found else "an empty Bundle"


def _safe(name: str) -> str:
    """A name that a site chose; anything that looks like more than a name is not repeated."""
    return name if _NAME.fullmatch(name) else "(other)"


def _types(found: Iterable[Resource]) -> dict[str, int]:
    return dict(Counter(each.resourceType if each.resourceType in _TYPES else "(other)" for each in found))


def _systems(found: Iterable[Resource]) -> dict[str, int]:
    """How often each code system is used for what a resource is about; unknown systems are not named."""
    seen: Counter[str] = Counter()
    for resource in found:
        for concept in (resource.code, resource.medicationCodeableConcept):
            for coding in getattr(concept, "coding", None) or ():
                system = normalise_system(getattr(coding, "system", None))
                seen[SYSTEMS.get(system or "", _ANOTHER) if system else "no code system"] += 1
    return dict(seen.most_common())
