"""Ca x P: pairing, both products, bands, trend; T1, T2 at equality (clinical document 3.2-3.4; vectors V1-V13)."""

import random
from datetime import timedelta, timezone
from decimal import Decimal

import pytest
from support.facts import AS_OF, UCUM, albumin, calcium, facts, lab, phosphate

from cds_service.facts.units import show
from cds_service.rules.answer import Answer
from hooks.case_features.factors import HIGH_PHOSPHATE
from hooks.case_features.product import (
    HIGH_PRODUCT,
    HIGH_PRODUCT_FULL,
    VERY_HIGH_PRODUCT,
    VERY_HIGH_PRODUCT_FULL,
    current_pair,
    pairs,
    shown_pair,
    si_product,
    tell_pair,
    trend,
    why_no_product,
)

MET, NOT_MET, UNKNOWN = Answer.MET, Answer.NOT_MET, Answer.UNKNOWN
AT = {"effectiveDateTime": "2026-11-10T08:00:00Z"}


def pair(*labs, **call):
    return facts(labs=labs, **call).feature(current_pair)


def values(*labs):
    """Ca / P of the current pair, as sent."""
    found = pair(*labs)
    return found and (str(found.calcium.total_interval[0]), str(found.phosphate.exact))


def tiers(*labs, **call):
    """T1, T1 full, T2, T2 full."""
    found = facts(labs=labs, **call)
    criteria = (HIGH_PRODUCT, HIGH_PRODUCT_FULL, VERY_HIGH_PRODUCT, VERY_HIGH_PRODUCT_FULL)
    return tuple(criterion.evaluate(found).answer for criterion in criteria)


def draw(ca, alb, p, days=5):
    return [calcium(ca, days=days), albumin(alb, days=days), phosphate(p, days=days)]


def adjusted(value, **fields):
    return lab("46099-8", value, "mg/dL", **fields)


def ion(value, **fields):
    return lab("1994-3", value, "mmol/L", low=1.12, high=1.32, **fields)


# --- the vectors --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("labs", "total", "product", "expected"),
    [
        (draw(9.6, 2.8, 6.1), "58.56", "64.42", (MET, MET, NOT_MET, NOT_MET)),  # V1
        (draw(9.0, 4.2, 5.0), "45.00", "45.00", (NOT_MET,) * 4),  # V2
        (draw(10.4, 2.5, 6.9), "71.76", "80.04", (MET,) * 4),  # V3
        (draw(8.8, 3.0, 5.7), "50.16", "54.72", (NOT_MET,) * 4),  # V4
        (
            [calcium("2.196", "mmol/L"), albumin(30, "g/L"), phosphate("1.840", "mmol/L")],
            "50.16",
            "54.72",
            (NOT_MET,) * 4,
        ),  # V4 in SI: 4.41 must not fire although it rounds to 4.4
        (
            [calcium(2.55, "mmol/L"), albumin(28, "g/L"), phosphate(2.10, "mmol/L")],
            "66.48",
            "72.72",
            (MET, MET, MET, NOT_MET),
        ),  # V5
        ([calcium(2.20, "mmol/L"), phosphate(1.67, "mmol/L")], "45.61", "45.61", (NOT_MET,) * 4),  # V6
        (draw(9.4, 3.4, 5.6), "52.64", "55.33", (MET, NOT_MET, NOT_MET, NOT_MET)),  # V11
        (draw(10.0, 4.0, 5.5), "55.00", "55.00", (MET, MET, NOT_MET, NOT_MET)),  # V12
        (draw(10.0, 4.0, 7.0), "70.00", "70.00", (MET, MET, NOT_MET, NOT_MET)),
    ],
)
def test_the_vectors(labs, total, product, expected):
    found = pair(*labs)
    assert [show(found.product_total[0], 2), show(found.product[0], 2)] == [total, product]
    assert tiers(*labs) == expected


@pytest.mark.parametrize(
    ("ca", "p", "t1", "t2"),
    [
        ("10", "5.5", MET, NOT_MET),
        ("10", "5.49999999995", MET, NOT_MET),  # within 1e-9
        ("10", "5.4999999", NOT_MET, NOT_MET),
        ("10", "7.00000000005", MET, NOT_MET),
        ("10", "7.0000001", MET, MET),
    ],
)
def test_equality_with_the_tolerance(ca, p, t1, t2):
    assert tiers(*draw(ca, 4.2, p)) == (t1, t1, t2, t2)


def test_a_converted_value_does_not_miss_equality_by_rounding():
    # 55 mg2/dL2 in SI units, converted there and back
    p = Decimal("5.5") / Decimal("3.0974")
    labs = (calcium(10), albumin(4.2), phosphate(str(round(p, 12)), "mmol/L"))
    assert tiers(*labs)[0] is MET


@pytest.mark.parametrize(("value", "si"), [("55", "4.4306"), ("70", "5.6389"), ("64.42", "5.1894")])
def test_the_product_in_si_units(value, si):
    assert show(si_product(Decimal(value)), 4) == si


# --- pairing ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ca_days", "p_days", "paired"),
    [
        (5, 5, True),
        (5, 12, True),
        (5, 13, False),
        (12, 5, True),
        (13, 5, False),
        (90, 83, True),
        (91, 84, False),
    ],
)
def test_F19_calcium_and_phosphate_at_most_7_days_apart(ca_days, p_days, paired):
    assert (pair(calcium(9.6, days=ca_days), phosphate(6.1, days=p_days)) is not None) is paired


def test_F19_one_draw_first_else_the_most_recent_pair_not_the_highest():
    assert values(calcium(9.6), phosphate(6.1), phosphate(8.0, days=9)) == ("9.6", "6.1")
    assert values(calcium(9.6), phosphate(6.1), phosphate(5.0, days=2)) == ("9.6", "5.0")
    assert values(
        calcium(9.0, days=2), phosphate(5.0, days=2), calcium(12, days=30), phosphate(9, days=30)
    ) == (
        "9.0",
        "5.0",
    )
    morning, evening = (
        {"effectiveDateTime": "2026-11-10T08:00:00Z"},
        {"effectiveDateTime": "2026-11-10T18:00:00Z"},
    )
    assert values(calcium(9.6, **morning), phosphate(6.1, **morning), phosphate(4.0, **evening)) == (
        "9.6",
        "6.1",
    )


@pytest.mark.parametrize(
    ("labs", "why"),
    [
        ((), "calcium: no result; phosphate: no result"),
        ((calcium(9.6),), "phosphate: no result"),
        ((adjusted(9.6),), "phosphate: no result"),
        (
            (calcium(9.6, days=2), phosphate(6.1, days=11)),  # V9
            "calcium and phosphate were not drawn within 7 days of each other",
        ),
        (
            (calcium(9.6, days=95), phosphate(6.1)),  # V10
            "calcium: last result 12 Aug 2026 is out of date",
        ),
        (
            (calcium(9.6), phosphate(6.1, note=[{"text": "post-dialysis"}])),
            "phosphate: only results that do not count (drawn during or after dialysis)",
        ),
        (
            (calcium(9.6), phosphate(6.1, "mg%")),
            "phosphate: result of 10 Nov 2026 not usable: unit not known for",
        ),
    ],
)
def test_why_there_is_no_product(labs, why):
    found = facts(labs=labs)
    assert str(found.feature(why_no_product)).startswith(why)
    assert tiers(*labs) == (UNKNOWN,) * 4
    assert str(HIGH_PRODUCT.evaluate(found).because).startswith(f"Ca x P not computable ({why}")


def test_V9_single_thresholds_still_hold():
    labs = (calcium(9.6, days=2), phosphate(6.1, days=11))
    assert HIGH_PHOSPHATE.evaluate(facts(labs=labs)).answer is MET


@pytest.mark.parametrize(("p", "answer"), [(5.5, NOT_MET), (5.6, MET), (7.0, MET)])
def test_T5_at_equality(p, answer):
    assert HIGH_PHOSPHATE.evaluate(facts(labs=[phosphate(p)])).answer is answer


def test_F17_a_bound_never_enters_a_product_and_leaves_it_open():
    high = {"value": 20, "comparator": ">", "unit": "mg/dL", "system": UCUM, "code": "mg/dL"}
    newer = lab("2777-1", None, None, days=1, valueQuantity=high)
    labs = (*draw(9.0, 4.2, 4.0, days=3), newer)
    assert values(*labs) == ("9.0", "4.0")
    assert tiers(*labs) == (UNKNOWN,) * 4
    assert HIGH_PHOSPHATE.evaluate(facts(labs=labs)).answer is MET


def test_F14_conflicting_values_are_decided_only_when_both_decide_alike():
    both = (calcium(10, **AT), albumin(4.2, **AT), phosphate(6, **AT), phosphate(6.5, **AT))
    assert tiers(*both)[0] is MET
    apart = (calcium(10, **AT), albumin(4.2, **AT), phosphate(5, **AT), phosphate(6.5, **AT))
    assert tiers(*apart)[0] is UNKNOWN
    assert str(tell_pair(pair(*apart))).startswith("Ca x P 50.0 or 65.0 (conflicting results) mg2/dL2")


@pytest.mark.parametrize(
    "newer",
    [
        phosphate(9, "mg%", days=1),
        phosphate(9, days=1, status="preliminary"),
        calcium(14, "mg%", days=1),
        albumin(1.0, "mg%", days=1),
        adjusted("14", days=1, status="preliminary"),
    ],
)
def test_F12_a_newer_unusable_result_does_not_let_an_older_pair_clear_in_silence(newer):
    assert tiers(*draw(9.0, 4.2, 4.0, days=9), newer)[0] is UNKNOWN
    assert tiers(*draw(10.0, 4.2, 7.5, days=9), newer)[0] is MET


@pytest.mark.parametrize("status", ["registered", "cancelled", "entered-in-error"])
def test_F12_a_pending_or_withdrawn_one_does(status):
    assert tiers(*draw(9.0, 4.2, 4.0, days=9), phosphate(9, days=1, status=status))[0] is NOT_MET


def test_labs_read_in_part():
    assert tiers(*draw(9.0, 4.2, 4.0), incomplete=["labs"])[0] is UNKNOWN
    assert tiers(*draw(10.0, 4.2, 7.5), incomplete=["labs"])[0] is MET
    assert tiers(unreadable=["labs"])[0] is UNKNOWN


# --- V13: preliminary ---------------------------------------------------------------------------------


def test_V13_a_preliminary_phosphate_is_shown_and_raises_nothing():
    labs = [calcium(10.4, **AT), albumin(2.5, **AT), phosphate(6.9, **AT, status="preliminary")]
    found = facts(labs=labs)
    assert found.feature(current_pair) is None
    assert found.feature(shown_pair).preliminary
    assert str(tell_pair(found.feature(shown_pair))).endswith("(preliminary)")
    assert (tiers(*labs)[0], HIGH_PHOSPHATE.evaluate(found).answer) == (UNKNOWN, UNKNOWN)


def test_a_final_phosphate_comes_before_a_preliminary_one_of_the_same_day():
    labs = [
        *draw(9.0, 4.2, 5.0),
        phosphate(8.0, status="preliminary", effectiveDateTime="2026-11-10T09:00:00Z"),
    ]
    assert values(*labs) == ("9.0", "5.0")


def test_an_out_of_date_pair_is_neither_used_nor_shown():
    found = facts(labs=draw(10, 4.2, 8, days=91))
    assert (found.feature(current_pair), found.feature(shown_pair)) == (None, None)
    assert len(found.feature(trend)) == 1
    assert facts().feature(shown_pair) is None


# --- correction and the uncorrected band --------------------------------------------------------------


@pytest.mark.parametrize(
    ("labs", "t1", "full"),
    [
        ([*draw(9.4, 3.4, 5.6), ion(1.4)], MET, MET),  # V11, but ionised calcium is high
        ([*draw(9.4, 3.4, 5.6), ion(1.3)], MET, NOT_MET),
        ([adjusted(9.88, **AT), phosphate(5.6, **AT)], MET, MET),  # adjusted by the laboratory
    ],
)
def test_a_tier_through_our_correction_only(labs, t1, full):
    assert tiers(*labs)[:2] == (t1, full)


@pytest.mark.parametrize(
    ("product", "t1_full"),
    [("55", NOT_MET), ("60.5", NOT_MET), ("60.50000001", MET), ("61", MET)],
)
def test_an_uncorrected_product_within_10_percent_of_T1(product, t1_full):
    labs = (calcium(10), phosphate(str(Decimal(product) / 10)))
    assert tiers(*labs)[:2] == (MET, t1_full)


@pytest.mark.parametrize(
    ("product", "t2", "t2_full"),
    [("70", NOT_MET, NOT_MET), ("70.1", MET, NOT_MET), ("77", MET, NOT_MET), ("77.1", MET, MET)],
)
def test_an_uncorrected_product_within_10_percent_of_T2(product, t2, t2_full):
    labs = (calcium(10), phosphate(str(Decimal(product) / 10)))
    assert tiers(*labs) == (MET, MET, t2, t2_full)


def test_the_band_meets_its_edge_after_conversion():
    p = Decimal("6.05") / Decimal("3.0974")
    assert tiers(calcium(10), phosphate(str(round(p, 14)), "mmol/L"))[1] is NOT_MET


def test_a_product_with_normal_albumin_has_no_band():
    assert tiers(*draw(10, 4.0, 5.6))[:2] == (MET, MET)


def test_what_a_site_may_set():
    assert tiers(*draw(10, 4.2, 5.0), site={"ca_x_p_high": "50"})[0] is MET
    assert tiers(*draw(10, 4.2, 6.6), site={"ca_x_p_very_high": 65})[2] is MET


def test_only_an_adjusted_calcium_makes_no_pair_where_the_site_wants_none_corrected():
    labs = (adjusted(10.6, days=5), phosphate(6.1, days=5))
    assert pair(*labs, site={"calcium_correction": "none"}) is None
    assert values(*labs) == ("10.6", "6.1")


def test_a_year_of_pairs_is_kept_and_none_of_them_waits_for_an_older_one():
    """Newest first, also where an older draw was paired with a phosphate that is newer than the next draw."""
    labs = [
        *(calcium(9 + days / 1000, days=days) for days in (2, 8, 9, 60, 364, 366)),
        *(phosphate(4, days=days) for days in (1, 5, 62, 365, 368)),
    ]
    found = list(pairs(facts(labs=labs)))
    assert [str(each.calcium.total_interval[0]) for each in found] == [
        "9.002",
        "9.008",
        "9.009",
        "9.06",
        "9.364",
    ]
    assert [str(each.when) for each in found][:3] == ["14 Nov 2026", "14 Nov 2026", "10 Nov 2026"]


def _some_time(dice):
    """A date, or a time in some zone, often close to another one or to the end of a window."""
    days = max(0, dice.choice((0, 7, 9, 30, 90, 97, 120, 365)) + dice.randint(-2, 8))
    moment = AS_OF - timedelta(days=days, hours=dice.choice((0, 1, 11, 12, 13, 23)))
    if dice.random() < 0.35:
        return moment.date().isoformat()
    return moment.astimezone(timezone(timedelta(hours=dice.choice((-12, 0, 14))))).isoformat()


@pytest.mark.parametrize("seed", range(100))
def test_pairs_that_are_passed_on_early_are_the_newest_of_all(seed):
    dice = random.Random(seed)
    times = [_some_time(dice) for _ in range(4)]
    labs = [
        dice.choice((calcium, phosphate))(
            dice.choice((4, 5, 9)),
            effectiveDateTime=dice.choice(times) if dice.random() < 0.6 else _some_time(dice),
            status=dice.choice(("final", "final", "preliminary")),
        )
        for _ in range(dice.randint(2, 10))
    ]
    found = facts(labs=labs)
    newest_first = list(pairs(found))

    def recency(each):
        same_draw = each.phosphate.when == each.calcium.when
        return -found.age_days(each.when), same_draw, each.calcium.when.instant, not each.preliminary

    assert [recency(each) for each in newest_first] == sorted(map(recency, newest_first), reverse=True)
    assert next(pairs(facts(labs=labs)), None) == next(iter(newest_first), None)


# --- trend and words ----------------------------------------------------------------------------------


def test_the_trend_is_the_last_three_final_pairs_of_12_months():
    labs = [lab for days in (1, 40, 80, 120) for lab in draw(9 + days / 100, 4.2, 5, days=days)]
    found = facts(labs=[*labs, phosphate(9, status="preliminary", days=2)]).feature(trend)
    assert [str(each.when) for each in found] == ["14 Nov 2026", "6 Oct 2026", "27 Aug 2026"]
    assert facts(labs=draw(9, 4.2, 5, days=366)).feature(trend) == ()


@pytest.mark.parametrize(
    ("labs", "text"),
    [
        (draw(9.6, 2.8, 6.1), "Ca x P 64.4 mg2/dL2 corrected, 58.6 with total calcium, on 10 Nov 2026"),
        ([calcium(9.6), phosphate(6.1)], "Ca x P 58.6 mg2/dL2 uncorrected, on 10 Nov 2026"),
        (draw(9.6, 4.2, 6.1), "Ca x P 58.6 mg2/dL2 albumin considered, on 10 Nov 2026"),
        ([calcium(9.6, days=5), phosphate(6.1, days=2)], "Ca x P 58.6 mg2/dL2 uncorrected, on 13 Nov 2026"),
    ],
)
def test_how_a_pair_is_told(labs, text):
    assert tell_pair(pair(*labs)) == text


def test_what_the_criteria_say():
    assert HIGH_PRODUCT.text == (
        "Ca x P at least 55 mg2/dL2 (KDOQI 2003, guideline 6.5; calcium acetate label)"
    )
    assert VERY_HIGH_PRODUCT.text.startswith("Ca x P above 70 mg2/dL2")
    assert "not uncorrected near the threshold" in HIGH_PRODUCT_FULL.text
    weak = HIGH_PRODUCT_FULL.evaluate(facts(labs=draw(9.4, 3.4, 5.6)))
    assert str(weak.because).endswith("; depends on albumin correction")
    near = HIGH_PRODUCT_FULL.evaluate(facts(labs=[calcium(10), phosphate(5.6)]))
    assert str(near.because).endswith("; uncorrected and within 10 % of the threshold")
