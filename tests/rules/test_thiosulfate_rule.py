"""Rule 16: sodium thiosulfate, its safety checks and their limits (T14, T4)."""

import pytest
from support.facts import ADULT, SNOMED, ago, albumin, calcium, condition, facts, lab, medicine
from support.judging import judge

from hooks.case_features.low_calcium import RecentLowCalcium
from hooks.rules import sts_safety

RULE = sts_safety.RULE
IONISED = "1995-0"


def thiosulfate(name="sodium thiosulfate 25 g", route="intravenous", **fields):
    return medicine(name, status="draft", route=route, **fields)


def bicarbonate(value=24, **fields):
    return lab("1963-8", value, "mmol/L", **fields)


def gap(value=12, code="33037-3", **fields):
    return lab(code, value, "mmol/L", **fields)


def sodium(value=140, **fields):
    return lab("2951-2", value, "mmol/L", **fields)


def judged(*labs, order=None, **chart):
    return judge(RULE, facts(drafts=[order or thiosulfate()], hook="order-sign", labs=labs, **chart))


def normal(**replaced):
    usual = {"hco3": bicarbonate(), "ag": gap(), "na": sodium(), "ca": calcium(9.2), "alb": albumin(4.1)}
    return list((usual | replaced).values())


def test_with_normal_values_the_card_informs_and_gives_the_schedule_as_reference_only():
    found = judged(*normal())
    assert (found.result, found.tier) == ("fires", "info")
    assert found.summary == (
        "Sodium thiosulfate (off-label): benefit unproven. Check bicarbonate/anion gap, Na, Ca, BP, QTc."
    )
    assert "For reference, not a recommended dose: often cited is 12.5-25 g IV" in found.detail
    assert "mEq" not in found.detail
    assert (
        "bicarbonate 24.0 mmol/L on 10 Nov 2026; anion gap 12.0 mmol/L on 10 Nov 2026; sodium 140"
        in found.detail
    )
    assert found.offered == []
    assert found.outcome.not_checked == ()
    assert found.outcome.forbids_delete


@pytest.mark.parametrize(
    ("value", "tier"),
    [
        ({"hco3": bicarbonate(18)}, "info"),
        ({"hco3": bicarbonate(17.9)}, "warning"),
        ({"ag": gap(20)}, "info"),
        ({"ag": gap(20.1)}, "warning"),
        ({"na": sodium(145)}, "info"),
        ({"na": sodium(146)}, "warning"),
        ({"ca": calcium(8.4)}, "info"),
        ({"ca": calcium(8.3)}, "warning"),
        ({"ca": calcium(8.3), "alb": albumin(3.8)}, "info"),
    ],
)
def test_equality_at_each_limit_does_not_count(value, tier):
    assert judged(*normal(**value)).tier == tier


def test_a_warning_offers_labs_and_names_what_is_missing():
    found = judged(bicarbonate(15), calcium(9.0), albumin(4.0))
    assert found.tier == "warning"
    assert "Not available: anion gap: no result; sodium: no result" in found.detail
    assert found.offered == ["lab.bicarbonate", "lab.sodium", "lab.calcium", "lab.albumin"]


def test_without_labs_it_informs_names_them_and_offers_them():
    found = judged()
    assert found.tier == "info"
    assert "not available: bicarbonate: no result; anion gap: no result; sodium: no result" in found.detail
    assert "calcium: no result" in found.detail
    assert found.offered == ["lab.bicarbonate", "lab.sodium", "lab.calcium", "lab.albumin"]


def test_values_older_than_seven_days_do_not_decide():
    assert judged(*normal(hco3=bicarbonate(15, days=7))).tier == "warning"
    stale = judged(*normal(hco3=bicarbonate(15, days=8)))
    assert stale.tier == "info"
    assert "bicarbonate: last result 7 Nov 2026 is out of date" in stale.detail
    assert stale.offered == ["lab.bicarbonate"]
    old_calcium = judged(*normal(ca=calcium(7.9, days=8), alb=albumin(4.1, days=8)))
    assert old_calcium.tier == "info"
    assert "calcium: last result 7 Nov 2026 is older than 7 days" in old_calcium.detail


def test_a_preliminary_value_never_warns():
    assert judged(*normal(hco3=bicarbonate(15, status="preliminary"))).tier == "info"


def test_ionised_calcium_below_its_limit_warns():
    low = lab(IONISED, 1.05, "mmol/L", days=2, low=1.12, high=1.32)
    assert judged(*normal(), low).tier == "warning"
    at_limit = lab(IONISED, 1.12, "mmol/L", days=2, low=1.12, high=1.32)
    assert judged(*normal(), at_limit).tier == "info"
    assert judged(bicarbonate(), gap(), sodium(), low).tier == "warning"


def test_a_low_total_calcium_without_albumin_is_left_open():
    found = judged(bicarbonate(), gap(), sodium(), calcium(8.0))
    assert found.tier == "info"
    assert "total calcium 8.0 mg/dL without a usable albumin" in found.detail
    ionised = lab(IONISED, 1.2, "mmol/L", days=2, low=1.12, high=1.32)
    assert RecentLowCalcium().evaluate(facts(labs=[ionised])).answer == "unknown"


def test_an_anion_gap_with_potassium_is_pointed_out():
    found = judged(*normal(ag=gap(21, code="1863-0")))
    assert found.tier == "warning"
    assert "includes potassium" in found.detail
    assert "includes potassium" not in judged(*normal()).detail


@pytest.mark.parametrize(
    ("order", "result"),
    [
        (thiosulfate(route=None), "fires"),
        (thiosulfate(route="topical"), "not-triggered"),
        (thiosulfate(route="intralesional"), "not-triggered"),
        (thiosulfate("sodium nitrite and sodium thiosulfate kit"), "not-triggered"),
        (thiosulfate("Pedmark"), "not-triggered"),
        (thiosulfate("Pedmark (sodium thiosulfate)"), "clear"),
        (thiosulfate() | {"status": "cancelled"}, "suppressed"),
        (thiosulfate(doNotPerform=True), "suppressed"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_other_uses_and_routes_do_not_fire(order, result):
    assert judged(order=order).result == result


def test_adults_only_and_no_diagnosis_is_needed():
    child = ADULT | {"birthDate": ago(17 * 365)}
    assert judged(patient=child).result == "clear"
    assert judged(patient=None).result == "cannot-assess"
    assert judged(unreadable=("conditions",)).result == "fires"
    assert judged(conditions=[condition("237900002", SNOMED)]).result == "fires"


def test_unreadable_labs_are_named():
    found = judged(unreadable=("labs",))
    assert found.tier == "info"
    assert "laboratory results not readable" in found.detail


def test_an_ionised_calcium_that_cannot_be_used_is_named():
    found = judged(*normal(), lab(IONISED, 4.1, "furlong", days=1))
    assert found.tier == "info"
    assert "not available: ionised calcium: result of 14 Nov 2026 not usable" in found.detail
