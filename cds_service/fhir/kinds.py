"""A Struct for each kind of resource that calls consist of, with only those fields of `Resource` that the kind has.

A `Resource` has a place for every field of every kind, and decoding compares each member of the JSON that nobody
reads with all their names: half of the time would go there. These Structs are read like a `Resource`: what the kind
does not have is None.
"""

# ruff: noqa: N815 - members are named as FHIR names them
from __future__ import annotations

from typing import TYPE_CHECKING, Any, Union

import msgspec

from cds_service.fhir.elements import Search
from cds_service.fhir.resource import Resource

_EVERY = "id meta status contained code subject patient"
_REQUEST = "intent priority doNotPerform authoredOn reasonCode reason note"
# Orders for procedures and procedures done are read alike; some senders put the fields of one into the other.
_PROCEDURE = (
    f"{_REQUEST} bodySite specimen orderDetail occurrenceDateTime occurrencePeriod performedDateTime "
    "performedPeriod notDone reportedBoolean"
)
FIELDS = {
    "Patient": "birthDate gender link",
    "Condition": "clinicalStatus verificationStatus onsetDateTime onsetPeriod abatementDateTime abatementPeriod "
    "abatementString abatementBoolean abatementAge abatementRange recordedDate assertedDate bodySite note",
    "Observation": "effectiveDateTime effectivePeriod effectiveInstant issued valueQuantity dataAbsentReason "
    "referenceRange component specimen bodySite note comment",
    "MedicationRequest": f"{_REQUEST} medicationCodeableConcept medicationReference medication dosageInstruction "
    "dispenseRequest priorPrescription reportedBoolean",
    "ServiceRequest": _PROCEDURE,
    "ProcedureRequest": _PROCEDURE,
    "Procedure": _PROCEDURE,
    "Encounter": "priority reasonCode reason period actualPeriod type hospitalization admission",
    "Medication": "ingredient",
    "OperationOutcome": "issue",
    "Bundle": "type total link entry",
    # These come along with what was asked for; no rule reads them.
    **dict.fromkeys(("MedicationStatement", "MedicationDispense"), "medicationCodeableConcept"),
    **dict.fromkeys(
        ("Practitioner", "PractitionerRole", "Organization", "Location", "Device", "Specimen"), ""
    ),
    **dict.fromkeys(("AllergyIntolerance", "DiagnosticReport", "Provenance", "Immunization"), ""),
}
"""Kind -> the fields of `Resource` that FHIR (R4, STU3 or R5) gives it. A kind not named here is decoded as `Resource`."""


class _Entry(msgspec.Struct, gc=False):
    fullUrl: str | None = None
    search: Search | None = None
    resource: Known | None = None


def _kind(name: str) -> type[msgspec.Struct]:
    mine = {*_EVERY.split(), *FIELDS[name].split()}
    types: dict[str, Any] = {field.name: field.type for field in msgspec.structs.fields(Resource)}
    types["entry"] = list[_Entry | None] | None
    absent = dict.fromkeys(types.keys() - mine)
    return msgspec.defstruct(
        name,
        [(field, kind, None) for field, kind in types.items() if field in mine],
        namespace={
            **absent,
            "resourceType": name,
            "reference": Resource.reference,
            "__post_init__": Resource.__post_init__,
        },
        module=__name__,
        tag_field="resourceType",
        tag=name,
        omit_defaults=True,
        gc=False,
    )


if TYPE_CHECKING:
    Known = Resource
else:
    Known = Union[tuple(_kind(name) for name in FIELDS)]  # noqa: UP007 - made from a list
