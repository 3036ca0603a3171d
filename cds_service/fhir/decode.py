"""Bytes to typed, tolerant FHIR structures.

One flat Struct holds the fields of every resource type that the rules read; each is optional, unknown
fields are skipped. Real EHR payloads are often illegal R4 (a Bundle without `type`, `category` as an
object), so strict models would refuse the very calls that matter.
Decoding is two-step: the whole document first; if any value has a wrong type, each resource is decoded
alone, the good ones are kept and every dropped one is named with its path.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import msgspec

from cds_service.fhir.elements import (
    Annotation,
    CodeableConcept,
    CodeableReference,
    Coding,
    Component,
    DispenseRequest,
    Dosage,
    DoseAndRate,
    Hospitalization,
    Identifier,
    Ingredient,
    IssueDetail,
    Link,
    Meta,
    Period,
    Quantity,
    Range,
    Reference,
    ReferenceRange,
    Response,
    Search,
    Timing,
    TimingRepeat,
)
from cds_service.fhir.kinds import Known
from cds_service.fhir.resource import Entry, Resource

__all__ = [
    "Annotation",
    "CodeableConcept",
    "CodeableReference",
    "Coding",
    "Component",
    "DecodeFailure",
    "DispenseRequest",
    "Dosage",
    "DoseAndRate",
    "Dropped",
    "Entry",
    "Hospitalization",
    "Identifier",
    "Ingredient",
    "IssueDetail",
    "Known",
    "Link",
    "Meta",
    "Period",
    "Quantity",
    "Range",
    "Reference",
    "ReferenceRange",
    "Resource",
    "Response",
    "Search",
    "Timing",
    "TimingRepeat",
    "decode_lines",
    "decode_resource",
    "decode_singly",
]


class Dropped(msgspec.Struct, frozen=True):
    """A resource that could not be read: where it stood and why. Holds no value of the resource."""

    path: str
    resource_type: str | None
    reason: str


class _RawEntry(msgspec.Struct):
    fullUrl: str | None = None
    search: Search | None = None
    resource: msgspec.Raw = msgspec.Raw(b"null")


class _FullEntry(_RawEntry, kw_only=True):
    resource: msgspec.Raw


class _OpenBundle(msgspec.Struct, kw_only=True):
    """A Bundle in good order whose resources are not yet decoded."""

    resourceType: Literal["Bundle"]
    id: str | int | None = None
    total: int | None = None
    link: list[Link] | None = None
    entry: list[_FullEntry]
    resource: None = None


class _RawBundle(msgspec.Struct):
    resourceType: str | None = None
    id: str | int | None = None
    link: list[Link] | None = None
    entry: list[msgspec.Raw] | None = None
    resource: msgspec.Raw = msgspec.Raw(b"null")


class _TypeOnly(msgspec.Struct):
    resourceType: str | None = None


DecodeFailure = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What msgspec raises on hostile input (deep nesting raises RecursionError)."""

_known = msgspec.json.Decoder(Known, strict=False)
_resource = msgspec.json.Decoder(Resource, strict=False)
_open_bundle = msgspec.json.Decoder(_OpenBundle, strict=False)
_raw_bundle = msgspec.json.Decoder(_RawBundle, strict=False)
_raw_entry = msgspec.json.Decoder(_RawEntry, strict=False)
_type_only = msgspec.json.Decoder(_TypeOnly, strict=False)


def decode_resource(raw: bytes | msgspec.Raw, path: str, dropped: list[Dropped]) -> Resource | None:
    """One resource or Bundle; what cannot be read is appended to `dropped`, never raised.

    A Bundle (or wrapper) with a broken member is returned with its good members.
    """
    try:
        return _known.decode(raw)
    except DecodeFailure:
        return _decode_any(raw, path, dropped)


def decode_lines(lines: bytes, count: int) -> list[Resource] | None:
    """So many lines of NDJSON, each known to be one JSON value, in one call.

    None when they have to be decoded one by one, because one of them is not as it should be.
    """
    try:
        found = _known.decode_lines(lines)
    except DecodeFailure:
        return None
    return found if len(found) == count else None


def _decode_any(raw: bytes | msgspec.Raw, path: str, dropped: list[Dropped]) -> Resource | None:
    """What is broken, of a kind that is not known, or has no resourceType."""
    try:
        return _resource.decode(raw)
    except DecodeFailure as error:
        return _salvage(raw, path, dropped, error)


def decode_singly(raw: msgspec.Raw, path: str, dropped: list[Dropped]) -> Resource | None:
    """As `decode_resource`, for a value that may well be broken: a Bundle is decoded entry by entry.

    Trying the whole first would mean to decode most of it twice.
    """
    try:
        bundle = _open_bundle.decode(raw)
    except DecodeFailure:
        return decode_resource(raw, path, dropped)
    lost: list[Dropped] = []
    entries: list[Entry | None] = []
    for position, each in enumerate(bundle.entry):
        resource = decode_resource(each.resource, f"{path}.entry[{position}].resource", lost)
        if resource is not None:
            entries.append(Entry(each.fullUrl, each.search, resource))
        elif bytes(each.resource) == b"null":
            # An entry without a resource is no broken one, unless another is.
            return decode_resource(raw, path, dropped)
    dropped += lost
    # With entries lost, fewer than the total are no news.
    total = None if lost else bundle.total
    return Resource(resourceType="Bundle", id=bundle.id, total=total, link=bundle.link, entry=entries)


def _salvage(
    raw: bytes | msgspec.Raw, path: str, dropped: list[Dropped], error: BaseException
) -> Resource | None:
    try:
        outer = _raw_bundle.decode(raw)
    except DecodeFailure:
        # A Bundle without its links or its list of entries may hide further pages or everything.
        dropped.append(Dropped(path, _resource_type(raw), _reason(error)))
        return None
    if bytes(outer.resource) != b"null":
        return decode_resource(outer.resource, f"{path}.resource", dropped)
    if outer.resourceType != "Bundle" or outer.entry is None:
        dropped.append(Dropped(path, outer.resourceType, _reason(error)))
        return None
    entries: list[Entry | None] = [*_salvage_entries(outer.entry, path, dropped)]
    return Resource(resourceType="Bundle", id=outer.id, link=outer.link, entry=entries)


def _salvage_entries(raws: list[msgspec.Raw], path: str, dropped: list[Dropped]) -> Iterator[Entry]:
    for position, raw in enumerate(raws):
        here = f"{path}.entry[{position}]"
        try:
            entry = _raw_entry.decode(raw)
        except DecodeFailure as error:
            dropped.append(Dropped(here, None, _reason(error)))
            continue
        resource = decode_resource(entry.resource, f"{here}.resource", dropped)
        if resource is not None:
            yield Entry(fullUrl=entry.fullUrl, search=entry.search, resource=resource)


def _resource_type(raw: bytes | msgspec.Raw) -> str | None:
    try:
        return _type_only.decode(raw).resourceType
    except DecodeFailure:
        return None


def _reason(error: BaseException) -> str:
    """Why decoding failed, without any value of the document.

    msgspec words a type error as "Expected `x`, got `y` - at `$.path`": types and a path, no values.
    """
    if isinstance(error, msgspec.ValidationError):
        message = str(error)
        return message if message.startswith("Expected") else "value of the wrong form"
    if isinstance(error, RecursionError):
        return "nested too deeply"
    return "not valid JSON"
