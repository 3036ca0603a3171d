"""Descriptions for the OpenAPI document: what each operation takes and answers, with examples that are tested."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

from cds_service.openapi_schemas import CARDS, FEEDBACK, OUTCOME, REQUEST, SERVICES, TRACE, Schema

Described = dict[str, Any]

EXAMPLES: dict[str, Any] = json.loads(
    files("cds_service").joinpath("openapi_examples.json").read_text("utf-8")
)
"""A call, its answer, feedback on it, and a refusal. Written by the test that checks them."""

_EXAMPLE_OF = 400
_MEANING = {
    400: "The body is not such a call; orders are missing from the context; or data of another patient came along",
    401: "No token, or one that is not good. The answer is the same whatever the cause",
    404: "There is no such service",
    408: "The body did not arrive in time",
    412: "Nothing at all could be checked: the problem list or the orders could not be read, or they are FHIR DSTU2",
    413: "The body is too large",
    415: "The body is compressed",
    429: "Too many calls of this client; `Retry-After` says when to come back",
    500: "An error of ours; never an empty answer instead",
    503: "Too many calls at once, or the store is away; `Retry-After` says when to come back",
}


def _json(description: str, schema: Schema, media: str = "application/json", **examples: Any) -> Described:
    content: Described = {"schema": schema}
    if examples:
        content["examples"] = {name: {"value": value} for name, value in examples.items()}
    return {"description": description, "content": {media: content}}


def _body(schema: Schema, **examples: Any) -> Described:
    described = _json("", schema, **examples)
    return {"required": True, "content": described["content"]}


def _described(summary: str, ok: Described, *errors: int, body: Described | None = None) -> Described:
    responses: Described = {"200": ok}
    for status in errors:
        examples = {"orders-withheld": EXAMPLES["refusal"]} if status == _EXAMPLE_OF else {}
        responses[str(status)] = _json(_MEANING[status], OUTCOME, "application/fhir+json", **examples)
    described: Described = {"summary": summary, "responses": responses}
    if body is not None:
        described["requestBody"] = body
    return described


_ANY: Schema = {"type": "object"}
_CALL_ERRORS = (400, 401, 404, 408, 412, 413, 415, 429, 500, 503)
_REQUEST = _body(REQUEST, warfarin=EXAMPLES["call"])

OPERATIONS: dict[str, Described] = {
    "discovery": _described("CDS Hooks discovery", _json("The services", SERVICES), 401, 429, 503),
    "call": _described(
        "Call a service",
        _json("Cards, possibly none", CARDS, warfarin=EXAMPLES["cards"]),
        *_CALL_ERRORS,
        body=_REQUEST,
    ),
    "explain": _described(
        "Why a card did or did not appear (development only)",
        _json("Facts, outcomes, gaps, what was dropped, and the cards", TRACE),
        *_CALL_ERRORS,
        body=_REQUEST,
    ),
    "feedback": _described(
        "Feedback on cards, acknowledged once it is durable",
        {"description": "Kept. No body"},
        *(status for status in _CALL_ERRORS if status != 412),  # noqa: PLR2004 - 412 is about data
        body=_body(FEEDBACK, both=EXAMPLES["feedback"]),
    ),
    "health": _described("The process is alive", _json("Alive", _ANY)),
    "ready": _described("Configuration, store and rules are in order", _json("Ready", _ANY)),
    "metrics": _described("Prometheus metrics", {"description": "text", "content": {"text/plain": {}}}),
}
OPERATIONS["ready"]["responses"]["503"] = _json("Not ready, and why", _ANY)
