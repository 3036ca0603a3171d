"""The synthetic patients in a few words, for menus and the start page."""

from __future__ import annotations

from dataclasses import dataclass

from cds_service.web import documents
from cds_service.web.fixtures import Fixtures


@dataclass(frozen=True, slots=True)
class Person:
    """A synthetic patient."""

    id: str
    name: str
    born: str
    problems: tuple[str, ...]
    medicines: tuple[str, ...]
    entries: int
    """How many resources the chart has."""

    @property
    def label(self) -> str:
        """For a menu: the name, and the id that says what the patient is there for."""
        return f"{self.name} ({self.id})"


def people(fixtures: Fixtures) -> dict[str, Person]:
    """Id -> patient, by id."""
    found = {}
    for patient_id in fixtures.patients:
        chart = list(documents.resources(documents.read(fixtures.patient(patient_id) or b"null")))
        patient = next((each for each in chart if each["resourceType"] == "Patient"), {})
        found[patient_id] = Person(
            patient_id,
            _name(patient) or patient_id,
            str(patient.get("birthDate", "")),
            _words(chart, "Condition", "code"),
            _words(chart, "MedicationRequest", "medicationCodeableConcept"),
            len(chart),
        )
    return found


def _name(patient: documents.Resource) -> str:
    name = (patient.get("name") or [{}])[0]
    return " ".join([*name.get("given", ()), name.get("family", "")]).strip()


def _words(chart: list[documents.Resource], kind: str, member: str) -> tuple[str, ...]:
    words = (documents.wording(each.get(member)) for each in chart if each["resourceType"] == kind)
    return tuple(dict.fromkeys(word for word in words if word))
