"""Why a card did or did not appear: facts with their sources, and every rule's findings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from cds_service.facts.model import Encounter, Facts, Lab, Medication, Problem, Procedure
from cds_service.fhir.decode import Dropped
from cds_service.localise.text import Text
from cds_service.rules.evaluate import Outcome, Result


def explain(outcomes: Sequence[Outcome], facts: Facts | None, dropped: Iterable[Dropped]) -> dict[str, Any]:
    """The trace of a call, without its cards; empty members stay, so that a reader sees what was looked at."""
    return {
        "facts": facts_of(facts) if facts is not None else {},
        "outcomes": [_outcome(outcome) for outcome in outcomes],
        "gaps": [{"source": gap.source, "kind": gap.kind, "text": str(gap.text)} for gap in facts.gaps]
        if facts
        else [],
        "dropped": [{"path": d.path, "resourceType": d.resource_type, "reason": d.reason} for d in dropped],
    }


def _outcome(outcome: Outcome) -> dict[str, Any]:
    return {
        "rule": outcome.rule.id,
        "version": outcome.rule.version,
        "mode": str(outcome.mode),
        "outcome": str(outcome.result),
        "indicator": outcome.indicator.value if outcome.result is Result.FIRES else None,
        "order": outcome.order.reference if outcome.order else None,
        "findings": [
            {
                "text": finding.text,
                "answer": str(finding.answer),
                "because": str(finding.because),
                "sources": list(finding.sources),
            }
            for finding in outcome.findings
        ],
        "error": outcome.error,
    }


def facts_of(facts: Facts) -> dict[str, Any]:
    """The facts a rule could see. None means "could not be read"; an empty list "none found"."""
    patient = facts.patient
    return {
        "asOf": facts.as_of.isoformat(),
        "zone": str(facts.zone),
        "patient": None
        if patient is None
        else {
            "birthDate": str(patient.birth) if patient.birth else None,
            "gender": patient.gender,
            "source": patient.source,
        },
        "problems": _list(facts.problems, _problem),
        "labs": {analyte: [_lab(lab) for lab in labs] for analyte, labs in sorted(facts.labs.items())},
        "medications": _list(facts.medications, _medication),
        "procedures": _list(facts.procedures, _procedure),
        "encounters": _list(facts.encounters, _encounter),
        "requests": _list(facts.requests, _procedure),
        "orders": [
            *(_medication(order.medication) for order in facts.orders if order.medication),
            *(_procedure(order.procedure) for order in facts.orders if order.procedure),
        ],
        "unreadable": {source: str(reason) for source, reason in facts.failures.items()},
        "incomplete": sorted(facts.incomplete),
    }


def _list(items: Sequence[Any] | None, render: Any) -> list[Any] | None:
    return None if items is None else [render(item) for item in items]


def _words(text: Text | None) -> str | None:
    return None if text is None else str(text)


def _problem(item: Problem) -> dict[str, Any]:
    return {
        "label": item.label,
        "active": item.active,
        "verification": item.verification,
        "since": str(item.since) if item.since else None,
        "valueSets": sorted(item.sets),
        "source": item.source,
    }


def _lab(item: Lab) -> dict[str, Any]:
    return {
        "asSent": str(item.as_sent),
        "value": str(item.exact) if item.exact is not None else None,
        "unit": item.unit,
        "when": str(item.when) if item.when else None,
        "whenIs": item.when_is,
        "status": item.status,
        "notUsable": _words(item.problem or item.excluded),
        "source": item.source,
    }


def _medication(item: Medication) -> dict[str, Any]:
    return {
        "name": item.name,
        "recognisedBy": item.basis,
        "state": str(item.state),
        "since": str(item.started) if item.started else None,
        "ended": str(item.ended) if item.ended else None,
        "route": item.route,
        "dailyDose": str(item.daily_dose.text) if item.daily_dose else None,
        "valueSets": sorted(item.sets),
        "source": item.source,
    }


def _procedure(item: Procedure) -> dict[str, Any]:
    return {
        "label": item.label,
        "when": str(item.when) if item.when else None,
        "status": item.status,
        "valueSets": sorted(item.sets),
        "source": item.source,
    }


def _encounter(item: Encounter) -> dict[str, Any]:
    return {
        "status": item.status,
        "started": str(item.started) if item.started else None,
        "ended": str(item.ended) if item.ended else None,
        "valueSets": sorted(item.sets),
        "source": item.source,
    }
