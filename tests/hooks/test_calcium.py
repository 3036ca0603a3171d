"""Calcium: albumin correction, ionised calcium, T3 and T4 (clinical document 3.2, 3.3; vectors V1-V8, V12, V16)."""

from decimal import Decimal

import pytest
from support.facts import UCUM, albumin, calcium, facts, lab, phosphate

from cds_service.rules.answer import Answer
from hooks.case_features.calcium import (
    Basis,
    CalciumOnlyAfterCorrection,
    HighCalcium,
    LowCalcium,
    current_draw,
    days_apart,
    draws,
    ionised,
    tell_draw,
)
from hooks.case_features.correction import DependsOnCorrection

MET, NOT_MET, UNKNOWN = Answer.MET, Answer.NOT_MET, Answer.UNKNOWN
AT = {"effectiveDateTime": "2026-11-10T08:00:00Z"}


def adjusted(value, unit="mg/dL", **fields):
    return lab("46099-8", value, unit, **fields)


def ion(value, low=1.12, high=1.32, unit="mmol/L", **fields):
    return lab("1994-3", value, unit, low=low, high=high, **fields)


def bound(comparator, value, code="17861-6", unit="mg/dL", **fields):
    quantity = {"value": value, "comparator": comparator, "unit": unit, "system": UCUM, "code": unit}
    return lab(code, value, unit, valueQuantity=quantity, **fields)


def draw(*labs, **call):
    return facts(labs=labs, **call).feature(current_draw)


def answers(*labs, **call):
    """T3 (any way), T3 (full), T4."""
    found = facts(labs=labs, **call)
    return tuple(
        criterion.evaluate(found).answer
        for criterion in (HighCalcium(), HighCalcium(full=True), LowCalcium())
    )


# --- correction ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("labs", "corrected", "basis"),
    [
        ((calcium(9.6), albumin(2.8)), "10.56", Basis.PAYNE),  # V1
        ((calcium(9.0), albumin(4.2)), "9.0", Basis.NORMAL_ALBUMIN),  # V2
        ((calcium(10.4), albumin(2.5)), "11.60", Basis.PAYNE),  # V3
        ((calcium(8.8), albumin(3.0)), "9.60", Basis.PAYNE),  # V4
        ((calcium(2.55, "mmol/L"), albumin(28, "g/L")), "11.17989", Basis.PAYNE),  # V5
        ((calcium(8.2), albumin(3.8)), "8.36", Basis.PAYNE),  # V7
        ((calcium(9.4), albumin(3.4)), "9.88", Basis.PAYNE),  # V11
        ((calcium(10.0), albumin(4.0)), "10.0", Basis.NORMAL_ALBUMIN),  # V12: no correction at 4.0
        ((calcium(10.0), albumin(3.9)), "10.08", Basis.PAYNE),
        ((calcium(5.1, "meq/L"), albumin(4.0)), "10.21989", Basis.NORMAL_ALBUMIN),  # V16
        ((calcium(9.6),), "9.6", Basis.UNCORRECTED),
        ((calcium(9.6), albumin(2.8, "mg%")), "9.6", Basis.UNCORRECTED),
        ((calcium(9.6), albumin(2.8, status="preliminary")), "9.6", Basis.UNCORRECTED),
        ((adjusted(10.9),), "10.9", Basis.LABORATORY),
        ((adjusted(2.6, "mmol/L"),), "10.42028", Basis.LABORATORY),
        # never corrected twice, and preferred over our own correction
        ((calcium(9.6, **AT), adjusted(10.1, **AT), albumin(2.8, **AT)), "10.1", Basis.LABORATORY),
        # a preliminary adjusted value gives way to the final total of the same draw
        ((calcium(9.6, **AT), adjusted(10.1, **AT, status="preliminary")), "9.6", Basis.UNCORRECTED),
    ],
)
def test_correction(labs, corrected, basis):
    found = draw(*labs)
    assert found.corrected == (Decimal(corrected), Decimal(corrected))
    assert (found.basis, found.by_us) == (basis, basis is Basis.PAYNE)
    assert found.certain is (basis is not Basis.UNCORRECTED)


@pytest.mark.parametrize(
    ("method", "corrected", "basis"),
    [
        ("payne", "10.56", Basis.PAYNE),
        ("lab", "9.6", Basis.NOT_CORRECTED),
        ("none", "9.6", Basis.NOT_CORRECTED),
    ],
)
def test_the_site_chooses_the_correction(method, corrected, basis):
    site = {"calcium_correction": method}
    found = draw(calcium(9.6), albumin(2.8), site=site)
    assert (found.corrected[0], found.basis) == (Decimal(corrected), basis)
    given = draw(calcium(9.6, **AT), adjusted(10.1, **AT), site=site)
    assert given.basis is (Basis.NOT_CORRECTED if method == "none" else Basis.LABORATORY)
    assert (draw(adjusted(10.1), site=site) is None) is (method == "none")


@pytest.mark.parametrize(
    ("days", "basis"),
    [(5, Basis.PAYNE), (35, Basis.PAYNE), (36, Basis.UNCORRECTED), (0, Basis.PAYNE)],
)
def test_albumin_counts_within_30_days_of_the_calcium(days, basis):
    assert draw(calcium(9.6, days=5), albumin(2.8, days=days)).basis is basis


def test_albumin_counts_on_either_side_and_the_nearest_one_is_used():
    found = draw(calcium(9.6, days=20), albumin(3.5, days=1), albumin(2.8, days=25), albumin(2.0, days=40))
    assert found.albumin.as_sent == "2.8 g/dL"
    assert draw(calcium(9.6, days=40), albumin(2.8, days=10)).basis is Basis.PAYNE


@pytest.mark.parametrize(("days", "basis"), [(90, Basis.PAYNE), (91, Basis.UNCORRECTED)])
def test_albumin_that_is_out_of_date_corrects_nothing_that_counts_today(days, basis):
    assert draw(calcium(9.6, days=85), albumin(2.8, days=days)).basis is basis


def test_but_it_does_in_the_trend():
    (found,) = draws(facts(labs=[calcium(9.6, days=100), albumin(2.8, days=105)]))
    assert found.basis is Basis.PAYNE


def test_two_values_of_one_time_stay_an_interval():
    found = draw(calcium(9.6, **AT), calcium(10.0, **AT), albumin(2.8, **AT), albumin(3.0, **AT))
    assert found.corrected == (Decimal("10.40"), Decimal("10.96"))
    assert str(tell_draw(found)).startswith("corrected calcium 10.4 or 11.0 (conflicting results) mg/dL")


# --- which draw ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("labs", "total"),
    [
        ((), None),
        ((calcium(9.6, days=90),), "9.6"),
        ((calcium(9.6, days=91),), None),
        ((calcium(9.6, days=10), calcium(9.9, days=2)), "9.9"),
        ((calcium(9.6, days=10), calcium(9.9, days=2, status="preliminary")), "9.6"),
        ((calcium(9.6, days=10), calcium(9.9, days=2, note=[{"text": "post-dialysis"}])), "9.6"),
        ((calcium(9.6, days=10), bound(">", 9, days=2)), "9.6"),
        ((calcium(9.6, days=10), calcium(9.9, "mg%", days=2)), "9.6"),
        ((calcium(9.6, days=10), adjusted(9.9, days=2)), "9.9"),
    ],
)
def test_the_newest_final_draw_that_is_not_out_of_date(labs, total):
    found = draw(*labs)
    assert (found and found.total_interval[0]) == (total and Decimal(total))


def test_a_year_of_draws_is_kept():
    found = list(draws(facts(labs=[calcium(9, days=days) for days in (10, 365, 366)])))
    assert [len(found), len(found[0].sources)] == [2, 1]


@pytest.mark.parametrize(
    ("first", "second", "days"),
    [
        ("2026-11-10T08:00:00Z", "2026-11-03T08:00:00Z", 7),
        ("2026-11-10T08:00:00Z", "2026-11-02T08:00:01Z", 7),
        ("2026-11-10T08:00:00Z", "2026-11-02T08:00:00Z", 8),
        ("2026-11-10", "2026-11-03T00:00:00Z", 7),
        ("2026-11-10", "2026-11-02T23:59:00Z", 8),
        ("2026-11-02", "2026-11-10", 8),
    ],
)
def test_days_between_two_draws(first, second, days):
    one, two = facts(
        labs=[calcium(9, effectiveDateTime=first), phosphate(5, effectiveDateTime=second)]
    ).labs.values()
    assert days_apart(one[0].when, two[0].when) == days_apart(two[0].when, one[0].when) == days


# --- T3 and T4 ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("labs", "expected"),
    [  # T3 any way, T3 full, T4
        ((calcium(10.2), albumin(4.0)), (NOT_MET, NOT_MET, NOT_MET)),  # equality
        ((calcium("10.2000000005"), albumin(4.0)), (NOT_MET, NOT_MET, NOT_MET)),
        ((calcium("10.200000002"), albumin(4.0)), (MET, MET, NOT_MET)),
        ((calcium(5.1, "meq/L"), albumin(4.0)), (MET, MET, NOT_MET)),  # V16
        ((calcium(9.6), albumin(2.8)), (MET, NOT_MET, NOT_MET)),  # V1: after correction only
        ((calcium(10.4), albumin(2.5)), (MET, MET, NOT_MET)),  # V3: both ways
        ((calcium(2.55, "mmol/L"), albumin(28, "g/L")), (MET, MET, NOT_MET)),  # V5
        ((calcium(8.8), albumin(3.0)), (NOT_MET, NOT_MET, NOT_MET)),  # V4
        ((calcium(8.2), albumin(3.8)), (NOT_MET, NOT_MET, MET)),  # V7
        ((calcium(8.4), albumin(4.0)), (NOT_MET, NOT_MET, NOT_MET)),  # equality
        ((calcium("8.3999999995"), albumin(4.0)), (NOT_MET, NOT_MET, NOT_MET)),
        ((calcium("8.399999998"), albumin(4.0)), (NOT_MET, NOT_MET, MET)),
        ((calcium(2.3),), (UNKNOWN, UNKNOWN, UNKNOWN)),  # V8
        # no usable albumin: a high total counts, a low one decides nothing
        ((calcium(10.3),), (MET, MET, NOT_MET)),
        ((calcium(8.3),), (NOT_MET, NOT_MET, UNKNOWN)),
        # adjusted by the laboratory: nothing is dropped
        ((calcium(9.6, **AT), adjusted(10.56, **AT), albumin(2.8, **AT)), (MET, MET, NOT_MET)),
        ((adjusted(8.3),), (NOT_MET, NOT_MET, MET)),
        # out of date, preliminary, absent
        ((calcium(12, days=91), albumin(4.2)), (UNKNOWN, UNKNOWN, UNKNOWN)),
        ((calcium(12, status="preliminary"), albumin(4.2)), (UNKNOWN, UNKNOWN, UNKNOWN)),
        ((), (UNKNOWN, UNKNOWN, UNKNOWN)),
        # two values for one time
        ((calcium(10.4, **AT), calcium(10.9, **AT), albumin(4.2, **AT)), (MET, MET, NOT_MET)),
        ((calcium(10.0, **AT), calcium(10.9, **AT), albumin(4.2, **AT)), (UNKNOWN, UNKNOWN, NOT_MET)),
        ((calcium(8.0, **AT), calcium(9.0, **AT), albumin(4.2, **AT)), (NOT_MET, NOT_MET, UNKNOWN)),
    ],
)
def test_T3_and_T4(labs, expected):
    assert answers(*labs) == expected


def test_F12_a_newer_unusable_calcium_does_not_let_an_older_one_clear_in_silence():
    older = (calcium(9.0, days=10), albumin(4.2, days=10))
    for newer in (calcium(13, "mg%", days=1), calcium(13, days=1, status="preliminary")):
        assert answers(*older, newer)[0] is UNKNOWN
    for none in (calcium(13, days=1, status="cancelled"), calcium(None, days=1, status="registered")):
        assert answers(*older, none) == (NOT_MET, NOT_MET, NOT_MET)
    assert answers(*older, incomplete=["labs"])[0] is UNKNOWN
    assert answers(calcium(11, days=10), albumin(4.2, days=10), calcium(9, "mg%", days=1))[0] is MET


@pytest.mark.parametrize(
    ("newest", "expected"),
    [
        (bound(">", 15, days=1), (MET, MET, NOT_MET)),
        (bound(">=", 15, days=1), (MET, MET, NOT_MET)),
        (bound(">", 9, days=1), (UNKNOWN, UNKNOWN, NOT_MET)),
        (bound(">", 8, days=1), (UNKNOWN, UNKNOWN, UNKNOWN)),
        (bound("<", 7, days=1), (UNKNOWN, UNKNOWN, UNKNOWN)),  # a total: correction may lift it
        (bound("<", 7, "46099-8", days=1), (UNKNOWN, UNKNOWN, MET)),
        (bound("<", 9, "46099-8", days=1), (UNKNOWN, UNKNOWN, UNKNOWN)),
    ],
)
def test_F17_a_bound_is_used_only_when_it_decides(newest, expected):
    assert answers(newest) == expected
    assert answers(newest, calcium(9.0, days=10), albumin(4.2, days=10))[:2] == expected[:2]


def test_F17_a_bound_that_is_older_than_a_number_does_not_matter():
    labs = (bound(">", 15, days=10), calcium(9.0, days=1), albumin(4.2, days=1))
    assert answers(*labs) == (NOT_MET, NOT_MET, NOT_MET)


def test_F17_the_older_adjusted_bound_gives_way_to_the_newer_total_bound():
    labs = (calcium(9.0, days=10), bound("<", 9, "46099-8", days=20), bound(">", 15, days=1))
    assert answers(*labs)[0] is MET


def test_a_low_calcium_in_doubt_silences_no_rule_but_is_not_withheld():
    labs = (calcium(8.0, days=10), albumin(4.2, days=10), calcium(9, "mg%", days=1))
    assert answers(*labs)[2] is UNKNOWN
    assert LowCalcium(even_doubtful=True).evaluate(facts(labs=labs)).answer is MET


def test_an_unusable_ionised_calcium_is_a_doubt_unless_a_newer_one_counts():
    usual = (calcium(9.2), albumin(4.2))
    assert answers(*usual, ion(1.5, unit="mg%", days=1))[0] is UNKNOWN
    assert answers(*usual, ion(1.5, unit="mg%", days=4), ion(1.2, days=1)) == (NOT_MET, NOT_MET, NOT_MET)
    assert answers(*usual, ion(1.5, unit="mg%", days=60)) == (NOT_MET, NOT_MET, NOT_MET)


def test_F17_an_albumin_bound_leaves_the_correction_open():
    labs = (calcium(9.8, days=1), albumin(4.2, days=10), bound("<", 1.5, "1751-7", "g/dL", days=1))
    assert answers(*labs)[0] is UNKNOWN


@pytest.mark.parametrize(
    ("site", "labs", "expected"),
    [
        ({"calcium_high": "9.5"}, (calcium(9.6), albumin(4.2)), (MET, MET, NOT_MET)),
        ({"calcium_low": "8.8"}, (calcium(8.7), albumin(4.2)), (NOT_MET, NOT_MET, MET)),
        ({"calcium_correction": "none"}, (calcium(9.6), albumin(2.8)), (NOT_MET, NOT_MET, NOT_MET)),
        # "none" gives no corrected value, so a low total decides nothing
        ({"calcium_correction": "none"}, (calcium(8.0), albumin(4.2)), (NOT_MET, NOT_MET, UNKNOWN)),
    ],
)
def test_what_a_site_may_set(site, labs, expected):
    assert answers(*labs, site=site) == expected


# --- ionised calcium ----------------------------------------------------------------------------------

USUAL = (calcium(9.2), albumin(4.2))


@pytest.mark.parametrize(
    ("result", "high", "low"),
    [
        (ion(1.33), MET, NOT_MET),
        (ion(1.32), NOT_MET, NOT_MET),  # equal to a limit is normal
        (ion(1.12), NOT_MET, NOT_MET),
        (ion(1.11), NOT_MET, MET),
        (ion(1.5, low=None, high=None), NOT_MET, NOT_MET),  # no limits of its own
        (ion(1.0, low=None, high=None), NOT_MET, NOT_MET),
        (ion(5.4, low=4.5, high=5.3, unit="mg/dL"), MET, NOT_MET),
        (bound(">", 1.5, "1994-3", "mmol/L", referenceRange=[{"high": {"value": 1.32}}]), MET, NOT_MET),
        (bound("<", 0.9, "1994-3", "mmol/L", referenceRange=[{"low": {"value": 1.12}}]), NOT_MET, MET),
        (bound("<", 1.5, "1994-3", "mmol/L", referenceRange=[{"high": {"value": 1.32}}]), NOT_MET, NOT_MET),
        (bound(">", 1.0, "1994-3", "mmol/L", referenceRange=[{"low": {"value": 1.12}}]), NOT_MET, NOT_MET),
    ],
)
def test_ionised_calcium_against_its_own_limits(result, high, low):
    assert answers(*USUAL, result) == (high, high, low)


@pytest.mark.parametrize(
    ("result", "belongs"),
    [
        (ion(1.4, days=7), True),  # of the last 7 days
        (ion(1.4, days=12), True),  # within 7 days of the calcium draw, 5 days ago
        (ion(1.4, days=13), False),
        (ion(1.4, days=5, status="preliminary"), False),
        (ion(1.4, days=5, unit="mg%"), False),
    ],
)
def test_ionised_calcium_that_belongs_to_now(result, belongs):
    assert (facts(labs=[*USUAL, result]).feature(ionised) is not None) is belongs


def test_without_a_calcium_draw_only_one_of_these_days_counts():
    assert facts(labs=[ion(1.4, days=7)]).feature(ionised)
    assert facts(labs=[ion(1.4, days=8)]).feature(ionised) is None
    assert answers(ion(1.4, days=7)) == (MET, MET, UNKNOWN)
    assert answers(ion(1.0, days=7)) == (UNKNOWN, UNKNOWN, MET)


# --- dependence on the correction ---------------------------------------------------------------------


def only_after(*labs, **call):
    found = facts(labs=labs, **call)
    return (
        CalciumOnlyAfterCorrection().evaluate(found).answer,
        DependsOnCorrection().evaluate(found).answer,
    )


@pytest.mark.parametrize(
    ("labs", "calcium_only", "depends"),
    [
        ((calcium(9.6), albumin(2.8), phosphate(6.1)), MET, MET),  # V1
        ((calcium(10.4), albumin(2.5), phosphate(6.9)), NOT_MET, NOT_MET),  # V3: every tier both ways
        ((calcium(2.55, "mmol/L"), albumin(28, "g/L"), phosphate(2.1, "mmol/L")), NOT_MET, MET),  # V5: T2
        ((calcium(9.4), albumin(3.4), phosphate(5.6)), NOT_MET, MET),  # V11: T1
        ((calcium(9.0), albumin(4.2), phosphate(5.0)), NOT_MET, NOT_MET),  # V2
        ((calcium(9.6), albumin(2.8), phosphate(6.1), ion(1.4)), NOT_MET, NOT_MET),  # confirmed by ionised
        ((calcium(9.4), albumin(3.4), phosphate(5.6), ion(1.4)), NOT_MET, NOT_MET),
        ((), UNKNOWN, NOT_MET),
    ],
)
def test_a_tier_reached_through_our_correction_only(labs, calcium_only, depends):
    assert only_after(*labs) == (calcium_only, depends)


@pytest.mark.parametrize(
    ("labs", "text"),
    [
        (
            (calcium(9.6), albumin(2.8)),
            "corrected calcium 10.6 mg/dL (total 9.6, albumin 2.8 g/dL) on 10 Nov 2026",
        ),
        ((adjusted(10.9),), "corrected calcium 10.9 mg/dL (adjusted by the laboratory) on 10 Nov 2026"),
        ((calcium(9.6),), "calcium 9.6 mg/dL, uncorrected (no recent albumin), on 10 Nov 2026"),
        (
            (calcium(9.6), albumin(4.0)),
            "calcium 9.6 mg/dL, no correction needed (albumin 4.0 g/dL or more), on 10 Nov 2026",
        ),
    ],
)
def test_how_a_draw_is_told(labs, text):
    assert tell_draw(draw(*labs)) == text


def test_what_the_criteria_say():
    assert HighCalcium().text == (
        "corrected calcium above 10.2 mg/dL (KDOQI 2003, guideline 6.3), or ionised calcium above its limit"
    )
    assert "not only through albumin correction" in HighCalcium(full=True).text
    assert LowCalcium().text.startswith("low calcium: corrected below 8.4 mg/dL")
    assert LowCalcium().evaluate(facts()).because == "low calcium not excluded (calcium: no result)"
    assert HighCalcium().evaluate(facts()).because == "calcium: no result"
