"""The laboratory results of a call as form fields, and the call with the fields as a visitor changed them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from cds_service.web import documents

MAX_FIELDS = 40
_NUMBER = re.compile(r"\d{1,6}(\.\d{1,6})?", re.ASCII)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Field:
    """One result that has a number: two fields of the form."""

    id: str
    label: str
    unit: str
    value: str
    """As the request has it."""
    day: str
    """The day of the result, YYYY-MM-DD; empty when it has none."""
    shown_value: str
    shown_day: str
    latest: bool = True
    """No other result of this name is younger."""
    problem: str = ""

    @property
    def changed(self) -> bool:
        return (self.value, self.day) != (self.shown_value, self.shown_day)

    @property
    def change(self) -> str:
        """`Calcium: 9.8 mg/dL, 2026-11-12 -> 11.2 mg/dL, 2026-11-12`."""
        if not self.shown_value:
            return f"{self.label}: {self.value} {self.unit}, {self.day or 'no date'} taken away"
        before = f"{self.value} {self.unit}, {self.day or 'no date'}"
        return f"{self.label}: {before} → {self.shown_value} {self.unit}, {self.shown_day or 'no date'}"


def fields(body: bytes, form: Mapping[str, str]) -> list[Field]:
    """A field for each result with a number, the latest first; with what the form says in them."""
    found = [
        _field(f"result-{number}", observation, form)
        for number, observation in enumerate(_observations(documents.read(body)))
    ]
    latest_first = sorted(found, key=lambda each: each.day, reverse=True)[:MAX_FIELDS]
    seen: set[str] = set()
    for index, field in enumerate(latest_first):
        latest_first[index] = replace(field, latest=field.label not in seen)
        seen.add(field.label)
    return latest_first


def edited(body: bytes, wanted: list[Field]) -> bytes:
    """The call with the changed results in it; a result whose value was emptied is taken out."""
    changes = {each.id: each for each in wanted if each.changed and not each.problem}
    if not changes:
        return body
    document = documents.read(body)
    gone = []
    for number, observation in enumerate(_observations(document)):
        field = changes.get(f"result-{number}")
        if field is None:
            continue
        if not field.shown_value:
            gone.append(observation)
            continue
        observation["valueQuantity"]["value"] = Decimal(field.shown_value)
        if field.shown_day != field.day:
            _set_day(observation, field)
    _remove(document, gone)
    return documents.write(document)


def _observations(document: Any) -> list[dict[str, Any]]:
    return [
        each
        for each in documents.resources(document)
        if each["resourceType"] == "Observation"
        and isinstance(each.get("valueQuantity"), dict)
        and isinstance(each["valueQuantity"].get("value"), int | Decimal)
    ]


def _field(name: str, observation: dict[str, Any], form: Mapping[str, str]) -> Field:
    quantity = observation["valueQuantity"]
    value = str(quantity["value"])
    unit = str(quantity.get("unit") or quantity.get("code") or "")
    when = observation.get("effectiveDateTime")
    day = when[:10] if isinstance(when, str) and _DAY.fullmatch(when[:10]) else ""
    shown_value = form.get(f"{name}-value", value).strip()
    shown_day = form.get(f"{name}-day", day).strip()
    label = documents.wording(observation.get("code")) or "Result"
    problem = _problem(shown_value, shown_day)
    return Field(name, label, unit, value, day, shown_value, shown_day, problem=problem)


def _problem(value: str, day: str) -> str:
    if value and not _NUMBER.fullmatch(value):
        return "That is not a number; the value of the request was used."
    if day and not _DAY.fullmatch(day):
        return "That is not a date (YYYY-MM-DD); the date of the request was used."
    return ""


def _set_day(observation: dict[str, Any], field: Field) -> None:
    """Another day, the same time of day; no day at all when the field was emptied."""
    if not field.shown_day:
        del observation["effectiveDateTime"]
    elif field.day:
        observation["effectiveDateTime"] = field.shown_day + observation["effectiveDateTime"][10:]
    else:
        observation["effectiveDateTime"] = field.shown_day


def _remove(document: Any, gone: list[dict[str, Any]]) -> None:
    """Take resources out of the Bundles that hold them."""
    if isinstance(document, list):
        document[:] = [item for item in document if not _holds(item, gone)]
        for item in document:
            _remove(item, gone)
    elif isinstance(document, dict):
        for value in document.values():
            _remove(value, gone)


def _holds(entry: Any, gone: list[dict[str, Any]]) -> bool:
    inside = entry.get("resource") if isinstance(entry, dict) else None
    return any(each is entry or each is inside for each in gone)
