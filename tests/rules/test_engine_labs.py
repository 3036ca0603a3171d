"""Which result counts, how old it may be, and what an unusable newer one does to it."""

from decimal import Decimal

import pytest
from msgspec.structs import replace
from support.facts import UCUM, ago, albumin, calcium, facts, lab, phosphate, pth

from cds_service.rules.answer import Answer
from cds_service.rules.lab_criteria import Currency, LabAtLeast, LabBelow, currency, decide, latest, tell
from hooks import analytes
from hooks.analytes import ALBUMIN, ALP, CALCIUM, PHOSPHATE, PTH

MET, NOT_MET, UNKNOWN = Answer.MET, Answer.NOT_MET, Answer.UNKNOWN
HIGH = LabAtLeast(PHOSPHATE, Decimal("5.5"), "KDOQI", strictly=True)
AT_LEAST = LabAtLeast(PHOSPHATE, Decimal("5.5"), "KDOQI")
LOW = LabBelow(ALBUMIN, Decimal("3.5"), "proposal")


def bound(comparator, value, code="2777-1", unit="mg/dL", days=5):
    quantity = {"value": value, "comparator": comparator, "unit": unit, "system": UCUM, "code": unit}
    return lab(code, value, unit, days=days, valueQuantity=quantity)


@pytest.mark.parametrize(
    ("analyte", "code", "unit", "value", "current", "ageing"),
    [
        (CALCIUM, "17861-6", "mg/dL", 9, 35, 90),
        (PHOSPHATE, "2777-1", "mg/dL", 5, 35, 90),
        (ALBUMIN, "1751-7", "g/dL", 3, 35, 90),
        (PTH, "2731-8", "pg/mL", 300, 90, 180),
        (ALP, "6768-6", "U/L", 100, 180, 365),
        (analytes.WEIGHT, "29463-7", "kg", 80, 90, 180),
        (analytes.BMI, "39156-5", "kg/m2", 31, 90, 180),
        (analytes.INR, "6301-6", "{INR}", 2, 35, 35),
    ],
)
def test_windows_with_both_bounds(analyte, code, unit, value, current, ageing):
    def age_class(days, **less):
        call = facts(labs=[lab(code, value, unit, effectiveDateTime=ago(days, **less))])
        return currency(call, analyte, call.labs[analyte.id][0]).value

    assert age_class(current) == age_class(current, hours=23) == "current"
    assert age_class(current + 1) == ("ageing" if ageing > current else "stale")
    assert age_class(ageing) == ("ageing" if ageing > current else "current")
    assert age_class(ageing + 1) == age_class(ageing, hours=24) == "stale"


def test_a_result_without_a_date_is_stale():
    call = facts(labs=[phosphate(5, effectiveDateTime=None)])
    assert currency(call, PHOSPHATE, call.labs["phosphate"][0]) is Currency.STALE


@pytest.mark.parametrize(
    ("results", "value", "doubt", "why_none"),
    [
        ([], None, None, "no result"),
        ([phosphate(5)], "5", None, "no result that is stale"),
        ([phosphate(5, days=90)], "5", None, None),
        ([phosphate(5, days=91)], None, None, "last result 16 Aug 2026 is out of date"),
        ([phosphate(5, "mg%", days=91)], None, None, "last result 16 Aug 2026 is out of date"),
        ([phosphate(5, days=10), phosphate(6, days=2)], "6", None, None),
        (
            [phosphate(5, days=10), phosphate(6, days=2, status="preliminary")],
            "5",
            "result of 13 Nov 2026 is preliminary",
            None,
        ),
        (
            [phosphate(6, days=2, status="preliminary"), phosphate(7, days=3, status="preliminary")],
            None,
            "result of 13 Nov 2026 is preliminary",
            "result of 13 Nov 2026 is preliminary",
        ),
        ([phosphate(5, days=2), phosphate(6, days=10, status="preliminary")], "5", None, None),
        ([phosphate(5, days=2), phosphate(6, "mg%", days=10)], "5", None, None),
        (
            [phosphate(5, days=10), phosphate(6, "mg%", days=2)],
            "5",
            "result of 13 Nov 2026 not usable: unit not known for this analyte",
            None,
        ),
        (
            [phosphate(5, days=10), phosphate(6, effectiveDateTime=None)],
            "5",
            "an undated result exists (no usable date)",
            None,
        ),
        (
            [phosphate(5, days=10), phosphate(6, effectiveDateTime=None, status="cancelled")],
            "5",
            None,
            None,
        ),
        (
            [phosphate(5, effectiveDateTime="2027-01-01")],
            None,
            "result of 1 Jan 2027 not usable: dated in the future",
            "result of 1 Jan 2027 not usable: dated in the future",
        ),
        (
            [phosphate(5, note=[{"text": "post-dialysis"}])],
            None,
            None,
            "only results that do not count (drawn during or after dialysis)",
        ),
        (
            [phosphate(5, note=[{"text": "post-dialysis"}]), phosphate(6, days=9, status="cancelled")],
            None,
            None,
            "only results that do not count (drawn during or after dialysis; status cancelled)",
        ),
        ([phosphate(5, days=9), phosphate(6, note=[{"text": "post-dialysis"}])], "5", None, None),
    ],
)
def test_the_result_that_counts(results, value, doubt, why_none):
    found = latest(facts(labs=results), PHOSPHATE)
    assert (found.lab and found.lab.exact) == (value and Decimal(value))
    assert found.doubt == doubt
    assert found.lab is not None or found.why_none == why_none


def test_the_last_result_of_any_standing_is_kept_for_print():
    found = latest(
        facts(labs=[phosphate(5, days=200), phosphate(6, days=100, status="cancelled")]), PHOSPHATE
    )
    assert found.last.as_sent == "5 mg/dL"
    assert latest(facts(), PHOSPHATE).last is None
    newer = latest(facts(labs=[phosphate(5, days=9), phosphate(6, days=2, status="preliminary")]), PHOSPHATE)
    assert (newer.preliminary.as_sent, newer.last.as_sent) == ("6 mg/dL", "6 mg/dL")


def test_results_that_could_not_be_read():
    found = latest(facts(unreadable=["labs"]), PHOSPHATE)
    assert (found.lab, found.why_none) == (None, "laboratory results not readable (not permitted)")
    part = latest(facts(labs=[phosphate(5)], incomplete=["labs"]), PHOSPHATE)
    assert (part.lab.exact, part.doubt) == (5, "laboratory results were received only in part")
    vitals = facts(vitals=[lab("29463-7", 80, "kg")], incomplete=["vitals"])
    assert latest(vitals, analytes.WEIGHT).doubt is None


# --- comparing ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("result", "high", "at_least"),
    [
        (phosphate(5.5), NOT_MET, MET),  # equality
        (phosphate("5.5000000005"), NOT_MET, MET),
        (phosphate("5.500000002"), MET, MET),
        (phosphate(5.4), NOT_MET, NOT_MET),
        (phosphate(5.6), MET, MET),
        (bound(">", 6), MET, MET),
        (bound(">=", 6), MET, MET),
        (bound(">", 5), UNKNOWN, UNKNOWN),
        (bound("<", 5), NOT_MET, NOT_MET),
        (bound("<", 6), UNKNOWN, UNKNOWN),
        (phosphate(6, days=91), UNKNOWN, UNKNOWN),
        (phosphate(6, status="preliminary"), UNKNOWN, UNKNOWN),
        (phosphate(6, "mg%"), UNKNOWN, UNKNOWN),
    ],
)
def test_F17_above_a_threshold(result, high, at_least):
    call = facts(labs=[result])
    assert (HIGH.evaluate(call).answer, AT_LEAST.evaluate(call).answer) == (high, at_least)


@pytest.mark.parametrize(
    ("result", "answer"),
    [
        (albumin(3.4), MET),
        (albumin(3.5), NOT_MET),
        (albumin(34, "g/L"), MET),
        (bound("<", 1.5, "1751-7", "g/dL"), MET),
        (bound(">", 4.5, "1751-7", "g/dL"), NOT_MET),
        (bound("<", 4.0, "1751-7", "g/dL"), UNKNOWN),
        (bound(">", 3.0, "1751-7", "g/dL"), UNKNOWN),
    ],
)
def test_F17_below_a_threshold(result, answer):
    assert LOW.evaluate(facts(labs=[result])).answer is answer


@pytest.mark.parametrize(
    ("low", "high", "rising", "answer"),
    [
        (10, 10, True, MET),
        (5, 5, True, NOT_MET),
        (5, 10, True, UNKNOWN),
        (10, None, True, MET),
        (5, None, True, UNKNOWN),
        (None, 5, True, NOT_MET),
        (None, 10, True, UNKNOWN),
    ],
)
def test_F14_an_interval_is_decided_when_both_ends_agree(low, high, rising, answer):
    result = facts(labs=[phosphate(5)]).labs["phosphate"][0]
    one = replace(result, low=low, high=high)
    assert decide(one, lambda value: value > 7, rising=rising) is answer


def test_F14_two_values_for_one_time():
    same = {"effectiveDateTime": "2026-11-10T08:00:00Z"}
    assert HIGH.evaluate(facts(labs=[phosphate(6, **same), phosphate(7, **same)])).answer is MET
    apart = HIGH.evaluate(facts(labs=[phosphate(5, **same), phosphate(7, **same)]))
    assert apart.answer is UNKNOWN
    assert "5 mg/dL and 7 mg/dL (conflicting results)" in str(apart.because)


def test_a_doubt_never_lets_an_older_result_clear_in_silence():
    old, newer = phosphate(5, days=10), phosphate(9, "mg%", days=2)
    finding = HIGH.evaluate(facts(labs=[old, newer]))
    assert finding.answer is UNKNOWN
    assert str(finding.because).startswith("phosphate 5.0 mg/dL on 5 Nov 2026, but result of 13 Nov 2026")
    assert HIGH.evaluate(facts(labs=[phosphate(6, days=10), newer])).answer is MET


def test_why_it_is_unknown():
    assert HIGH.evaluate(facts()).because == "phosphate: no result"
    assert LOW.evaluate(facts(unreadable=["labs"])).because == (
        "albumin: laboratory results not readable (not permitted)"
    )


def test_what_the_criteria_say():
    assert HIGH.text == "phosphate above 5.5 mg/dL (KDOQI)"
    assert AT_LEAST.text == "phosphate at least 5.5 mg/dL (KDOQI)"
    assert LOW.text == "albumin below 3.5 g/dL (proposal)"


def test_how_a_result_is_told():
    reported = {"effectiveDateTime": None, "issued": "2026-11-10"}
    found = facts(labs=[phosphate(6.14), pth(1050, **reported), bound(">", 15, "17861-6")]).labs
    assert tell(found["phosphate"][0], PHOSPHATE) == "phosphate 6.1 mg/dL on 10 Nov 2026"
    assert tell(found["pth"][0], PTH) == "PTH 1,050 pg/mL on 10 Nov 2026 (date reported)"
    assert tell(found["calcium"][0], CALCIUM) == "calcium >15 mg/dL on 10 Nov 2026"


def test_facts_keep_what_they_worked_out_whoever_is_in_focus():
    call, asked = facts(labs=[calcium(9.6)]), []

    def count(found):
        asked.append(found)
        return len(found.labs)

    assert [call.feature(count), call.feature(count), call.about(None).feature(count)] == [1, 1, 1]
    assert len(asked) == 1
