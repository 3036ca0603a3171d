"""One Struct that holds what is read of a FHIR resource of any type."""

# ruff: noqa: N815 - members are named as FHIR names them
from __future__ import annotations

import msgspec

from cds_service.fhir.elements import (
    Annotation,
    CodeableConcept,
    CodeableReference,
    Component,
    DispenseRequest,
    Dosage,
    Hospitalization,
    Ingredient,
    IssueDetail,
    Link,
    Meta,
    Period,
    Quantity,
    Range,
    Reference,
    ReferenceRange,
    Response,
    Search,
)


class Resource(msgspec.Struct, gc=False, omit_defaults=True):
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
    # Condition
    clinicalStatus: CodeableConcept | str | None = None
    verificationStatus: CodeableConcept | str | None = None
    onsetDateTime: str | None = None
    onsetPeriod: Period | None = None
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
    dataAbsentReason: CodeableConcept | None = None
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
    reasonCode: list[CodeableConcept] | CodeableConcept | None = None
    reason: list[CodeableReference] | CodeableReference | None = None
    orderDetail: list[CodeableConcept] | None = None
    occurrenceDateTime: str | None = None
    occurrencePeriod: Period | None = None
    note: list[Annotation] | None = None
    # STU3 only
    comment: str | None = None
    notDone: bool | None = None
    # Medication
    ingredient: list[Ingredient] | None = None
    # Procedure, Encounter
    performedDateTime: str | None = None
    performedPeriod: Period | None = None
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

    def __post_init__(self) -> None:
        """What STU3 and R5 name or shape differently goes where R4 has it."""
        code = self.code
        if code is not None and (code.concept is not None or code.reference is not None):
            # R5: the code of a ServiceRequest is a CodeableReference.
            words = code.reference.display if code.reference is not None else None
            self.code = code.concept or CodeableConcept(code.coding, code.text or words)
        if self.reason is not None and self.reasonCode is None:
            reasons = self.reason if isinstance(self.reason, list) else [self.reason]
            self.reasonCode = [concept for reason in reasons for concept in reason.concepts]
        if self.comment is not None and self.note is None:
            self.note = [Annotation(self.comment)]
        if self.notDone:
            self.status = "not-done"

    @property
    def reference(self) -> str:
        """`Type/id`, the name of this resource in findings; `Type` alone when it has no id."""
        return f"{self.resourceType}/{self.id}" if self.id is not None else str(self.resourceType)


class Entry(msgspec.Struct, gc=False):
    fullUrl: str | None = None
    search: Search | None = None
    resource: Resource | None = None
