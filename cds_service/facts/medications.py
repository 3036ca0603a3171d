"""MedicationRequest resources, on the list or as drafts, to Medications."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import tzinfo

import msgspec
from msgspec.structs import replace

from cds_service.facts import dosage
from cds_service.facts.dates import When, parse_when
from cds_service.facts.later import DailyDose
from cds_service.facts.model import Medication, MedicationState
from cds_service.facts.problems import concept_sets, concepts
from cds_service.facts.record import Parts, Record, once
from cds_service.facts.subjects import bare_id
from cds_service.fhir.decode import CodeableConcept, Coding, Period, Reference, Resource
from cds_service.localise.text import Message
from cds_service.terminology.index import Terminology
from cds_service.terminology.medication import DrugIdentity

_IGNORED = frozenset({"entered-in-error", "cancelled", "draft"})
_STATES = {
    "active": MedicationState.ACTIVE,
    "on-hold": MedicationState.ON_HOLD,
    **dict.fromkeys(("stopped", "completed", "ended"), MedicationState.ENDED),
}
"""Status -> state of a medicine on the list; any other status cannot be used."""
_STOPPING = frozenset({"entered-in-error", "cancelled", "stopped", "completed", "ended", "revoked"})
UNNAMED = Message("unnamed medicine").template
Codings = list[tuple[str | None, str | None, str | None]]


class MedicationShelf:
    """Every Medication resource that came with the call, by each name it may be referred to."""

    def __init__(self) -> None:
        self._by_name: dict[str, Resource] = {}

    def add(self, resource: Resource, full_url: str | None = None) -> None:
        if resource.resourceType == "Medication":
            if resource.id is not None:
                self._by_name[str(resource.id)] = resource
            if full_url:
                self._by_name[full_url] = resource

    def find(self, reference: str, owner: Resource) -> Resource | None:
        """The Medication meant by `reference` in `owner`: contained, by full URL, or by id."""
        identifier = reference[1:] if reference.startswith("#") else bare_id(reference, "Medication")
        contained = {str(item.id): item for item in owner.contained or ()}
        if reference.startswith("#"):
            return contained.get(identifier or "")
        # Some senders leave out the "#"; a contained id is never looked up from another resource.
        named = self._by_name.get(reference) or self._by_name.get(identifier or "")
        return named or contained.get(identifier or "")


def unresolved_reference(resource: Resource, shelf: MedicationShelf) -> str | None:
    """Reference to a Medication that did not come with the call, if the drug is named by nothing else."""
    reference = _reference(resource) if resource.medicationCodeableConcept is None else None
    if not reference or not reference.reference:
        return None
    found = shelf.find(reference.reference, resource)
    return None if found is not None or reference.reference.startswith("#") else reference.reference


def _reference(resource: Resource) -> Reference | None:
    """The reference to a Medication: R4 `medicationReference`, R5 `medication.reference`."""
    if resource.medicationReference is not None:
        return resource.medicationReference
    return resource.medication.reference if resource.medication is not None else None


def wording(resource: Resource, shelf: MedicationShelf) -> tuple[Codings, list[str]]:
    """All codings and all words by which a request names its drug."""
    own = [resource.medicationCodeableConcept, resource.medication.concept if resource.medication else None]
    reference = _reference(resource)
    found = _referred(resource, shelf)
    codings, texts = _worded([*own, found.code if found else None])
    if reference is not None and reference.display:
        texts.append(reference.display)
    return codings, texts


def _referred(resource: Resource, shelf: MedicationShelf) -> Resource | None:
    reference = _reference(resource)
    return shelf.find(reference.reference, resource) if reference and reference.reference else None


def _ingredients(resource: Resource, shelf: MedicationShelf) -> list[CodeableConcept | None]:
    """What the Medication is made of; asked only when its own code says nothing to us."""
    found = _referred(resource, shelf)
    parts = (found.ingredient if found else None) or ()
    return [part.item.concept if part.item else part.itemCodeableConcept for part in parts]


def _worded(concepts: Iterable[CodeableConcept | None]) -> tuple[Codings, list[str]]:
    codings: Codings = []
    texts: list[str] = []
    for concept in concepts:
        if concept is None:
            continue
        for coding in concept.coding:
            codings.append((coding.system, None if coding.code is None else str(coding.code), coding.display))
            if coding.display:
                texts.append(coding.display)
        if concept.text:
            texts.append(concept.text)
    return codings, texts


class _Drug(Record, frozen=True, gc=False):
    """Which drug a request is for, and what a card calls it."""

    identity: DrugIdentity
    name: str
    coded: bool
    named_by_us: bool


Drugs = dict[tuple[str | Coding | None, ...], _Drug]
"""The drug for each concept in which a request named one: renewals say the same again and again."""
_MOST_DRUGS = 50_000


class MedicationReader:
    """Builds Medications; one per call, since it holds the call's Medication resources."""

    def __init__(
        self,
        terminology: Terminology,
        shelf: MedicationShelf,
        zone: tzinfo,
        drugs: Drugs | None = None,
    ) -> None:
        self._terminology = terminology
        self._shelf = shelf
        self._zone = zone
        self._drugs: Drugs = {} if drugs is None else drugs

    def listed(self, resources: Iterable[Resource]) -> tuple[tuple[Medication, ...], list[str]]:
        """Medications on the list, and the sources of which status or drug cannot be told.

        An entry that names no drug at all might be any drug, so absence cannot be concluded beside it.
        """
        kept: list[Medication] = []
        unusable: list[str] = []
        for resource in resources:
            status = _status(resource)
            if status in _IGNORED or resource.doNotPerform or resource.intent == "proposal":
                continue
            state = _STATES.get(status)
            item = self._medication(resource, status, state) if state is not None else None
            if item is None or item.name == UNNAMED:
                unusable.append(resource.reference)
            else:
                kept.append(item)
        return tuple(kept), unusable

    def draft(self, resource: Resource) -> Medication:
        """A draft order; one that tapers a drug off is a stop."""
        item = self._medication(resource, _status(resource), MedicationState.DRAFT)
        return replace(item, stopped=True) if dosage.tapers_to_stop(resource) else item

    def _medication(self, resource: Resource, status: str, state: MedicationState) -> Medication:
        drug = self._drug(resource)
        identity = drug.identity
        replaced = resource.priorPrescription.reference if resource.priorPrescription else None
        prior = bare_id(replaced, "MedicationRequest") if replaced else None
        return Medication(
            sets=identity.sets,
            name=drug.name,
            basis=identity.basis,
            product=identity.display,
            state=state,
            stopped=status in _STOPPING or bool(resource.doNotPerform),
            course=_Course(resource, identity, state, self._zone, self._terminology),
            prior=f"MedicationRequest/{prior}" if prior else None,
            source=resource.reference,
            coded=drug.coded,
            named_by_us=drug.named_by_us,
        )

    def _drug(self, resource: Resource) -> _Drug:
        concept = resource.medicationCodeableConcept
        if concept is None or resource.medicationReference is not None or resource.medication is not None:
            return self._identified(resource)
        words = (*concept.coding, concept.text)
        drug = self._drugs.get(words)
        if drug is None:
            if len(self._drugs) >= _MOST_DRUGS:
                self._drugs.clear()
            drug = self._drugs[words] = self._identified(resource)
        return drug

    def _identified(self, resource: Resource) -> _Drug:
        codings, texts = wording(resource, self._shelf)
        identity = self._terminology.identify(codings, texts)
        if identity.basis != "code" and (inside := _ingredients(resource, self._shelf)):
            more, words = _worded(inside)
            codings, texts = codings + more, texts + words
            identity = self._terminology.identify(codings, texts)
        title = self._terminology.title(identity.sets) if identity.sets else None
        return _Drug(
            identity,
            title or (texts[0] if texts else UNNAMED),
            coded=any(code for _, code, _ in codings),
            named_by_us=title is not None or not texts,
        )


def _status(resource: Resource) -> str:
    status = resource.status or "active"
    return status if status in _STATES else status.strip().lower()


class _Course(Parts, msgspec.Struct, dict=True, eq=False):
    """How the medicine of one request is taken. Of most medicines nobody asks more than the route."""

    resource: Resource
    identity: DrugIdentity
    state: MedicationState
    zone: tzinfo
    terminology: Terminology

    @once
    def started(self) -> When | None:
        return _started(self.resource, self.zone)

    @once
    def ended(self) -> When | None:
        return _ended(self.resource, self.zone) if self.state is MedicationState.ENDED else None

    @once
    def route(self) -> str | None:
        return dosage.route(self.resource)

    @once
    def daily_dose(self) -> DailyDose | None:
        identity = self.identity
        return dosage.daily_dose(self.resource, identity.display) if identity.sets else None

    @once
    def dose_given(self) -> bool:
        return dosage.dose_given(self.resource)

    @once
    def days(self) -> int | None:
        return dosage.course_days(self.resource, self.zone)

    @once
    def as_needed(self) -> bool:
        return dosage.as_needed(self.resource)

    @once
    def single_dose(self) -> bool:
        return dosage.single_dose(self.resource)

    @once
    def reasons(self) -> frozenset[str]:
        return _reasons(self.resource, self.terminology)


def _reasons(resource: Resource, terminology: Terminology) -> frozenset[str]:
    found: frozenset[str] = frozenset()
    for concept in concepts(resource.reasonCode):
        found |= concept_sets(concept, terminology)
    reasons = resource.reason
    for reason in reasons if isinstance(reasons, list) else [reasons] if reasons else []:
        found |= concept_sets(reason.concept, terminology)
    return found


def _started(resource: Resource, zone: tzinfo) -> When | None:
    for bounds in _bounds(resource):
        if (when := parse_when(bounds.start, zone)) is not None:
            return when
    return parse_when(resource.authoredOn, zone)


def _ended(resource: Resource, zone: tzinfo) -> When | None:
    """Recorded end of treatment, else the date it was ordered.

    A MedicationRequest has no end date of its own. Falling back on the order's date makes an exposure
    look older, hence a new order look like a new start: the more careful reading.
    """
    ends = [parse_when(bounds.end, zone) for bounds in _bounds(resource)]
    if resource.dispenseRequest and resource.dispenseRequest.validityPeriod:
        ends.append(parse_when(resource.dispenseRequest.validityPeriod.end, zone))
    known = [end for end in ends if end is not None]
    if known:
        return max(known, key=lambda end: end.instant)
    return parse_when(resource.authoredOn, zone)


def _bounds(resource: Resource) -> Iterator[Period]:
    for instruction in dosage.dosages(resource):
        repeat = instruction.timing.repeat if instruction.timing else None
        if repeat is not None and repeat.boundsPeriod is not None:
            yield repeat.boundsPeriod


def shelve(entries: Iterable[tuple[Resource, str | None]]) -> MedicationShelf:
    """A shelf with every Medication among (resource, full URL) pairs."""
    shelf = MedicationShelf()
    for resource, full_url in entries:
        shelf.add(resource, full_url)
    return shelf
