"""What cards print: values with unit and date in both unit systems, cut to fit, and never a blank."""

import pytest
from support.facts import (
    ADULT,
    SNOMED,
    UCUM,
    albumin,
    calcium,
    condition,
    dose,
    facts,
    lab,
    medicine,
    minerals,
    phosphate,
    procedure,
    pth,
    service_request,
)

from cds_service.localise.text import Text, cut
from cds_service.rules.text import plain
from hooks.fills import FILLS

V1 = (calcium(9.6), albumin(2.8), phosphate(6.1))
V3 = (calcium(10.4), albumin(2.5), phosphate(6.9))


def adjusted(value, **fields):
    return lab("46099-8", value, "mg/dL", **fields)


def ion(value, **fields):
    return lab("1994-3", value, "mmol/L", low=1.12, high=1.32, **fields)


def bound(comparator, value, code, unit="mg/dL", **fields):
    quantity = {"value": value, "comparator": comparator, "unit": unit, "system": UCUM, "code": unit}
    return lab(code, value, unit, valueQuantity=quantity, **fields)


def english(made):
    """A fill as an English reader sees it; '' when it has nothing to say."""
    return tuple(map(str, made)) if isinstance(made, tuple) else str(made or "")


def fill(name, *labs, **call):
    return english(FILLS[name].make(facts(labs=labs, **call)))


# --- every fill ---------------------------------------------------------------------------------------

MINE = {
    *("drug", "order", "status", "trigger", "binder_trigger", "date", "pair_date", "ca_date", "p_date"),
    *("pth_date", "caxp", "goal", "ca", "p", "pth", "t3", "t4", "prange", "labs", "days", "indication"),
    *("dialysis_evidence", "calciphylaxis_evidence", "indications_found", "other_indication"),
    *("matched_by_name", "factors_present", "factors_unknown", "vka_list", "digoxin", "pregnancy"),
    *("vascular_calcification", "calcium_line", "phosphate_line", "product_line", "trend_line", "pth_line"),
    *("ionised_line", "missing_lines", "elemental_lines", "n", "u"),
}


@pytest.mark.parametrize("name", sorted(MINE))
@pytest.mark.parametrize(
    "call",
    [
        {},
        {
            "unreadable": [
                "conditions",
                "labs",
                "medications",
                "procedures",
                "encounters",
                "requests",
                "vitals",
            ]
        },
        {"labs": V3, "conditions": [condition("N18.6")], "units": "SI"},
        {"labs": minerals(days=100), "patient": None},
    ],
    ids=["nothing known", "nothing readable", "SI", "out of date"],
)
def test_every_fill_answers_whatever_is_known(name, call):
    made = FILLS[name].make(facts(**call))
    several = made if isinstance(made, tuple) else () if made is None else (made,)
    assert all(isinstance(row, Text) and str(row) for row in several)


@pytest.mark.parametrize("name", sorted(MINE))
def test_every_example_fits_its_own_limit(name):
    assert 0 < len(FILLS[name].example) <= FILLS[name].limit


# --- values -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "conventional", "si"),
    [
        ("caxp", "80.0 mg2/dL2", "6.45 mmol2/L2"),
        ("goal", "55", "4.43"),
        ("ca", "11.6 mg/dL", "2.89 mmol/L"),
        ("p", "6.9 mg/dL", "2.23 mmol/L"),
        ("pth", "1,050 pg/mL", "111.3 pmol/L"),
        ("t3", "10.2 mg/dL", "2.54 mmol/L"),  # clinical document, 3.3
        ("t4", "8.4 mg/dL", "2.10 mmol/L"),
        ("prange", "3.5-5.5 mg/dL", "1.13-1.78 mmol/L"),
        ("trigger", "corrected Ca 11.6 mg/dL, Ca x P 80.0", "corrected Ca 2.89 mmol/L, Ca x P 6.45"),
        ("date", "10 Nov 2026", "10 Nov 2026"),
    ],
)
def test_values_in_the_units_of_the_client(name, conventional, si):
    labs = (*V3, pth(1050))
    assert (fill(name, *labs), fill(name, *labs, units="SI")) == (conventional, si)
    assert max(len(conventional), len(si)) <= FILLS[name].limit


def test_a_value_that_would_read_like_its_cut_off_gets_one_more_decimal():
    assert fill("ca", calcium(10.21), albumin(4.2)) == "10.21 mg/dL"
    assert fill("ca", calcium(10.2), albumin(4.2)) == "10.2 mg/dL"
    assert fill("p", phosphate(5.51)) == "5.51 mg/dL"
    assert fill("caxp", calcium(10), albumin(4.2), phosphate(5.499)) == "54.99 mg2/dL2"
    assert fill("caxp", calcium(10), albumin(4.2), phosphate(5.5)) == "55.0 mg2/dL2"


@pytest.mark.parametrize(
    "name", ["caxp", "ca", "p", "pth", "pair_date", "ca_date", "p_date", "pth_date", "date"]
)
def test_what_is_not_known_is_left_blank(name):
    assert fill(name) == ""


def test_dates_of_each_value():
    labs = (calcium(9.6, days=5), albumin(2.8, days=5), phosphate(6.1, days=3), pth(300, days=40))
    assert [fill(name, *labs) for name in ("ca_date", "p_date", "pair_date", "pth_date")] == [
        *("10 Nov 2026", "12 Nov 2026", "12 Nov 2026", "6 Oct 2026")
    ]


def test_bounds_are_printed_as_they_were_sent():
    assert fill("p", bound(">", 20, "2777-1")) == ">20 mg/dL"
    assert fill("pth", bound("<", 6, "2731-8", "pg/mL")) == "<6 pg/mL"
    assert "Phosphate >20 mg/dL, 10 Nov 2026" in fill("phosphate_line", bound(">", 20, "2777-1"))


@pytest.mark.parametrize(
    ("labs", "trigger", "date"),
    [
        (V3, "corrected Ca 11.6 mg/dL, Ca x P 80.0", "10 Nov 2026"),
        ((calcium(10.4), albumin(4.2), phosphate(5)), "Ca 10.4 mg/dL", "10 Nov 2026"),
        ((calcium(10.4), phosphate(5)), "Ca 10.4 mg/dL", "10 Nov 2026"),
        ((adjusted(10.9), phosphate(5)), "corrected Ca 10.9 mg/dL", "10 Nov 2026"),
        ((calcium(10), albumin(4.2), phosphate(7.2, days=2)), "Ca x P 72.0 mg2/dL2", "13 Nov 2026"),
        ((*V1, ion(1.4, days=2)), "ionised Ca 1.40 mmol/L", "13 Nov 2026"),
        ((*V3, ion(1.4, days=2)), "ionised Ca 1.40 mmol/L, Ca x P 80.0", "13 Nov 2026"),
        ((ion(1.4, days=2),), "ionised Ca 1.40 mmol/L", "13 Nov 2026"),
        ((bound(">", 15, "17861-6", days=1),), "Ca >15 mg/dL", "14 Nov 2026"),
        ((bound("<", 15, "17861-6", days=1), calcium(11, days=5)), "Ca 11.0 mg/dL", "10 Nov 2026"),
        (V1, "", "10 Nov 2026"),
        ((calcium(9.6),), "", "10 Nov 2026"),
        ((), "", ""),
    ],
)
def test_what_met_the_tier_and_when(labs, trigger, date):
    assert (fill("trigger", *labs), fill("date", *labs)) == (trigger, date)
    assert len(trigger) <= FILLS["trigger"].limit


# --- lines --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("labs", "line"),
    [
        (
            V1,
            (
                "Calcium 9.6 mg/dL, corrected 10.6 mg/dL (Payne, albumin 2.8 g/dL of 10 Nov 2026), 10 Nov 2026 "
                "(KDOQI 2003 action level: above 10.2 mg/dL; depends on albumin correction)"
            ),
        ),
        (
            (*V1, ion(1.4)),
            (
                "Calcium 9.6 mg/dL, corrected 10.6 mg/dL (Payne, albumin 2.8 g/dL of 10 Nov 2026), 10 Nov 2026; "
                "ionised 1.40 mmol/L on 10 Nov 2026 (KDOQI 2003 action level: above 10.2 mg/dL)"
            ),
        ),
        (
            (calcium(9.6, days=40), albumin(4.2, days=40)),
            (
                "Calcium 9.6 mg/dL, no correction needed (albumin 4.2 g/dL), 6 Oct 2026 (40 days old) "
                "(KDOQI 2003 action level: above 10.2 mg/dL)"
            ),
        ),
        (
            (calcium(9.6),),
            (
                "Calcium 9.6 mg/dL, uncorrected (no recent albumin), 10 Nov 2026 "
                "(KDOQI 2003 action level: above 10.2 mg/dL)"
            ),
        ),
        (
            (adjusted(9.9),),
            (
                "Calcium 9.9 mg/dL as adjusted by the laboratory, 10 Nov 2026 "
                "(KDOQI 2003 action level: above 10.2 mg/dL)"
            ),
        ),
        (
            (adjusted(9.9), calcium(9.5)),
            (
                "Calcium 9.9 mg/dL as adjusted by the laboratory, total 9.5 mg/dL, 10 Nov 2026 "
                "(KDOQI 2003 action level: above 10.2 mg/dL)"
            ),
        ),
        (
            (calcium(9.6), calcium(9.9)),
            (
                "Calcium 9.6 mg/dL or 9.9 mg/dL (conflicting results), uncorrected (no recent albumin), "
                "10 Nov 2026 (KDOQI 2003 action level: above 10.2 mg/dL)"
            ),
        ),
        (
            (bound(">", 15, "17861-6", days=1),),
            "Calcium >15 mg/dL, 14 Nov 2026 (KDOQI 2003 action level: above 10.2 mg/dL)",
        ),
        (
            (bound(">", 9, "17861-6", days=1), adjusted(9.9)),
            (
                "Calcium >9 mg/dL, 14 Nov 2026; Calcium 9.9 mg/dL as adjusted by the laboratory, 10 Nov 2026 "
                "(KDOQI 2003 action level: above 10.2 mg/dL)"
            ),
        ),
        ((), "Calcium not usable: no result"),
        ((ion(1.4),), "Calcium not usable: no result; ionised 1.40 mmol/L on 10 Nov 2026"),
        (
            (bound(">", 2, "1994-3", "mmol/L"),),
            "Calcium not usable: no result; ionised >2 mmol/L on 10 Nov 2026",
        ),
        ((calcium(9.6, days=100),), "Calcium not usable: last result 7 Aug 2026 is out of date"),
    ],
)
def test_the_calcium_line(labs, line):
    assert fill("calcium_line", *labs) == line


@pytest.mark.parametrize(
    ("labs", "line"),
    [
        (
            (phosphate(6.1),),
            "Phosphate 6.1 mg/dL, 10 Nov 2026 (KDOQI range 3.5-5.5 mg/dL; above 5.5 mg/dL is high)",
        ),
        (
            (phosphate(6.1, days=40),),
            "Phosphate 6.1 mg/dL, 6 Oct 2026 (40 days old) (KDOQI range 3.5-5.5 mg/dL; above 5.5 mg/dL is high)",
        ),
        (
            (phosphate(6.1, status="preliminary"),),
            "Phosphate 6.1 mg/dL on 10 Nov 2026 (preliminary: not used)",
        ),
        ((), "Phosphate not usable: no result"),
    ],
)
def test_the_phosphate_line(labs, line):
    assert fill("phosphate_line", *labs) == line


END = ". KDOQI 2003 goal below 55, Weenig 2007 above 70. {}A value below 55 does not exclude calciphylaxis"
DEPENDS = "This depends on albumin correction: check ionised calcium. "


@pytest.mark.parametrize(
    ("labs", "line"),
    [
        (
            V1,
            "Ca x P 64.4 mg2/dL2 (5.19 mmol2/L2), 10 Nov 2026: calcium 10.6 mg/dL (corrected for albumin "
            "2.8 g/dL, total 9.6 mg/dL) x phosphate 6.1 mg/dL; 58.6 with total calcium" + END.format(""),
        ),
        (
            (calcium(9.4), albumin(3.4), phosphate(5.6)),
            "Ca x P 55.3 mg2/dL2 (4.46 mmol2/L2), 10 Nov 2026: calcium 9.9 mg/dL (corrected for albumin "
            "3.4 g/dL, total 9.4 mg/dL) x phosphate 5.6 mg/dL; 52.6 with total calcium" + END.format(DEPENDS),
        ),
        (
            (calcium(9.4), albumin(3.4), phosphate(5.6), ion(1.4)),
            "Ca x P 55.3 mg2/dL2 (4.46 mmol2/L2), 10 Nov 2026: calcium 9.9 mg/dL (corrected for albumin "
            "3.4 g/dL, total 9.4 mg/dL) x phosphate 5.6 mg/dL; 52.6 with total calcium" + END.format(""),
        ),
        (
            (calcium(9.0), albumin(4.2), phosphate(5.0, days=3)),
            "Ca x P 45.0 mg2/dL2 (3.63 mmol2/L2), 12 Nov 2026: calcium 9.0 mg/dL (albumin 4.2 g/dL, no "
            "correction) x phosphate 5.0 mg/dL (12 Nov 2026; calcium 10 Nov 2026)" + END.format(""),
        ),
        (
            (calcium(9.0), phosphate(5.0), phosphate(6.0)),
            "Ca x P 45.0 or 54.0 (conflicting results) mg2/dL2 (4.35 mmol2/L2), 10 Nov 2026: calcium 9.0 "
            "mg/dL (uncorrected (no recent albumin)) x phosphate 5.0 mg/dL and 6.0 mg/dL (conflicting "
            "results)" + END.format(""),
        ),
        (
            (calcium(9.0), phosphate(5.0, status="preliminary")),
            "Ca x P 45.0 mg2/dL2 (3.63 mmol2/L2) (preliminary: not used), 10 Nov 2026: calcium 9.0 mg/dL "
            "(uncorrected (no recent albumin)) x phosphate 5.0 mg/dL" + END.format(""),
        ),
        ((calcium(9.0),), "Ca x P not evaluable: phosphate: no result"),
    ],
)
def test_the_product_line(labs, line):
    assert fill("product_line", *labs) == line


def test_the_trend_line():
    labs = [
        each for days in (2, 40, 80) for each in (calcium(9, days=days), phosphate(5 + days / 40, days=days))
    ]
    assert fill("trend_line", *labs) == (
        "Ca x P trend: 63.0 mg2/dL2 (27 Aug 2026), 54.0 mg2/dL2 (6 Oct 2026), 45.5 mg2/dL2 (13 Nov 2026). "
        "KDIGO 2017: judge serial calcium, phosphate and PTH together"
    )
    assert fill("trend_line", *labs[:2]) == ""


def test_the_lower_limit_of_pth():
    assert fill("pth_low_limit", pth(100, high=65)) == "2 x ULN"
    assert fill("pth_low_limit", pth(100)) == fill("pth_low_limit") == "150 pg/mL"
    assert len("150 pg/mL") <= FILLS["pth_low_limit"].limit


def test_pth_and_ionised_lines():
    assert fill("pth_line", pth(620, high=65)) == "PTH 620 pg/mL (9.5 x ULN) on 10 Nov 2026"
    assert fill("pth_line") == "PTH not usable: no result"
    assert fill("ionised_line", ion(1.21)) == "ionised calcium 1.21 mmol/L on 10 Nov 2026"
    assert fill("ionised_line") == "ionised calcium not available"


@pytest.mark.parametrize(
    ("labs", "names", "days"),
    [
        ((), "Ca, P, albumin and PTH", "90"),
        (minerals()[:3], "PTH", "180"),
        (minerals()[1:3], "Ca and PTH", "90"),
        (minerals(), "", "90"),
    ],
)
def test_which_labs_are_missing(labs, names, days):
    assert (fill("labs", *labs), fill("days", *labs)) == (names, days)
    assert len(names) <= FILLS["labs"].limit
    assert len(fill("missing_lines", *labs)) == (names.count(",") + names.count("and") + bool(names))


# --- calcium intake -----------------------------------------------------------------------------------


def acetate(tablets):
    return medicine(rxnorm="197433", dosageInstruction=[dose(tablets, "tablet", 3)])


@pytest.mark.parametrize(
    ("labs", "draft", "trigger"),
    [
        ((calcium(9.4), albumin(3.4), phosphate(5.6)), acetate(1), "Ca x P 55.3 mg2/dL2 on 10 Nov 2026"),
        ((calcium(9.6), albumin(2.8), phosphate(4)), acetate(1), "corrected Ca 10.6 mg/dL on 10 Nov 2026"),
        ((calcium(9.0), albumin(4.2), phosphate(4)), acetate(3), "1,521 mg elemental calcium/day"),
        ((*minerals()[:3], pth(120), pth(130, days=60)), acetate(1), "PTH twice below 150 (120 pg/mL)"),
        (minerals(), acetate(1), ""),
    ],
)
def test_what_met_the_info_tier_of_oral_calcium(labs, draft, trigger):
    assert fill("binder_trigger", *labs, drafts=[draft], hook="order-sign") == trigger
    assert len(trigger) <= FILLS["binder_trigger"].limit


def test_elemental_calcium_line_by_line():
    call = {"drafts": [acetate(2)], "hook": "order-sign", "medications": [medicine("calcium carbonate")]}
    assert fill("elemental_lines", **call) == (
        "calcium acetate 2 x 667 mg x 3/day = 1,014 mg elemental calcium/day",
        "calcium carbonate: dose not computable",
    )


# --- order, problem list, medicines -------------------------------------------------------------------


def test_the_order():
    drug = facts(drafts=[medicine("Warfarin 5 mg")], hook="order-sign")
    biopsy = facts(drafts=[service_request(text="Skin biopsy")], hook="order-sign")
    chart = facts()
    assert [english(FILLS["drug"].make(call)) for call in (drug, biopsy, chart)] == [
        *("warfarin", "Skin biopsy", "Calciphylaxis check")
    ]
    assert [english(FILLS["order"].make(call)) for call in (drug, biopsy, chart)] == [
        "warfarin",
        "Skin biopsy",
        "",
    ]
    assert [english(FILLS["matched_by_name"].make(call)) for call in (drug, biopsy, chart)] == [
        *("matched by name only, no code we know", "", "")
    ]
    coded = facts(drafts=[medicine(rxnorm="11289")], hook="order-sign")
    assert FILLS["matched_by_name"].make(coded) is None
    hostile = facts(drafts=[medicine("x" * 200 + "\n# URGENT")], hook="order-sign")
    name = cut(plain(english(FILLS["drug"].make(hostile))), FILLS["drug"].limit)
    assert (len(name), "\n" in name) == (30, False)


CUA = ("237900002", SNOMED)


@pytest.mark.parametrize(
    ("conditions", "status"),
    [
        ([condition(*CUA)], "confirmed"),
        ([condition(text="calciphylaxis")], "suspected"),
        ([condition(*CUA, clinical="resolved")], "past"),
        ([], ""),
    ],
)
def test_the_status_fits_its_nine_characters(conditions, status):
    assert fill("status", conditions=conditions) == status
    assert len(status) <= FILLS["status"].limit == 9
    assert fill("calciphylaxis_evidence", conditions=conditions)


def test_indications():
    conditions = [condition("Z95.2", display="Valve"), condition("D68.61", display="APS")]
    assert fill("indication", conditions=conditions) == "prosthetic heart valve (type not coded)"
    assert fill("indications_found", conditions=conditions) == "Valve (Z95.2); APS (D68.61)"
    assert (fill("indication"), fill("indications_found")) == ("", "")
    reasons = [condition(code, display="x") for code in ("I48.91", "I82.409", "I26.99")]
    assert fill("other_indication", conditions=reasons) == "x (I48.91); x (I82.409)"
    assert (
        fill("other_indication", conditions=[condition("I48.91", clinical="resolved")])
        == "no indication coded"
    )
    assert fill("other_indication", unreadable=["conditions"]) == "problem list not readable"


@pytest.mark.parametrize(
    ("lists", "evidence"),
    [
        (
            {"conditions": [condition("N18.6", display="ESRD")]},
            "probable: ESRD (N18.6); modality not recorded",
        ),
        (
            {"conditions": [condition("Z99.2", display="x")], "procedures": [procedure("302497006")]},
            "definite: x (Z99.2); haemodialysis",
        ),
        (
            {"conditions": [condition("Z99.2", display="x")], "procedures": [procedure("71192002")]},
            "definite: x (Z99.2); peritoneal dialysis",
        ),
        ({}, ""),
    ],
)
def test_dialysis_evidence(lists, evidence):
    assert fill("dialysis_evidence", **lists) == evidence


def test_factors():
    conditions = [condition("E11.9")]
    assert "diabetes" in fill("factors_present", *V3, conditions=conditions)
    assert fill("factors_present", *V3, conditions=conditions).endswith(" present)")
    assert fill("factors_unknown").endswith(" unknown)")
    assert int(fill("n", *V3, conditions=conditions)) >= 4
    assert int(fill("u")) >= 1
    assert fill("factors_present", patient=ADULT) == ""


def test_medicines_and_problems_that_add_a_line():
    listed = [medicine("warfarin", authoredOn="2025-01-03"), medicine("digoxin")]
    assert fill("vka_list", medications=listed) == "warfarin (matched by name), active since 3 Jan 2025"
    assert (fill("digoxin", medications=listed), fill("digoxin")) == ("digoxin", "")
    assert fill("pregnancy", conditions=[condition("O09.00")]) == "pregnancy recorded - specialist decision"
    assert fill("pregnancy") == ""
    calcified = [condition("445512009", SNOMED, display="Coronary calcification", recordedDate="2025-02-01")]
    assert fill("vascular_calcification", conditions=calcified) == (
        "Coronary calcification (445512009), recorded 1 Feb 2025"
    )
    assert fill("vascular_calcification") == ""
