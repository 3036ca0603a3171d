"""Rules 14 (opioid with active metabolites) and 15 (gabapentinoid dose)."""

import pytest
from support.facts import ADULT, SNOMED, ago, condition, dose, encounter, facts, medicine
from support.judging import judge

from hooks.case_features.dosing import DoseAboveCeiling, DoseNotComputable, ceiling
from hooks.case_features.opioid import LastingUse, ShortUse
from hooks.fills import orders
from hooks.rules import gabapentinoid_dose_calciphylaxis, opioid_calciphylaxis

OPIOID = opioid_calciphylaxis.RULE
GABA = gabapentinoid_dose_calciphylaxis.RULE
CONFIRMED = condition("237900002", SNOMED)
SUSPECTED = condition("237900002", SNOMED, verification="provisional")
PAST = condition("237900002", SNOMED, clinical="resolved")
DIALYSIS = condition("Z99.2")
PALLIATIVE = {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "Z51.5"}]}
CHILD = ADULT | {"birthDate": ago(17 * 365)}


def drug(name, *instructions, **fields):
    return medicine(name, status="draft", dosageInstruction=list(instructions) or None, **fields)


def bounded(days, **dosage):
    return {"timing": {"repeat": {"boundsDuration": {"value": days, "code": "d"}}}} | dosage


def judged(rule, order, *conditions, **chart):
    conditions = conditions or (CONFIRMED, DIALYSIS)
    return judge(rule, facts(drafts=[order], hook="order-sign", conditions=conditions, **chart))


# --- 14 -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["morphine 10 mg", "codeine 30 mg", "meperidine 50 mg"])
@pytest.mark.parametrize("status", [CONFIRMED, SUSPECTED])
def test_regular_use_warns(name, status):
    found = judged(OPIOID, drug(name, dose(10, per_day=4)), status, DIALYSIS)
    assert (found.result, found.tier) == ("fires", "warning")
    assert found.summary.endswith(
        "on dialysis: active metabolites accumulate. Fentanyl, buprenorphine or methadone (expert) preferred."
    )
    assert found.offered == ["referral.pain", "referral.palliative"]
    assert found.outcome.forbids_delete
    assert "Duration or regular use not given" not in found.detail


@pytest.mark.parametrize(
    ("instruction", "result", "tier"),
    [
        (bounded(5, asNeededBoolean=True), "fires", "warning"),
        (bounded(2, asNeededBoolean=True), "fires", "warning"),
        (bounded(1, asNeededBoolean=True), "clear", ""),
        ({"asNeededBoolean": True} | dose(10, per_day=4), "fires", "info"),
        (bounded(5), "fires", "warning"),
        ({"text": "10 mg by mouth as directed"}, "fires", "info"),
        ({"timing": {"repeat": {"count": 1}}}, "clear", ""),
        ({"timing": {"code": {"coding": [{"code": "STAT"}]}}}, "clear", ""),
    ],
)
def test_duration_and_need_decide_the_tier(instruction, result, tier):
    found = judged(OPIOID, drug("morphine", instruction))
    assert (found.result, found.tier) == (result, tier)
    assert ("Duration or regular use not given" in found.detail) is (tier == "info")


def test_comfort_care_lowers_the_tier():
    regular = drug("morphine", dose(10, per_day=4))
    on_problem_list = judged(OPIOID, regular, CONFIRMED, DIALYSIS, condition("Z51.5"))
    assert on_problem_list.tier == "infoComfort"
    assert "comfort comes first" in on_problem_list.detail
    as_reason = drug("morphine", dose(10, per_day=4), reasonCode=[PALLIATIVE])
    assert judged(OPIOID, as_reason).tier == "infoComfort"
    for days, tier in ((90, "infoComfort"), (91, "warning")):
        visit = [encounter(days=days, type=[PALLIATIVE])]
        assert judged(OPIOID, regular, encounters=visit).tier == tier
    assert judged(OPIOID, regular, encounters=[encounter()]).tier == "warning"


@pytest.mark.parametrize("conditions", [[CONFIRMED], [DIALYSIS], [DIALYSIS, PAST]])
def test_both_dialysis_and_calciphylaxis_are_needed(conditions):
    assert judged(OPIOID, drug("morphine", dose(10)), *conditions).result == "clear"


@pytest.mark.parametrize("name", ["hydromorphone 2 mg", "fentanyl patch", "methadone 5 mg", "apomorphine"])
def test_other_opioids_are_not_meant(name):
    assert judged(OPIOID, drug(name, dose(10))).result == "not-triggered"


def test_topical_morphine_is_not_meant():
    assert judged(OPIOID, drug("morphine", route="topical")).result == "not-triggered"


def test_qt_medicines_are_named():
    taking = [medicine("methadone 5 mg"), medicine("ondansetron 4 mg")]
    found = judged(OPIOID, drug("morphine", dose(10)), medications=taking)
    assert "methadone, ondansetron on the medication list: lengthens QT" in found.detail


def test_opioid_with_missing_data():
    order = drug("morphine", dose(10))
    assert judge(OPIOID, facts(drafts=[order], unreadable=("conditions",))).result == "cannot-assess"
    assert judged(OPIOID, order, patient=CHILD).result == "clear"
    assert judged(OPIOID, medicine("morphine", status="stopped")).result == "suppressed"
    assert ShortUse().evaluate(facts()).answer == "not met"
    assert LastingUse().evaluate(facts()).answer == "not met"


# --- 15 -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "amount", "per_day", "result"),
    [
        ("gabapentin", 300, 1, "clear"),
        ("gabapentin", 100, 3, "clear"),
        ("gabapentin", 301, 1, "fires"),
        ("gabapentin", 300, 3, "fires"),
        ("pregabalin", 75, 1, "clear"),
        ("pregabalin", 76, 1, "fires"),
    ],
)
def test_the_ceiling_itself_does_not_fire(name, amount, per_day, result):
    assert judged(GABA, drug(name, dose(amount, per_day=per_day))).result == result


def test_a_dose_above_the_ceiling_warns_with_its_arithmetic():
    found = judged(GABA, drug("gabapentin", dose(1200, per_day=3)))
    assert (found.result, found.tier) == ("fires", "warning")
    assert found.summary == (
        "gabapentin 3,600 mg/day on dialysis exceeds usual ceiling (300 mg): neurotoxicity risk. Dose after HD."
    )
    assert "Daily dose of the order: 1,200 mg x 3/day = 3,600 mg" in found.detail
    assert "100-300 mg a day" in found.detail
    assert found.offered == ["referral.pharmacist", "referral.pain"]
    assert found.outcome.forbids_delete


def test_a_free_text_dosage_informs():
    found = judged(GABA, drug("pregabalin", {"text": "one capsule at night"}))
    assert found.tier == "info"
    assert found.summary == (
        "pregabalin on dialysis: daily dose not computable. Usual ceiling is 75 mg/day, given after HD."
    )
    assert "source to be confirmed" in found.detail


def test_a_reduction_is_not_questioned():
    active = [medicine("gabapentin", dosageInstruction=[dose(600, per_day=3)])]
    assert judged(GABA, drug("gabapentin", dose(300, per_day=3)), medications=active).result == "suppressed"
    assert judged(GABA, drug("gabapentin", dose(900, per_day=3)), medications=active).result == "fires"


@pytest.mark.parametrize("conditions", [[CONFIRMED], [DIALYSIS], [DIALYSIS, PAST]])
def test_gabapentinoids_need_dialysis_and_calciphylaxis(conditions):
    assert judged(GABA, drug("gabapentin", dose(600, per_day=3)), *conditions).result == "clear"


def test_gabapentinoid_with_missing_data():
    order = drug("gabapentin", dose(600, per_day=3))
    assert judge(GABA, facts(drafts=[order], unreadable=("conditions",))).result == "cannot-assess"
    for nothing in (facts(), facts(drafts=[drug("warfarin")])):
        assert ceiling(nothing) is None
        assert DoseAboveCeiling().evaluate(nothing).answer == "not met"
        assert orders.dose(nothing) is None
        assert orders.dose_arithmetic(nothing) is None
        assert orders.ceiling_of_drug(nothing) is None
    assert DoseNotComputable().evaluate(facts()).answer == "not met"
