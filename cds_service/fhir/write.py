"""FHIR resources we put on the wire, built and validated with `fhir.resources` (R4B).

Suggested orders are validated once per client at start-up; a call only fills in patient, encounter and
date, so that model validation (about 0.25 ms a resource) stays off the hot path.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from fhir.resources.R4B import get_fhir_model_class

_LABORATORY = {
    "coding": [{"system": "http://snomed.info/sct", "code": "108252007", "display": "Laboratory procedure"}]
}


@dataclass(frozen=True, slots=True)
class OrderTemplate:
    """A draft ServiceRequest that was validated with placeholders."""

    body: dict[str, Any]

    def fill(self, patient_id: str, encounter_id: str | None, authored_on: str) -> dict[str, Any]:
        """The order for one patient; ids must have been checked as FHIR ids before."""
        resource = {**self.body, "subject": {"reference": f"Patient/{patient_id}"}, "authoredOn": authored_on}
        if encounter_id is not None:
            resource["encounter"] = {"reference": f"Encounter/{encounter_id}"}
        return resource


def order_template(system: str, code: str, display: str, *, laboratory: bool) -> OrderTemplate:
    """A draft order for one coding.

    Raises:
        ValueError: the result would not be a valid R4B ServiceRequest.
    """
    body: dict[str, Any] = {
        "resourceType": "ServiceRequest",
        "status": "draft",
        "intent": "order",
        "code": {"coding": [{"system": system, "code": code, "display": display}], "text": display},
    }
    if laboratory:
        body["category"] = [_LABORATORY]
    template = OrderTemplate(body)
    validated("ServiceRequest", template.fill("example", "example", "2026-01-01T00:00:00Z"))
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
