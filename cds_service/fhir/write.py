"""FHIR resources we put on the wire, built and validated with `fhir.resources` (R4B).

Suggested orders are validated once per client at start-up; a call only fills in patient, encounter and
date, so that model validation (about 0.25 ms a resource) stays off the hot path.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from fhir.resources import get_fhir_model_class as r5_model
from fhir.resources.R4B import get_fhir_model_class
from fhir.resources.STU3 import get_fhir_model_class as stu3_model

_MODELS = {"STU3": stu3_model, "R4": get_fhir_model_class, "R4B": get_fhir_model_class, "R5": r5_model}
_LABORATORY = {
    "coding": [{"system": "http://snomed.info/sct", "code": "108252007", "display": "Laboratory procedure"}]
}


@dataclass(frozen=True, slots=True)
class OrderTemplate:
    """A draft ServiceRequest (STU3: ProcedureRequest) that was validated with placeholders."""

    body: dict[str, Any]
    visit: str = "encounter"
    """Member for the encounter; STU3 calls it context."""

    def fill(self, patient_id: str, encounter_id: str | None, authored_on: str) -> dict[str, Any]:
        """The order for one patient; ids must have been checked as FHIR ids before."""
        resource = {**self.body, "subject": {"reference": f"Patient/{patient_id}"}, "authoredOn": authored_on}
        if encounter_id is not None:
            resource[self.visit] = {"reference": f"Encounter/{encounter_id}"}
        return resource


# Services of one client share their catalogue.
@lru_cache(maxsize=256)
def order_template(
    system: str, code: str, display: str, *, laboratory: bool, fhir_version: str = "R4"
) -> OrderTemplate:
    """A draft order for one coding, written in the client's FHIR version.

    Raises:
        ValueError: the result would not be valid in that version.
    """
    stu3 = fhir_version == "STU3"
    concept = {"coding": [{"system": system, "code": code, "display": display}], "text": display}
    body: dict[str, Any] = {
        "resourceType": "ProcedureRequest" if stu3 else "ServiceRequest",
        "status": "draft",
        "intent": "order",
        "code": {"concept": concept} if fhir_version == "R5" else concept,
    }
    if laboratory:
        body["category"] = [_LABORATORY]
    template = OrderTemplate(body, "context" if stu3 else "encounter")
    example = template.fill("example", "example", "2026-01-01T00:00:00Z")
    _MODELS[fhir_version](body["resourceType"]).model_validate(example)
    return template


def validated(resource_type: str, body: dict[str, Any]) -> dict[str, Any]:
    """`body`, after R4B validation.

    Raises:
        ValueError: the resource is not valid (pydantic's ValidationError is a ValueError).
    """
    get_fhir_model_class(resource_type).model_validate(body)
    return body


@lru_cache(maxsize=256)
def operation_outcome(issue: str, code: str, diagnostics: str) -> bytes:
    """An OperationOutcome; `diagnostics` is one of our own sentences, never text of the request."""
    body = {
        "resourceType": "OperationOutcome",
        "issue": [
            {
                "severity": "error",
                "code": issue,
                "details": {"coding": [{"system": "urn:calciphylaxis-cds:error", "code": code}]},
                "diagnostics": diagnostics,
            }
        ],
    }
    return json.dumps(validated("OperationOutcome", body)).encode()
