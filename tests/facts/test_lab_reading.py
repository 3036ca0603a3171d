"""Laboratory results: units, plausibility, status, dates, duplicates (F12-F18). Nothing is guessed."""

import itertools
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from support.facts import (
    LOINC,
    UCUM,
    ago,
    albumin,
    calcium,
    concept,
    decoded,
    facts,
    lab,
    phosphate,
    pth,
)

from cds_service.facts.units import above, at_least, below, is_amount, show
from cds_service.rules.lab_criteria import latest
from hooks import analytes

CODES = {
    "calcium": "17861-6",
    "calcium-corrected": "46099-8",
    "calcium-ionised": "1994-3",
    "phosphate": "2777-1",
    "albumin": "1751-7",
    "pth": "2731-8",
    "alp": "6768-6",
    "inr": "6301-6",
    "weight": "29463-7",
    "height": "8302-2",
    "bmi": "39156-5",
}
BY_ID = {analyte.id: analyte for analyte in analytes.ANALYTES}


def read(*observations, of="calcium"):
    return facts(labs=observations).labs.get(of, ())


def one(*observations, of="calcium"):
    (found,) = read(*observations, of=of)
    return found


def sent(value, unit=None, system=None, code=None, **more):
    fields = {"value": value, "unit": unit, "system": system, "code": code} | more
    return {name: each for name, each in fields.items() if each is not None}


@pytest.mark.parametrize(
    ("analyte", "value", "unit", "canonical"),
    [
        ("calcium", 10.2, "mg/dL", "10.2"),
        ("calcium", 2.5, "mmol/L", "10.01950"),
        ("calcium", 5.1, "meq/L", "10.21989"),
        ("calcium-corrected", 2.6, "mmol/L", "10.42028"),
        ("calcium-ionised", 1.21, "mmol/L", "1.21"),
        ("calcium-ionised", 2.42, "meq/L", "1.21"),
        ("phosphate", 6.1, "mg/dL", "6.1"),
        ("phosphate", 2.0, "mmol/L", "6.1948"),
        ("albumin", 2.8, "g/dL", "2.8"),
        ("albumin", 28, "g/L", "2.8"),
        ("pth", 620, "pg/mL", "620"),
        ("pth", 620, "ng/L", "620"),
        ("alp", 120, "U/L", "120"),
        ("alp", 120, "[IU]/L", "120"),
        ("inr", 2.5, "{INR}", "2.5"),
        ("inr", 2.5, "1", "2.5"),
        ("weight", 80, "kg", "80"),
        ("weight", 80000, "g", "80"),
        ("height", 1.75, "m", "175"),
        ("height", 175, "cm", "175"),
        ("bmi", 31, "kg/m2", "31"),
    ],
)
def test_F16_each_unit_becomes_the_canonical_one(analyte, value, unit, canonical):
    assert one(lab(CODES[analyte], value, unit), of=analyte).exact == Decimal(canonical)


@pytest.mark.parametrize(
    ("analyte", "value", "unit", "shown"),
    [
        ("calcium-ionised", 5.0, "mg/dL", "1.248"),
        ("pth", 70, "pmol/L", "660.4"),
        ("height", 70, "[in_i]", "177.8"),
        ("weight", 176, "[lb_av]", "79.8"),
    ],
)
def test_F16_units_that_do_not_come_out_even(analyte, value, unit, shown):
    decimals = len(shown.partition(".")[2])
    assert show(one(lab(CODES[analyte], value, unit), of=analyte).exact, decimals) == shown


@pytest.mark.parametrize("analyte", [item for item in analytes.ANALYTES if item.si_unit])
def test_F16_both_directions_meet(analyte):
    value = sum(analyte.plausible) / 2
    there = value / analyte.factors[analyte.si_unit]
    assert abs(analyte.to_canonical(there, analyte.si_unit) - value) < Decimal("1e-9")


@pytest.mark.parametrize(
    ("quantity", "problem"),
    [
        (sent(9.6, "mg/dL", UCUM, "mg/dL"), None),
        (sent(9.6, "mg/dL"), None),
        (sent(9.6, "mg/dl"), None),
        (sent(9.6, "MG/DL"), None),
        (sent(9.6, " mg/dL "), None),
        (sent(9.6, None, UCUM, "mg/dL"), None),
        (sent(9.6, None, UCUM, "mg/dl"), None),
        (sent(9.6, None, None, "mg/dL"), None),
        (sent(9.6, "mg per dL", UCUM, "mg/dL"), None),
        (sent(9.6, "mg/dL", "urn:local:units", "42"), None),
        (sent(4.8, "mEq/L"), None),
        (sent(9.6), "unit missing"),
        (sent(9.6, ""), "unit missing"),
        (sent(9.6, "mg%"), "unit not known for this analyte"),
        (sent(9.6, None, UCUM, "mg%"), "unit not known for this analyte"),
        (sent(9.6, "mg/dL", UCUM, "mg%"), "unit not known for this analyte"),
        (sent(9.6, None, "urn:local:units", "mg/dL"), "unit not known for this analyte"),
        (sent(9.6, "g/L"), "unit not known for this analyte"),
        (sent(9.6, None, UCUM, "g/L"), "unit not known for this analyte"),
        (sent(9.6, "mmol/L", UCUM, "mg/dL"), "unit and unit code disagree"),
        (sent(9.6, "mmol/L", None, "mg/dL"), "unit and unit code disagree"),
        (sent(9.6, "g/L", UCUM, "mg/dL"), "unit and unit code disagree"),
        (sent(9.6, "mg/dL", UCUM, "g/L"), "unit and unit code disagree"),
    ],
)
def test_F15_the_unit_is_taken_from_code_or_listed_spelling_never_guessed(quantity, problem):
    found = one(lab("17861-6", None, None, valueQuantity=quantity))
    assert (found.problem, found.exact is None) == (problem, problem is not None)


@pytest.mark.parametrize("unit", ["pg/mL", "ng/L"])
def test_two_names_of_one_unit_agree(unit):
    assert one(lab("2731-8", None, None, valueQuantity=sent(300, unit, UCUM, "pg/mL")), of="pth").exact == 300


@pytest.mark.parametrize("analyte", CODES)
def test_F18_both_bounds_of_the_plausible_range_are_plausible(analyte):
    low, high = BY_ID[analyte].plausible
    unit, step = BY_ID[analyte].unit, Decimal("0.001")

    def problem(value):
        return one(lab(CODES[analyte], float(value), unit), of=analyte).problem

    assert (problem(low), problem(high)) == (None, None)
    assert problem(high + step) == "implausible value ignored"
    assert problem(low - step) == "implausible value ignored"


@pytest.mark.parametrize(
    ("value", "unit"),
    [
        (2.3, "mg/dL"),  # vector V8: not reinterpreted as mmol/L
        (9.8, "mmol/L"),
        (0, "mg/dL"),
        (-9.6, "mg/dL"),
        ("1e400", "mg/dL"),
        ("9e999999", "mmol/L"),
        ("1e-999999", "mmol/L"),
    ],
)
def test_F18_nonsense_is_not_converted(value, unit):
    assert one(calcium(value, unit)).problem == "implausible value ignored"


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "sNaN"])
def test_F18_what_is_not_a_number_never_compares(value):
    found = one(calcium(value, high=value, low=8.4))
    assert (found.problem, found.exact, found.reference_high) == ("not a number", None, None)


@pytest.mark.parametrize(
    ("comparator", "low", "high", "shown"),
    [
        ("", 10, 10, "10 mg/dL"),
        (">", 10, None, ">10 mg/dL"),
        (">=", 10, None, ">=10 mg/dL"),
        ("<", None, 10, "<10 mg/dL"),
        ("<=", None, 10, "<=10 mg/dL"),
        (" < ", None, 10, " < 10 mg/dL"),
    ],
)
def test_F17_a_comparator_gives_a_bound(comparator, low, high, shown):
    quantity = sent(10, "mg/dL", UCUM, "mg/dL", comparator=comparator)
    found = one(lab("17861-6", None, None, valueQuantity=quantity))
    assert (found.low, found.high, found.as_sent, found.problem) == (low, high, shown, None)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"valueQuantity": sent(10, "mg/dL", comparator="ad")}, "comparator not understood"),
        ({"valueQuantity": None, "valueString": "9.8 mg/dL"}, "no numeric value"),
        ({"valueQuantity": {"unit": "mg/dL"}}, "no numeric value"),
        ({"valueQuantity": None, "valueRange": {"low": sent(8, "mg/dL")}}, "no numeric value"),
        ({"valueQuantity": None, "valueRatio": {"numerator": sent(8, "mg")}}, "no numeric value"),
        (
            {"valueQuantity": None, "dataAbsentReason": concept("asked-unknown", "x")},
            "no value (reason given)",
        ),
    ],
)
def test_F17_what_is_no_single_number_is_unknown(changes, problem):
    found = one(lab("17861-6", 9, "mg/dL", **changes))
    assert (found.problem, found.exact) == (problem, None)


def test_F17_a_value_beside_a_reason_for_its_absence_is_a_value():
    assert one(calcium(9.6, dataAbsentReason=concept("error", "x"))).exact == Decimal("9.6")


def test_a_panel_without_a_code_of_its_own_is_read_by_its_components():
    part = {"code": concept("17861-6", LOINC), "valueQuantity": sent(9.6, "mg/dL")}
    panel = {key: value for key, value in calcium(1, component=[part]).items() if key != "code"}
    found = one(panel)
    assert (found.exact, found.excluded) == (Decimal("9.6"), None)


def test_F17_components_are_read_with_their_own_ranges():
    panel = {
        "resourceType": "Observation",
        "id": "panel",
        "status": "final",
        "code": concept("24323-8", LOINC),
        "effectiveDateTime": ago(3),
        "component": [
            {"code": concept("17861-6", LOINC), "valueQuantity": sent(2.5, "mmol/L")},
            {
                "code": concept("1994-3", LOINC),
                "valueQuantity": sent(1.4, "mmol/L"),
                "referenceRange": [{"high": sent(1.32)}],
            },
            {"code": concept("2777-1", LOINC), "dataAbsentReason": concept("error", "x")},
            {"code": concept("9999-9", LOINC), "valueQuantity": sent(1, "mg/dL")},
            {"valueQuantity": sent(1, "mg/dL")},
        ],
    }
    found = facts(labs=[panel]).labs
    assert {key: labs[0].problem for key, labs in found.items()} == {
        "calcium": None,
        "calcium-ionised": None,
        "phosphate": "no value (reason given)",
    }
    assert found["calcium-ionised"][0].reference_high == Decimal("1.32")
    assert found["calcium"][0].source == "Observation/panel"


def test_results_of_other_analytes_or_without_a_code_are_not_read():
    assert facts(labs=[lab("9999-9", 1, "mg/dL"), lab("x", 1, "mg/dL", code=None)]).labs == {}
    numeric = {"coding": [{"system": LOINC}, {"system": "urn:local", "code": 7}]}
    assert facts(labs=[lab("x", 1, "mg/dL", code=numeric)]).labs == {}


@pytest.mark.parametrize(
    ("status", "problem", "excluded"),
    [
        ("final", None, None),
        ("amended", None, None),
        ("corrected", None, None),
        ("FINAL", None, None),
        ("preliminary", None, None),
        ("registered", "status registered", "status registered"),
        ("cancelled", "status cancelled", "status cancelled"),
        ("entered-in-error", "status entered-in-error", "status entered-in-error"),
        ("unknown", "status unknown", "status unknown"),
        (None, "status unknown", None),
        ("validated", "status not usable", None),
    ],
)
def test_F12_status(status, problem, excluded):
    found = one(calcium(9.6, status=status))
    assert (found.problem, found.excluded, found.preliminary) == (problem, excluded, status == "preliminary")


@pytest.mark.parametrize("status", ["registered", "cancelled", "entered-in-error", "unknown"])
def test_F12_a_withdrawn_or_pending_result_leaves_the_older_one_as_it_is(status):
    found = latest(facts(labs=[calcium(9.6, days=10), calcium(14, days=1, status=status)]), analytes.CALCIUM)
    assert (found.lab.exact, found.doubt) == (Decimal("9.6"), None)


def test_F12_a_newer_result_that_cannot_be_read_is_a_doubt():
    found = latest(facts(labs=[calcium(9.6, days=10), calcium(14, "mg%", days=1)]), analytes.CALCIUM)
    assert found.lab.exact == Decimal("9.6")
    assert found.doubt == "result of 14 Nov 2026 not usable: unit not known for this analyte"


@pytest.mark.parametrize(
    ("times", "when", "when_is", "problem"),
    [
        ({"effectiveDateTime": "2026-11-10T08:00:00Z"}, "10 Nov 2026", "collected", None),
        ({"effectivePeriod": {"start": "2026-11-10"}}, "10 Nov 2026", "collected", None),
        ({"effectiveInstant": "2026-11-10T08:00:00Z"}, "10 Nov 2026", "collected", None),
        ({"issued": "2026-11-11T08:00:00Z"}, "11 Nov 2026", "reported", None),
        ({"effectivePeriod": {}, "issued": "2026-11-11"}, "11 Nov 2026", "reported", None),
        ({"effectiveDateTime": "yesterday", "issued": "2026-11-11"}, "11 Nov 2026", "reported", None),
        ({}, "None", "reported", "no usable date"),
        # Without a day it may be newer than any other result, unless its whole month or year is out of date.
        ({"effectiveDateTime": "2026-11"}, "None", "collected", "date without a day"),
        ({"effectiveDateTime": "2026"}, "None", "collected", "date without a day"),
        ({"effectiveDateTime": "2026-07"}, "Jul 2026", "collected", "date without a day"),
        ({"effectiveDateTime": "2025"}, "2025", "collected", "date without a day"),
        ({"effectiveDateTime": "2026-11-16T11:59:00Z"}, "16 Nov 2026", "collected", None),
        ({"effectiveDateTime": "2026-11-17"}, "17 Nov 2026", "collected", "dated in the future"),
    ],
)
def test_F20_collection_time_else_the_date_reported(times, when, when_is, problem):
    found = one(calcium(9.6, **({"effectiveDateTime": None} | times)))
    assert (str(found.when), found.when_is, found.problem) == (when, when_is, problem)


@pytest.mark.parametrize(
    "words",
    ["post-dialysis", "Post dialysis", "POSTDIALYSIS", "taken after dialysis", "intradialytic", "post-HD"],
)
@pytest.mark.parametrize("place", ["note", "specimen", "code"])
def test_a_sample_drawn_after_dialysis_is_left_out(words, place):
    fields = {
        "note": {"note": [{}, {"text": words}]},
        "specimen": {"specimen": {"display": f"Serum, {words}"}},
        "code": {"code": concept("2777-1", LOINC, f"Phosphate {words}")},
    }[place]
    assert one(phosphate(6.1, **fields), of="phosphate").excluded == "drawn during or after dialysis"


def test_albumin_and_pth_are_kept_whatever_the_note_says():
    note = [{"text": "post-dialysis"}]
    found = facts(labs=[albumin(3.1, note=note), pth(300, note=note)]).labs
    assert [found[key][0].excluded for key in ("albumin", "pth")] == [None, None]


def test_the_specimen_is_remembered():
    assert one(calcium(9.6, specimen={"reference": "Specimen/1"})).specimen == "Specimen/1"


# --- reference ranges ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ranges", "expected"),
    [
        ([], (None, None)),
        ([{"low": sent(8.4), "high": sent(10.2)}], ("8.4", "10.2")),  # in the unit of the value
        ([{"low": sent(2.1, "mmol/L"), "high": sent(2.5, "mmol/L")}], ("8.41638", "10.01950")),
        ([{"high": sent(10.2, "mg%")}], (None, None)),
        ([{"high": sent(10.2, "g/L")}], (None, None)),
        ([{"text": "8.4-10.2"}], (None, None)),
        ([{"high": {"unit": "mg/dL"}}], (None, None)),
        ([{"high": sent("9e99999", "mmol/L")}], (None, None)),
        ([{"type": concept("critical", "x"), "high": sent(14)}, {"high": sent(10.2)}], (None, "10.2")),
        ([{"type": concept("normal", "x"), "high": sent(10.2)}], (None, "10.2")),
        ([{"type": {"text": "usual"}, "high": sent(10.2)}], (None, "10.2")),
        ([{}, {"high": sent(10.2)}], (None, "10.2")),
    ],
)
def test_the_reference_range_in_the_canonical_unit(ranges, expected):
    found = one(calcium(9.6, referenceRange=ranges))
    bounds = (found.reference_low, found.reference_high)
    assert bounds == tuple(each and Decimal(each) for each in expected)


def test_a_range_without_a_unit_beside_a_value_without_one_is_not_read():
    bare = [{"high": sent(10.2)}]
    assert (
        one(lab("17861-6", None, None, valueQuantity=sent(9.6), referenceRange=bare)).reference_high is None
    )
    assert one(calcium(None, valueQuantity=None, referenceRange=bare)).reference_high is None


def test_V15_a_range_of_pth_in_pmol():
    found = one(pth(70, "pmol/L", high=7), of="pth")
    assert (show(found.exact, 0), show(found.reference_high, 0)) == ("660", "66")


# --- several results ----------------------------------------------------------------------------------

AT = {"effectiveDateTime": "2026-11-10T08:00:00Z"}


def every_order(*observations):
    """The same answer whatever the order of the list (F13)."""
    answers = {
        tuple((found.as_sent, found.low, found.high, found.status, found.source) for found in read(*arranged))
        for arranged in itertools.permutations(observations)
    }
    assert len(answers) == 1, answers
    return answers.pop()


def test_newest_first_undated_last():
    undated = calcium(7, effectiveDateTime=None, id="b"), calcium(7, effectiveDateTime=None, id="a")
    order = every_order(calcium(8, days=30), calcium(9, days=2), calcium(10, days=10), *undated)
    assert [row[0] for row in order] == ["9 mg/dL", "10 mg/dL", "8 mg/dL", "7 mg/dL", "7 mg/dL"]
    assert [row[-1] for row in order[-2:]] == ["Observation/a", "Observation/b"]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"status": "final"}, {"status": "corrected"}),
        ({"status": "final"}, {"status": "amended"}),
        ({"status": "preliminary"}, {"status": "final"}),
        ({"status": "entered-in-error"}, {"status": "preliminary"}),
        ({"status": "corrected", "note": [{"text": "post-dialysis"}]}, {"status": "final"}),
        ({"issued": "2026-11-10T09:00:00Z"}, {"issued": "2026-11-10T10:00:00Z"}),
        ({}, {"issued": "2026-11-10T10:00:00Z"}),
        (
            {"meta": {"lastUpdated": "2026-11-10T09:00:00Z"}},
            {"meta": {"lastUpdated": "2026-11-10T10:00:00Z"}},
        ),
        ({"status": "final", "issued": "2026-11-12"}, {"status": "corrected", "issued": "2026-11-11"}),
        ({"valueQuantity": sent(9.9)}, {"status": "preliminary"}),
    ],
)
def test_F13_one_result_for_one_time_corrected_over_final_and_late_over_early(first, second):
    (row,) = every_order(calcium(11, **(AT | first)), calcium(9, **(AT | second)))
    assert row[0] == "9 mg/dL"


def test_F13_an_exact_duplicate_is_one_result():
    (row,) = every_order(calcium(9, id="x", **AT), calcium(9, id="y", **AT), calcium(9, id="x", **AT))
    assert row[:3] == ("9 mg/dL", 9, 9)


def test_F14_two_values_for_one_time_become_an_interval_that_holds_both():
    (row,) = every_order(calcium(9, **AT), calcium(11, **AT), calcium(10, **AT))
    assert row[:3] == ("10 mg/dL and 11 mg/dL and 9 mg/dL (conflicting results)", 9, 11)


@pytest.mark.parametrize(("comparator", "bounds"), [(">", (9, None)), ("<", (None, 11))])
def test_F14_a_bound_beside_a_value_stays_open_on_its_side(comparator, bounds):
    other = sent(9 if comparator == ">" else 11, "mg/dL", comparator=comparator)
    (row,) = every_order(calcium(10, **AT), lab("17861-6", None, None, **AT, valueQuantity=other))
    assert row[1:3] == bounds


def test_two_unusable_results_for_one_time_are_one():
    (row,) = every_order(calcium(9, "mg%", id="x", **AT), calcium(9, "mg%", id="y", **AT))
    assert row[1:3] == (None, None)


# --- arithmetic ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "sides"),
    [  # at least, above, below
        ("55", (True, False, False)),
        ("55.0000000005", (True, False, False)),
        ("54.9999999995", (True, False, False)),
        ("55.000000002", (True, True, False)),
        ("54.999999998", (False, False, True)),
    ],
)
def test_equality_has_a_tolerance_of_1e_9(value, sides):
    value, limit = Decimal(value), Decimal(55)
    assert (at_least(value, limit), above(value, limit), below(value, limit)) == sides


@pytest.mark.parametrize(
    ("value", "sound"),
    [
        ("9.6", True),
        ("0", True),
        ("-3", True),
        ("1e15", True),
        ("1e16", False),
        ("1e-16", False),
        ("NaN", False),
    ],
)
def test_which_numbers_are_amounts(value, sound):
    assert is_amount(Decimal(value)) is sound
    assert not is_amount(None)


def test_numbers_are_printed_rounded_half_up():
    assert [show(Decimal(text), 1) for text in ("9.25", "9.24", "1234.55")] == ["9.3", "9.2", "1,234.6"]


def test_numbers_are_read_as_they_were_written():
    (quantity,) = (one.valueQuantity for one in decoded([calcium("9.10")]))
    assert str(quantity.value) == "9.10"


# --- a long history -----------------------------------------------------------------------------------


def test_a_rule_may_ask_for_the_results_of_a_window_only():
    undated = calcium(7, effectiveDateTime=None, id="undated")
    known = facts(labs=[calcium(8, days=366), undated, calcium(9, days=365), calcium(10, days=2)])

    def asked(*window):
        return [lab.as_sent for lab in known.results(analytes.CALCIUM, *window)]

    assert asked(365) == ["10 mg/dL", "9 mg/dL", "7 mg/dL"]
    assert asked(1) == ["7 mg/dL"]
    assert asked() == ["10 mg/dL", "9 mg/dL", "8 mg/dL", "7 mg/dL"]
    assert known.results(analytes.PHOSPHATE, 365) == known.results(analytes.PHOSPHATE) == ()
    assert (list(known.labs), len(known.labs)) == (["calcium"], 1)


def test_what_is_asked_for_twice_is_the_same_result():
    known = facts(labs=[calcium(8, days=30), calcium(10, days=2)])
    assert known.results(analytes.CALCIUM)[0] is known.results(analytes.CALCIUM, 7)[0]


def test_the_window_holds_where_clocks_change():
    """Half past midnight in summer time: 23:59 of 28 Feb is not 19 times 24 hours ago, the calendar day after it is."""
    as_of, zone = datetime(2026, 3, 20, 4, 30, tzinfo=UTC), ZoneInfo("America/New_York")
    day = calcium(8, effectiveDateTime="2026-03-01")
    before = calcium(9, effectiveDateTime="2026-02-28T23:59:00-05:00")
    known = facts(labs=[day, before], as_of=as_of, zone=zone)
    assert [known.age_days(lab.when) for lab in known.results(analytes.CALCIUM)] == [19, 18]
    assert [lab.exact for lab in known.results(analytes.CALCIUM, 18)] == [9]
