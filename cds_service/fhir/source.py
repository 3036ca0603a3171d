"""What is known for one prefetch template, and how a value of any shape becomes part of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

import msgspec

from cds_service.fhir.decode import Dropped, Resource
from cds_service.fhir.results import FailureReason, Incomplete
from cds_service.fhir.search import (
    is_bundle,
    may_concern,
    problem_of,
    read_page,
    reason_of_status,
    self_type,
    status_number,
)
from cds_service.protocol.prefetch import PrefetchTemplate

_SUCCESS = 2
_R4_NAME = {"ProcedureRequest": "ServiceRequest"}
"""STU3 types whose successor in R4 the templates ask for."""


class Source(msgspec.Struct, frozen=True):
    """What is known for one template. `repr` shows no resource and no link: they are the patient's.

    Attributes:
        key: Key of the template.
        resources: Resources of the template's type. Empty means "looked, found none"; None "could not be read".
        failure: Why they could not be read.
        complete: False when some are known to be missing; `gaps` says why. After `complete()` an empty
            `resources` is always complete: an answer with holes and without content counts as a failure.
        origin: Where they came from; `none` when there was neither prefetch nor a read.
        dropped: What could not be decoded.
        included: Resources of other types that came along, such as the Medications of MedicationRequests.
        gaps: Why `complete` is False, in plain words.
        next_links: Pages of a prefetched Bundle that did not come with the call.
        seconds: Time spent on FHIR reads.
    """

    key: str
    resources: tuple[Resource, ...] | None
    failure: FailureReason | None = None
    complete: bool = True
    origin: Literal["prefetch", "fhir", "none"] = "prefetch"
    dropped: tuple[Dropped, ...] = ()
    included: tuple[Resource, ...] = ()
    gaps: tuple[Incomplete, ...] = ()
    next_links: tuple[str, ...] = ()
    seconds: float = 0.0

    def __repr__(self) -> str:
        shown = ("key", "failure", "complete", "origin", "dropped", "gaps", "seconds")
        return f"Source({', '.join(f'{name}={getattr(self, name)!r}' for name in shown)})"


class Value(msgspec.Struct, frozen=True):
    """One prefetch value (or one fetched answer) taken apart."""

    resources: tuple[Resource, ...] = ()
    included: tuple[Resource, ...] = ()
    failure: FailureReason | None = None
    gaps: tuple[Incomplete, ...] = ()
    dropped: tuple[Dropped, ...] = ()
    next_links: tuple[str, ...] = ()
    answers: str = ""
    """The resource type that its `self` link names."""
    is_single: bool = False
    types: frozenset[str | None] = frozenset()
    """The resource types among `resources` and `included`."""

    def answers_template(self, template: PrefetchTemplate) -> bool:
        """Whether a value under the template's own key is about its type.

        Empty ones are; content of other types only is a misnamed value.
        """
        return not self.resources or any(one.resourceType == template.resource_type for one in self.resources)

    def for_template(self, template: PrefetchTemplate, *, own_key: bool) -> Value:
        """The part of this value that answers `template`."""
        wanted, gaps = template.resource_type, self.gaps
        if self.dropped and may_concern(wanted, self.dropped):
            gaps = (*gaps, Incomplete.ENTRIES)
        if self.is_single and template.is_search and not own_key:
            # Under our own name it is the whole answer of a sloppy client; elsewhere who knows.
            gaps = (*gaps, Incomplete.SINGLE)
        resources, included = self.resources, self.included
        if included or not self.types <= {wanted}:
            everything = (*resources, *included)
            resources = tuple(found for found in everything if found.resourceType == wanted)
            included = tuple(found for found in everything if found.resourceType != wanted)
        return msgspec.structs.replace(self, resources=resources, included=included, gaps=gaps)


def members(value: Resource | None) -> Iterator[Resource]:
    """The resources of one prefetch value, whatever its shape: wrapper, Bundle, or bare resource."""
    taken = take_apart(value, ())
    yield from taken.resources
    yield from taken.included


def take_apart(raw: Resource | None, dropped: tuple[Dropped, ...] = ()) -> Value:
    """One prefetch value or fetched answer, of any shape; `dropped` is what could not be decoded of it."""
    value, status = _unwrap(raw)
    if status and status_number(status) // 100 != _SUCCESS:
        return Value(failure=reason_of_status(status_number(status)))
    if value is None:
        # What is null here and has drops could not be read at all.
        return Value(failure=FailureReason.NOT_FHIR if dropped else None, dropped=dropped)
    if is_bundle(value):
        return _take_bundle_apart(value, dropped)
    # The decoder puts an empty OperationOutcome where a value could not be read at all.
    if value.resourceType is None or (value.resourceType == "OperationOutcome" and dropped):
        return Value(failure=FailureReason.NOT_FHIR, dropped=dropped)
    if value.resourceType == "OperationOutcome":
        return Value(failure=problem_of(value, nothing_else=False) or FailureReason.REPORTED_PROBLEM)
    resource = _as_in_r4(value)
    return Value(
        resources=(resource,), dropped=dropped, is_single=True, types=frozenset({resource.resourceType})
    )


def _as_in_r4(resource: Resource) -> Resource:
    name = _R4_NAME.get(resource.resourceType or "")
    if name is None:
        return resource
    sent = {field: getattr(resource, field) for field in resource.__struct_fields__}
    return Resource(**{**sent, "resourceType": name})


def _unwrap(value: Resource | None) -> tuple[Resource | None, str]:
    """The resource inside the pre-1.0 wrapper `{response, resource}`, and the wrapper's status."""
    status = ""
    while value is not None and value.resourceType is None and (value.resource or value.response):
        status = str(value.response.status or "") if value.response is not None else ""
        value = value.resource
    return value, status


def _take_bundle_apart(bundle: Resource, dropped: tuple[Dropped, ...]) -> Value:
    page = read_page(bundle)
    asked = self_type(bundle)
    answers = _R4_NAME.get(asked, asked)
    if page.problem is not None:
        return Value(failure=page.problem, dropped=dropped, answers=answers)
    resources, included = page.resources, page.included
    types = frozenset({resource.resourceType for found in (resources, included) for resource in found})
    if not types.isdisjoint(_R4_NAME):
        resources, included = ([_as_in_r4(each) for each in found] for found in (resources, included))
        types = frozenset(_R4_NAME.get(name or "", name) for name in types)
    gaps = page.gaps
    if page.next_link is not None:
        gaps = (*gaps, Incomplete.PAGES)
    elif bundle.total is not None and bundle.total > len(resources):
        # A client that cuts pages may cut the link as well.
        gaps = (*gaps, Incomplete.FEWER_THAN_TOTAL)
    return Value(
        resources=tuple(resources),
        included=tuple(included),
        gaps=gaps,
        dropped=dropped,
        next_links=(page.next_link,) if page.next_link is not None else (),
        answers=answers,
        types=types,
    )


def merge(key: str, values: Sequence[Value], origin: Literal["prefetch", "fhir"]) -> Source | None:
    """All values for one template as one Source; None if there are none."""
    if not values:
        return None
    failures: list[FailureReason] = []
    resources: list[Resource] = []
    included: list[Resource] = []
    dropped: list[Dropped] = []
    next_links: list[str] = []
    gaps: list[Incomplete] = []
    for value in values:
        dropped += value.dropped
        if value.failure is not None:
            failures.append(value.failure)
            continue
        resources += value.resources
        included += value.included
        next_links += value.next_links
        gaps += value.gaps
    if len(failures) == len(values):
        return Source(key, None, failures[0], complete=False, origin=origin, dropped=tuple(dropped))
    if failures:
        gaps.append(Incomplete.PROBLEM)
    source = Source(
        key=key,
        resources=unique(resources),
        complete=not gaps,
        origin=origin,
        dropped=tuple(dropped),
        included=unique(included),
        gaps=tuple(dict.fromkeys(gaps)),
        next_links=tuple(next_links),
    )
    return (
        source if source.next_links else settled(source, failures[0] if failures else FailureReason.NOT_FHIR)
    )


def with_gaps(source: Source, *more: Incomplete) -> Source:
    """`source` with further reasons why it is not complete."""
    gaps = tuple(dict.fromkeys((*source.gaps, *more)))
    return msgspec.structs.replace(source, gaps=gaps, complete=not gaps)


def settled(source: Source, reason: FailureReason) -> Source:
    """`source`, or a failure if it is empty and has gaps: an answer with holes never means "none found"."""
    if source.resources == () and source.gaps:
        return msgspec.structs.replace(source, resources=None, failure=reason, complete=False, next_links=())
    return source


def unique(resources: Iterable[Resource]) -> tuple[Resource, ...]:
    """Without exact duplicates, in order."""
    found = tuple(resources)
    ids = {resource.id for resource in found}
    if len(ids) == len(found) and None not in ids:
        # The usual case: where no id comes twice, nothing needs comparing.
        return found
    kept: dict[object, list[Resource]] = {}
    for resource in found:
        # Without an id only the whole content can serve as the key.
        name = resource.reference if resource.id is not None else msgspec.json.encode(resource)
        same = kept.setdefault(name, [])
        if not any(_equal(resource, other) for other in same):
            same.append(resource)
    return tuple(resource for same in kept.values() for resource in same)


def _equal(one: Resource, other: Resource) -> bool:
    """The same content; inside a wrapper of early clients a resource is decoded into another Struct."""
    if type(one) is type(other):
        return one == other
    return msgspec.json.encode(one) == msgspec.json.encode(other)
