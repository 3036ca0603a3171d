"""JSON Schemas of what goes over the wire. Bodies are read raw, so nothing derives these; tests hold them to it.

Requests are described as CDS Hooks has them. What is read is more tolerant: see `fixtures/quirks`.
"""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]

_UUID: Schema = {"type": "string", "format": "uuid"}
_URL: Schema = {"type": "string", "format": "uri"}
_TEXT: Schema = {"type": "string", "minLength": 1}


def _object(required: str, *, closed: bool = True, **properties: Schema) -> Schema:
    """An object; `required` names members, separated by blanks; `closed` allows no others."""
    found: Schema = {"type": "object", "required": required.split(), "properties": properties}
    return found | {"additionalProperties": False} if closed else found


def _list(items: Schema, **limits: int) -> Schema:
    return {"type": "array", "items": items, **limits}


def _resource(*types: str, description: str) -> Schema:
    kind: Schema = {"enum": list(types)} if types else _TEXT
    return _object("resourceType", closed=False, resourceType=kind) | {"description": description}


_CODING = _object("system code display", system=_TEXT, code=_TEXT, display=_TEXT)
_BUNDLE = _resource("Bundle", description="the draft orders, each as a resource of an entry")

REQUEST = _object(
    "hook hookInstance context",
    closed=False,
    hook={
        "enum": ["order-sign", "order-select", "patient-view", "encounter-discharge", "medication-refill"],
        "description": "must be the hook of the service called",
    },
    hookInstance=_UUID | {"description": "opaque; any text is taken"},
    fhirServer=_URL | {"description": "read only if it is the base in the client's profile"},
    fhirAuthorization=_object(
        "access_token token_type expires_in scope subject",
        closed=False,
        access_token=_TEXT | {"description": "used for this call, never kept"},
        token_type={"const": "Bearer"},
        expires_in={"type": "integer", "description": "seconds"},
        scope={"type": "string"},
        subject={"type": "string"},
        patient={"type": "string"},
    ),
    context=_object(
        "patientId",
        closed=False,
        userId={
            "type": "string",
            "description": "Practitioner/1 or PractitionerRole/1; a Patient or RelatedPerson gets no cards",
        },
        patientId={"type": "string", "pattern": r"^(Patient/)?[A-Za-z0-9.\-]{1,256}$"},
        encounterId={"type": "string"},
        selections=_list({"type": "string"})
        | {"description": "order-select: the orders just chosen, Type/id"},
        draftOrders=_BUNDLE | {"description": "order-sign and order-select: required"},
        medications=_BUNDLE | {"description": "medication-refill: required"},
    ),
    prefetch={
        "type": "object",
        "description": "answers to the templates of discovery, under any key; null: looked, there is none",
        "additionalProperties": {"type": ["object", "null"]},
    },
    extension={"type": "object", "description": "ignored"},
)

_ACTION = {
    "oneOf": [
        _object(
            "type description resourceId",
            type={"const": "delete"},
            description=_TEXT,
            resourceId=_TEXT | {"description": "a draft of this very request, Type/id"},
        ),
        _object(
            "type description resource",
            type={"const": "create"},
            description=_TEXT,
            resource=_resource(
                "ServiceRequest", "ProcedureRequest", description="a draft; ProcedureRequest for STU3 clients"
            ),
        ),
    ]
}
_SUGGESTION = _object(
    "label uuid actions",
    label=_TEXT,
    uuid=_UUID,
    actions=_list(_ACTION, minItems=1),
    isRecommended={"type": "boolean"},
)
_LINK = _object(
    "label url type",
    label=_TEXT,
    url=_URL,
    type={"enum": ["absolute", "smart"]},
    appContext={"type": "string"},
)
CARD = _object(
    "uuid summary indicator source",
    uuid=_UUID,
    summary=_TEXT | {"maxLength": 139},
    indicator={"enum": ["info", "warning", "critical"]},
    detail=_TEXT | {"description": "GitHub Flavored Markdown, or plain text where the profile says so"},
    source=_object(
        "label topic",
        label=_TEXT,
        url=_URL,
        topic=_CODING | {"description": "rule and severity: what an override in the EHR is tied to"},
    ),
    suggestions=_list(_SUGGESTION, minItems=1, maxItems=6),
    selectionBehavior={"enum": ["any", "at-most-one"]},
    overrideReasons=_list(_CODING, minItems=1, maxItems=6),
    links=_list(_LINK, minItems=1),
) | {"dependentRequired": {"suggestions": ["selectionBehavior"]}}
CARDS = _object("cards", cards=_list(CARD, maxItems=3))

SERVICES = _object(
    "services",
    services=_list(
        _object(
            "hook title description id prefetch usageRequirements version",
            hook=_TEXT,
            title=_TEXT,
            description=_TEXT,
            id={"type": "string", "pattern": "^[a-z0-9-]+$"},
            prefetch={"type": "object", "additionalProperties": _TEXT, "minProperties": 1},
            usageRequirements=_TEXT,
            version=_TEXT | {"description": "of the CDS Hooks specification"},
            extension={"type": "object"},
        )
    ),
)

_REASON = _object(
    "",
    closed=False,
    reason=_object("code", closed=False, code=_TEXT, system={"type": "string"}, display={"type": "string"}),
    userComment={"type": "string", "description": "kept apart; exported only on request"},
)
FEEDBACK = _object(
    "feedback",
    closed=False,
    feedback=_list(
        _object(
            "card outcome",
            closed=False,
            card=_TEXT | {"description": "uuid of the card"},
            outcome={"enum": ["accepted", "overridden"]},
            acceptedSuggestions=_list(_object("id", closed=False, id=_TEXT)),
            overrideReason=_REASON,
            overrideReasons={"anyOf": [_REASON, _list(_REASON)], "description": "the spelling of Epic"},
            outcomeTimestamp={"type": "string", "format": "date-time"},
        ),
        maxItems=1000,
    ),
)

_FINDING = _object(
    "text answer because sources",
    closed=False,
    text=_TEXT,
    answer={"type": "string"},
    because={"type": "string"},
    sources=_list({"type": "string"}),
)
TRACE = _object(
    "facts outcomes gaps dropped cards",
    closed=False,
    facts={"type": "object"},
    outcomes=_list(
        _object(
            "rule version mode outcome findings",
            closed=False,
            rule=_TEXT,
            version=_TEXT,
            mode={"enum": ["live", "shadow", "off"]},
            outcome={"enum": ["fires", "clear", "cannot-assess", "not-triggered", "suppressed"]},
            indicator={"enum": ["info", "warning", "critical", None]},
            findings=_list(_FINDING),
        )
    ),
    gaps={"type": "array"},
    dropped={"type": "array"},
    cards=_list(CARD, maxItems=3),
)

OUTCOME = _object(
    "resourceType issue",
    resourceType={"const": "OperationOutcome"},
    issue=_list(
        _object(
            "severity code details diagnostics",
            severity={"const": "error"},
            code=_TEXT,
            details={"type": "object"},
            diagnostics=_TEXT | {"description": "our own words, never what was sent"},
        ),
        minItems=1,
    ),
)
