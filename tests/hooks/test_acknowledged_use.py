"""Monthly renewals of a VKA are one use; old dialysis sessions do not prove dialysis today."""

from __future__ import annotations

from support.facts import facts

from hooks.case_features.anticoagulation import AcknowledgedVka
from hooks.case_features.dialysis import OnDialysis

RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"


def warfarin(ident, status, authored, until=None):
    order = {
        "resourceType": "MedicationRequest",
        "id": ident,
        "status": status,
        "intent": "order",
        "authoredOn": authored,
        "medicationCodeableConcept": {"coding": [{"system": RXNORM, "code": "855332"}]},
    }
    if until:
        order["dispenseRequest"] = {"validityPeriod": {"end": until}}
    return order


def session(ident, day):
    code = {"coding": [{"system": "http://snomed.info/sct", "code": "302497006"}]}
    return {
        "resourceType": "Procedure",
        "id": ident,
        "status": "completed",
        "code": code,
        "performedDateTime": day,
    }


def test_monthly_renewals_count_as_one_use():
    renewed = [
        warfarin("old", "completed", "2026-08-01", "2026-11-01"),
        warfarin("new", "active", "2026-11-01"),
    ]
    assert AcknowledgedVka().evaluate(facts(medications=renewed)).answer == "met"


def test_a_use_that_ended_long_ago_does_not():
    apart = [
        warfarin("old", "completed", "2025-01-01", "2025-03-01"),
        warfarin("new", "active", "2026-11-01"),
    ]
    assert AcknowledgedVka().evaluate(facts(medications=apart)).answer == "not met"


def test_one_session_now_and_two_years_ago_are_no_maintenance_dialysis():
    sessions = [session("a", "2026-11-20"), session("b", "2019-03-01"), session("c", "2019-03-03")]
    found = facts(conditions=[], procedures=sessions, encounters=[])
    assert OnDialysis().evaluate(found).answer == "not met"
