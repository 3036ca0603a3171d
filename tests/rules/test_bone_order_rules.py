"""Rules 17 (calcimimetic with low calcium) and 18 (antiresorptive drug on dialysis)."""

import pytest
from support.facts import (
    ADULT,
    SNOMED,
    ago,
    albumin,
    calcium,
    condition,
    dose,
    facts,
    lab,
    medicine,
    minerals,
)
from support.judging import judge

from hooks.fills import orders
from hooks.rules import antiresorptive_dialysis, calcimimetic_low_calcium

CALCIMIMETIC = calcimimetic_low_calcium.RULE
BONE = antiresorptive_dialysis.RULE
DIALYSIS = condition("Z99.2")
CHILD = ADULT | {"birthDate": ago(17 * 365)}


def drug(name, **fields):
    return medicine(name, status="draft", **fields)


def judged(rule, order, *labs, **chart):
    return judge(rule, facts(drafts=[order], hook="order-sign", labs=labs, **chart))


def ionised(value, **fields):
    return lab("1995-0", value, "mmol/L", days=3, low=1.12, high=1.32, **fields)


# --- 17 -----------------------------------------------------------------------------------------


def test_corrected_calcium_below_84_warns():
    found = judged(CALCIMIMETIC, drug("cinacalcet"), calcium(8.2), albumin(3.8), conditions=[DIALYSIS])
    assert (found.result, found.tier) == ("fires", "warning")
    assert found.summary == (
        "cinacalcet: corrected Ca 8.36 mg/dL on 10 Nov 2026, below 8.4 mg/dL. "
        "Do not start/raise until corrected; check QTc."
    )
    assert found.offered == ["lab.calcium", "lab.ionised-calcium", "lab.albumin", "referral.nephrology"]
    assert found.outcome.forbids_delete
    assert "Not on dialysis" not in found.detail


@pytest.mark.parametrize(
    ("labs", "result"),
    [
        ([calcium(8.4), albumin(4.0)], "clear"),
        ([calcium(8.3), albumin(4.0)], "fires"),
        ([calcium(8.0), albumin(3.5)], "clear"),
        ([calcium(2.09, "mmol/L"), albumin(41, "g/L")], "fires"),
        ([calcium(8.0)], "cannot-assess"),
        ([calcium(9.0)], "clear"),
        ([], "cannot-assess"),
        ([calcium(7.9, days=91), albumin(4.0)], "cannot-assess"),
        ([calcium(7.9, status="preliminary"), albumin(4.0)], "cannot-assess"),
        ([calcium(9.0, days=9), albumin(4.0), calcium(7.9, days=2, status="preliminary")], "cannot-assess"),
    ],
)
def test_which_calcium_counts_as_low(labs, result):
    assert judged(CALCIMIMETIC, drug("etelcalcetide"), *labs).result == result


def test_si_units():
    found = judged(CALCIMIMETIC, drug("cinacalcet"), calcium(2.0, "mmol/L"), albumin(41, "g/L"), units="SI")
    assert "corrected Ca 2.00 mmol/L on 10 Nov 2026, below 2.10 mmol/L." in found.summary


def test_a_value_that_rounds_to_its_limit_gets_another_decimal():
    near = judged(CALCIMIMETIC, drug("cinacalcet"), calcium(8.55, low=8.6), albumin(4.0))
    assert "corrected Ca 8.55 mg/dL on 10 Nov 2026, below 8.6 mg/dL." in near.summary
    empty = facts()
    assert orders.low_calcium(empty) == orders.calcium_lower_limit(empty) is None
    assert orders.ionised_calcium(empty) is None
    assert orders.ionised_date(empty) is None
    assert orders.egfr(empty) is None


def test_low_ionised_calcium_is_printed_as_such():
    found = judged(CALCIMIMETIC, drug("cinacalcet"), calcium(9.0), albumin(4.0), ionised(1.11))
    assert found.tier == "warning"
    assert "ionised Ca 1.11 mmol/L on 12 Nov 2026, below normal." in found.summary
    assert (
        judged(CALCIMIMETIC, drug("cinacalcet"), calcium(9.0), albumin(4.0), ionised(1.12)).result == "clear"
    )


def test_the_laboratorys_own_limit_counts():
    labs = [calcium(8.5, low=8.6, high=10.2), albumin(4.0)]
    found = judged(CALCIMIMETIC, drug("cinacalcet"), *labs)
    assert "corrected Ca 8.5 mg/dL on 10 Nov 2026, below 8.6 mg/dL." in found.summary
    assert "8.6 mg/dL is the laboratory's own lower limit" in found.detail
    at_limit = [calcium(8.6, low=8.6, high=10.2), albumin(4.0)]
    assert judged(CALCIMIMETIC, drug("cinacalcet"), *at_limit).result == "clear"


def test_off_dialysis_and_qt_lines():
    found = judged(
        CALCIMIMETIC, drug("cinacalcet"), calcium(8.0), albumin(4.0), medications=[medicine("methadone 5 mg")]
    )
    assert "Not on dialysis: cinacalcet is not indicated" in found.detail
    assert "methadone on the medication list: lengthens QT" in found.detail
    other = judged(CALCIMIMETIC, drug("etelcalcetide"), calcium(8.0), albumin(4.0))
    assert "Not on dialysis" not in other.detail


def test_a_dose_reduction_is_not_questioned():
    active = [medicine("cinacalcet", dosageInstruction=[dose(60)])]
    lower, higher = (drug("cinacalcet", dosageInstruction=[dose(amount)]) for amount in (30, 90))
    low = [calcium(8.0), albumin(4.0)]
    assert judged(CALCIMIMETIC, lower, *low, medications=active).result == "suppressed"
    assert judged(CALCIMIMETIC, higher, *low, medications=active).result == "fires"


@pytest.mark.parametrize("code", ["E21.0", "C75.0"])
def test_primary_parathyroid_disease_informs_instead(code):
    found = judged(CALCIMIMETIC, drug("cinacalcet"), calcium(8.0), albumin(4.0), conditions=[condition(code)])
    assert found.tier == "infoPrimary"
    assert found.offered[-1] == "referral.endocrinology"
    normal = judged(
        CALCIMIMETIC, drug("cinacalcet"), calcium(9.0), albumin(4.0), conditions=[condition(code)]
    )
    assert normal.result == "clear"


def test_calcimimetic_needs_an_adult_but_no_problem_list():
    low = [calcium(8.0), albumin(4.0)]
    assert judged(CALCIMIMETIC, drug("cinacalcet"), *low, patient=CHILD).result == "clear"
    assert judged(CALCIMIMETIC, drug("cinacalcet"), *low, unreadable=("conditions",)).result == "fires"
    assert judged(CALCIMIMETIC, drug("sevelamer"), *low).result == "not-triggered"


# --- 18 -----------------------------------------------------------------------------------------


def egfr(value, **fields):
    return lab("33914-3", value, "mL/min/{1.73_m2}", **fields)


def test_denosumab_on_dialysis_warns():
    found = judged(BONE, drug("denosumab 60 mg"), *minerals(), conditions=[DIALYSIS])
    assert (found.result, found.tier) == ("fires", "warning")
    assert found.summary == (
        "Denosumab on dialysis: boxed warning for severe hypocalcaemia. Needs CKD-MBD expert and Ca plan."
    )
    assert "an abrupt end brings rebound fractures" in found.detail
    assert "25-hydroxyvitamin D not available (no result)" in found.detail
    assert found.offered == ["lab.vitamin-d", "referral.nephrology", "referral.endocrinology"]
    assert found.outcome.forbids_delete


def test_a_bisphosphonate_on_dialysis_informs():
    vitamin_d = lab("62292-8", 22, "ng/mL")
    found = judged(BONE, drug("alendronate 70 mg"), vitamin_d, conditions=[DIALYSIS])
    assert found.tier == "info"
    assert "on dialysis: most are contraindicated or unstudied in severe CKD" in found.summary
    assert "25-hydroxyvitamin D 22 ng/mL on 10 Nov 2026" in found.detail
    assert "used in calciphylaxis, without trial evidence" in found.detail
    assert "rebound" not in found.detail
    assert found.offered[:4] == ["lab.calcium", "lab.phosphate", "lab.albumin", "lab.pth"]
    assert "lab.vitamin-d" not in found.offered


@pytest.mark.parametrize(("value", "result"), [(34, "fires"), (34.9, "fires"), (35, "clear"), (60, "clear")])
def test_a_bisphosphonate_off_dialysis_depends_on_egfr(value, result):
    assert judged(BONE, drug("alendronate 70 mg"), egfr(value)).result == result


def test_the_egfr_card_does_not_speak_of_dialysis():
    found = judged(BONE, drug("zoledronic acid"), egfr(22))
    assert found.tier == "infoEgfr"
    assert "with eGFR 22: most are contraindicated" in found.summary
    assert "eGFR 22 mL/min/1.73 m2 on 10 Nov 2026" in found.detail
    interval = facts(
        labs=[egfr(15) | {"valueQuantity": {"value": 15, "comparator": "<", "code": "mL/min/{1.73_m2}"}}]
    )
    assert str(orders.egfr(interval)).startswith("<15")


def test_without_egfr_and_dialysis_it_is_not_assessed():
    assert judged(BONE, drug("alendronate 70 mg")).result == "cannot-assess"
    assert judged(BONE, drug("denosumab 60 mg")).result == "clear"
    assert judged(BONE, drug("denosumab 60 mg"), egfr(10)).result == "clear"
    assert judged(BONE, drug("denosumab 60 mg"), unreadable=("conditions",)).result == "cannot-assess"


def test_treatment_of_high_calcium_in_cancer_informs_only():
    reason = [{"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "E83.52"}]}]
    by_reason = judged(BONE, drug("denosumab 120 mg", reasonCode=reason), conditions=[DIALYSIS])
    assert by_reason.tier == "infoHypercalcaemia"
    both = [DIALYSIS, condition("E83.52"), condition("C50.011")]
    assert judged(BONE, drug("denosumab 120 mg"), conditions=both).tier == "infoHypercalcaemia"
    assert judged(BONE, drug("denosumab 120 mg"), conditions=both[:2]).tier == "warning"
    assert judged(BONE, drug("pamidronate"), conditions=both[:1]).tier == "info"


def test_antiresorptive_rule_needs_an_adult_and_a_drug_of_the_group():
    assert judged(BONE, drug("denosumab"), conditions=[DIALYSIS], patient=CHILD).result == "clear"
    assert judged(BONE, drug("teriparatide"), conditions=[DIALYSIS]).result == "not-triggered"
    assert judged(BONE, drug("denosumab"), conditions=[condition("237900002", SNOMED)]).result == "clear"


def test_ionised_calcium_without_a_total_is_printed_by_itself():
    found = judged(CALCIMIMETIC, drug("cinacalcet"), ionised(1.05))
    assert found.tier == "warning"
    assert "ionised calcium 1.05 mmol/L on 12 Nov 2026" in found.detail


def test_a_newer_ionised_calcium_that_cannot_be_used_leaves_the_question_open():
    normal = [calcium(9.0), albumin(4.0), ionised(1.2)]
    spoilt = lab("1995-0", 4.1, "furlong", days=1)
    assert judged(CALCIMIMETIC, drug("cinacalcet"), *normal, spoilt).result == "cannot-assess"
    assert judged(CALCIMIMETIC, drug("cinacalcet"), *normal[:2], spoilt).result == "cannot-assess"
    assert judged(CALCIMIMETIC, drug("cinacalcet"), *normal).result == "clear"
