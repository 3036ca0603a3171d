"""What a site's data look like: codes we do not know, units, reasons why results are of no use, shapes of orders."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec

from cds_service.facts import dosage
from cds_service.facts.labs import LabReader
from cds_service.facts.medications import shelve, wording
from cds_service.fhir.decode import CodeableConcept, Resource, decode_resource
from cds_service.population.export import BROKEN, Range, reading
from cds_service.population.judge import Judging
from cds_service.population.parts import write_whole
from cds_service.population.run import judge_of

_LAB = "laboratory"
_MOST_CODES = 5000
_ENDLESS = 1 << 62
_TIME = 11
"""Characters of a date with its `T`: what follows is the time and the offset."""


@dataclass(frozen=True, slots=True)
class InventoryTask:
    how: Judging
    part: Range
    work: str


@dataclass(slots=True)
class Inventory:
    """Counts, keyed by names that hold no patient value. Keys of codes are `system|code|words`."""

    results: Counter[str] = field(default_factory=Counter)
    """Analyte -> results."""
    unusable: Counter[str] = field(default_factory=Counter)
    """`analyte|reason`."""
    units: Counter[str] = field(default_factory=Counter)
    """`analyte|unit`."""
    unmapped_labs: Counter[str] = field(default_factory=Counter)
    drugs: Counter[str] = field(default_factory=Counter)
    """How the drug of an order was recognised: `code`, `name`, `none`, `elsewhere` (in a Medication)."""
    unmapped_drugs: Counter[str] = field(default_factory=Counter)
    shapes: Counter[str] = field(default_factory=Counter)
    zones: Counter[str] = field(default_factory=Counter)
    """`resource type|offset`."""

    def add(self, counts: dict[str, dict[str, int]]) -> None:
        for name, found in counts.items():
            getattr(self, name).update(found)


def inventory_path(work: Path, number: int) -> Path:
    return work / f"inventory-{number:05d}.json"


def take_inventory(task: InventoryTask) -> None:
    """Count everything in one range; damage to files is told by the screening, which reads the same ranges."""
    counting = _Counting(task.how)
    end = _ENDLESS if task.part.packed else task.part.end
    try:
        with reading(task.part) as (lines, begin):
            at = begin
            for line in lines:
                if at >= end:
                    break
                at += len(line)
                resource = decode_resource(line, "", [])
                if resource is not None:
                    counting.take(resource)
    except BROKEN:
        pass
    write_whole(inventory_path(Path(task.work), task.part.number), msgspec.json.encode(counting.found))


def read_inventory(work: Path, parts: int) -> Inventory:
    """All ranges together."""
    whole = Inventory()
    for number in range(parts):
        whole.add(msgspec.json.decode(inventory_path(work, number).read_bytes()))
    return whole


class _Counting:
    def __init__(self, how: Judging) -> None:
        judge, _ = judge_of(how)
        self._terminology = judge.ready.terminology
        self._labs = LabReader(judge.ready.service.content.analytes, self._terminology)
        self._zone, self._as_of = ZoneInfo(how.zone), how.as_of
        self.found = Inventory()

    def take(self, resource: Resource) -> None:
        match resource.resourceType:
            case "Observation":
                self._observation(resource)
            case "MedicationRequest":
                self._order(resource)
            case "Medication":
                self._drug(resource, [resource.code])
            case "Procedure":
                start = resource.performedPeriod.start if resource.performedPeriod else None
                self._time("Procedure", resource.performedDateTime or start)
            case _:
                pass

    def _time(self, kind: str, text: str | None) -> None:
        if not text:
            self.found.zones[f"{kind}|no date"] += 1
        elif len(text) < _TIME:
            self.found.zones[f"{kind}|date without time"] += 1
        else:
            clock = text[_TIME:]
            at = max(clock.find("+"), clock.find("-"))
            offset = "Z" if clock.endswith("Z") else clock[at:] if at >= 0 else "time without offset"
            self.found.zones[f"{kind}|{offset}"] += 1

    def _observation(self, resource: Resource) -> None:
        found = self.found
        self._time("Observation", resource.effectiveDateTime or resource.issued)
        read, unmapped = self._labs.read([resource], self._zone, self._as_of)
        for analyte, labs in read.items():
            for lab in labs:
                found.results[analyte] += 1
                amount, _, unit = str(lab.as_sent).partition(" ")
                found.units[f"{analyte}|{unit if amount != 'no' else '(no value)'}"] += 1
                reason = lab.excluded or lab.problem
                if reason is not None:
                    found.unusable[f"{analyte}|{reason}"] += 1
        if unmapped:
            self._unmapped(found.unmapped_labs, [resource.code])

    def _unmapped(self, counter: Counter[str], concepts: list[CodeableConcept | None]) -> None:
        """The first coding of a concept that no value set knows; words only when there is no coding."""
        for concept in concepts:
            if concept is None:
                continue
            coding = concept.coding[0] if concept.coding else None
            words = (coding.display if coding else None) or concept.text or ""
            key = f"{(coding.system or '(no system)') if coding else '(words only)'}|{coding.code if coding else ''}|{words}"
            if key in counter or len(counter) < _MOST_CODES:
                counter[key] += 1
            return

    def _order(self, resource: Resource) -> None:
        found = self.found
        self._time("MedicationRequest", resource.authoredOn)
        reference = resource.medicationReference
        if resource.medicationCodeableConcept is not None:
            shape = (
                "drug coded in the order"
                if resource.medicationCodeableConcept.coding
                else "drug in words only"
            )
        elif reference is not None and reference.reference:
            contained = reference.reference.startswith("#")
            shape = "drug contained in the order" if contained else "drug in a Medication of its own"
        else:
            shape = "drug in the words of a reference only" if reference is not None else "drug not named"
        found.shapes[shape] += 1
        found.shapes["dose structured" if dosage.dose_given(resource) else "dose not structured"] += 1
        if shape == "drug in a Medication of its own":
            found.drugs["elsewhere"] += 1
            return
        self._drug(resource, [resource.medicationCodeableConcept])

    def _drug(self, resource: Resource, concepts: list[CodeableConcept | None]) -> None:
        if resource.resourceType == "Medication":
            code = resource.code
            codings = (
                [(c.system, None if c.code is None else str(c.code), c.display) for c in code.coding]
                if code
                else []
            )
            texts = [code.text] if code and code.text else []
        else:
            codings, texts = wording(resource, shelve(()))
        basis = self._terminology.identify(codings, texts).basis
        self.found.drugs[basis] += 1
        if basis == "none":
            self._unmapped(self.found.unmapped_drugs, concepts)
