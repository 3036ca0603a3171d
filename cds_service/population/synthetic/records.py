"""One synthetic patient's whole record: lines of NDJSON by resource type."""

from __future__ import annotations

import math
from collections import defaultdict
from datetime import datetime

from cds_service.population.synthetic import lines
from cds_service.population.synthetic.faults import Planter
from cds_service.population.synthetic.person import Person, wording
from cds_service.rules.cohort import Code, Cohort, Diagnosis, Drug, Series, Sessions, Unit, Visit

_OFFICE = lines.concept((Code("urn:oid:1.2.840.99999.7", "OV", "Office visit"),), "Office visit")
_BLOOD_COUNT = lines.concept(
    (Code("http://loinc.org", "718-7", "Hemoglobin [Mass/volume] in Blood"),), "Blood count"
)
_PRACTITIONERS = 60
_STALE_DAYS = 120
_ORDERS_KEPT_DAYS = 730
_SUPPLY_DAYS = 90
_FIRST_MINUTE, _LAST_MINUTE = 360, 1080
_WITH_ONSET = 0.7
_REQUESTS = 4


class Recorder:
    """Writes the records of a cohort's patients."""

    def __init__(self, cohort: Cohort, as_of: datetime) -> None:
        self._cohort = cohort
        self._clock = lines.Clock(as_of)
        self._planter = Planter(cohort.faults)
        self._series = {item.id: item for item in cohort.series}
        self._references = cohort.faults.get("drug-reference", 0.0)

    def record(self, person: Person) -> dict[str, list[str]]:
        """Resource type -> lines. The person keeps count of what was planted."""
        found: dict[str, list[str]] = defaultdict(list)
        rng, clock = person.rng, self._clock
        birth = None
        if "no-birth-date" not in person.gaps:
            birth = f"{clock.year(person.age)}-{rng.randint(1, 6):02d}-{rng.randint(1, 28):02d}"
        found["Patient"].append(
            lines.patient(person.id, gender=person.gender, birth=birth, when=self._now(person, 0))
        )
        for number, diagnosis in enumerate(person.diagnoses):
            found["Condition"].append(self._condition(person, number, diagnosis))
        if person.evidence and person.evidence.sessions:
            found["Procedure"] += self._sessions(person, person.evidence.sessions)
        if person.evidence and person.evidence.visit:
            found["Encounter"].append(self._visit(person, person.evidence.visit))
        for number, drug in enumerate(person.drugs):
            self._orders(person, number, drug, found)
        for ident in person.group.series:
            found["Observation"] += self._results(person, self._series[ident])
        self._ordinary(person, found)
        return found

    def _now(self, person: Person, ago: float) -> str:
        return self._clock.time(ago, 720, person.zone or "Z")

    def _planted(self, person: Person, kind: str, line: str) -> str:
        line, name = self._planter.plant(person.rng, kind, line)
        person.planted(name)
        return line

    def _condition(self, person: Person, number: int, diagnosis: Diagnosis) -> str:
        rng = person.rng
        chosen = wording(rng, diagnosis.wordings)
        person.planted(chosen.shape)
        onset = recorded = None
        if diagnosis.since is not None:
            since = rng.randint(*diagnosis.since)
            recorded = self._clock.day(since)
            # Many lists hold the day on which a problem was written down, and no onset.
            onset = recorded if rng.random() < _WITH_ONSET else None
        line = lines.condition(
            f"{person.id}-c{number}",
            person.id,
            lines.concept(chosen.codes, chosen.text),
            diagnosis.clinical,
            diagnosis.verification,
            onset,
            recorded,
            lines.concept((diagnosis.site,), "") if diagnosis.site else None,
            self._now(person, 1),
        )
        return self._planted(person, "Condition", line)

    def _sessions(self, person: Person, sessions: Sessions) -> list[str]:
        rng = person.rng
        chosen = wording(rng, sessions.wordings)
        person.planted(chosen.shape)
        code = lines.concept(chosen.codes, chosen.text)
        found: list[str] = []
        ago = float(rng.randint(*sessions.first))
        while ago >= sessions.last:
            minute = rng.randint(_FIRST_MINUTE, _LAST_MINUTE)
            line = lines.procedure(
                f"{person.id}-s{len(found)}",
                person.id,
                code,
                self._clock.time(ago, minute, person.zone),
                self._clock.time(ago, minute + 240, person.zone),
            )
            found.append(self._planted(person, "Procedure", line))
            ago -= sessions.every
        return found

    def _visit(self, person: Person, visit: Visit) -> str:
        ago = person.rng.randint(*visit.since)
        chosen = wording(person.rng, visit.wordings)
        return lines.encounter(
            f"{person.id}-v0",
            person.id,
            _OFFICE,
            lines.concept(chosen.codes, chosen.text),
            self._clock.time(ago, 480, person.zone),
            self._clock.time(ago, 510, person.zone),
        )

    def _orders(self, person: Person, number: int, drug: Drug, found: dict[str, list[str]]) -> None:
        """A course as the orders that made it: the first, and one more each time it was renewed."""
        rng, clock = person.rng, self._clock
        chosen = wording(rng, drug.wordings)
        person.planted(chosen.shape)
        code = lines.concept(chosen.codes, chosen.text)
        starts = range(rng.randint(*drug.started), -1, -drug.renewed)
        kept = [day for day in starts if day <= _ORDERS_KEPT_DAYS] or [starts[-1]]
        over = rng.random() < drug.over
        prior: str | None = None
        for place, day in enumerate(kept):
            last = place == len(kept) - 1
            ident = f"{person.id}-m{number}-{place}"
            authored = clock.time(day, rng.randint(_FIRST_MINUTE, _LAST_MINUTE), person.zone)
            named = f'"medicationCodeableConcept":{code}'
            if rng.random() < self._references:
                found["Medication"].append(lines.medication(f"{ident}-d", code, authored))
                named = f'"medicationReference":{{"reference":"Medication/{ident}-d"}}'
                person.planted("drug-reference")
            line = lines.medication_request(
                ident=ident,
                patient_id=person.id,
                status="active" if last and not over else "stopped" if last else "completed",
                drug=named,
                authored=authored,
                requester=f"syn-doc-{rng.randint(1, _PRACTITIONERS):02d}",
                dose=drug.dose,
                supply=(clock.day(day), clock.day(max(day - _SUPPLY_DAYS, 0))),
                prior=prior,
            )
            found["MedicationRequest"].append(self._planted(person, "MedicationRequest", line))
            prior = ident

    def _results(self, person: Person, series: Series) -> list[str]:
        rng = person.rng
        laboratory = series.category == "laboratory"
        if laboratory and "labs-elsewhere" in person.gaps:
            return []
        unit = _unit_of(person, series)
        level = _level(person, series)
        every = series.every * person.group.sampling
        # The same share of each interval: calcium, phosphate and albumin are of one draw.
        ago = person.phase * every
        if laboratory and "labs-stale" in person.gaps:
            ago += _STALE_DAYS
        found: list[str] = []
        while ago < max(self._cohort.days, every):
            value = (
                level * math.exp(rng.gauss(0, series.within))
                if series.skewed
                else rng.gauss(level, series.within)
            )
            amount = min(max(value, series.least), series.most) * unit.factor
            minute = _FIRST_MINUTE + int(ago * 7919) % 300
            line = lines.observation(
                series,
                unit,
                ident=f"{person.id}-{series.id}-{len(found)}",
                patient=person.id,
                value=f"{amount:.{unit.decimals}f}",
                when=self._clock.time(ago, minute, person.zone),
                issued=self._clock.time(ago, minute + 90, person.zone or "Z"),
            )
            found.append(self._planted(person, "Observation", line))
            ago += every
        return found

    def _ordinary(self, person: Person, found: dict[str, list[str]]) -> None:
        """Visits and requests that say nothing about the disease."""
        clock, zone = self._clock, person.zone
        for number in range(person.group.encounters):
            ago = int((number + person.rng.random()) * self._cohort.days / person.group.encounters)
            found["Encounter"].append(
                lines.encounter(
                    f"{person.id}-e{number}",
                    person.id,
                    _OFFICE,
                    "",
                    clock.time(ago, 540, zone),
                    clock.time(ago, 560, zone),
                )
            )
        for number in range(_REQUESTS):
            ago = int(20 + number * self._cohort.days / _REQUESTS)
            found["ServiceRequest"].append(
                lines.service_request(
                    f"{person.id}-r{number}", person.id, _BLOOD_COUNT, clock.time(ago, 545, zone)
                )
            )


def _unit_of(person: Person, series: Series) -> Unit:
    """The unit of the patient's laboratory: one draw for all series, so that SI units go together."""
    at = person.laboratory * sum(unit.weight for unit in series.units)
    for unit in series.units:
        at -= unit.weight
        if at <= 0:
            return unit
    return series.units[-1]


def _level(person: Person, series: Series) -> float:
    shifts = [series.shifts[ident] for ident in sorted(person.has & series.shifts.keys())]
    if series.skewed:
        return series.mean * math.exp(person.rng.gauss(0, series.between)) * math.prod(shifts)
    return person.rng.gauss(series.mean, series.between) + sum(shifts)
