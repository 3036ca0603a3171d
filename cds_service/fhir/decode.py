"""Bytes to typed, tolerant FHIR structures.

One flat Struct holds the fields of every resource type that the rules read; each is optional, unknown
fields are skipped. Real EHR payloads are often illegal R4 (a Bundle without `type`, `category` as an
object), so strict models would refuse the very calls that matter.
Decoding is two-step: the whole document first; if any value has a wrong type, each resource is decoded
alone, the good ones are kept and every dropped one is named with its path.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import msgspec


class Coding(msgspec.Struct, gc=False, frozen=True):
    """FHIR Coding. Some generators write codes as JSON numbers, hence `int`."""

    system: str | None = None
    code: str | int | None = None
    display: str | None = None


class CodeableConcept(msgspec.Struct, gc=False, frozen=True):
    coding: list[Coding] = []
    text: str | None = None


class Identifier(msgspec.Struct, gc=False, frozen=True):
    system: str | None = None
    value: str | int | None = None


class Reference(msgspec.Struct, gc=False, frozen=True):
    reference: str | None = None
    type: str | None = None
    display: str | None = None
    identifier: Identifier | None = None


class CodeableReference(msgspec.Struct, gc=False, frozen=True):
    """R5 `medication` and `reason`."""

    concept: CodeableConcept | None = None
    reference: Reference | None = None


class Period(msgspec.Struct, gc=False, frozen=True):
    start: str | None = None
    end: str | None = None


class Quantity(msgspec.Struct, gc=False, frozen=True):
    value: Decimal | None = None
    comparator: str | None = None
    unit: str | None = None
    system: str | None = None
    code: str | None = None


class Range(msgspec.Struct, gc=False, frozen=True):
    low: Quantity | None = None
    high: Quantity | None = None


class Ratio(msgspec.Struct, gc=False, frozen=True):
    numerator: Quantity | None = None
    denominator: Quantity | None = None


class ReferenceRange(msgspec.Struct, gc=False, frozen=True):
    low: Quantity | None = None
    high: Quantity | None = None
    type: CodeableConcept | None = None


class TimingRepeat(msgspec.Struct, gc=False, frozen=True):
    boundsDuration: Quantity | None = None
    boundsPeriod: Period | None = None
    count: int | None = None
    duration: Decimal | None = None
    durationUnit: str | None = None
    frequency: Decimal | None = None
    frequencyMax: Decimal | None = None
    period: Decimal | None = None
    periodMax: Decimal | None = None
    periodUnit: str | None = None
    dayOfWeek: list[str] | None = None
    timeOfDay: list[str] | None = None
    when: list[str] | str | None = None


class Timing(msgspec.Struct, gc=False, frozen=True):
    event: list[str] | None = None
    repeat: TimingRepeat | None = None
    code: CodeableConcept | None = None


class DoseAndRate(msgspec.Struct, gc=False, frozen=True):
    doseQuantity: Quantity | None = None
    doseRange: Range | None = None


class Dosage(msgspec.Struct, gc=False, frozen=True):
    """Dosage instruction; `doseQuantity` directly on it is the pre-R4 shape."""

    sequence: int | None = None
    text: str | None = None
    patientInstruction: str | None = None
    timing: Timing | None = None
    asNeededBoolean: bool | None = None
    asNeededCodeableConcept: CodeableConcept | None = None
    asNeeded: bool | None = None
    route: CodeableConcept | None = None
    site: CodeableConcept | None = None
    doseAndRate: list[DoseAndRate] | DoseAndRate | None = None
    doseQuantity: Quantity | None = None


class DispenseRequest(msgspec.Struct, gc=False, frozen=True):
    validityPeriod: Period | None = None
    expectedSupplyDuration: Quantity | None = None
    numberOfRepeatsAllowed: int | None = None


class Meta(msgspec.Struct, gc=False, frozen=True):
    versionId: str | int | None = None
    lastUpdated: str | None = None


class Link(msgspec.Struct, gc=False, frozen=True):
    relation: str | None = None
    url: str | None = None


class Search(msgspec.Struct, gc=False, frozen=True):
    mode: str | None = None


class Participant(msgspec.Struct, gc=False, frozen=True):
    actor: Reference | None = None


class Hospitalization(msgspec.Struct, gc=False, frozen=True):
    dischargeDisposition: CodeableConcept | None = None


class Ingredient(msgspec.Struct, gc=False, frozen=True):
    """Ingredient of a Medication: R4 `item[x]`, R5 `item`."""

    itemCodeableConcept: CodeableConcept | None = None
    itemReference: Reference | None = None
    item: CodeableReference | None = None


class IssueDetail(msgspec.Struct, gc=False, frozen=True):
    severity: str | None = None
    code: str | None = None
    details: CodeableConcept | None = None


class Component(msgspec.Struct, gc=False, frozen=True):
    code: CodeableConcept | None = None
    valueQuantity: Quantity | None = None
    dataAbsentReason: CodeableConcept | None = None
    referenceRange: list[ReferenceRange] = []


class Response(msgspec.Struct, gc=False, frozen=True):
    """Pre-1.0 CDS Hooks wrapped each prefetch value as `{response, resource}`."""

    status: str | int | None = None


class Resource(msgspec.Struct, gc=False):
    """Every field the product reads, of every resource type, all optional."""

    resourceType: str | None = None
    id: str | int | None = None
    meta: Meta | None = None
    status: str | None = None
    intent: str | None = None
    priority: str | None = None
    doNotPerform: bool | None = None
    contained: list[Resource] | None = None
    code: CodeableConcept | None = None
    subject: Reference | None = None
    patient: Reference | None = None
    # Patient
    birthDate: str | None = None
    gender: str | None = None
    deceasedBoolean: bool | None = None
    # Condition
    clinicalStatus: CodeableConcept | str | None = None
    verificationStatus: CodeableConcept | str | None = None
    onsetDateTime: str | None = None
    onsetPeriod: Period | None = None
    onsetString: str | None = None
    abatementDateTime: str | None = None
    abatementPeriod: Period | None = None
    abatementString: str | None = None
    abatementBoolean: bool | None = None
    abatementAge: Quantity | None = None
    abatementRange: Range | None = None
    recordedDate: str | None = None
    assertedDate: str | None = None
    bodySite: list[CodeableConcept] | CodeableConcept | None = None
    # Observation
    effectiveDateTime: str | None = None
    effectivePeriod: Period | None = None
    effectiveInstant: str | None = None
    issued: str | None = None
    valueQuantity: Quantity | None = None
    valueString: str | None = None
    valueCodeableConcept: CodeableConcept | None = None
    valueRange: Range | None = None
    valueRatio: Ratio | None = None
    dataAbsentReason: CodeableConcept | None = None
    interpretation: list[CodeableConcept] | CodeableConcept | None = None
    referenceRange: list[ReferenceRange] | None = None
    component: list[Component] | None = None
    specimen: Reference | None = None
    # MedicationRequest, ServiceRequest
    medicationCodeableConcept: CodeableConcept | None = None
    medicationReference: Reference | None = None
    medication: CodeableReference | None = None
    authoredOn: str | None = None
    dosageInstruction: list[Dosage] | Dosage | None = None
    dispenseRequest: DispenseRequest | None = None
    priorPrescription: Reference | None = None
    reportedBoolean: bool | None = None
    statusReason: CodeableConcept | None = None
    reasonCode: list[CodeableConcept] | CodeableConcept | None = None
    reasonReference: list[Reference] | Reference | None = None
    reason: list[CodeableReference] | CodeableReference | None = None
    orderDetail: list[CodeableConcept] | None = None
    occurrenceDateTime: str | None = None
    occurrencePeriod: Period | None = None
    note: list[Annotation] | None = None
    # Medication
    form: CodeableConcept | None = None
    ingredient: list[Ingredient] | None = None
    # Procedure, Encounter
    performedDateTime: str | None = None
    performedPeriod: Period | None = None
    occurrence: str | None = None
    period: Period | None = None
    actualPeriod: Period | None = None
    type: list[CodeableConcept] | CodeableConcept | str | None = None
    hospitalization: Hospitalization | None = None
    admission: Hospitalization | None = None
    # OperationOutcome
    issue: list[IssueDetail] | None = None
    # Bundle, and the pre-1.0 prefetch wrapper
    total: int | None = None
    link: list[Link] | None = None
    entry: list[Entry | None] | None = None
    response: Response | None = None
    resource: Resource | None = None

    @property
    def reference(self) -> str:
        """`Type/id`, the name of this resource in findings; `Type` alone when it has no id."""
        return f"{self.resourceType}/{self.id}" if self.id is not None else str(self.resourceType)


class Annotation(msgspec.Struct, gc=False, frozen=True):
    text: str | None = None


class Entry(msgspec.Struct, gc=False):
    fullUrl: str | None = None
    search: Search | None = None
    resource: Resource | None = None


class Dropped(msgspec.Struct, frozen=True):
    """A resource that could not be read: where it stood and why. Holds no value of the resource."""

    path: str
    resource_type: str | None
    reason: str


class _RawEntry(msgspec.Struct):
    fullUrl: str | None = None
    search: Search | None = None
    resource: msgspec.Raw = msgspec.Raw(b"null")


class _RawBundle(msgspec.Struct):
    resourceType: str | None = None
    id: str | int | None = None
    total: msgspec.Raw = msgspec.Raw(b"null")
    link: msgspec.Raw = msgspec.Raw(b"null")
    entry: msgspec.Raw = msgspec.Raw(b"null")
    response: msgspec.Raw = msgspec.Raw(b"null")
    resource: msgspec.Raw = msgspec.Raw(b"null")


class _TypeOnly(msgspec.Struct):
    resourceType: str | None = None


DecodeFailure = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What msgspec raises on hostile input (deep nesting raises RecursionError)."""

_resource = msgspec.json.Decoder(Resource, strict=False)
_raw_bundle = msgspec.json.Decoder(_RawBundle, strict=False)
_raw_entries = msgspec.json.Decoder(list[msgspec.Raw], strict=False)
_raw_entry = msgspec.json.Decoder(_RawEntry, strict=False)
_links = msgspec.json.Decoder(list[Link] | None, strict=False)
_type_only = msgspec.json.Decoder(_TypeOnly, strict=False)


def decode_resource(raw: bytes | msgspec.Raw, path: str, dropped: list[Dropped]) -> Resource | None:
    """One resource or Bundle; what cannot be read is appended to `dropped`, never raised.

    A Bundle (or wrapper) with a broken member is returned with its good members.
    """
    try:
        return _resource.decode(raw)
    except DecodeFailure as error:
        return _salvage(raw, path, dropped, error)


def _salvage(
    raw: bytes | msgspec.Raw, path: str, dropped: list[Dropped], error: BaseException
) -> Resource | None:
    try:
        outer = _raw_bundle.decode(raw)
    except DecodeFailure:
        dropped.append(Dropped(path, _resource_type(raw), _reason(error)))
        return None
    if bytes(outer.resource) != b"null":
        return decode_resource(outer.resource, f"{path}.resource", dropped)
    if outer.resourceType != "Bundle":
        dropped.append(Dropped(path, outer.resourceType, _reason(error)))
        return None
    bundle = Resource(resourceType="Bundle", id=outer.id, entry=[])
    try:
        bundle.link = _links.decode(outer.link)
        raws = _raw_entries.decode(outer.entry)
    except DecodeFailure:
        # Without its links or its list of entries the Bundle may hide further pages or everything.
        dropped.append(Dropped(path, "Bundle", _reason(error)))
        return None
    bundle.entry = list(_salvage_entries(raws, path, dropped))
    return bundle


def _salvage_entries(raws: list[msgspec.Raw], path: str, dropped: list[Dropped]) -> Iterator[Entry]:
    for position, raw in enumerate(raws):
        here = f"{path}.entry[{position}]"
        try:
            entry = _raw_entry.decode(raw)
        except DecodeFailure as error:
            dropped.append(Dropped(here, None, _reason(error)))
            continue
        resource = decode_resource(entry.resource, f"{here}.resource", dropped)
        if resource is not None:
            yield Entry(fullUrl=entry.fullUrl, search=entry.search, resource=resource)


def _resource_type(raw: bytes | msgspec.Raw) -> str | None:
    try:
        return _type_only.decode(raw).resourceType
    except DecodeFailure:
        return None


def _reason(error: BaseException) -> str:
    """Why decoding failed, without any value of the document.

    msgspec words a type error as "Expected `x`, got `y` - at `$.path`": types and a path, no values.
    """
    if isinstance(error, msgspec.ValidationError):
        message = str(error)
        return message if message.startswith("Expected") else "value of the wrong form"
    if isinstance(error, RecursionError):
        return "nested too deeply"
    return "not valid JSON"
