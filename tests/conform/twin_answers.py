"""What the twin says when it does everything right: every optional member is there, so that every rule has something
to look at.
"""

from __future__ import annotations

import uuid
from typing import Any

Json = dict[str, Any]
SERVICE = "twin-order-sign"
PREFETCH = {
    "patient": "Patient/{{context.patientId}}",
    "conditions": "Condition?patient={{context.patientId}}",
    "labs": "Observation?patient={{context.patientId}}&code=2000-8,2777-1&_sort=-date&_count=50",
}
REASONS = "http://terminology.hl7.org/CodeSystem/non-adherence-reason-codes"


def discovery() -> Json:
    return {
        "services": [
            {
                "id": SERVICE,
                "hook": "order-sign",
                "title": "Twin",
                "description": "Says something about every order.",
                "prefetch": dict(PREFETCH),
                "usageRequirements": "None.",
                "version": "2.0.1",
                "hookVersion": "1.0",
                "extension": {"org.example.twin": "yes"},
            }
        ]
    }


def coding(code: str) -> Json:
    return {"system": "http://example.org/codes", "code": code, "display": f"The {code}"}


def create(patient: str) -> Json:
    order = {
        "resourceType": "ServiceRequest",
        "status": "draft",
        "intent": "order",
        "code": {"text": "Calcium"},
        "subject": {"reference": f"Patient/{patient}"},
    }
    return {"type": "create", "description": "Order calcium", "resource": order}


def suggestion(label: str, action: Json, *, recommended: bool = False) -> Json:
    return {"label": label, "uuid": str(uuid.uuid4()), "isRecommended": recommended, "actions": [action]}


def card(request: Json) -> Json:
    """A card with every optional member, so that every rule has something to look at."""
    patient = request["context"]["patientId"]
    draft = request["context"]["draftOrders"]["entry"][0]["resource"]
    suggestions = [
        suggestion("Order calcium", create(patient), recommended=True),
        suggestion(
            "Drop it",
            {"type": "delete", "description": "Drop it", "resourceId": f"MedicationRequest/{draft['id']}"},
        ),
    ]
    if "intent" in draft and "category" not in draft:
        update = {"type": "update", "description": "Change it", "resource": {**draft, "priority": "urgent"}}
        suggestions.append(suggestion("Change it", update))
    return {
        "uuid": str(uuid.uuid4()),
        "summary": "Think about this order",
        "indicator": "warning",
        "detail": "**Why:** see <https://example.org/why>.",
        "source": {
            "label": "Twin",
            "url": "https://example.org/twin",
            "icon": "https://example.org/twin.png",
            "topic": coding("topic"),
        },
        "suggestions": suggestions,
        "selectionBehavior": "at-most-one",
        "overrideReasons": [{**coding("cds-not-applicable"), "system": REASONS}],
        "links": [
            {
                "label": "Guideline",
                "type": "absolute",
                "url": "https://example.org/guideline",
                "autolaunchable": False,
            },
            {"label": "App", "type": "smart", "url": "https://example.org/app", "appContext": "x"},
        ],
        "extension": {"org.example.twin": 1},
    }


def answer(request: Json) -> Json:
    patient = request["context"]["patientId"]
    return {"cards": [card(request)], "systemActions": [create(patient)]}
