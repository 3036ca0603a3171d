"""Is this resource about the patient of the call? (threat: another patient's data in the answer)"""

from __future__ import annotations

from enum import Enum

from cds_service.fhir.decode import Reference, Resource


class Whose(Enum):
    OURS = "ours"
    FOREIGN = "foreign"
    UNCLEAR = "unclear"
    """Names a subject that cannot be compared: contained, identifier only, urn."""


def bare_id(reference: str, resource_type: str) -> str | None:
    """The id in a reference to `resource_type`, in any of the forms EHRs send; None for another type.

    Relative, absolute and versioned references and bare ids are understood.
    """
    head, _, identifier = reference.partition("/")
    if head == resource_type and identifier and "/" not in identifier and "?" not in identifier:
        return identifier  # as nearly all are
    path = reference.split("?", 1)[0].split("/_history/", 1)[0].rstrip("/")
    head, _, identifier = path.rpartition("/")
    if not head:
        return identifier
    return identifier if head.rpartition("/")[2] == resource_type else None


def whose(resource: Resource, patient_id: str) -> Whose:
    """Compare the subject of `resource` with the patient of the call.

    A missing subject counts as ours: the data come from a query for this patient.
    """
    subject = resource.subject or resource.patient
    if subject is None:
        return Whose.OURS
    return whose_reference(subject, patient_id)


def whose_reference(subject: Reference, patient_id: str) -> Whose:
    text = subject.reference
    if not text:
        return Whose.UNCLEAR if subject.identifier is not None or subject.display else Whose.OURS
    if text.startswith(("urn:", "#")):
        return Whose.UNCLEAR
    return Whose.OURS if bare_id(text, "Patient") == patient_id else Whose.FOREIGN
