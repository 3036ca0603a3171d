"""Descriptions for the OpenAPI document. Hook bodies are read raw, so their schemas are written here."""

from __future__ import annotations

from typing import Any

_OUTCOME = {
    "description": "OperationOutcome",
    "content": {"application/fhir+json": {"schema": {"type": "object"}}},
}
_REQUEST = {
    "required": True,
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "required": ["hook", "hookInstance", "context"],
                "properties": {
                    "hook": {"type": "string", "example": "order-sign"},
                    "hookInstance": {"type": "string", "format": "uuid"},
                    "fhirServer": {"type": "string", "format": "uri"},
                    "fhirAuthorization": {
                        "type": "object",
                        "properties": {
                            "access_token": {"type": "string"},
                            "token_type": {"type": "string", "example": "Bearer"},
                            "expires_in": {"type": "integer"},
                            "scope": {"type": "string"},
                            "subject": {"type": "string"},
                        },
                    },
                    "context": {
                        "type": "object",
                        "required": ["patientId"],
                        "properties": {
                            "userId": {"type": "string", "example": "Practitioner/example"},
                            "patientId": {"type": "string"},
                            "encounterId": {"type": "string"},
                            "selections": {"type": "array", "items": {"type": "string"}},
                            "draftOrders": {
                                "type": "object",
                                "description": "Bundle (order-sign, order-select)",
                            },
                            "medications": {"type": "object", "description": "Bundle (medication-refill)"},
                        },
                    },
                    "prefetch": {
                        "type": "object",
                        "description": "Results of the templates in discovery, under any key; null means none found",
                        "additionalProperties": {"type": "object", "nullable": True},
                    },
                },
            }
        }
    },
}
_CARDS = {
    "description": "Cards, possibly none",
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "required": ["cards"],
                "properties": {
                    "cards": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "required": ["summary", "indicator", "source"],
                            "properties": {
                                "uuid": {"type": "string", "format": "uuid"},
                                "summary": {"type": "string", "maxLength": 139},
                                "indicator": {"type": "string", "enum": ["info", "warning", "critical"]},
                                "detail": {"type": "string", "description": "GitHub Flavored Markdown"},
                                "source": {"type": "object"},
                                "suggestions": {"type": "array", "items": {"type": "object"}},
                                "selectionBehavior": {"type": "string", "enum": ["any", "at-most-one"]},
                                "overrideReasons": {"type": "array", "items": {"type": "object"}},
                                "links": {"type": "array", "items": {"type": "object"}},
                            },
                        },
                    }
                },
            }
        }
    },
}


def _described(
    summary: str, ok: dict[str, Any], *errors: int, body: dict[str, Any] | None = None
) -> dict[str, Any]:
    responses: dict[str, Any] = {"200": ok, **{str(status): _OUTCOME for status in errors}}
    described: dict[str, Any] = {"summary": summary, "responses": responses}
    if body is not None:
        described["requestBody"] = body
    return described


_FEEDBACK = {
    "required": True,
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "required": ["feedback"],
                "properties": {
                    "feedback": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "required": ["card", "outcome"],
                            "properties": {
                                "card": {"type": "string"},
                                "outcome": {"type": "string", "enum": ["accepted", "overridden"]},
                                "acceptedSuggestions": {"type": "array", "items": {"type": "object"}},
                                "overrideReason": {"type": "object"},
                                "outcomeTimestamp": {"type": "string", "format": "date-time"},
                            },
                        },
                    }
                },
            }
        }
    },
}
_PLAIN = {"description": "JSON", "content": {"application/json": {"schema": {"type": "object"}}}}

OPERATIONS: dict[str, dict[str, Any]] = {
    "discovery": _described("CDS Hooks discovery", _PLAIN, 401),
    "call": _described("Call a service", _CARDS, 400, 401, 404, 412, 413, 415, 500, 503, body=_REQUEST),
    "explain": _described("Why a card did or did not appear", _PLAIN, 400, 404, 412, 413, body=_REQUEST),
    "feedback": _described("Feedback on cards", _PLAIN, 400, 401, 404, 413, 503, body=_FEEDBACK),
    "health": _described("The process is alive", _PLAIN),
    "ready": _described("Configuration, store and rules are in order", _PLAIN, 503),
    "metrics": _described("Prometheus metrics", {"description": "text", "content": {"text/plain": {}}}),
}
