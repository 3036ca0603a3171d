"""Minimal synthetic request bodies, one per hook, and prefetch that fits any service's templates.

The patient is invented: on dialysis, with a warfarin order, because that is what this project is about; any
other service may take it as a plain order of a common drug.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

PATIENT = "conform-patient"
ENCOUNTER = "conform-encounter"
DRAFT = "conform-draft"
_SUBJECT = {"reference": f"Patient/{PATIENT}"}
_READ_OR_SEARCH = re.compile(r"([A-Z][A-Za-z]+)([/?])")
_CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
_VERIFIED = "http://terminology.hl7.org/CodeSystem/condition-ver-status"

ORDER_MEMBERS = {
    "order-select": "draftOrders",
    "order-sign": "draftOrders",
    "medication-refill": "medications",
    "appointment-book": "appointments",
    "order-dispatch": "dispatchedOrders",
}
"""Hook -> the required member of its context that holds what the call is about."""


def _draft() -> dict[str, Any]:
    return {
        "resourceType": "MedicationRequest",
        "id": DRAFT,
        "status": "draft",
        "intent": "order",
        "medicationCodeableConcept": {
            "coding": [
                {
                    "system": "http://www.nlm.nih.gov/research/umls/rxnorm",
                    "code": "855332",
                    "display": "warfarin sodium 5 MG Oral Tablet",
                }
            ],
            "text": "warfarin 5 mg tablet",
        },
        "subject": _SUBJECT,
        "authoredOn": "2026-11-21",
        "dosageInstruction": [{"text": "1 tablet by mouth every day"}],
    }


def _appointment() -> dict[str, Any]:
    return {
        "resourceType": "Appointment",
        "id": DRAFT,
        "status": "proposed",
        "start": "2026-12-01T09:00:00Z",
        "end": "2026-12-01T09:30:00Z",
        "participant": [
            {"actor": _SUBJECT, "status": "accepted"},
            {"actor": {"reference": "Practitioner/conform-user"}, "status": "tentative"},
        ],
    }


def bundle(*resources: dict[str, Any], kind: str = "collection") -> dict[str, Any]:
    """A Bundle; an empty one has no `entry`, as FHIR wants it."""
    made: dict[str, Any] = {"resourceType": "Bundle", "type": kind}
    if kind == "searchset":
        made["total"] = len(resources)
    if resources:
        made["entry"] = [{"resource": resource} for resource in resources]
    return made


def _special(hook: str) -> dict[str, Any] | None:
    """The members of the context that only this hook has; None for hooks we have no body for."""
    contexts: dict[str, dict[str, Any]] = {
        "patient-view": {},
        "encounter-start": {"encounterId": ENCOUNTER},
        "encounter-discharge": {"encounterId": ENCOUNTER},
        "order-select": {
            "selections": [f"MedicationRequest/{DRAFT}"],
            "draftOrders": bundle(_draft()),
        },
        "order-sign": {"draftOrders": bundle(_draft())},
        "medication-refill": {"medications": bundle(_draft())},
        "appointment-book": {"appointments": bundle(_appointment())},
        "order-dispatch": {
            "dispatchedOrders": [f"MedicationRequest/{DRAFT}"],
            "performer": "Organization/conform-pharmacy",
        },
    }
    return contexts.get(hook)


HOOKS = (
    "order-sign",
    "order-select",
    "patient-view",
    "encounter-discharge",
    "medication-refill",
    "encounter-start",
    "appointment-book",
    "order-dispatch",
)
"""Hooks with a built-in body."""


def request_for(hook: str) -> dict[str, Any] | None:
    """A minimal request for a hook, without prefetch; None where we have none."""
    special = _special(hook)
    if special is None:
        return None
    user = {} if hook == "order-dispatch" else {"userId": "Practitioner/conform-user"}
    return {
        "hook": hook,
        "hookInstance": str(uuid.uuid4()),
        "context": {**user, "patientId": PATIENT, **special},
    }


def prefetch_for(templates: Mapping[str, Any], patient: str) -> dict[str, Any]:
    """An answer to every template: the patient, kidney failure on dialysis, else nothing found."""
    return {key: _result(query, patient) for key, query in templates.items() if isinstance(query, str)}


def _result(query: str, patient: str) -> dict[str, Any] | None:
    found = _READ_OR_SEARCH.match(query)
    if found is None:
        return None
    kind, mark = found.groups()
    if mark == "/":
        person = {"resourceType": kind, "id": patient, "gender": "female", "birthDate": "1958-05-04"}
        return person if kind == "Patient" else None
    if kind == "Condition":
        conditions = (
            ("46177005", "N18.6", "End stage renal disease"),
            ("105502003", "Z99.2", "Dependence on renal dialysis"),
        )
        return bundle(*(_condition(*each, patient) for each in conditions), kind="searchset")
    return bundle(kind="searchset")


def _condition(snomed: str, icd: str, words: str, patient: str) -> dict[str, Any]:
    return {
        "resourceType": "Condition",
        "id": f"conform-{icd.lower().replace('.', '-')}",
        "clinicalStatus": {"coding": [{"system": _CLINICAL, "code": "active"}]},
        "verificationStatus": {"coding": [{"system": _VERIFIED, "code": "confirmed"}]},
        "code": {
            "coding": [
                {"system": "http://snomed.info/sct", "code": snomed, "display": words},
                {"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": icd, "display": words},
            ],
            "text": words,
        },
        "subject": {"reference": f"Patient/{patient}"},
    }


def copy(request: Mapping[str, Any]) -> dict[str, Any]:
    """The same request as another event: a deep copy with a `hookInstance` of its own."""
    return {**deepcopy(dict(request)), "hookInstance": str(uuid.uuid4())}


def drafts(request: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The resources that the call is about, out of the Bundle of its hook."""
    context = request.get("context")
    holder = (
        context.get(ORDER_MEMBERS.get(str(request.get("hook")), "")) if isinstance(context, dict) else None
    )
    entries = holder.get("entry") if isinstance(holder, dict) else None
    resources = [e.get("resource") for e in entries or () if isinstance(e, dict)]
    return [resource for resource in resources if isinstance(resource, dict)]
