"""Odd but real request bodies: each is a clean twin with one change, so that nothing else can differ."""

from __future__ import annotations

import copy
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from fixture_tables.casework import AS_OF, Case
from fixture_tables.resources import Json

OK = 200
_NAMESPACE = uuid.UUID("a2f2be4b-2d4c-4f37-8f7d-6f3c1d6b5e21")

Change = Callable[[Json], str | None]
"""Changes the twin's request in place; text it returns is the body as sent, for what is not JSON."""


@dataclass(frozen=True)
class Quirk:
    """One shape: who sends it, where that is written down, and what the answer must equal."""

    name: str
    why: str
    sent_by: str
    documented: str
    change: Change
    twin: str
    """The clean call it is made from, whose answer it must get word for word unless it is refused."""
    status: int = OK
    says: tuple[str, ...] = ()
    """Words of the OperationOutcome where the status is not 200."""
    renamed: dict[str, str] = field(default_factory=dict)
    """Id of the twin -> id here, where another id is the quirk."""
    valid_as: str | None = None
    """FHIR version whose models accept every resource of the request."""

    def document(self, twin: Case) -> Json:
        """The quirk file."""
        request: Json = copy.deepcopy(twin.document()["request"])
        request["hookInstance"] = str(uuid.uuid5(_NAMESPACE, self.name))
        body = self.change(request)
        found: Json = {
            "quirk": self.name,
            "why": self.why,
            "sentBy": self.sent_by,
            "documented": self.documented,
            "as_of": AS_OF,
            "service": f"calciphylaxis-{twin.service}",
            "twin": twin.name,
        }
        if self.valid_as:
            found["validAs"] = self.valid_as
        if self.renamed:
            found["renamed"] = self.renamed
        if self.status != OK:
            found |= {"status": self.status, "says": list(self.says)}
        return found | ({"body": body} if body is not None else {"request": request})


def drafts(request: Json) -> list[Json]:
    """The orders in the context."""
    context = request["context"]
    bundle = context.get("draftOrders") or context["medications"]
    return [entry["resource"] for entry in bundle["entry"]]


def bundles(request: Json) -> Iterator[tuple[str, Json]]:
    """Prefetch keys whose value is a Bundle."""
    for key, value in request["prefetch"].items():
        if value is not None and value["resourceType"] == "Bundle":
            yield key, value


def chart(request: Json, kind: str | None = None) -> list[Json]:
    """Prefetched resources, the Patient among them; of one type, if it is named."""
    found = [request["prefetch"]["patient"]] if request["prefetch"].get("patient") else []
    for _, bundle in bundles(request):
        found += [entry["resource"] for entry in bundle.get("entry", ())]
    return [resource for resource in found if kind in (None, resource["resourceType"])]


def everything(request: Json) -> list[Json]:
    """Every resource of the call: drafts, then prefetched ones."""
    has_drafts = {"draftOrders", "medications"} & request["context"].keys()
    return [*(drafts(request) if has_drafts else ()), *chart(request)]


def each(value: Any, key: str) -> Iterator[tuple[Json, Any]]:
    """Every object below `value` that has the member `key`, with that member."""
    if isinstance(value, dict):
        if key in value:
            yield value, value[key]
        for item in value.values():
            yield from each(item, key)
    elif isinstance(value, list):
        for item in value:
            yield from each(item, key)


def rename(value: Any, old: str, new: str) -> Any:
    """`value` with a text replaced wherever it stands."""
    if isinstance(value, str):
        return value.replace(old, new)
    if isinstance(value, dict):
        return {key: rename(item, old, new) for key, item in value.items()}
    if isinstance(value, list):
        return [rename(item, old, new) for item in value]
    return value
