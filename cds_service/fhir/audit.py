"""One invocation as a FHIR R4B AuditEvent: who asked, about whom, when, which rules ran, what came of it.

Modelled on the IHE profile "Basic Audit Log Patterns" (agents for both systems and the user, the patient as an
entity) from memory, so it is not declared in `meta.profile`: a CDS Hooks call is no RESTful interaction. People are
named by keyed hashes only.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from cds_service.fhir.write import validated

_DICOM = "http://dicom.nema.org/resources/ontology/DCM"
_ENTITY_TYPE = "http://terminology.hl7.org/CodeSystem/audit-entity-type"
_ROLE = "http://terminology.hl7.org/CodeSystem/object-role"
_OURS = "urn:calciphylaxis-cds"
_HASHED = f"{_OURS}:hashed-identifier"
# AuditEvent.outcome: 0 success, 4 minor failure (the caller's), 8 serious failure (ours).
_SUCCESS, _MINOR, _SERIOUS = "0", "4", "8"
_CLIENT_ERROR, _SERVER_ERROR = 400, 500


def audit_event(
    *,
    id: str,  # noqa: A002 - named as the element is
    recorded: str,
    client: str,
    service: str,
    hook: str,
    status: int,
    user: str | None,
    patient: str | None,
    rules: Sequence[str],
    cards: Sequence[str],
    gaps: Sequence[str],
    configuration: str,
    version: str,
) -> dict[str, Any]:
    """The AuditEvent, validated.

    Args:
        id: of the record.
        recorded: instant, ISO 8601 with zone.
        client: id of the client profile.
        service: id of the service called.
        hook: name of the hook.
        status: HTTP status of the answer.
        user: keyed hash of the user's reference.
        patient: keyed hash of the patient's id.
        rules: one line for each rule: id, version, mode, outcome, indicator.
        cards: one line for each card returned: uuid and topic.
        gaps: what could not be read.
        configuration: hash of the configuration in force.
        version: of this software.

    Raises:
        ValueError: the resource is not a valid R4B AuditEvent.
    """
    details = [
        _detail("configuration", configuration),
        *(_detail("rule", line) for line in rules),
        *(_detail("card", line) for line in cards),
        *(_detail("gap", line) for line in gaps),
    ]
    body = {
        "resourceType": "AuditEvent",
        "id": id,
        "type": {"system": _DICOM, "code": "110112", "display": "Query"},
        "subtype": [{"system": f"{_OURS}:hook", "code": hook}],
        "action": "E",
        "recorded": recorded,
        "outcome": _outcome(status),
        "agent": list(_agents(client, service, user)),
        "source": {
            "observer": {"identifier": {"system": f"{_OURS}:service", "value": service}},
            "type": [
                {
                    "system": "http://terminology.hl7.org/CodeSystem/security-source-type",
                    "code": "4",
                    "display": "Application Server",
                }
            ],
        },
        "entity": [
            *([_patient(patient)] if patient is not None else []),
            {
                "type": {"system": _ENTITY_TYPE, "code": "2", "display": "System Object"},
                "role": {"system": _ROLE, "code": "24", "display": "Query"},
                "name": f"CDS Hooks {hook}, cds-service {version}",
                "detail": details,
            },
        ],
    }
    return validated("AuditEvent", body)


def _outcome(status: int) -> str:
    if status >= _SERVER_ERROR:
        return _SERIOUS
    return _MINOR if status >= _CLIENT_ERROR else _SUCCESS


def _agents(client: str, service: str, user: str | None) -> Iterator[dict[str, Any]]:
    yield {
        "type": {"coding": [{"system": _DICOM, "code": "110153", "display": "Source Role ID"}]},
        "who": {"identifier": {"system": f"{_OURS}:client", "value": client}},
        "requestor": user is None,
    }
    yield {
        "type": {"coding": [{"system": _DICOM, "code": "110152", "display": "Destination Role ID"}]},
        "who": {"identifier": {"system": f"{_OURS}:service", "value": service}},
        "requestor": False,
    }
    if user is not None:
        participant = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
        yield {
            "type": {"coding": [{"system": participant, "code": "IRCP", "display": "information recipient"}]},
            "who": {"identifier": {"system": _HASHED, "value": user}},
            "requestor": True,
        }


def _patient(hashed: str) -> dict[str, Any]:
    return {
        "what": {"type": "Patient", "identifier": {"system": _HASHED, "value": hashed}},
        "type": {"system": _ENTITY_TYPE, "code": "1", "display": "Person"},
        "role": {"system": _ROLE, "code": "1", "display": "Patient"},
    }


def _detail(kind: str, value: str) -> dict[str, str]:
    return {"type": kind, "valueString": value}
