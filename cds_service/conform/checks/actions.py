"""Actions: what a click would do to the chart (section 2.7)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from cds_service.conform.bodies import drafts
from cds_service.conform.checks.finders import array_of_objects, coded, texts, told
from cds_service.conform.model import Book, Judged, Level
from cds_service.conform.nodes import (
    Find,
    Node,
    Nodes,
    actions,
    each,
    having,
    shape,
    suggested_actions,
    suggestions,
    where,
)
from cds_service.conform.observed import Observed
from cds_service.fhir.write import validated

BOOK = Book()
_NO_ACTION = "no action was seen"
_REFERENCE = re.compile(r"[A-Z][A-Za-z]+/[A-Za-z0-9.-]{1,256}")
_WHOLE = ("status", "intent", "subject")


def _add(
    id_: str, level: Level, text: str, find: Find, nodes: Nodes, nothing: str = _NO_ACTION, **more: Any
) -> None:
    BOOK.add(id_, level, text, each(nodes, nothing)(find), **more)


def _of_type(*types: str) -> Nodes:
    return where(actions, lambda node: node.value.get("type") in types)


_add(
    "C064-actions-array",
    Level.SHALL,
    "`actions`, if any, is an array of objects.",
    array_of_objects("actions"),
    having(suggestions, "actions"),
    _NO_ACTION,
)
_add(
    "C064-action-type",
    Level.SHALL,
    "An action creates, updates or deletes.",
    coded("type", ("create", "update", "delete")),
    actions,
    _NO_ACTION,
)
_add(
    "C064-action-description",
    Level.SHALL,
    "An action of a suggestion says in words what it does.",
    texts("description"),
    suggested_actions,
    _NO_ACTION,
)


def _resource(node: Node) -> Iterator[str]:
    resource = node.value.get("resource")
    if not isinstance(resource, dict):
        yield told(node, "resource")
    elif not isinstance(resource.get("resourceType"), str) or not resource["resourceType"]:
        yield ".resource: has no resourceType"


def _drafts(node: Node) -> dict[str, dict[str, Any]]:
    """`Type/id` -> draft of the request that was answered."""
    found = drafts(node.seen.sent or {})
    return {f"{d.get('resourceType')}/{d.get('id')}": d for d in found}


def target(node: Node) -> str | None:
    """What an update or delete is about, in either spelling."""
    resource = node.value.get("resource")
    if node.value.get("type") == "update" and isinstance(resource, dict):
        return f"{resource.get('resourceType')}/{resource['id']}" if resource.get("id") else None
    named = node.value.get("resourceId", resource)
    return named if isinstance(named, str) else None


def _whole(node: Node) -> Iterator[str]:
    resource = node.value.get("resource")
    if not isinstance(resource, dict):
        return
    if not resource.get("id"):
        yield ".resource: an update without an id"
    original = _drafts(node).get(target(node) or "", {})
    lost = [name for name in _WHOLE if name in original and name not in resource]
    if lost:
        yield f".resource: lacks {', '.join(lost)} of the draft it replaces"


def _valid(node: Node) -> Iterator[str]:
    resource = node.value["resource"]
    try:
        validated(str(resource.get("resourceType")), resource)
    except (ValueError, KeyError, ImportError) as error:
        yield f".resource: not valid FHIR R4 ({_members(error) or 'unknown type'})"


def _members(error: Exception) -> str:
    """The members at fault, without their values."""
    listed = getattr(error, "errors", None)
    found = listed(include_input=False, include_url=False) if listed is not None else ()
    return ", ".join(sorted({str(item["loc"][0]) for item in found if item.get("loc")}))


_CREATE_OR_UPDATE = _of_type("create", "update")
_add(
    "C065-resource",
    Level.SHALL,
    "A create or update carries a resource that names its type.",
    _resource,
    _CREATE_OR_UPDATE,
    "no create or update was seen",
)
_add(
    "C065-whole-resource",
    Level.SHALL,
    "An update carries the whole resource with its id.",
    _whole,
    _of_type("update"),
    "no update was seen",
)
_add(
    "C005-fhir-json",
    Level.SHOULD,
    "Resources in actions are valid FHIR (judged as R4B).",
    _valid,
    where(_CREATE_OR_UPDATE, lambda node: isinstance(node.value.get("resource"), dict)),
    "no resource was seen",
)


def _delete_names(node: Node) -> Iterator[str]:
    named = target(node)
    if named is None or not _REFERENCE.fullmatch(named):
        yield ": a delete without resourceId of the form Type/id"


def _delete_form(node: Node) -> Iterator[str]:
    if "resource" in node.value:
        extra = " beside resourceId" if "resourceId" in node.value else ""
        yield f".resource: the form of 1.0{extra}"


def _knows(node: Node) -> Iterator[str]:
    if target(node) not in _drafts(node):
        yield ": is not about an order of this request"


_DELETES = _of_type("delete")
_add(
    "C066-delete-target",
    Level.SHALL,
    "A delete names what it deletes as Type/id.",
    _delete_names,
    _DELETES,
    "no delete was seen",
)
_add(
    "C066-resource-id",
    Level.SHOULD,
    "A delete uses `resourceId`, and not also the form of 1.0.",
    _delete_form,
    _DELETES,
    "no delete was seen",
)
_add(
    "C068-target-in-drafts",
    Level.PROPOSAL,
    "An update or delete is about an order of this very request.",
    _knows,
    where(
        _of_type("update", "delete"),
        lambda node: bool(_drafts(node)) and _REFERENCE.fullmatch(target(node) or "") is not None,
    ),
    "no update or delete was seen at a hook with orders",
    fatal=True,
)


@BOOK.check("C051-system-actions", Level.SHALL, "`systemActions`, if any, is an array of objects.")
def _system(observed: Observed) -> Judged:
    found = [seen for seen in observed.answers() if "systemActions" in seen.answer.document]
    problems = []
    for seen in found:
        value = seen.answer.document["systemActions"]
        if not isinstance(value, list):
            problems.append(f"{seen.place} $.systemActions: {shape(value)}")
        else:
            wrong = [(i, v) for i, v in enumerate(value) if not isinstance(v, dict)]
            problems += [f"{seen.place} $.systemActions[{i}]: {shape(v)}" for i, v in wrong]
    nothing = "no system action was seen" if observed.of("complete") else observed.why_nothing
    return Judged(len(found), tuple(problems), nothing)
