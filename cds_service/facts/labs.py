"""Observation resources to Labs: unit, status, plausibility, date, duplicates.

A result that cannot be used is kept with the reason: a card must be able to say why, and a newer
unusable result must not let an older one clear a rule in silence.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime, tzinfo
from decimal import Decimal

from msgspec.structs import replace

from cds_service.facts.dates import When, parse_when
from cds_service.facts.model import Lab
from cds_service.facts.problems import concept_sets, concept_texts
from cds_service.facts.units import UCUM, Analyte, is_amount
from cds_service.fhir.decode import CodeableConcept, Quantity, ReferenceRange, Resource
from cds_service.localise.text import Message, Text
from cds_service.terminology.index import Terminology

_USABLE = frozenset({"final", "amended", "corrected", "preliminary"})
_NOT_A_RESULT = frozenset({"registered", "cancelled", "entered-in-error", "unknown"})
_NO_VALUE = Message("no value (reason given)")
_RANK = {"corrected": 2, "amended": 2, "final": 1, "preliminary": 0}
_LONG_AGO = datetime(1, 1, 1, tzinfo=UTC)


class LabReader:
    """Reads Observations for a fixed set of analytes; built once at start-up."""

    def __init__(self, analytes: Iterable[Analyte], terminology: Terminology) -> None:
        self._terminology = terminology
        self._by_set: dict[str, Analyte] = {
            value_set: analyte for analyte in analytes for value_set in analyte.value_sets
        }

    def read(
        self, resources: Iterable[Resource], zone: tzinfo, as_of: datetime
    ) -> tuple[dict[str, tuple[Lab, ...]], int]:
        """Analyte id -> results, newest first, one per collection time; undated results come last.

        Beside them the number of results that have a number and a code that stands for none of the analytes: when it
        jumps, a laboratory may have changed its codes.
        """
        found: dict[str, list[tuple[Lab, datetime]]] = defaultdict(list)
        unmapped = 0
        for resource in resources:
            known = False
            for analyte, concept, quantity, ranges, absent in self._values(resource):
                lab = self._lab(resource, analyte, concept, quantity, ranges, absent, zone, as_of)
                found[analyte.id].append((lab, _version(resource, zone)))
                known = True
            unmapped += not known and resource.valueQuantity is not None
        return {analyte: _newest_first(labs) for analyte, labs in found.items()}, unmapped

    def _values(
        self, resource: Resource
    ) -> Iterable[tuple[Analyte, CodeableConcept, Quantity | None, list[ReferenceRange], bool]]:
        """The analytes in one Observation: its own value, or those of its components."""
        code = resource.code
        if code is not None and (analyte := self._analyte(code)) is not None:
            quantity = resource.valueQuantity
            absent = resource.dataAbsentReason is not None
            yield analyte, code, quantity, resource.referenceRange or [], absent
        for component in resource.component or ():
            if component.code is not None and (analyte := self._analyte(component.code)) is not None:
                absent = component.dataAbsentReason is not None
                yield analyte, component.code, component.valueQuantity, component.referenceRange, absent

    def _analyte(self, concept: CodeableConcept) -> Analyte | None:
        for coding in concept.coding:
            code = None if coding.code is None else str(coding.code)
            for value_set in self._terminology.sets_of(coding.system, code):
                if value_set in self._by_set:
                    return self._by_set[value_set]
        return None

    def _lab(
        self,
        resource: Resource,
        analyte: Analyte,
        concept: CodeableConcept,
        quantity: Quantity | None,
        ranges: list[ReferenceRange],
        absent: bool,
        zone: tzinfo,
        as_of: datetime,
    ) -> Lab:
        period_start = resource.effectivePeriod.start if resource.effectivePeriod else None
        when = parse_when(resource.effectiveDateTime or period_start or resource.effectiveInstant, zone)
        reported = when is None
        if when is None:
            when = parse_when(resource.issued, zone)
        status = (resource.status or "unknown").strip().lower()
        low, high, problem = _amount(analyte, quantity, absent)
        # These are no results at all: unlike one that cannot be read, they leave an older result as it is.
        none_given = (status in _NOT_A_RESULT and bool(resource.status)) or problem is _NO_VALUE
        problem = _status_problem(status) or problem or _date_problem(when, as_of)
        if when is not None and _may_be_recent(when, as_of, analyte):
            # A year or a month alone: it may be newer than any other result, as one without a date may.
            when = None
        reference_low, reference_high = _reference_range(analyte, quantity, ranges)
        return Lab(
            analyte=analyte.id,
            low=None if problem else low,
            high=None if problem else high,
            unit=analyte.unit,
            as_sent=_as_sent(quantity),
            when=when,
            when_is="reported" if reported else "collected",
            status=status,
            problem=problem,
            excluded=problem if none_given else _excluded(analyte, resource),
            reference_low=reference_low,
            reference_high=reference_high,
            specimen=resource.specimen.reference if resource.specimen else None,
            sets=concept_sets(concept, self._terminology),
            source=resource.reference,
        )


def _status_problem(status: str) -> Text | None:
    if status in _USABLE:
        return None
    return Message("status {code}", code=status) if status in _NOT_A_RESULT else Message("status not usable")


def _date_problem(when: When | None, as_of: datetime) -> Text | None:
    if when is None:
        return Message("no usable date")
    if when.is_future(as_of):
        return Message("dated in the future")
    return None if when.precision in ("day", "time") else Message("date without a day")


def _may_be_recent(when: When, as_of: datetime, analyte: Analyte) -> bool:
    """The date lacks its day, and the latest day that it can mean is not out of date."""
    if when.precision in ("day", "time"):
        return False
    longest = 366 if when.precision == "year" else 31
    return (as_of.date() - when.day).days <= longest + analyte.ageing_days


def _amount(
    analyte: Analyte,
    quantity: Quantity | None,
    absent: bool,
) -> tuple[Decimal | None, Decimal | None, Text | None]:
    """Interval in the canonical unit, or the reason why there is none."""
    if quantity is None or quantity.value is None:
        return None, None, _NO_VALUE if absent else Message("no numeric value")
    if not quantity.value.is_finite():
        return None, None, Message("not a number")
    unit, problem = _unit(analyte, quantity)
    if unit is None:
        return None, None, problem
    value = analyte.to_canonical(quantity.value, unit) if is_amount(quantity.value) else None
    if value is None or not analyte.plausible[0] <= value <= analyte.plausible[1]:
        return None, None, Message("implausible value ignored")
    match (quantity.comparator or "").strip():
        case "":
            return value, value, None
        case "<" | "<=":
            return None, value, None
        case ">" | ">=":
            return value, None, None
        case _:
            return None, None, Message("comparator not understood")


def _unit(analyte: Analyte, quantity: Quantity) -> tuple[str | None, Text | None]:
    """UCUM code of the result and, when there is none, the reason."""
    coded = analyte.ucum(quantity.code) if quantity.system in (UCUM, None) else None
    spelled = analyte.ucum(quantity.unit)
    if coded and spelled and analyte.factors.get(coded) != analyte.factors.get(spelled):
        return None, Message("unit and unit code disagree")
    unit = coded if quantity.code and quantity.system == UCUM else coded or spelled
    if unit in analyte.factors:
        return unit, None
    if quantity.unit or quantity.code:
        return None, Message("unit not known for this analyte")
    return None, Message("unit missing")


def _reference_range(
    analyte: Analyte, quantity: Quantity | None, ranges: list[ReferenceRange]
) -> tuple[Decimal | None, Decimal | None]:
    """Normal range in the canonical unit; a range without a unit is in the unit of the value."""
    for candidate in ranges:
        kind = [str(coding.code) for coding in candidate.type.coding] if candidate.type else []
        if kind and "normal" not in kind:
            continue
        low = _bound(analyte, quantity, candidate.low)
        high = _bound(analyte, quantity, candidate.high)
        if low is not None or high is not None:
            return low, high
    return None, None


def _bound(analyte: Analyte, quantity: Quantity | None, bound: Quantity | None) -> Decimal | None:
    if bound is None or not is_amount(bound.value):
        return None
    named = bound if bound.unit or bound.code else quantity
    unit = _unit(analyte, named)[0] if named is not None else None
    return analyte.to_canonical(bound.value, unit) if unit is not None else None


def _excluded(analyte: Analyte, resource: Resource) -> Text | None:
    """Why the sample does not represent the patient's usual state (drawn after dialysis), if it says so."""
    if not analyte.excluding_words:
        return None
    texts = [note.text or "" for note in resource.note or ()]
    texts += concept_texts(resource.code)
    if resource.specimen and resource.specimen.display:
        texts.append(resource.specimen.display)
    text = " ".join(texts).lower()[:10_000]
    return next((Message(reason) for words, reason in analyte.excluding_words.items() if words in text), None)


def _as_sent(quantity: Quantity | None) -> Text:
    if quantity is None or quantity.value is None:
        return Message("no value")
    return Message(
        "{comparator}{value} {unit}",
        comparator=quantity.comparator or "",
        value=quantity.value,
        unit=quantity.unit or quantity.code or Message("(no unit)"),
    )


def _version(resource: Resource, zone: tzinfo) -> datetime:
    """When this version of the result was issued; decides between duplicates."""
    updated = resource.meta.lastUpdated if resource.meta else None
    when = parse_when(resource.issued, zone) or parse_when(updated, zone)
    return when.instant if when else _LONG_AGO


def _newest_first(labs: list[tuple[Lab, datetime]]) -> tuple[Lab, ...]:
    by_time: dict[datetime | None, list[tuple[Lab, datetime]]] = defaultdict(list)
    for lab, version in labs:
        by_time[lab.when.instant if lab.when else None].append((lab, version))
    merged: list[Lab] = []
    for instant, group in by_time.items():
        if instant is None:
            merged.extend(sorted((lab for lab, _ in group), key=lambda lab: lab.source))
        else:
            chosen = _one_result(group)
            merged.extend((*_unusable_beside(chosen, group), chosen))
    return tuple(sorted(merged, key=lambda lab: lab.when.instant if lab.when else _LONG_AGO, reverse=True))


def _one_result(group: list[tuple[Lab, datetime]]) -> Lab:
    """One result for one collection time: corrected over final, later issue over earlier.

    Usable results of equal standing with different values become one interval that holds them all, so
    that a rule is decided only when every value decides it the same way.
    """
    if len(group) == 1:
        return group[0][0]

    def standing(item: tuple[Lab, datetime]) -> tuple[bool, bool, int, datetime]:
        lab, version = item
        return lab.problem is None, lab.excluded is None, _RANK.get(lab.status, -1), version

    best = max(standing(item) for item in group)
    rivals = sorted((lab for lab, version in group if standing((lab, version)) == best), key=_identity)
    first = rivals[0]
    if first.problem is not None or all(r.low == first.low and r.high == first.high for r in rivals):
        return first
    lows = [rival.low for rival in rivals]
    highs = [rival.high for rival in rivals]
    first_value, *others = sorted({str(rival.as_sent): rival.as_sent for rival in rivals}.items())
    values: Text = first_value[1]
    for _, value in others:
        values = Message("{one} and {other}", one=values, other=value)
    return replace(
        first,
        low=None if None in lows else min(low for low in lows if low is not None),
        high=None if None in highs else max(high for high in highs if high is not None),
        as_sent=Message("{values} (conflicting results)", values=values),
    )


def _unusable_beside(chosen: Lab, group: list[tuple[Lab, datetime]]) -> tuple[Lab, ...]:
    """An unusable result of the same time that may be the valid one: it stays, as a doubt about `chosen`.

    An earlier issue than the chosen one has been superseded, so it raises no doubt.
    """
    if chosen.problem is not None or chosen.preliminary:
        return ()
    issued = max(version for lab, version in group if lab.source == chosen.source)
    rivals = [lab for lab, version in group if lab.problem and not lab.excluded and version >= issued]
    return tuple(sorted(rivals, key=_identity)[:1])


def _identity(lab: Lab) -> tuple[str, str]:
    return lab.source, str(lab.as_sent)
