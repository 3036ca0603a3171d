"""A patient's record as it was at a moment: what was written down later is not visible.

An export is the record of today. Dates say when an entry came to be; an entry that says nothing about it is
left out if it is a result, and kept if it is on a list (a problem without a date has mostly been there for
long). An order or a problem that has ended since was still running then.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo

import msgspec

from cds_service.facts.dates import When, parse_when
from cds_service.facts.dosage import dosages
from cds_service.fhir.decode import Resource
from cds_service.fhir.source import Source

_ENDED = frozenset({"completed", "stopped", "ended"})


@dataclass(frozen=True, slots=True)
class Dated:
    """A resource, when it came to be, and when it ended; None: not said."""

    resource: Resource
    begun: When | None
    ended: When | None = None


class Past:
    """The sources of one patient, taken back to any moment."""

    def __init__(self, sources: Mapping[str, Source], zone: tzinfo) -> None:
        self._sources = sources
        self._dated = {
            key: [_dated(item, zone) for item in source.resources or ()] for key, source in sources.items()
        }

    def at(self, moment: datetime, signing: frozenset[int]) -> dict[str, Source]:
        """What could be seen at `moment`. `signing` are the orders being signed then, by `id()`."""
        return {
            key: source
            if source.resources is None
            else msgspec.structs.replace(source, resources=tuple(_seen(self._dated[key], moment, signing)))
            for key, source in self._sources.items()
        }


def _seen(dated: Iterable[Dated], moment: datetime, signing: frozenset[int]) -> Iterator[Resource]:
    for item in dated:
        resource = item.resource
        if id(resource) in signing:
            continue
        if item.begun is None:
            if resource.resourceType != "Observation":
                yield resource
        elif item.begun.instant <= moment:
            yield _reopened(resource) if item.ended and item.ended.instant > moment else resource


def _reopened(resource: Resource) -> Resource:
    """The resource without the end that came later."""
    match resource.resourceType:
        case "Condition":
            return msgspec.structs.replace(
                resource, clinicalStatus="active", abatementDateTime=None, abatementPeriod=None
            )
        case "MedicationRequest":
            return msgspec.structs.replace(resource, status="active")
        case "Encounter":
            return msgspec.structs.replace(
                resource, status="in-progress", period=None, hospitalization=None, admission=None
            )
        case _:
            return resource


def _dated(resource: Resource, zone: tzinfo) -> Dated:
    match resource.resourceType:
        case "Observation":
            return Dated(resource, _result_known(resource, zone))
        case "Condition":
            return _condition(resource, zone)
        case "MedicationRequest":
            ended = _order_end(resource, zone) if (resource.status or "") in _ENDED else None
            return Dated(resource, parse_when(resource.authoredOn, zone), ended)
        case "Procedure":
            start = resource.performedPeriod.start if resource.performedPeriod else None
            return Dated(resource, parse_when(resource.performedDateTime or start, zone))
        case "Encounter":
            period = resource.period or resource.actualPeriod
            begun = parse_when(period.start if period else None, zone)
            return Dated(resource, begun, parse_when(period.end if period else None, zone))
        case "ServiceRequest":
            return Dated(resource, parse_when(resource.authoredOn or resource.occurrenceDateTime, zone))
        case _:
            # A Patient has always been there.
            return Dated(resource, None)


def _result_known(resource: Resource, zone: tzinfo) -> When | None:
    """When a result could first be read: when it was issued, else when the sample was taken."""
    start = resource.effectivePeriod.start if resource.effectivePeriod else None
    taken = parse_when(resource.effectiveDateTime or start or resource.effectiveInstant, zone)
    issued = parse_when(resource.issued, zone)
    known = [when for when in (taken, issued) if when is not None]
    return max(known, key=lambda when: when.instant) if known else None


def _condition(resource: Resource, zone: tzinfo) -> Dated:
    start = resource.onsetPeriod.start if resource.onsetPeriod else None
    begun = parse_when(
        resource.recordedDate or resource.assertedDate or resource.onsetDateTime or start, zone
    )
    period = resource.abatementPeriod
    ended = parse_when(resource.abatementDateTime or ((period.end or period.start) if period else None), zone)
    return Dated(resource, begun, ended)


def _order_end(resource: Resource, zone: tzinfo) -> When | None:
    ends: list[str | None] = []
    for instruction in dosages(resource):
        repeat = instruction.timing.repeat if instruction.timing else None
        ends.append(repeat.boundsPeriod.end if repeat is not None and repeat.boundsPeriod else None)
    dispense = resource.dispenseRequest
    ends.append(dispense.validityPeriod.end if dispense and dispense.validityPeriod else None)
    known = [when for end in ends if (when := parse_when(end, zone)) is not None]
    return max(known, key=lambda when: when.instant) if known else None
