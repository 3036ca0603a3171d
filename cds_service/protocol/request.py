"""The call an EHR makes: one tolerant, typed shape for CDS Hooks 1.0 to 3.0.

Unknown members are skipped. Each prefetch value and each context member is decoded so that one broken
resource costs only itself (`fhir.decode`).
"""

from __future__ import annotations

import re

import msgspec

from cds_service.errors import BadRequest, NothingAssessable, OrdersWithheld
from cds_service.fhir.decode import DecodeFailure, Dropped, Entry, Known, Reference, Resource, decode_singly

_SAFE_ID = re.compile(r"[A-Za-z0-9.\-]{1,256}")
_MAX_ENTRIES = 10_000
OLD_HOOKS = {"medication-prescribe": "order-sign", "order-review": "order-sign"}
"""Hooks of CDS Hooks 1.0 and before -> the hook whose service answers them for clients that still use them."""
_ORDERS_IN = {
    "order-sign": "draftOrders",
    "order-select": "draftOrders",
    "medication-refill": "medications",
    "medication-prescribe": "medications",
    "order-review": "orders",
}
_BUNDLES = ("draftOrders", "medications", "orders")


class Authorization(msgspec.Struct, frozen=True):
    """`fhirAuthorization`. The token lives for this call only; `repr` never shows it."""

    access_token: str | None = None
    token_type: str | None = None
    expires_in: int | float | None = None
    scope: str | None = None
    subject: str | None = None

    def __repr__(self) -> str:
        return "Authorization(...)"


class _Context(msgspec.Struct):
    patientId: str | int | None = None
    userId: str | Reference | None = None
    encounterId: str | int | None = None
    selections: list[str] | None = None
    draftOrders: Known | None = None
    medications: Known | None = None
    orders: Known | None = None


class _RawContext(msgspec.Struct):
    patientId: str | int | None = None
    userId: str | Reference | None = None
    encounterId: str | int | None = None
    selections: list[str] | None = None
    draftOrders: msgspec.Raw = msgspec.Raw(b"null")
    medications: msgspec.Raw = msgspec.Raw(b"null")
    orders: msgspec.Raw = msgspec.Raw(b"null")


class _Body(msgspec.Struct):
    hook: str | None = None
    hookInstance: str | int | None = None
    fhirServer: str | None = None
    fhirAuthorization: Authorization | None = None
    context: _Context | None = None
    prefetch: dict[str, Known | None] | None = None


class _RawBody(msgspec.Struct):
    hook: str | None = None
    hookInstance: str | int | None = None
    fhirServer: str | None = None
    fhirAuthorization: Authorization | None = None
    context: _RawContext | None = None
    prefetch: dict[str, msgspec.Raw] | None = None


_body = msgspec.json.Decoder(_Body, strict=False)
_raw_body = msgspec.json.Decoder(_RawBody, strict=False)


class HookRequest(msgspec.Struct, frozen=True):
    """A call after decoding and the checks that need no data."""

    hook: str
    hook_instance: str
    patient_id: str
    user_id: str | None
    encounter_id: str | None
    fhir_server: str | None
    authorization: Authorization | None
    drafts: Resource | None
    """Bundle of the orders being signed, selected or refilled; None for hooks without orders."""
    selections: tuple[str, ...] | None
    prefetch: dict[str, Resource | None]
    dropped: dict[str, tuple[Dropped, ...]] = {}
    """Prefetch key -> what could not be read of it."""
    dropped_orders: tuple[Dropped, ...] = ()


def decode_request(body: bytes) -> HookRequest:
    """Bytes to HookRequest.

    Raises:
        BadRequest: not JSON, or a required member is missing or of the wrong form.
        NothingAssessable: the orders are there but none of them can be read.
    """
    try:
        return _checked(_body.decode(body), {})
    except DecodeFailure:
        return _decode_tolerantly(body)


def _decode_tolerantly(body: bytes) -> HookRequest:
    """Second try after a type error somewhere: resource by resource."""
    try:
        raw = _raw_body.decode(body)
    except msgspec.ValidationError as error:
        place = str(error).rpartition(" - at ")[2]
        where = f" at {place}" if place.startswith("`$") and "[" not in place else ""
        raise BadRequest(f"The body is JSON but not a CDS Hooks request: wrong type{where}.") from None
    except DecodeFailure as error:
        raise BadRequest(f"The body is not valid JSON{_position(error)}.") from None
    dropped: dict[str, tuple[Dropped, ...]] = {}
    prefetch: dict[str, Resource | None] = {}
    for number, (key, value) in enumerate((raw.prefetch or {}).items()):
        if bytes(value) == b"null":
            prefetch[key] = None
            continue
        spoilt: list[Dropped] = []
        resource = decode_singly(value, f"prefetch[{number}]", spoilt)
        if resource is not None:
            prefetch[key] = resource
        else:
            prefetch[key] = Resource(resourceType="OperationOutcome")
        if spoilt:
            dropped[key] = tuple(spoilt)
    context = None
    dropped_orders: tuple[Dropped, ...] = ()
    if raw.context is not None:
        lost: list[Dropped] = []
        given: dict[str, Resource | None] = {}
        for name in _BUNDLES:
            value = getattr(raw.context, name)
            given[name] = None
            if bytes(value) != b"null":
                given[name] = decode_singly(value, f"context.{name}", lost)
                if given[name] is None:
                    raise NothingAssessable("The orders in the context could not be read.")
        dropped_orders = tuple(lost)
        context = _Context(
            patientId=raw.context.patientId,
            userId=raw.context.userId,
            encounterId=raw.context.encounterId,
            selections=raw.context.selections,
            **given,
        )
    outer = _Body(raw.hook, raw.hookInstance, raw.fhirServer, raw.fhirAuthorization, context, prefetch)
    return _checked(outer, dropped, dropped_orders)


def _position(error: BaseException) -> str:
    """` (byte 120)` when the parser says where."""
    found = re.search(r"\(byte (\d+)\)", str(error))
    return f" (byte {found.group(1)})" if found else ""


def _checked(
    body: _Body, dropped: dict[str, tuple[Dropped, ...]], dropped_orders: tuple[Dropped, ...] = ()
) -> HookRequest:
    context = body.context
    if not body.hook:
        raise BadRequest("The member 'hook' is missing.")
    if body.hookInstance in (None, ""):
        raise BadRequest("The member 'hookInstance' is missing.")
    if context is None:
        raise BadRequest("The member 'context' is missing.")
    if context.patientId is None or context.patientId == "":
        raise BadRequest("The member 'context.patientId' is missing.")
    patient_id = str(context.patientId).removeprefix("Patient/")
    if not _SAFE_ID.fullmatch(patient_id):
        raise BadRequest("The member 'context.patientId' is not a FHIR id.")
    encounter = None if context.encounterId is None else str(context.encounterId).removeprefix("Encounter/")
    drafts = _drafts(body.hook, context)
    for bundle in (drafts, *(body.prefetch or {}).values()):
        if bundle is not None and len(bundle.entry or ()) > _MAX_ENTRIES:
            raise BadRequest("A Bundle has more than 10,000 entries.")
    return HookRequest(
        hook=body.hook,
        hook_instance=str(body.hookInstance),
        patient_id=patient_id,
        user_id=context.userId.reference if isinstance(context.userId, Reference) else context.userId,
        encounter_id=encounter if encounter and _SAFE_ID.fullmatch(encounter) else None,
        fhir_server=body.fhirServer,
        authorization=body.fhirAuthorization,
        drafts=drafts,
        selections=None if context.selections is None else tuple(context.selections),
        prefetch=body.prefetch or {},
        dropped=dropped,
        dropped_orders=dropped_orders,
    )


def _drafts(hook: str, context: _Context) -> Resource | None:
    name = _ORDERS_IN.get(hook)
    if name is None:
        return None
    bundle: Resource | None = getattr(context, name)
    if bundle is None or (bundle.resourceType is None and bundle.entry is None):
        raise OrdersWithheld(
            f"The member 'context.{name}' is missing, so the orders cannot be checked. EHRs leave it out when "
            "the URL called is not registered exactly or the app lacks the right to read unsigned orders."
        )
    if bundle.resourceType not in (None, "Bundle"):
        # Some clients send a single order where a Bundle belongs.
        bundle = Resource(resourceType="Bundle", entry=[Entry(resource=bundle)])
    return bundle
