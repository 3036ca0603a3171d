"""Which request is it? Questions that a broken twin asks before it does something wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twin import Call
from twin_answers import Json


def service(call: Call) -> bool:
    return call.to_service


def body(test: Callable[[Json], Any]) -> Callable[[Call], bool]:
    return lambda call: call.to_service and isinstance(call.json, dict) and bool(test(call.json))


def lacking(*path: str) -> Callable[[Call], bool]:
    def test(request: Json) -> bool:
        for name in path[:-1]:
            request = request.get(name) or {}
        return bool(request) and path[-1] not in request

    return body(test)


def scoped(*parts: str) -> Callable[[Call], bool]:
    return body(lambda b: any(part in (b.get("fhirAuthorization") or {}).get("scope", "") for part in parts))


def kind(name: str) -> Callable[[Call], bool]:
    return lambda call: call.to_service and (call.headers.get("Content-Type") or "") == name


def prefetch(test: Callable[[Any], Any]) -> Callable[[Call], bool]:
    """Without a FHIR server, and the whole of prefetch in some state."""
    return body(lambda b: not b.get("fhirServer") and b.get("prefetch") and test(b["prefetch"]))


def entries(bundle: Any) -> list[Json]:
    return bundle.get("entry", []) if isinstance(bundle, dict) else []


def bundles(test: Callable[[Json], Any]) -> Callable[[Call], bool]:
    """Any value is a Bundle with this property."""
    return prefetch(
        lambda found: any(
            isinstance(v, dict) and v.get("resourceType") == "Bundle" and test(v) for v in found.values()
        )
    )


def items(test: Callable[[list[Json]], Any]) -> Callable[[Call], bool]:
    return lambda call: call.to_feedback and bool(call.items) and bool(test(call.items))


def one(test: Callable[[Json], Any]) -> Callable[[Call], bool]:
    """A single item of feedback with this property."""
    return items(lambda found: len(found) == 1 and test(found[0]))


def reason(item: Json) -> Json:
    found = item.get("overrideReason") or {}
    return found if isinstance(found, dict) else {}
