"""Rules 12 (injection under the skin), 13 (teriparatide, abaloparatide) and 19 (systemic steroid)."""

import pytest
from support.facts import ADULT, SNOMED, ago, condition, facts, medicine, procedure, pth
from support.judging import judge

from hooks.case_features.injection import UnderTheSkin
from hooks.case_features.steroid import FunctioningTransplant, LongCourse
from hooks.rules import sc_injection_calciphylaxis, steroid_calciphylaxis, teriparatide_risk

INJECTION = sc_injection_calciphylaxis.RULE
BONE = teriparatide_risk.RULE
STEROID = steroid_calciphylaxis.RULE
CONFIRMED = condition("237900002", SNOMED)
SUSPECTED = condition("237900002", SNOMED, verification="provisional")
PAST = condition("237900002", SNOMED, clinical="resolved")
DIALYSIS = condition("Z99.2")
CHILD = ADULT | {"birthDate": ago(17 * 365)}


def drug(name, **fields):
    return medicine(name, status="draft", **fields)


def judged(rule, order, *conditions, **chart):
    return judge(rule, facts(drafts=[order], hook="order-sign", conditions=conditions, **chart))


# --- 12 -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("status", "word"), [(CONFIRMED, "confirmed"), (SUSPECTED, "suspected")])
def test_insulin_must_not_be_withheld(status, word):
    found = judged(INJECTION, drug("insulin glargine", route="subcutaneous"), status)
    assert (found.result, found.tier) == ("fires", "infoInsulin")
    assert found.summary.endswith(
        f"SC with {word} calciphylaxis: do not withhold insulin; rotate sites, keep away from lesions."
    )
    assert "Insulin must not be withheld." in found.detail
    assert "3.74 (2.28-6.25)" in found.detail
    assert found.offered == ["referral.diabetes", "referral.nephrology"]
    assert found.outcome.forbids_delete


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("heparin", None),
        ("enoxaparin 40 mg", "LMWH accumulates on dialysis"),
        ("epoetin alfa", "can go IV on haemodialysis"),
    ],
)
def test_other_injections_ask_for_another_route(name, line):
    found = judged(INJECTION, drug(name, route="subcutaneous"), CONFIRMED)
    assert found.tier == "info"
    assert "avoid injecting near lesions; use IV/oral route if one exists." in found.summary
    assert line is None or line in found.detail
    assert "3.74" not in found.detail
    assert found.offered == ["referral.nephrology"]


@pytest.mark.parametrize(
    ("name", "route", "result"),
    [
        ("epoetin alfa", "intravenous", "not-triggered"),
        ("insulin regular", "IV", "not-triggered"),
        ("hepatitis B vaccine", "subcutaneous", "not-triggered"),
        ("glucagon", "subcutaneous", "not-triggered"),
        ("adrenaline", "subcutaneous", "not-triggered"),
        ("naloxone", "subcutaneous", "not-triggered"),
        ("morphine", "subcutaneous", "not-triggered"),
        ("insulin glargine", None, "cannot-assess"),
        ("heparin", None, "cannot-assess"),
        ("denosumab", None, "fires"),
        ("teriparatide", None, "fires"),
    ],
)
def test_which_injections_count(name, route, result):
    assert judged(INJECTION, drug(name, route=route), CONFIRMED).result == result


def test_an_unknown_route_is_recorded_only():
    assert INJECTION.gap_card is False
    found = judged(INJECTION, drug("insulin glargine"), CONFIRMED)
    reasons = [str(finding.because) for finding in found.outcome.findings]
    assert any("route of insulin not given" in reason for reason in reasons)


@pytest.mark.parametrize("conditions", [[], [PAST], [DIALYSIS]])
def test_without_documented_calciphylaxis_injections_are_not_questioned(conditions):
    assert judged(INJECTION, drug("insulin glargine", route="subcutaneous"), *conditions).result == "clear"
    assert judged(INJECTION, drug("insulin glargine"), *conditions).result == "clear"


def test_an_injection_for_a_child_is_clear_and_an_unreadable_list_is_not_assessed():
    order = drug("insulin glargine", route="subcutaneous")
    assert judged(INJECTION, order, CONFIRMED, patient=CHILD).result == "clear"
    assert judge(INJECTION, facts(drafts=[order], unreadable=("conditions",))).result == "cannot-assess"


def test_under_the_skin_needs_a_medicine_and_believes_its_route():
    assert UnderTheSkin().evaluate(facts()).answer == "not met"
    other = facts(drafts=[drug("epoetin alfa", route="intravenous")])
    assert UnderTheSkin().evaluate(other).because == "route iv"


# --- 13 -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("conditions", "medications", "factor"),
    [
        ([CONFIRMED, DIALYSIS], [], "a record of confirmed calciphylaxis"),
        ([SUSPECTED], [], "a record of suspected calciphylaxis"),
        ([PAST, DIALYSIS], [], "a record of past calciphylaxis"),
        ([DIALYSIS], [], "maintenance dialysis on record"),
        ([condition("M05")], [medicine("warfarin")], "a VKA and autoimmune disease"),
        ([], [medicine("warfarin"), medicine("prednisone", route="oral")], "a VKA and a systemic steroid"),
    ],
)
def test_teriparatide_names_the_strongest_factor(conditions, medications, factor):
    found = judged(BONE, drug("teriparatide"), *conditions, medications=medications)
    assert (found.result, found.tier) == ("fires", "warning")
    assert found.summary == (
        f"teriparatide: calciphylaxis reported after starting; patient has {factor}. Review choice."
    )
    assert found.offered == ["referral.endocrinology", "referral.nephrology"]
    assert found.outcome.forbids_delete


@pytest.mark.parametrize(
    ("conditions", "medications"),
    [
        ([], []),
        ([condition("M05")], []),
        ([], [medicine("warfarin")]),
        ([], [medicine("prednisone", route="oral")]),
        ([condition("M05")], [medicine("warfarin", status="stopped", days=10)]),
    ],
)
def test_without_a_factor_teriparatide_is_clear(conditions, medications):
    assert judged(BONE, drug("teriparatide"), *conditions, medications=medications).result == "clear"


def test_teriparatide_shows_bone_turnover_when_it_is_known():
    low = judged(BONE, drug("abaloparatide"), DIALYSIS, labs=[pth(129, high=65)])
    assert "PTH 129 pg/mL (2.0 x ULN)" in low.detail
    assert "low bone turnover is possible" in low.detail
    assert (
        "low bone turnover"
        not in judged(BONE, drug("teriparatide"), DIALYSIS, labs=[pth(130, high=65)]).detail
    )


def test_unreadable_medicines_leave_only_the_other_branches():
    unread = {"unreadable": ("medications",)}
    assert (
        judge(BONE, facts(drafts=[drug("teriparatide")], conditions=[DIALYSIS], **unread)).result == "fires"
    )
    autoimmune = facts(drafts=[drug("teriparatide")], conditions=[condition("M05")], **unread)
    assert judge(BONE, autoimmune).result == "cannot-assess"


def test_a_stop_of_teriparatide_does_not_fire():
    assert judged(BONE, medicine("teriparatide", status="stopped"), DIALYSIS).result == "suppressed"


# --- 19 -----------------------------------------------------------------------------------------


def prednisone(days=None, route="oral", **fields):
    supply = {"expectedSupplyDuration": {"value": days, "unit": "days"}} if days is not None else None
    return drug("prednisone 20 mg", route=route, dispenseRequest=supply, **fields)


@pytest.mark.parametrize(
    ("days", "result"), [(20, "clear"), (21, "fires"), (60, "fires"), (None, "cannot-assess")]
)
def test_a_steroid_counts_from_21_days(days, result):
    assert judged(STEROID, prednisone(days), CONFIRMED).result == result


def test_the_steroid_card_is_neutral():
    found = judged(STEROID, prednisone(30), SUSPECTED)
    assert found.tier == "info"
    assert found.summary == (
        "Systemic steroid with suspected calciphylaxis: associated with risk; evidence for benefit is small and mixed."
    )
    assert "11 of 14" in found.detail
    assert found.offered == ["referral.nephrology", "referral.dermatology"]
    assert found.outcome.forbids_delete
    assert STEROID.gap_card is False


@pytest.mark.parametrize("route", ["topical", "inhalation", "ophthalmic", "intra-articular"])
def test_other_routes_of_a_steroid_are_not_meant(route):
    assert judged(STEROID, prednisone(30, route=route), CONFIRMED).result == "not-triggered"


@pytest.mark.parametrize("conditions", [[], [PAST]])
def test_a_steroid_without_documented_calciphylaxis_is_clear(conditions):
    assert judged(STEROID, prednisone(30), *conditions).result == "clear"


@pytest.mark.parametrize("condition_code", ["Z94.0", "E27.1"])
def test_transplant_and_adrenal_insufficiency_are_not_questioned(condition_code):
    assert judged(STEROID, prednisone(30), CONFIRMED, condition(condition_code)).result == "clear"


def test_adrenal_insufficiency_as_reason_of_the_order_counts_too():
    reason = [{"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "E27.40"}]}]
    assert judged(STEROID, prednisone(30, reasonCode=reason), CONFIRMED).result == "clear"


def test_a_failed_graft_does_not_silence_the_steroid_card():
    failed = [CONFIRMED, condition("Z94.0"), condition("T86.12"), DIALYSIS]
    assert judged(STEROID, prednisone(30), *failed).result == "fires"


def test_a_transplant_known_from_the_operation_counts():
    done = [procedure("70536003", days=400)]
    assert judged(STEROID, prednisone(30), CONFIRMED, procedures=done).result == "clear"


def test_a_single_dose_of_a_steroid_is_clear():
    once = drug("prednisone", dosageInstruction=[{"timing": {"repeat": {"count": 1}}}])
    assert judged(STEROID, once, CONFIRMED).result == "clear"


def test_steroid_questions_without_data():
    assert LongCourse().evaluate(facts()).answer == "not met"
    unread = FunctioningTransplant().evaluate(facts(unreadable=("conditions",)))
    assert (unread.answer, unread.optional) == ("unknown", False)
    part = FunctioningTransplant().evaluate(facts(incomplete=("conditions",)))
    assert (part.answer, part.optional) == ("unknown", True)
    assert (
        judge(STEROID, facts(drafts=[prednisone(30)], unreadable=("conditions",))).result == "cannot-assess"
    )
