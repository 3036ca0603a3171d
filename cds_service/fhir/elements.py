"""The FHIR data types that the product reads, each with all members optional and tolerant of other versions."""

# ruff: noqa: N815 - members are named as FHIR names them
from __future__ import annotations

from decimal import Decimal

import msgspec


class Coding(msgspec.Struct, gc=False, frozen=True):
    """FHIR Coding. Some generators write codes as JSON numbers, hence `int`."""

    system: str | None = None
    code: str | int | None = None
    display: str | None = None


class CodeableConcept(msgspec.Struct, gc=False, frozen=True):
    """A concept; `concept` and `reference` are there when R5 sends a CodeableReference in its place."""

    coding: list[Coding] = []
    text: str | None = None
    concept: CodeableConcept | None = None
    reference: Reference | None = None


class Identifier(msgspec.Struct, gc=False, frozen=True):
    system: str | None = None
    value: str | int | None = None


class Reference(msgspec.Struct, gc=False, frozen=True):
    reference: str | None = None
    type: str | None = None
    display: str | None = None
    identifier: Identifier | None = None


class CodeableReference(msgspec.Struct, gc=False, frozen=True):
    """R5 `medication` and `reason`; also what else stands under the name `reason`.

    `coding` and `text` are those of STU3, where the reason of an Encounter is a CodeableConcept; `value` is
    that of an R5 Encounter, whose reasons are a list below each use.
    """

    concept: CodeableConcept | None = None
    reference: Reference | None = None
    coding: list[Coding] = []
    text: str | None = None
    value: list[CodeableReference] = []

    @property
    def concepts(self) -> list[CodeableConcept]:
        """The reasons in words or codes, wherever this version of FHIR puts them."""
        found = [concept for part in self.value for concept in part.concepts]
        if self.concept is not None:
            found.append(self.concept)
        if self.coding or self.text:
            found.append(CodeableConcept(self.coding, self.text))
        return found


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


class ReferenceRange(msgspec.Struct, gc=False, frozen=True):
    low: Quantity | None = None
    high: Quantity | None = None
    type: CodeableConcept | None = None


class TimingRepeat(msgspec.Struct, gc=False, frozen=True):
    boundsDuration: Quantity | None = None
    boundsPeriod: Period | None = None
    count: int | None = None
    frequency: Decimal | None = None
    frequencyMax: Decimal | None = None
    period: Decimal | None = None
    periodUnit: str | None = None
    dayOfWeek: list[str] | None = None
    timeOfDay: list[str] | None = None
    when: list[str] | str | None = None


class Timing(msgspec.Struct, gc=False, frozen=True):
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
    lastUpdated: str | None = None


class Link(msgspec.Struct, gc=False, frozen=True):
    relation: str | None = None
    url: str | None = None


class Search(msgspec.Struct, gc=False, frozen=True):
    mode: str | None = None


class Hospitalization(msgspec.Struct, gc=False, frozen=True):
    dischargeDisposition: CodeableConcept | None = None


class Ingredient(msgspec.Struct, gc=False, frozen=True):
    """Ingredient of a Medication: R4 `item[x]`, R5 `item`."""

    itemCodeableConcept: CodeableConcept | None = None
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


class Annotation(msgspec.Struct, gc=False, frozen=True):
    text: str | None = None
