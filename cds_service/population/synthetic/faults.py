"""Errors and unusual shapes that are planted in a synthetic export, each of which real exports hold.

A fault takes a resource as a document and changes it in place. A cohort says how often each is planted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from random import Random
from typing import Any

import msgspec

Document = dict[str, Any]
Fault = Callable[[Document], None]
_BASE = "https://ehr.example.org/fhir/r4"


def _quantity(document: Document) -> Document:
    value: Document = document["valueQuantity"]
    return value


def _unit_missing(document: Document) -> None:
    for name in ("unit", "system", "code"):
        _quantity(document).pop(name, None)


def _unit_unknown(document: Document) -> None:
    _quantity(document).update(unit="arb. units", code="[arb'U]")


def _decimal_slip(document: Document) -> None:
    """A slip of the decimal point: for most analytes outside what can be true."""
    quantity = _quantity(document)
    quantity["value"] = round(float(quantity["value"]) / 100, 4)


def _status(word: str) -> Fault:
    def change(document: Document) -> None:
        document["status"] = word

    return change


def _no_date(document: Document) -> None:
    document.pop("effectiveDateTime")
    document.pop("issued")


def _comparator(document: Document) -> None:
    _quantity(document)["comparator"] = ">"


def _corrected_later(document: Document) -> None:
    document["status"] = "corrected"
    issued = datetime.fromisoformat(document["issued"]) + timedelta(hours=5)
    document["issued"] = issued.isoformat()
    document["meta"]["versionId"] = "2"


def _after_dialysis(document: Document) -> None:
    document["note"] = [{"text": "Sample taken post-dialysis"}]


def _value_in_words(document: Document) -> None:
    document["valueString"] = f"{_quantity(document)['value']} (see comment)"
    document.pop("valueQuantity")


def _absent_with_reason(document: Document) -> None:
    document.pop("valueQuantity")
    document["dataAbsentReason"] = {"text": "specimen clotted"}


def _wrong_type(document: Document) -> None:
    """Illegal R4 that a strict reader refuses: an array where one value belongs."""
    document["status"] = [document["status"]]


def _effective_period(document: Document) -> None:
    start = document.pop("effectiveDateTime")
    document["effectivePeriod"] = {"start": start, "end": start}


def _issued_only(document: Document) -> None:
    document.pop("effectiveDateTime")


def _panel(document: Document) -> None:
    """The result as the only component of a panel that itself has no value."""
    code = document["code"]
    member = {"code": code, "valueQuantity": document.pop("valueQuantity")}
    if "referenceRange" in document:
        member["referenceRange"] = document.pop("referenceRange")
    document["component"] = [member]
    document["code"] = {"text": "Renal panel"}


def _absolute_subject(document: Document) -> None:
    document["subject"]["reference"] = f"{_BASE}/{document['subject']['reference']}"


def _versioned_subject(document: Document) -> None:
    document["subject"]["reference"] += "/_history/3"


def _code_as_number(document: Document) -> None:
    for coding in document["code"].get("coding", ()):
        if coding["code"].isdecimal():
            coding["code"] = int(coding["code"])


def _contained_drug(document: Document) -> None:
    code = document.pop("medicationCodeableConcept", None)
    if code is not None:
        document["contained"] = [{"resourceType": "Medication", "id": "med1", "code": code}]
        document["medicationReference"] = {"reference": "#med1"}


def _drug_display_only(document: Document) -> None:
    code = document.pop("medicationCodeableConcept", None)
    if code is not None:
        words = code.get("text") or next((c["display"] for c in code["coding"] if "display" in c), "")
        document["medicationReference"] = {"display": f"{words} (per patient)"}


def _category_as_object(document: Document) -> None:
    document["category"] = document["category"][0]
    document["dosageInstruction"] = (document.get("dosageInstruction") or [{}])[0]


def _status_as_text(document: Document) -> None:
    """STU3: bare words instead of coded statuses."""
    for name in ("clinicalStatus", "verificationStatus"):
        document[name] = document[name]["coding"][0]["code"]


def _long_id(document: Document) -> None:
    document["id"] = f"{document['id']}.{'eK7V1GTE' * 22}"


def _unchanged(_: Document) -> None:
    """The content stays; only the way in which it is written changes (`_written`)."""


FAULTS: Mapping[str, tuple[tuple[str, ...], Fault]] = {
    "unit-missing": (("Observation",), _unit_missing),
    "unit-unknown": (("Observation",), _unit_unknown),
    "decimal-slip": (("Observation",), _decimal_slip),
    "preliminary": (("Observation",), _status("preliminary")),
    "entered-in-error": (("Observation",), _status("entered-in-error")),
    "no-date": (("Observation",), _no_date),
    "comparator": (("Observation",), _comparator),
    "corrected-later": (("Observation",), _corrected_later),
    "after-dialysis": (("Observation",), _after_dialysis),
    "value-in-words": (("Observation",), _value_in_words),
    "absent-with-reason": (("Observation",), _absent_with_reason),
    "wrong-type": (("Observation",), _wrong_type),
    "effective-period": (("Observation",), _effective_period),
    "issued-only": (("Observation",), _issued_only),
    "panel": (("Observation",), _panel),
    "number-with-exponent": (("Observation",), _unchanged),
    "escaped-text": (("Observation", "Condition"), _unchanged),
    "absolute-subject": (("Observation", "Condition", "MedicationRequest"), _absolute_subject),
    "versioned-subject": (("Observation", "Condition", "Procedure"), _versioned_subject),
    "code-as-number": (("Condition", "Procedure"), _code_as_number),
    "contained-drug": (("MedicationRequest",), _contained_drug),
    "drug-display-only": (("MedicationRequest",), _drug_display_only),
    "category-as-object": (("MedicationRequest",), _category_as_object),
    "status-as-text": (("Condition",), _status_as_text),
    "long-id": (("MedicationRequest",), _long_id),
}
"""Fault -> the resource types it may be planted in, and what it does. `drug-reference` is written elsewhere:
it makes a resource of its own."""


class Planter:
    """Plants faults at the rates of a cohort."""

    def __init__(self, rates: Mapping[str, float]) -> None:
        self._by_type: dict[str, tuple[list[str], list[float], float]] = {}
        for kind in {kind for kinds, _ in FAULTS.values() for kind in kinds}:
            names = [name for name in rates if name in FAULTS and kind in FAULTS[name][0]]
            weights = [rates[name] for name in names]
            self._by_type[kind] = (names, weights, sum(weights))

    def plant(self, rng: Random, kind: str, line: str) -> tuple[str, str]:
        """The line, changed or not, and the name of the fault ('' for none)."""
        names, weights, total = self._by_type[kind]
        if rng.random() >= total:
            return line, ""
        name = rng.choices(names, weights)[0]
        document = msgspec.json.decode(line)
        FAULTS[name][1](document)
        return _written(document, name), name


def _written(document: Document, name: str) -> str:
    line = msgspec.json.encode(document).decode()
    if name == "escaped-text":
        return line.replace("Synthetic", "\\u0053ynthetic").replace("/", "\\/", 1)
    if name == "number-with-exponent":
        value = _quantity(document)["value"]
        return line.replace(
            f'"value":{msgspec.json.encode(value).decode()}', f'"value":{float(value):.10e}', 1
        )
    return line
