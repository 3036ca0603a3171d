"""From one compact row of a case table to a case file: a real CDS Hooks body and what it must answer."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fixture_tables.resources import Chart, Json, identified

AS_OF = "2026-11-21T12:00:00Z"
PATIENT = "synthetic-1"
HOOKS = {
    "order-sign": "draftOrders",
    "order-select": "draftOrders",
    "medication-refill": "medications",
    "patient-view": None,
    "encounter-discharge": None,
}
_KEYS = {
    "conditions": "Condition",
    "labs": "Observation",
    "medications": "MedicationRequest",
    "procedures": "Procedure",
    "encounters": "Encounter",
    "requests": "ServiceRequest",
}
_NAMESPACE = uuid.UUID("6f2c6a0e-2a53-4a56-9c1d-6d6b6d2f4a10")
_VITALS = frozenset({"29463-7", "8302-2", "39156-5"})

FORBIDDEN = {
    "resourceType": "OperationOutcome",
    "issue": [{"severity": "error", "code": "forbidden", "diagnostics": "403 Forbidden"}],
}


@dataclass(frozen=True)
class Case:
    """One row. Rules in `fires` and the like are separated by blanks.

    `cards` are written `rule/indicator` or `rule/indicator/Branch`, in the order in which they must appear;
    the branch is the last word of the topic code (`Gap`, `Renewal`).
    """

    name: str
    why: str
    chart: Chart
    orders: Sequence[Json] = ()
    cards: Sequence[str] = ()
    fires: str = ""
    clear: str = ""
    cannot: str = ""
    suppressed: str = ""
    untouched: str = ""
    says: Sequence[str] = ()
    never_says: Sequence[str] = ()
    offers_removal: bool | None = None
    service: str = "order-sign"
    as_of: str = AS_OF
    without: Sequence[str] = ()
    """Prefetch keys that do not come with the call."""
    prefetch: Mapping[str, Json | None] = field(default_factory=dict)
    """Prefetch values in place of those made from the chart."""
    context: Mapping[str, Any] = field(default_factory=dict)
    modes: Mapping[str, str] | None = None
    patient_id: str = PATIENT

    def document(self) -> Json:
        """The case file."""
        expect: Json = {"cards": [_expected(card) for card in self.cards], "outcomes": self._outcomes()}
        if self.says:
            expect["says"] = list(self.says)
        if self.never_says:
            expect["neverSays"] = list(self.never_says)
        if self.offers_removal is not None:
            expect["offersRemoval"] = self.offers_removal
        found: Json = {
            "case": self.name,
            "why": self.why,
            "as_of": self.as_of,
            "service": f"calciphylaxis-{self.service}",
        }
        if self.modes is not None:
            found["modes"] = dict(self.modes)
        return found | {"request": self._request(), "expect": expect}

    def _outcomes(self) -> dict[str, str]:
        found = {}
        for card in self.cards:
            rule, *rest = card.split("/")
            found[rule] = "cannot-assess" if "Gap" in rest else "fires"
        for outcome, rules in (
            ("fires", self.fires),
            ("clear", self.clear),
            ("cannot-assess", self.cannot),
            ("suppressed", self.suppressed),
            ("not-triggered", self.untouched),
        ):
            found |= dict.fromkeys(rules.split(), outcome)
        return found

    def _request(self) -> Json:
        context: Json = {"userId": "Practitioner/synthetic-prescriber", "patientId": self.patient_id}
        member = HOOKS[self.service]
        if member is not None:
            context[member] = drafts(self.orders, self.patient_id)
        if self.service == "order-select" and "selections" not in self.context:
            context["selections"] = [_reference(entry["resource"]) for entry in context[member]["entry"]]
        if self.service == "encounter-discharge":
            context["encounterId"] = "encounter-1"
        context |= self.context
        request: Json = {
            "hook": self.service,
            "hookInstance": str(uuid.uuid5(_NAMESPACE, self.name)),
            "context": context,
        }
        prefetch = prefetch_of(self.chart, self.patient_id, vitals=self.service == "patient-view")
        prefetch = {key: value for key, value in prefetch.items() if key not in self.without}
        prefetch |= self.prefetch
        return request | ({"prefetch": prefetch} if prefetch else {})


def _expected(card: str) -> Json:
    rule, indicator, *branch = card.split("/")
    first, *rest = rule.split("-")
    topic = first + "".join(word.capitalize() for word in rest) + indicator.capitalize() + "".join(branch)
    return {"rule": rule, "indicator": indicator, "topic": topic}


def _reference(resource: Json) -> str:
    return f"{resource['resourceType']}/{resource['id']}"


def drafts(orders: Iterable[Json], patient_id: str) -> Json:
    """The orders being signed, as the EHR puts them into the context."""
    entries = []
    for number, order in enumerate(orders, 1):
        ident = order.get("id", f"draft-{number}")
        subject = (
            {}
            if order["resourceType"] == "Medication"
            else {"subject": {"reference": f"Patient/{patient_id}"}}
        )
        rest = {key: value for key, value in order.items() if key not in ("resourceType", "id")}
        entries.append({"resource": {"resourceType": order["resourceType"], "id": ident} | subject | rest})
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


def searchset(resources: Sequence[Json]) -> Json:
    """The answer to a search; without resources an empty Bundle: looked, found none."""
    entries = [{"resource": resource} for resource in resources]
    return {"resourceType": "Bundle", "type": "searchset"} | ({"entry": entries} if entries else {})


def prefetch_of(chart: Chart, patient_id: str, *, vitals: bool = False) -> dict[str, Json | None]:
    """The chart as an EHR would prefetch it."""
    patient, *rest = identified(chart, patient_id)
    found: dict[str, Json | None] = {"patient": patient}
    for key, kind in _KEYS.items():
        wanted = [item for item in rest if item["resourceType"] == kind]
        if key == "labs":
            wanted = [item for item in wanted if not _vital(item)]
        if key == "medications":
            wanted += [item for item in rest if item["resourceType"] == "Medication"]
        found[key] = searchset(wanted)
    if vitals:
        found["vitals"] = searchset([item for item in rest if _vital(item)])
    return found


def _vital(resource: Json) -> bool:
    return resource["resourceType"] == "Observation" and any(
        coding["code"] in _VITALS for coding in resource["code"].get("coding", ())
    )
