"""Resources to Facts. Pure: time and zone are passed in; nothing is fetched.

Every resource that is left out is counted as a gap with its reason; another patient's resource never
reaches a rule.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Any

import msgspec
from msgspec.structs import replace

from cds_service.errors import ForeignPatient
from cds_service.facts.dates import parse_when
from cds_service.facts.labs import LabReader
from cds_service.facts.medications import Drugs, MedicationReader, MedicationShelf
from cds_service.facts.model import MUST_NOT, Encounter, Facts, Gap, Order, Patient, Problem, Procedure
from cds_service.facts.problems import concept_sets, concept_texts, concepts, problem, told
from cds_service.facts.record import Record
from cds_service.facts.subjects import Whose, whose, whose_reference
from cds_service.fhir.decode import CodeableConcept, Reference, Resource
from cds_service.fhir.results import FailureReason
from cds_service.fhir.source import Source
from cds_service.localise.text import Joined, Message, Text
from cds_service.terminology.index import Terminology

_NOT_DONE = frozenset({"entered-in-error", "not-done", "aborted", "preparation"})
_ORDER_TYPES = frozenset({"MedicationRequest", "ServiceRequest", "ProcedureRequest"})
_WORDED = {
    reason.template: reason
    for reason in (
        Message("value of the wrong form"),
        Message("nested too deeply"),
        Message("not valid JSON"),
    )
}
"""Why an entry could not be decoded; anything else is technical (types and a path) and stays as it is."""
PROCEDURE = Message("procedure").template
_OURS = Whose.OURS
_NOT_ASKED_FOR = Message("not asked for")
_NONE: frozenset[str] = frozenset()
_REQUEST_OPEN = frozenset({"active", "draft", "completed", "on-hold"})


class Setting(Record, frozen=True):
    """When and where the call is judged."""

    as_of: datetime
    zone: tzinfo
    hook: str
    patient_id: str
    site: Mapping[str, Any] = msgspec.field(default_factory=dict)
    units: str = "conventional"


class Normaliser:
    """Turns the sources of a call into Facts; built once from the terminology and the lab reader.

    Only a job over many patients passes `drugs`, where the wordings of drugs are kept from one patient to the next:
    words could hold a name, so none outlives a call.
    """

    def __init__(self, terminology: Terminology, labs: LabReader, drugs: Drugs | None = None) -> None:
        self.terminology = terminology
        self._labs = labs
        self._drugs = drugs

    def reader(self, shelf: MedicationShelf, zone: tzinfo) -> MedicationReader:
        """Reads MedicationRequests with the Medication resources of one call."""
        return MedicationReader(self.terminology, shelf, zone, self._drugs)

    def facts(
        self,
        sources: Mapping[str, Source],
        orders: tuple[Order, ...],
        shelf: MedicationShelf,
        setting: Setting,
    ) -> Facts:
        """The Facts of one call.

        Raises:
            ForeignPatient: the Patient resource is not the patient of the call.
        """
        reading = _Reading(sources, setting)
        reading.doubt_empty_lists_of_an_unknown_patient()
        zone, as_of, terminology = setting.zone, setting.as_of, self.terminology
        conditions = reading.take("conditions", "Condition")
        medication_list = reading.take("medications", "MedicationRequest")
        procedures = reading.take("procedures", "Procedure")
        encounters = reading.take("encounters", "Encounter")
        requests = reading.take("requests", "ServiceRequest")
        observations = [*reading.take_or_none("labs"), *reading.take_or_none("vitals")]
        reader = self.reader(shelf, zone)
        problems: tuple[Problem, ...] | None = None
        if conditions is not None:
            found = [problem(resource, terminology, zone, as_of) for resource in conditions]
            problems = tuple([item for item in found if item is not None])
        medications = None
        if medication_list is not None:
            medications, unusable = reader.listed(medication_list)
            if unusable:
                text = Message("{count} without a usable status", count=len(unusable))
                reading.note("medications", "status", text, partial=True)
        judged = {order.reference for order in orders}
        labs, unmapped_labs = self._labs.read(observations, zone, as_of)
        return Facts(
            as_of=as_of,
            zone=zone,
            hook=setting.hook,
            patient=reading.patient(),
            problems=problems,
            labs=labs,
            unmapped_labs=unmapped_labs,
            medications=medications,
            procedures=None if procedures is None else tuple(_done(procedures, terminology, zone)),
            encounters=None if encounters is None else tuple(_encounters(encounters, terminology, zone)),
            requests=None
            if requests is None
            else tuple(
                request(resource, terminology, zone)
                for resource in requests
                if (resource.status or "active") in _REQUEST_OPEN
                and not resource.doNotPerform
                and resource.reference not in judged
            ),
            orders=orders,
            gaps=tuple(reading.gaps),
            incomplete=frozenset(reading.incomplete),
            failures=dict(reading.failures),
            settings=setting.site,
            units=setting.units,
        )


class _Reading:
    """Takes each source once, leaves out what is not this patient's, and notes every loss."""

    def __init__(self, sources: Mapping[str, Source], setting: Setting) -> None:
        self._sources = sources
        self._setting = setting
        self.gaps: list[Gap] = []
        self.incomplete: set[str] = set()
        self.failures: dict[str, Text] = {}
        own = f"Patient/{setting.patient_id}"
        self._owners: dict[str | None, Whose] = {own: whose_reference(Reference(own), setting.patient_id)}

    def note(self, source: str, kind: str, text: Text, *, partial: bool = False) -> None:
        self.gaps.append(Gap(source, kind, text))
        if partial:
            self.incomplete.add(source)

    def doubt_empty_lists_of_an_unknown_patient(self) -> None:
        """A server that does not know the patient answers every search with nothing: no evidence of absence."""
        patient = self._sources.get("patient")
        if patient is None or patient.failure is not FailureReason.NOT_FOUND:
            return
        for key, source in self._sources.items():
            if source.origin == "fhir" and source.resources == ():
                text = Message("empty, but the server does not know the patient")
                self.note(key, "unknown-patient", text, partial=True)

    def patient(self) -> Patient | None:
        resources = self._resources("patient")
        if resources is None:
            return None
        for resource in resources:
            if resource.resourceType != "Patient":
                continue
            if str(resource.id) != self._setting.patient_id:
                raise ForeignPatient("The Patient resource is not the patient of context.patientId.")
            birth = parse_when(resource.birthDate, self._setting.zone)
            return Patient(birth, resource.gender, resource.reference)
        self.failures["patient"] = Message("not found")
        return None

    def take(self, key: str, resource_type: str) -> list[Resource] | None:
        """This patient's resources of one type, or None when the source could not be read."""
        resources = self._resources(key)
        if resources is None:
            return None
        # A list names its subject in the same words again and again: they are read once.
        owners = self._owners
        ours = [
            resource
            for resource in resources
            if resource.resourceType == resource_type
            and (subject := resource.subject) is not None
            and owners.get(subject.reference) is _OURS
        ]
        return ours if len(ours) == len(resources) else self._sorted_out(key, resource_type, resources)

    def _sorted_out(
        self, key: str, resource_type: str, resources: Sequence[Resource]
    ) -> list[Resource] | None:
        """As `take`, for a list of which some may not be this patient's or of another type."""
        ours: list[Resource] = []
        foreign, unclear = 0, 0
        for resource in resources:
            if resource.resourceType != resource_type:
                continue
            owner = self._owners.get(resource.subject.reference) if resource.subject is not None else None
            if owner is None:
                owner = self._whose(resource)
            if owner is _OURS:
                ours.append(resource)
            elif owner is Whose.FOREIGN:
                foreign += 1
            else:
                unclear += 1
        if unclear:
            text = Message("{count} left out: patient not identified", count=unclear)
            self.note(key, "unclear-subject", text, partial=True)
        if foreign:
            text = Message("{count} left out: belongs to another patient", count=foreign)
            self.note(key, "foreign", text)
            if not ours:
                # The whole list is somebody else's: nothing is known about ours.
                self.failures[key] = Message("only another patient's data were sent")
                return None
        return ours

    def _whose(self, resource: Resource) -> Whose:
        owner = whose(resource, self._setting.patient_id)
        if resource.subject is not None and resource.subject.reference:
            self._owners[resource.subject.reference] = owner
        return owner

    def take_or_none(self, key: str) -> list[Resource]:
        return self.take(key, "Observation") or []

    def _resources(self, key: str) -> tuple[Resource, ...] | None:
        source = self._sources.get(key)
        if source is None:
            self.failures[key] = _NOT_ASKED_FOR
            return None
        for dropped in source.dropped:
            text = Message(
                "an entry could not be read ({reason})", reason=_WORDED.get(dropped.reason, dropped.reason)
            )
            self.note(key, "unreadable", text, partial=True)
        if source.resources is None:
            reason = Message(source.failure.text if source.failure else "not read")
            self.failures[key] = reason
            self.gaps.append(Gap(key, "unavailable", reason))
            return None
        if not source.complete:
            reasons = Joined("; ", (Message(gap.value) for gap in source.gaps))
            self.note(key, "partial", reasons or Message("only part of the list was received"), partial=True)
        return source.resources


def _done(resources: Iterable[Resource], terminology: Terminology, zone: tzinfo) -> Iterator[Procedure]:
    for resource in resources:
        if (resource.status or "").strip().lower() in _NOT_DONE or resource.doNotPerform:
            continue
        start = resource.performedPeriod.start if resource.performedPeriod else None
        r5 = resource.occurrenceDateTime or (
            resource.occurrencePeriod.start if resource.occurrencePeriod else None
        )
        yield _procedure(resource, resource.performedDateTime or start or r5, terminology, zone)


def request(resource: Resource, terminology: Terminology, zone: tzinfo) -> Procedure:
    """A ServiceRequest as the procedure it asks for, dated by when it was ordered."""
    item = _procedure(resource, resource.authoredOn or resource.occurrenceDateTime, terminology, zone)
    return replace(item, status=MUST_NOT) if resource.doNotPerform else item


def _procedure(resource: Resource, moment: str | None, terminology: Terminology, zone: tzinfo) -> Procedure:
    sets, texts, label = told(resource.code, terminology, PROCEDURE)
    if resource.orderDetail:
        sets |= _sets(resource.orderDetail, terminology)
    sites = concepts(resource.bodySite)
    when = parse_when(moment, zone)
    return Procedure(
        sets=sets,
        label=label,
        when=when,
        status=(resource.status or "unknown").strip().lower(),
        sites=_sets(sites, terminology) if sites else _NONE,
        site_words=tuple([text for site in sites for text in concept_texts(site)]) if sites else (),
        texts=texts,
        reasons=_sets(concepts(resource.reasonCode), terminology) if resource.reasonCode else _NONE,
        priority=resource.priority,
        source=resource.reference,
        date_unreadable=bool(moment) and when is None,
    )


def _sets(found: Iterable[CodeableConcept], terminology: Terminology) -> frozenset[str]:
    """The value sets of several concepts together."""
    sets = _NONE
    for concept in found:
        sets |= concept_sets(concept, terminology)
    return sets


def _encounters(resources: Iterable[Resource], terminology: Terminology, zone: tzinfo) -> Iterator[Encounter]:
    for resource in resources:
        status = (resource.status or "unknown").strip().lower()
        if status in ("entered-in-error", "cancelled"):
            continue
        kinds = resource.type if not isinstance(resource.type, str) else None
        period = resource.period or resource.actualPeriod
        leaving = resource.hospitalization or resource.admission
        disposition = leaving.dischargeDisposition if leaving else None
        codes = [str(coding.code) for coding in disposition.coding] if disposition else []
        yield Encounter(
            sets=_sets((*concepts(kinds), *concepts(resource.reasonCode)), terminology),
            status=status,
            started=parse_when(period.start if period else None, zone),
            ended=parse_when(period.end if period else None, zone),
            disposition=codes[0] if codes else None,
            source=resource.reference,
        )


class Drafts(Record, frozen=True):
    """The orders of a call that rules may be about."""

    orders: tuple[Order, ...]
    unclassified: tuple[str, ...]
    """References of medication orders whose drug was not recognised."""


def read_orders(
    resources: Sequence[Resource],
    reader: MedicationReader,
    terminology: Terminology,
    zone: tzinfo,
    *,
    renewal: bool,
) -> Drafts:
    """Draft MedicationRequests and ServiceRequests as Orders; other request types are not ours."""
    orders: list[Order] = []
    unclassified: list[str] = []
    for resource in resources:
        if resource.resourceType == "MedicationRequest":
            medication = reader.draft(resource)
            if medication.basis == "none":
                unclassified.append(resource.reference)
            orders.append(Order(resource.reference, medication=medication, renewal=renewal))
        elif resource.resourceType in _ORDER_TYPES:
            orders.append(Order(resource.reference, procedure=request(resource, terminology, zone)))
    return Drafts(tuple(orders), tuple(unclassified))
