"""Seeded order-sign bodies of four sizes, shaped like what a US Core server sends (about 2 KB an Observation).

Synthetic. Every body is the same patient: on haemodialysis, warfarin ordered anew, Ca x P above the goal; the bodies
differ only in how much history surrounds that. `dirty` is the 60 KB body with one resource nobody can decode, one
OperationOutcome entry and one value written as a string.
"""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta
from typing import Any

AS_OF = datetime(2026, 11, 21, 12, tzinfo=UTC)
SIZES = {"10KB": (2, 1, 1), "60KB": (18, 7, 5), "300KB": (132, 12, 12), "2MB": (960, 40, 40)}
"""Name -> number of Observations, Conditions, MedicationRequests."""
PATIENT = "bench-1"
_SUBJECT = {"reference": f"Patient/{PATIENT}", "display": "Synthetic Patient"}
_LOINC, _UCUM = "http://loinc.org", "http://unitsofmeasure.org"
_ICD = "http://hl7.org/fhir/sid/icd-10-cm"
_SNOMED = "http://snomed.info/sct"
_RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
_LABS = (
    ("17861-6", "Calcium [Mass/volume] in Serum or Plasma", "mg/dL", "9.8"),
    ("2777-1", "Phosphate [Mass/volume] in Serum or Plasma", "mg/dL", "6.4"),
    ("1751-7", "Albumin [Mass/volume] in Serum or Plasma", "g/dL", "4.0"),
    ("2731-8", "Parathyrin.intact [Mass/volume] in Serum or Plasma", "pg/mL", "410"),
    ("718-7", "Hemoglobin [Mass/volume] in Blood", "g/dL", "10.9"),
    ("2823-3", "Potassium [Moles/volume] in Serum or Plasma", "mmol/L", "5.1"),
)
_CONDITIONS = (
    ("N18.6", "46177005", "End stage renal disease"),
    ("Z99.2", "105502003", "Dependence on renal dialysis"),
    ("I10", "38341003", "Essential hypertension"),
    ("D63.1", "691401000119104", "Anaemia in chronic kidney disease"),
    ("E78.5", "55822004", "Hyperlipidaemia"),
    ("K21.9", "235595009", "Gastro-oesophageal reflux disease"),
    ("M10.9", "90560007", "Gout"),
)
_DRUGS = (
    ("314076", "lisinopril 10 MG Oral Tablet"),
    ("617312", "atorvastatin 20 MG Oral Tablet"),
    ("866924", "metoprolol tartrate 25 MG Oral Tablet"),
    ("198051", "omeprazole 20 MG Delayed Release Oral Capsule"),
    ("310429", "furosemide 20 MG Oral Tablet"),
)


def body(size: str) -> bytes:
    """One request body; the same bytes for the same size."""
    return _encoded(_request(*SIZES[size]))


def dirty() -> bytes:
    """The 60 KB body with one broken resource, one OperationOutcome and one value as a string."""
    request = _request(*SIZES["60KB"])
    entries = request["prefetch"]["labs"]["entry"]
    entries[7]["resource"]["code"] = "not an object"
    entries.insert(3, {"resource": {"resourceType": "OperationOutcome", "issue": [{"severity": "warning"}]}})
    entries[9]["resource"]["valueQuantity"]["value"] = "10.9"
    return _encoded(request)


def for_peers() -> bytes:
    """The 60 KB body with its draft order a second time in the prefetch, for peers that drop `draftOrders`."""
    request = _request(*SIZES["60KB"])
    request["prefetch"]["orders"] = {**request["context"]["draftOrders"], "type": "searchset"}
    return _encoded(request)


def with_orders(count: int) -> bytes:
    """The 10 KB body with `count` active medication orders on the list (growth, 1 to 200)."""
    observations, conditions, _ = SIZES["10KB"]
    return _encoded(_request(observations, conditions, count))


def with_observations(count: int) -> bytes:
    """A body with `count` Observations (growth, 10 KB to 5 MB)."""
    return _encoded(_request(count, min(7, 1 + count // 3), min(5, 1 + count // 4)))


def _encoded(request: dict[str, Any]) -> bytes:
    return json.dumps(request, separators=(",", ":")).encode()


def _request(observations: int, conditions: int, medications: int) -> dict[str, Any]:
    rng = random.Random(20261121)
    return {
        "hook": "order-sign",
        "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "context": {
            "userId": "Practitioner/bench",
            "patientId": PATIENT,
            "encounterId": "enc-1",
            "draftOrders": {
                "resourceType": "Bundle",
                "type": "collection",
                "entry": [
                    {"resource": _medication(rng, 0, ("855332", "warfarin sodium 5 MG Oral Tablet"), "draft")}
                ],
            },
        },
        "prefetch": {
            "patient": _patient(),
            "conditions": _bundle(_condition(rng, number) for number in range(conditions)),
            "labs": _bundle(_observation(rng, number) for number in range(observations)),
            "medications": _bundle(
                _medication(rng, number + 1, _DRUGS[number % len(_DRUGS)], "active")
                for number in range(medications)
            ),
        },
    }


def _bundle(resources: Any) -> dict[str, Any]:
    entries = [
        {
            "fullUrl": f"https://ehr.example.org/fhir/{each['resourceType']}/{each['id']}",
            "resource": each,
            "search": {"mode": "match"},
        }
        for each in resources
    ]
    return {"resourceType": "Bundle", "type": "searchset", "total": len(entries), "entry": entries}


def _meta(profile: str) -> dict[str, Any]:
    return {
        "versionId": "3",
        "lastUpdated": "2026-11-12T09:30:00.000+00:00",
        "source": "#kq3Zf1TtWwYx0bEo",
        "profile": [f"http://hl7.org/fhir/us/core/StructureDefinition/{profile}"],
    }


def _patient() -> dict[str, Any]:
    return {
        "resourceType": "Patient",
        "id": PATIENT,
        "meta": _meta("us-core-patient"),
        "identifier": [
            {"use": "usual", "system": "https://ehr.example.org/ids/mrn", "value": "SYNTHETIC-0001"},
            {"use": "secondary", "system": "https://ehr.example.org/ids/other", "value": "SYNTHETIC-0001-B"},
        ],
        "active": True,
        "name": [{"use": "official", "family": "Synthetic", "given": ["Bench", "Mark"]}],
        "gender": "female",
        "birthDate": "1958-03-04",
        "address": [{"use": "home", "line": ["1 Example Street"], "city": "Exampletown", "country": "XX"}],
    }


def _observation(rng: random.Random, number: int) -> dict[str, Any]:
    code, display, unit, first = _LABS[number % len(_LABS)]
    round_number = number // len(_LABS)
    taken = datetime(2026, 11, 12, 8, tzinfo=UTC) - timedelta(days=9 * round_number)
    value = float(first) if round_number == 0 else round(float(first) * rng.uniform(0.85, 1.05), 1)
    stamp = taken.isoformat()
    return {
        "resourceType": "Observation",
        "id": f"obs-{number:05d}",
        "meta": _meta("us-core-observation-lab"),
        "extension": [
            {"url": "https://ehr.example.org/ext/order-priority", "valueString": "routine"},
            {
                "url": "https://ehr.example.org/ext/specimen-quality",
                "valueString": "satisfactory for examination",
            },
        ],
        "identifier": [
            {"use": "official", "system": "https://ehr.example.org/ids/result", "value": f"R{number:08d}"},
            {
                "use": "secondary",
                "system": "https://ehr.example.org/ids/accession",
                "value": f"A{number // 6:08d}",
            },
        ],
        "basedOn": [{"reference": f"ServiceRequest/sr-{number:05d}", "display": "Dialysis monthly panel"}],
        "status": "final",
        "category": [
            {
                "coding": [
                    {
                        "system": "http://terminology.hl7.org/CodeSystem/observation-category",
                        "code": "laboratory",
                        "display": "Laboratory",
                    }
                ],
                "text": "Laboratory",
            }
        ],
        "code": {
            "coding": [
                {"system": _LOINC, "code": code, "display": display},
                {
                    "system": "https://ehr.example.org/codes/lab",
                    "code": f"L{number % len(_LABS):03d}",
                    "display": display,
                },
            ],
            "text": display,
        },
        "subject": _SUBJECT,
        "encounter": {"reference": "Encounter/enc-1", "display": "Outpatient dialysis"},
        "effectiveDateTime": stamp,
        "issued": stamp,
        "performer": [
            {"reference": "Organization/lab-1", "display": "Example Regional Laboratory"},
            {"reference": "Practitioner/lab-7", "display": "Synthetic Technician"},
        ],
        "valueQuantity": {"value": value, "unit": unit, "system": _UCUM, "code": unit},
        "interpretation": [
            {
                "coding": [
                    {
                        "system": "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation",
                        "code": "N",
                        "display": "Normal",
                    }
                ]
            }
        ],
        "referenceRange": [
            {
                "low": {"value": 1, "unit": unit, "system": _UCUM, "code": unit},
                "high": {"value": 1000, "unit": unit, "system": _UCUM, "code": unit},
                "text": "see laboratory handbook",
            }
        ],
    }


def _condition(rng: random.Random, number: int) -> dict[str, Any]:
    icd, snomed, display = _CONDITIONS[number % len(_CONDITIONS)]
    return {
        "resourceType": "Condition",
        "id": f"cond-{number:05d}",
        "meta": _meta("us-core-condition-problems-health-concerns"),
        "clinicalStatus": {
            "coding": [
                {"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active"}
            ]
        },
        "verificationStatus": {
            "coding": [
                {"system": "http://terminology.hl7.org/CodeSystem/condition-ver-status", "code": "confirmed"}
            ]
        },
        "category": [
            {
                "coding": [
                    {
                        "system": "http://terminology.hl7.org/CodeSystem/condition-category",
                        "code": "problem-list-item",
                        "display": "Problem List Item",
                    }
                ],
                "text": "Problem List Item",
            }
        ],
        "code": {
            "coding": [
                {"system": _ICD, "code": icd, "display": display},
                {"system": _SNOMED, "code": snomed, "display": display},
            ],
            "text": display,
        },
        "subject": _SUBJECT,
        "onsetDateTime": f"20{rng.randint(10, 24)}-0{rng.randint(1, 9)}-1{rng.randint(0, 9)}",
        "recordedDate": "2024-03-02",
    }


def _medication(rng: random.Random, number: int, drug: tuple[str, str], status: str) -> dict[str, Any]:
    code, display = drug
    return {
        "resourceType": "MedicationRequest",
        "id": f"med-{number:05d}",
        "meta": _meta("us-core-medicationrequest"),
        "status": status,
        "intent": "order",
        "medicationCodeableConcept": {
            "coding": [
                {"system": _RXNORM, "code": code, "display": display},
                {
                    "system": "https://ehr.example.org/codes/drug",
                    "code": f"D{rng.randint(1000, 9999)}",
                    "display": display,
                },
            ],
            "text": display,
        },
        "subject": _SUBJECT,
        "encounter": {"reference": "Encounter/enc-1"},
        "authoredOn": "2026-11-21T10:00:00+00:00" if status == "draft" else "2026-06-02T10:00:00+00:00",
        "requester": {"reference": "Practitioner/bench", "display": "Synthetic Prescriber"},
        "dosageInstruction": [
            {
                "text": "Take 1 tablet daily",
                "timing": {
                    "repeat": {"frequency": 1, "period": 1, "periodUnit": "d"},
                    "code": {"text": "Daily"},
                },
                "route": {
                    "coding": [{"system": _SNOMED, "code": "26643006", "display": "Oral route"}],
                    "text": "Oral",
                },
                "doseAndRate": [{"doseQuantity": {"value": 1, "unit": "tablet"}}],
            }
        ],
        "dispenseRequest": {
            "validityPeriod": {"start": "2026-06-02"},
            "numberOfRepeatsAllowed": 3,
            "quantity": {"value": 30, "unit": "tablet"},
        },
    }
