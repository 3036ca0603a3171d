"""Which lines of an export a rule could read, and whose they are, at the least cost.

Most of an export is of no use to any rule: blood counts, blood pressures, ordinary visits. A line is decoded
just far enough to know its type, patient and codes; what is kept is kept as it came, and is decoded in full by
the same code as an EHR's call when a rule asks for it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import msgspec

from cds_service.facts.subjects import bare_id
from cds_service.facts.units import Analyte
from cds_service.fhir.decode import DecodeFailure
from cds_service.terminology.index import Terminology

KEPT = (
    "Patient",
    "Condition",
    "Procedure",
    "Encounter",
    "MedicationRequest",
    "ServiceRequest",
    "Observation",
    "Medication",
)
"""Resource types that rules read; the place in this list is the number by which a kept line goes."""
PLACE = {name: place for place, name in enumerate(KEPT)}
_MOST_KNOWN = 4096
_NOTHING = msgspec.Raw(b"")
_NAMED = re.compile(rb'"(?:subject|patient)"\s*:\s*\{\s*"reference"\s*:\s*"([^"\\]*)"')
_TYPE = re.compile(rb'"resourceType"\s*:\s*"([A-Za-z]+)"')
_ID = re.compile(rb'"id"\s*:\s*"([^"\\]+)"')


class _Reference(msgspec.Struct, gc=False):
    reference: str | None = None


NOBODY = _Reference()


class _Coding(msgspec.Struct, gc=False):
    system: str | None = None
    code: str | int | None = None


class _Concept(msgspec.Struct, gc=False):
    coding: list[_Coding] = []


class _Component(msgspec.Struct, gc=False):
    code: _Concept | None = None


class _Leaving(msgspec.Struct, gc=False):
    dischargeDisposition: _Concept | None = None  # noqa: N815 - wire name


class _Head(msgspec.Struct, gc=False):
    resourceType: str | None = None  # noqa: N815 - wire name
    id: str | int | None = None
    status: str | None = None
    subject: _Reference | None = None
    patient: _Reference | None = None
    code: _Concept | None = None
    component: list[_Component] | None = None
    type: list[_Concept] | _Concept | str | None = None
    reasonCode: list[_Concept] | _Concept | None = None  # noqa: N815 - wire name
    hospitalization: _Leaving | None = None
    admission: _Leaving | None = None


class Glimpse(msgspec.Struct, gc=False):
    """A line as `sort` reads it, but with its codes as they came: an export says the same few over and over."""

    resourceType: str | None = None  # noqa: N815 - wire name
    id: str | int | None = None
    status: str | None = None
    subject: _Reference | None = None
    patient: _Reference | None = None


class _Result(Glimpse, gc=False):
    code: msgspec.Raw = _NOTHING
    component: list[_Component] | None = None


class _Visit(Glimpse, gc=False):
    type: msgspec.Raw = _NOTHING
    reasonCode: msgspec.Raw = _NOTHING  # noqa: N815 - wire name
    hospitalization: _Leaving | None = None
    admission: _Leaving | None = None


class _Order(Glimpse, gc=False):
    reasonCode: msgspec.Raw = _NOTHING  # noqa: N815 - wire name


def _key_of_result(seen: _Result) -> bytes | None:
    return bytes(seen.code) if seen.component is None else None


def _key_of_visit(seen: _Visit) -> bytes | None:
    if seen.status != "finished" or seen.hospitalization is not None or seen.admission is not None:
        return None
    return b"|".join((seen.type, seen.reasonCode))


def _key_of_order(seen: _Order) -> bytes | None:
    return bytes(seen.reasonCode)


class Shallow(NamedTuple):
    """How lines of one type are looked at first."""

    glimpse: Callable[[bytes], Glimpse]
    key: Callable[[Any], bytes | None]
    """What decides whether a rule could read such a line; None when there is more to look at."""


def _shallow(kind: type[Glimpse], key: Callable[[Any], bytes | None]) -> Shallow:
    return Shallow(msgspec.json.Decoder(kind, strict=False).decode, key)


SHALLOW = {
    "Observation": _shallow(_Result, _key_of_result),
    "Encounter": _shallow(_Visit, _key_of_visit),
    "MedicationRequest": _shallow(_Order, _key_of_order),
    "ServiceRequest": _shallow(_Order, _key_of_order),
}
"""Types of which an export holds so many that lines like one seen before are not looked at closely again."""


class Unsorted(Exception):
    """A line that cannot be sorted as it should be; `patient` and `kind` are what could still be made out."""

    def __init__(self, *, json: bool, kind: str, patient: str | None) -> None:
        super().__init__("unsorted")
        self.json = json
        self.kind = kind
        self.patient = patient


class Sieve:
    """Sorts lines for one set of terminology and analytes."""

    def __init__(self, terminology: Terminology, analytes: Iterable[Analyte]) -> None:
        self._terminology = terminology
        self._read = frozenset(ident for analyte in analytes for ident in analyte.value_sets)
        self._decode = msgspec.json.Decoder(_Head, strict=False).decode
        self._codes: dict[tuple[str | None, str | int | None], bool] = {}
        self._patients: dict[str, str | None] = {}
        self._familiar: dict[str, dict[bytes, bool]] = {}

    def familiar(self, kind: str) -> dict[bytes, bool] | None:
        """Keys of lines of a type (see `Shallow`) -> whether a rule could read them; None: look at every line."""
        if kind not in SHALLOW:
            return None
        known = self._familiar.setdefault(kind, {})
        if len(known) > _MOST_KNOWN:
            known.clear()
        return known

    def sort(self, line: bytes) -> tuple[str, str | None, bool]:
        """Resource type, patient (for a Medication its own id) and whether any rule could read the line.

        Raises:
            Unsorted: not JSON, or not of the expected form.
        """
        try:
            head = self._decode(line)
        except DecodeFailure as error:
            kind, named = _found(_TYPE, line) or "", _found(_NAMED, line)
            patient = self.patient(named) if named is not None else None
            if kind == "Patient":
                patient = _found(_ID, line) or patient
            raise Unsorted(
                json=isinstance(error, msgspec.ValidationError), kind=kind, patient=patient
            ) from None
        kind_name = head.resourceType or ""
        if kind_name not in PLACE:
            return kind_name, None, False
        if kind_name in ("Patient", "Medication"):
            return kind_name, None if head.id is None else str(head.id), True
        about = head.subject or head.patient
        patient = self.patient(about.reference) if about and about.reference else None
        return kind_name, patient, self._matters(kind_name, head)

    def _matters(self, kind: str, head: _Head) -> bool:
        if kind == "Observation":
            return self._is_read(head.code) or any(self._is_read(c.code) for c in head.component or ())
        if kind == "Encounter":
            # A finished visit without a code we know and without a disposition tells a rule nothing.
            leaving = head.hospitalization or head.admission
            return (
                head.status != "finished"
                or (leaving is not None and leaving.dischargeDisposition is not None)
                or self._means_something(head.type)
                or self._means_something(head.reasonCode)
            )
        return True

    def _is_read(self, concept: _Concept | None) -> bool:
        if concept is None:
            return False
        for coding in concept.coding:
            key = coding.system, coding.code
            found = self._codes.get(key)
            if found is None:
                sets = self._terminology.sets_of(coding.system, str(coding.code))
                found = self._codes[key] = not self._read.isdisjoint(sets)
            if found:
                return True
        return False

    def _means_something(self, value: list[_Concept] | _Concept | str | None) -> bool:
        if value is None or isinstance(value, str):
            return False
        concepts = value if isinstance(value, list) else [value]
        return any(
            bool(self._terminology.sets_of(coding.system, str(coding.code)))
            for concept in concepts
            for coding in concept.coding
        )

    def patient(self, reference: str) -> str | None:
        """The patient's id in a reference, or None when it leads to nobody we could name."""
        try:
            return self._patients[reference]
        except KeyError:
            identifier = None if reference.startswith(("urn:", "#")) else bare_id(reference, "Patient")
            if len(self._patients) > _MOST_KNOWN:
                self._patients.clear()
            self._patients[reference] = identifier or None
            return identifier or None


def _found(pattern: re.Pattern[bytes], line: bytes) -> str | None:
    """What a pattern finds in a line that could not be read; None also for bytes that are no text."""
    found = pattern.search(line)
    try:
        return found.group(1).decode() if found else None
    except UnicodeDecodeError:
        return None
