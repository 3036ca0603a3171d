"""Calls to one service: complete, incomplete, odd and broken ones."""

from __future__ import annotations

from typing import Any

from cds_service.conform import variants
from cds_service.conform.bodies import copy, prefetch_for, request_for
from cds_service.conform.desk import JSON, Desk
from cds_service.conform.observed import Entry, Observed, Seen
from cds_service.conform.variants import Change, fresh

LATENCY_SAMPLES = 5
SANDBOX_SCOPES = "patient/*.* user/*.* launch openid profile online_access"

VARIANTS: dict[str, Change] = {
    "no-hook": variants.without("hook"),
    "no-instance": variants.without("hookInstance"),
    "no-context": variants.without("context"),
    "no-patient": variants.without("context", "patientId"),
    "no-orders": variants.without_orders,
    "no-prefetch": variants.without("prefetch"),
    "wrong-hook": variants.wrong_hook,
    "odd-instance": variants.odd_instance,
    "unknown-members": variants.unknown_members,
    "extension": variants.extended,
    "scope-v1": variants.scoped("user/*.read"),
    "scope-v2": variants.scoped("user/Observation.rs patient/Condition.rs?category=problem-list-item"),
    "scope-sandbox": variants.scoped(SANDBOX_SCOPES),
    "partial-authorization": variants.partial_authorization,
    "hostile-text": variants.hostile,
    "other-patient": variants.other_patient,
    "sandbox-draft": variants.sandbox_draft,
    "undecided-draft": variants.undecided_draft,
    **{name: variants.in_state(state) for name, state in variants.STATES.items()},
    "prefetch-partial": variants.first_key_only,
}
"""Name of the probe -> how it changes a complete request."""

CONTENT_TYPES = {
    "type-charset": {"Content-Type": "application/json; charset=utf-8"},
    "type-fhir": {"Content-Type": "application/fhir+json"},
    "type-text": {"Content-Type": "text/plain"},
    "type-none": {},
}


def complete_request(observed: Observed, entry: Entry) -> dict[str, Any] | None:
    """The request of this run for a service: the user's, else the built-in one; with all its prefetch."""
    given = [
        request
        for service, request in observed.options.requests()
        if request["hook"] == entry.hook and service in (None, entry.id)
    ]
    request = copy(given[0]) if given else request_for(entry.hook)
    if request is None or not isinstance(request.get("context"), dict):
        return None
    templates = entry.value.get("prefetch")
    if isinstance(templates, dict) and "prefetch" not in request:
        patient = str(request["context"].get("patientId", ""))
        made = prefetch_for(templates, patient)
        request = {**request, **({"prefetch": made} if made else {})}
    return request


def run(desk: Desk, entry: Entry, request: dict[str, Any]) -> None:
    """Every call that needs no server of ours."""
    first = desk.call("complete", entry, request)
    # The same event once more, as a gateway's retry or a second display of it.
    desk.call("repeat", entry, request)
    for _ in range(LATENCY_SAMPLES):
        desk.call("latency", entry, copy(request))
    for _, other in desk.observed.options.requests():
        if other["hook"] == entry.hook:
            desk.call("given", entry, other)
    for probe, change in VARIANTS.items():
        changed = fresh(request, change)
        if changed is not None:
            desk.call(probe, entry, changed)
    _content_types(desk, entry, request)
    _broken(desk, entry, request)
    _elsewhere(desk, entry, first)


def _content_types(desk: Desk, entry: Entry, request: dict[str, Any]) -> None:
    for probe, headers in CONTENT_TYPES.items():
        url = desk.url(entry.id)
        desk.call(probe, entry, copy(request), headers={**headers, **desk.credentials(url)})


def _broken(desk: Desk, entry: Entry, request: dict[str, Any]) -> None:
    broken = {
        "malformed": variants.cut(request),
        "nan": variants.with_nan(copy(request)),
        "array": b"[]",
        "empty-body": b"",
    }
    for probe, body in broken.items():
        desk.call(probe, entry, request, body=body)


def _elsewhere(desk: Desk, entry: Entry, first: Seen) -> None:
    """A wrong method and a service that does not exist."""
    url = desk.url(entry.id)
    answer = desk.exchange("GET", url, headers=desk.credentials(url))
    desk.note(Seen("get-on-service", "other", entry.id, answer))
    url = desk.url("conform-no-such-service")
    body = variants.encoded(first.sent or {})
    answer = desk.exchange("POST", url, headers={**JSON, **desk.credentials(url)}, body=body)
    desk.note(Seen("unknown-service", "other", entry.id, answer))
