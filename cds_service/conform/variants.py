"""One request in many forms: what clients leave out, add, or get wrong. Each variant changes one thing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from cds_service.conform.bodies import ORDER_MEMBERS, bundle, copy, drafts

HOSTILE = "<img src=x onerror=conform()>"
"""Harmless here, a script in a page that renders it."""
_NAN = '"@@conform-nan@@"'
_HUMAN = ("text", "display", "family")
Change = Callable[[dict[str, Any]], dict[str, Any] | None]
"""Request in, changed request out; None where the variant does not apply."""


def without(*path: str) -> Change:
    """The request without one member."""

    def change(request: dict[str, Any]) -> dict[str, Any] | None:
        holder = request
        for name in path[:-1]:
            holder = holder[name]
        return request if holder.pop(path[-1], None) is not None else None

    return change


def without_orders(request: dict[str, Any]) -> dict[str, Any] | None:
    """Without the orders, as an EHR sends it for a URL that is not registered exactly."""
    member = ORDER_MEMBERS.get(request["hook"])
    return without("context", member)(request) if member else None


def wrong_hook(request: dict[str, Any]) -> dict[str, Any]:
    return {**request, "hook": "conform-no-such-hook"}


def odd_instance(request: dict[str, Any]) -> dict[str, Any]:
    return {**request, "hookInstance": f"Event {request['hookInstance']}"}


def unknown_members(request: dict[str, Any]) -> dict[str, Any]:
    context = {**request["context"], "conformUnknown": {"deep": [1, "two", None]}}
    return {**request, "context": context, "conformUnknown": ["anything"]}


def extended(request: dict[str, Any]) -> dict[str, Any]:
    extension = {"org.example.conform.flag": True, "org.example.conform.value": {"a": 1}}
    return {**request, "extension": extension}


def authorization(token: str) -> dict[str, Any]:
    """A complete `fhirAuthorization`."""
    return {
        "access_token": token,
        "token_type": "Bearer",  # nosec B105 - the name of a scheme
        "expires_in": 300,
        "scope": "user/*.read patient/*.read",
        "subject": "conform-client",
    }


def scoped(scope: str) -> Change:
    """Access to a server that cannot be reached, in one spelling of SMART scopes, without `patient`."""

    def change(request: dict[str, Any]) -> dict[str, Any]:
        granted = {**authorization("conform-scope"), "scope": scope}
        # Port 9 is the discard service: nothing listens there.
        return {**request, "fhirServer": "http://127.0.0.1:9/fhir", "fhirAuthorization": granted}

    return change


def partial_authorization(request: dict[str, Any]) -> dict[str, Any]:
    """`fhirAuthorization` with nothing a client could use it with."""
    return {**request, "fhirAuthorization": {"token_type": "Bearer"}}  # nosec B105 - the name of a scheme


def hostile(request: dict[str, Any]) -> dict[str, Any]:
    """Every human-readable text carries markup."""
    changed: dict[str, Any] = _spiked(request)
    return changed


def _spiked(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: f"{part} {HOSTILE}" if name in _HUMAN and isinstance(part, str) else _spiked(part)
            for name, part in value.items()
        }
    return [_spiked(part) for part in value] if isinstance(value, list) else value


def other_patient(request: dict[str, Any]) -> dict[str, Any] | None:
    """The drafts are about somebody else than `context.patientId`."""
    found = [draft for draft in drafts(request) if "subject" in draft]
    for draft in found:
        draft["subject"] = {"reference": "Patient/conform-somebody-else"}
    return request if found else None


def sandbox_draft(request: dict[str, Any]) -> dict[str, Any] | None:
    """An order as the CDS Hooks Sandbox sends it: untyped Bundle, `category` as an object."""
    found = drafts(request)
    if not found or request["hook"] not in ("order-sign", "order-select"):
        return None
    request["context"]["draftOrders"].pop("type", None)
    for draft in found:
        draft["category"] = {"coding": [{"code": "outpatient"}]}
    return request


def undecided_draft(request: dict[str, Any]) -> dict[str, Any] | None:
    """The Sandbox's draft before a drug is chosen: neither medication nor intent."""
    found = drafts(request)
    if not found or request["hook"] not in ("order-sign", "order-select"):
        return None
    for draft in found:
        for name in ("medicationCodeableConcept", "intent", "dosageInstruction"):
            draft.pop(name, None)
    return request


# --- prefetch states: each takes the value that a good client would send for a key


def _is_bundle(value: Any) -> bool:
    return isinstance(value, dict) and value.get("resourceType") == "Bundle"


def _resources(value: dict[str, Any]) -> list[dict[str, Any]]:
    return [entry["resource"] for entry in _entries(value) if isinstance(entry, dict) and "resource" in entry]


def _entries(value: dict[str, Any]) -> list[Any]:
    found = value.get("entry")
    return found if isinstance(found, list) else []


_OUTCOME = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception"}]}
_EMPTY = bundle(kind="searchset")
NEXT = "http://conform.invalid/fhir?page=2"

STATES: dict[str, Callable[[Any], Any]] = {
    "prefetch-null": lambda _: None,
    "prefetch-empty-bundle": lambda value: _EMPTY if _is_bundle(value) else value,
    "prefetch-next-link": lambda value: with_next(value, NEXT),
    "prefetch-collection": lambda value: {**value, "type": "collection"} if _is_bundle(value) else value,
    "prefetch-bare": lambda value: next(iter(_resources(value)), None) if _is_bundle(value) else value,
    "prefetch-outcome": lambda _: _OUTCOME,
    "prefetch-outcome-entry": lambda value: (
        {**_EMPTY, "entry": [{"resource": _OUTCOME, "search": {"mode": "outcome"}}]}
        if _is_bundle(value)
        else value
    ),
    "prefetch-mixed": lambda value: (
        {**value, "entry": [*_entries(value), {"resource": {"resourceType": "Basic", "id": "b"}}, {}]}
        if _is_bundle(value)
        else value
    ),
    "prefetch-wrapper": lambda value: {"response": {"status": "200 OK"}, "resource": value},
    "prefetch-wrong-type": lambda _: "conform",
}
"""Name of the probe -> what it puts in the place of a good value."""


def with_next(value: Any, url: str) -> Any:
    """A Bundle that says there is another page."""
    return {**value, "link": [{"relation": "next", "url": url}]} if _is_bundle(value) else value


def in_state(state: Callable[[Any], Any]) -> Change:
    """Every prefetch value in one state."""

    def change(request: dict[str, Any]) -> dict[str, Any] | None:
        given = request.get("prefetch")
        return {**request, "prefetch": {key: state(value) for key, value in given.items()}} if given else None

    return change


def first_key_only(request: dict[str, Any]) -> dict[str, Any] | None:
    """All prefetch but one search is missing."""
    given = request.get("prefetch") or {}
    kept = {key: value for key, value in given.items() if _is_bundle(value)}
    first = dict(list(kept.items())[:1])
    return {**request, "prefetch": first} if first and len(given) > 1 else None


# --- bodies that are no request


def encoded(request: dict[str, Any]) -> bytes:
    return msgspec.json.encode(request)


def cut(request: dict[str, Any]) -> bytes:
    """JSON that ends in the middle."""
    content = encoded(request)
    return content[: len(content) // 2]


def with_nan(request: dict[str, Any]) -> bytes:
    """NaN, which many parsers take although JSON does not know it."""
    request["context"]["conformNumber"] = _NAN.strip('"')
    return encoded(request).replace(_NAN.encode(), b"NaN")


def fresh(request: dict[str, Any], change: Change) -> dict[str, Any] | None:
    """The variant of a request, as an event of its own."""
    return change(copy(request))
