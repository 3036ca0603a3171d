"""The 20 factors of the patient summary: state, printed value, equality at thresholds, missing data."""

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
    phosphate,
    procedure,
    pth,
)

from hooks.case_features.factors import ManyOtherFactors, factors, present, unknown_factors
from hooks.fills.factor_table import factor_line, factor_lines

IDS = [
    "vka-active",
    "active-vitamin-d",
    "calcium-load",
    "ca-x-p",
    "corrected-calcium",
    "phosphate",
    "pth",
    "low-albumin",
    "diabetes",
    "obesity",
    "female-sex",
    "systemic-corticosteroid",
    "thrombophilia",
    "sc-insulin",
    "dialysis-vintage-or-pd",
    "high-alp",
    "liver-disease",
    "calciphylaxis-status",
    "kidney-transplant",
    "rapid-weight-loss",
]
MODIFIABLE = {*IDS[:7], "systemic-corticosteroid"}
WARFARIN, CALCITRIOL, ACETATE, PREDNISONE, INSULIN = "11289", "308867", "197433", "1161705", "139825"


def factor(ident, known):
    return next(item for item in factors(known) if item.id == ident)


def state(ident, **known):
    return factor(ident, facts(**known)).state.value


def told(known, ident):
    return str(factor_line(known, ident))


def line(ident, **known):
    return told(facts(**known), ident)


def test_twenty_factors_in_their_fixed_order_with_stable_ids():
    found = factors(facts())
    assert [item.id for item in found] == IDS
    assert {item.id for item in found if item.modifiable} == MODIFIABLE
    assert [item.id for item in found if not item.row.counted] == ["calciphylaxis-status"]


def test_missing_problems_are_not_documented_and_never_absent():
    shown = {item.id: item.shown for item in factors(facts())}
    documented = {key for key, text in shown.items() if text == "not documented"}
    assert documented == {
        "diabetes",
        "thrombophilia",
        "liver-disease",
        "calciphylaxis-status",
        "kidney-transplant",
    }


@pytest.mark.parametrize(
    ("unreadable", "unknown"),
    [
        (
            "medications",
            {"vka-active", "active-vitamin-d", "calcium-load", "systemic-corticosteroid", "sc-insulin"},
        ),
        ("labs", {"ca-x-p", "corrected-calcium", "phosphate", "pth", "low-albumin", "high-alp"}),
        ("conditions", {"diabetes", "thrombophilia", "liver-disease", "kidney-transplant"}),
        ("vitals", {"obesity", "rapid-weight-loss"}),
    ],
)
@pytest.mark.parametrize("how", ["unreadable", "incomplete"])
def test_what_was_not_read_or_only_in_part_is_unknown(unreadable, unknown, how):
    known = facts(
        labs=[*minerals(), lab("6768-6", 80, "U/L", high=120)],
        vitals=[lab("39156-5", 24, "kg/m2"), lab("29463-7", 70, "kg"), lab("29463-7", 70, "kg", days=40)],
        **{how: (unreadable,)},
    )
    assert unknown <= {item.id for item in unknown_factors(known)}


def test_gender_other_says_nothing_about_sex():
    assert state("female-sex", patient=ADULT | {"gender": "female"}) == "present"
    assert state("female-sex") == "absent"
    assert state("female-sex", patient=ADULT | {"gender": "other"}) == "unknown"
    assert state("female-sex", unreadable=("patient",)) == "unknown"


# --- medicines --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        (medicine(rxnorm=WARFARIN, days=30), "present, warfarin since 16 Oct 2026"),
        (medicine("warfarin", days=30), "present, warfarin (matched by name) since 16 Oct 2026"),
        (
            medicine(rxnorm=WARFARIN, status="on-hold", days=30),
            "present, warfarin, on hold since 16 Oct 2026",
        ),
        (
            medicine(rxnorm=WARFARIN, status="stopped", days=90),
            "present, warfarin, recent (ended 17 Aug 2026)",
        ),
        (medicine(rxnorm=WARFARIN, status="stopped", days=91), "absent"),
        (medicine(rxnorm=WARFARIN, authoredOn=""), "present, warfarin start not recorded"),
    ],
)
def test_vka_is_told_with_its_start_or_end(order, expected):
    assert line("vka-active", medications=[order]) == f"vitamin K antagonist (modifiable): {expected}"


def test_several_orders_of_one_drug_are_told_once_from_the_earliest_running_one():
    orders = [medicine(rxnorm=WARFARIN, days=days) for days in (20, 400)]
    orders.append(medicine(rxnorm=WARFARIN, days=50, status="completed"))
    assert line("vka-active", medications=orders).endswith("warfarin since 11 Oct 2025")


def test_a_draft_in_focus_is_no_current_use():
    known = facts(drafts=[medicine(rxnorm=WARFARIN, status="draft")], hook="order-sign")
    assert factor("vka-active", known).state.value == "absent"


@pytest.mark.parametrize(
    ("value", "unit", "note"),
    [(0.5, "ug", "calcitriol 0.50 mcg/day"), (0.75, "ug", "calcitriol 0.75 mcg/day, above 0.5")],
)
def test_calcitriol_above_half_a_microgram_a_day_is_noted(value, unit, note):
    order = medicine(rxnorm=CALCITRIOL, dosageInstruction=[dose(value, unit)])
    assert line("active-vitamin-d", medications=[order]).endswith(f"; {note}")


def test_other_active_vitamin_d_has_a_dose_and_no_calcitriol_limit():
    order = medicine("paricalcitol", dosageInstruction=[dose(2, "ug")])
    assert line("active-vitamin-d", medications=[order]).endswith("paricalcitol 2.00 mcg/day")
    free_text = medicine("paricalcitol", dosageInstruction=[{"text": "as directed"}])
    assert line("active-vitamin-d", medications=[free_text]).endswith("paricalcitol dose not computable")
    held = medicine("paricalcitol", status="on-hold")
    assert "dose" not in line("active-vitamin-d", medications=[held])


def test_topical_vitamin_d_does_not_count():
    assert state("active-vitamin-d", medications=[medicine("calcitriol", route="topical")]) == "absent"


@pytest.mark.parametrize(
    ("per_day", "note"),
    [
        (8, "1,352 mg elemental calcium/day"),
        (9, "1,521 mg elemental calcium/day, above 1,500 (KDOQI 2003)"),
    ],
)
def test_elemental_calcium_above_1500_mg_is_noted(per_day, note):
    order = medicine(rxnorm=ACETATE, dosageInstruction=[dose(667, "mg", per_day)])
    told = line("calcium-load", medications=[order])
    assert told.endswith(f"; {note}")


def test_calcium_without_a_structured_dose_is_not_computable():
    told = line(
        "calcium-load", medications=[medicine(rxnorm=ACETATE), medicine("calcium gluconate", route="iv")]
    )
    assert told.endswith("; dose not computable: calcium acetate")
    assert state("calcium-load", medications=[medicine("calcium carbonate", route="intravenous")]) == "absent"


@pytest.mark.parametrize(
    ("orders", "expected"),
    [
        ([medicine(rxnorm=PREDNISONE, days=21)], "present"),
        ([medicine(rxnorm=PREDNISONE, days=20)], "unknown"),
        ([medicine(rxnorm=PREDNISONE, authoredOn="")], "unknown"),
        (
            [
                medicine(
                    rxnorm=PREDNISONE,
                    days=10,
                    dosageInstruction=[dose(5, boundsDuration={"value": 20, "code": "d"})],
                )
            ],
            "absent",
        ),
        (
            [
                medicine(
                    rxnorm=PREDNISONE,
                    days=10,
                    dosageInstruction=[dose(5, boundsDuration={"value": 21, "code": "d"})],
                )
            ],
            "present",
        ),
        (
            [
                medicine(
                    rxnorm=PREDNISONE,
                    status="completed",
                    dosageInstruction=[dose(5, boundsPeriod={"start": ago(start), "end": ago(start - 11)})],
                )
                for start in (70, 40)
            ],
            "present",
        ),
        (
            [
                medicine(
                    rxnorm=PREDNISONE,
                    status="completed",
                    dosageInstruction=[dose(5, boundsPeriod={"start": ago(50), "end": ago(40)})],
                )
            ],
            "absent",
        ),
        ([medicine(rxnorm=PREDNISONE, status="completed", days=60)], "absent"),
        ([medicine("prednisone", days=100, route="ophthalmic")], "absent"),
        ([medicine("triamcinolone", days=100, route="intra-articular")], "absent"),
    ],
)
def test_a_steroid_counts_from_21_days_on_in_one_course_or_several(orders, expected):
    assert state("systemic-corticosteroid", medications=orders) == expected


def test_several_steroid_orders_are_said_to_be_several():
    orders = [medicine(rxnorm=PREDNISONE, days=days) for days in (15, 30)]
    assert line("systemic-corticosteroid", medications=orders).endswith("prednisone, 45 days in 2 orders")


@pytest.mark.parametrize(
    ("conditions", "orders", "expected"),
    [
        ([condition("E11.9")], [medicine(rxnorm=INSULIN, route="subcutaneous")], "present"),
        ([condition("E11.9")], [], "absent"),
        ([], [medicine(rxnorm=INSULIN)], "unknown"),
        ([condition("E11.9")], [medicine(rxnorm=INSULIN, route="intravenous")], "absent"),
    ],
)
def test_insulin_counts_in_documented_diabetes_only(conditions, orders, expected):
    assert state("sc-insulin", conditions=conditions, medications=orders) == expected


# --- minerals ---------------------------------------------------------------------------------------


def test_ca_x_p_at_and_around_its_cut_offs():
    assert state("ca-x-p", labs=minerals(10.0, 5.5, 4.0)) == "present"
    assert state("ca-x-p", labs=minerals(8.8, 5.7, 3.0)) == "absent"
    assert "goal <55" in line("ca-x-p", labs=minerals(10.0, 7.0, 4.0))
    assert "above 70 (Weenig 2007)" in line("ca-x-p", labs=minerals(10.4, 6.9, 2.5))


def test_ca_x_p_prints_both_products_dependence_on_correction_and_two_earlier_values():
    old = [*minerals(9.0, 5.0, days=60)[:3], *minerals(9.0, 4.0, days=95)[:3]]
    told = line("ca-x-p", labs=[*minerals(9.4, 5.6, 3.4), *old])
    assert "present, 55.3 mg2/dL2 (4.46 mmol2/L2) corrected, 52.6 total, 10 Nov 2026" in told
    assert "depends on albumin correction" in told
    assert told.endswith("before 45.0 (16 Sep 2026), 36.0 (12 Aug 2026)")


def test_ionised_calcium_above_its_limit_settles_the_correction():
    high = lab("1994-3", 1.40, "mmol/L", low=1.12, high=1.32)
    labs = [*minerals(9.4, 5.6, 3.4), high]
    assert "depends" not in line("ca-x-p", labs=labs)
    assert state("corrected-calcium", labs=labs) == "present"


def test_uncorrected_and_conflicting_values_say_so():
    told = line("ca-x-p", labs=[calcium(9.0), phosphate(5.0)])
    assert "45.0 mg2/dL2 (3.63 mmol2/L2) uncorrected (no recent albumin)" in told
    twice = [calcium(9.0), calcium(9.4), phosphate(5.0), albumin(4.2)]
    assert "45.0 or 47.0 mg2/dL2" in line("ca-x-p", labs=twice)


def test_a_preliminary_phosphate_is_shown_and_decides_nothing():
    labs = [calcium(10.4), albumin(2.5), phosphate(6.9, status="preliminary")]
    known = facts(labs=labs)
    assert factor("ca-x-p", known).state.value == "unknown"
    assert "80.0 mg2/dL2 (6.45 mmol2/L2) corrected, 71.8 total, 10 Nov 2026 (preliminary: not used)" in told(
        known, "ca-x-p"
    )
    assert factor("phosphate", known).state.value == "unknown"
    assert "6.9 mg/dL, 10 Nov 2026 (preliminary: not used)" in told(known, "phosphate")
    assert factor("corrected-calcium", known).state.value == "present"
    both = facts(labs=[*labs, phosphate(5.0, days=8), calcium(9.0, days=8)])
    assert "(preliminary: not used)" in told(both, "phosphate") + told(both, "ca-x-p")


def test_phosphate_too_far_from_calcium_makes_no_product():
    labs = [calcium(9.0, days=5), phosphate(6.0, days=14), albumin(4.2)]
    assert "not drawn within 7 days" in line("ca-x-p", labs=labs)
    assert state("phosphate", labs=labs) == "present"


def test_calcium_prints_total_albumin_and_ionised():
    told = line("corrected-calcium", labs=[*minerals(9.6, 6.1, 2.8), lab("1994-3", 1.21, "mmol/L", days=3)])
    assert "10.6 mg/dL corrected (total 9.6 mg/dL, albumin 2.8 g/dL), 10 Nov 2026" in told
    assert "ionised 1.21 mmol/L, 12 Nov 2026; depends on albumin correction" in told


def test_only_an_ionised_calcium_is_told_as_it_is():
    told = line("corrected-calcium", labs=[lab("1994-3", 1.40, "mmol/L", low=1.12, high=1.32)])
    assert told == "high calcium (modifiable): present, ionised 1.4 mmol/L, 10 Nov 2026"


def test_si_clients_read_si_values():
    known = facts(labs=minerals(9.6, 6.1, 2.8), units="SI")
    assert "6.1 mg/dL" not in told(known, "phosphate")
    assert "1.97 mmol/L" in told(known, "phosphate")
    assert "2.63 mmol/L corrected (total 2.40 mmol/L, albumin 28 g/L)" in told(known, "corrected-calcium")
    assert "very low (below 30 g/L), 28 g/L" in told(known, "low-albumin")


@pytest.mark.parametrize(("value", "expected"), [(5.5, "absent"), (5.6, "present")])
def test_phosphate_of_5_5_is_not_high(value, expected):
    assert state("phosphate", labs=minerals(p=value)) == expected


@pytest.mark.parametrize(
    ("value", "upper", "expected"),
    [
        (620, 65, "high PTH (modifiable): present, 620 pg/mL, 10 Nov 2026 (9.5 x ULN)"),
        (620, 72, "PTH out of range (modifiable): absent, 620 pg/mL, 10 Nov 2026 (8.6 x ULN)"),
        (1001, 65, "high PTH (modifiable): present, very high, 1,001 pg/mL, 10 Nov 2026 (15.4 x ULN)"),
        (129, 65, "low PTH (modifiable): present, 129 pg/mL, 10 Nov 2026 (2.0 x ULN)"),
        (130, 65, "PTH out of range (modifiable): absent, 130 pg/mL, 10 Nov 2026 (2.0 x ULN)"),
        (600, None, "PTH out of range (modifiable): absent, 600 pg/mL, 10 Nov 2026"),
        (149, None, "low PTH (modifiable): present, 149 pg/mL, 10 Nov 2026"),
    ],
)
def test_pth_is_told_with_its_direction(value, upper, expected):
    assert line("pth", labs=[pth(value, high=upper)]) == expected


def test_an_old_pth_is_unknown():
    assert line("pth", labs=[pth(620, high=65, days=181)]).startswith(
        "PTH out of range (modifiable): unknown"
    )


def test_a_pth_given_as_a_bound_is_unknown_when_the_bound_does_not_decide():
    result = pth(100, high=65)
    result["valueQuantity"]["comparator"] = ">"
    assert state("pth", labs=[result]) == "unknown"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (3.5, "low albumin: absent, 3.5 g/dL, 10 Nov 2026"),
        (3.4, "low albumin: present, 3.4 g/dL, 10 Nov 2026"),
        (3.0, "low albumin: present, 3.0 g/dL, 10 Nov 2026"),
        (2.9, "low albumin: present, very low (below 3.0 g/dL), 2.9 g/dL, 10 Nov 2026"),
    ],
)
def test_low_and_very_low_albumin(value, expected):
    assert line("low-albumin", labs=[albumin(value)]) == expected


def test_an_albumin_given_as_a_bound_is_told_as_sent():
    result = albumin(3)
    result["valueQuantity"]["comparator"] = "<"
    assert line("low-albumin", labs=[result]) == "low albumin: present, <3 g/dL, 10 Nov 2026"


@pytest.mark.parametrize(
    ("value", "upper", "expected"), [(121, 120, "present"), (120, 120, "absent"), (300, None, "unknown")]
)
def test_alp_is_compared_with_its_own_limit(value, upper, expected):
    assert state("high-alp", labs=[lab("6768-6", value, "U/L", high=upper)]) == expected


# --- body -------------------------------------------------------------------------------------------


def weight(kg, days, code="29463-7", **fields):
    return lab(code, kg, "kg", days=days, **fields)


HEIGHT = lab("8302-2", 200, "cm", days=4000)


@pytest.mark.parametrize(
    ("vitals", "expected"),
    [
        ([lab("39156-5", 30, "kg/m2")], "present"),
        ([lab("39156-5", 29.9, "kg/m2")], "absent"),
        ([lab("39156-5", 31, "kg/m2", days=181)], "unknown"),
        ([weight(120, 180), HEIGHT], "present"),
        ([weight(120, 181), HEIGHT], "unknown"),
        ([weight(119, 5), HEIGHT], "absent"),
        ([weight(125, 3, "8347-7"), weight(119, 5), HEIGHT], "absent"),
        ([weight(125, 3), weight(119, 5, "8344-4"), HEIGHT], "absent"),
        ([weight(125, 3), weight(119, 200, "8344-4"), HEIGHT], "present"),
        ([weight(125, 3, status="preliminary"), HEIGHT], "unknown"),
        ([weight(20, 3), HEIGHT], "unknown"),
        ([weight(125, 3)], "unknown"),
        ([], "unknown"),
    ],
)
def test_obesity_by_bmi_or_by_weight_and_height(vitals, expected):
    assert state("obesity", vitals=vitals) == expected


def test_a_coded_obesity_counts_when_nothing_was_measured():
    coded = [condition("E66.01", display="Morbid obesity")]
    assert state("obesity", conditions=coded) == "present"
    assert state("obesity", conditions=coded, vitals=[lab("39156-5", 28, "kg/m2")]) == "absent"


def test_an_amputation_is_flagged_beside_the_bmi():
    done = [procedure("397117006", days=900)]
    assert line("obesity", vitals=[lab("39156-5", 28, "kg/m2")], procedures=done).endswith(
        "amputation on record, BMI reads low"
    )


@pytest.mark.parametrize(
    ("vitals", "expected"),
    [
        ([weight(95, 5), weight(100, 95)], "present"),
        ([weight(95.1, 5), weight(100, 95)], "absent"),
        ([weight(95, 5), weight(100, 96)], "absent"),
        ([weight(90, 5), weight(100, 185)], "present"),
        ([weight(90, 5), weight(100, 186)], "unknown"),
        ([weight(95, 91), weight(100, 100)], "unknown"),
        ([weight(95, 5)], "unknown"),
        ([weight(95, 5, "8344-4"), weight(100, 5)], "unknown"),
        ([], "unknown"),
    ],
)
def test_rapid_weight_loss_at_its_bounds(vitals, expected):
    assert state("rapid-weight-loss", vitals=vitals) == expected


# --- problems ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "system", "known", "expected"),
    [
        ("D68.62", "http://hl7.org/fhir/sid/icd-10-cm", {}, "present"),
        ("D68.59", "http://hl7.org/fhir/sid/icd-10-cm", {}, "present"),
        ("76407009", SNOMED, {"recordedDate": ago(30)}, "present"),
        ("D68.62", "http://hl7.org/fhir/sid/icd-10-cm", {"clinical": "inactive"}, "absent"),
    ],
)
def test_thrombophilia_needs_an_active_problem(code, system, known, expected):
    assert state("thrombophilia", conditions=[condition(code, system, **known)]) == expected


@pytest.mark.parametrize(
    ("recorded", "order", "expected"),
    [
        (ago(30), medicine(rxnorm=WARFARIN, days=200), "not evaluable"),
        (None, medicine(rxnorm=WARFARIN, days=200), "not evaluable"),
        (ago(300), medicine(rxnorm=WARFARIN, days=200), "present"),
        (ago(30), medicine(rxnorm=WARFARIN, days=60, status="stopped"), "present"),
        (ago(30), medicine("lisinopril"), "present"),
        (ago(30), medicine(rxnorm=WARFARIN, authoredOn=""), "not evaluable"),
    ],
)
def test_protein_c_deficiency_found_on_a_vka_is_not_evaluable(recorded, order, expected):
    found = condition("76407009", SNOMED, recordedDate=recorded)
    assert state("thrombophilia", conditions=[found], medications=[order]) == expected


def test_other_thrombophilia_counts_on_a_vka_too():
    conditions = [condition("D68.59", recordedDate=ago(30)), condition("D68.62")]
    assert state("thrombophilia", conditions=conditions, medications=[medicine(rxnorm=WARFARIN)]) == "present"


@pytest.mark.parametrize(
    ("value", "known", "expected"),
    [
        (38, {"medications": [medicine(rxnorm=WARFARIN)]}, "not evaluable"),
        (38, {"unreadable": ("medications",)}, "not evaluable"),
        (38, {}, "present"),
        (70, {}, "absent"),
    ],
)
def test_low_protein_s_on_a_vka_is_not_evaluable(value, known, expected):
    result = lab("27821-8", value, "%", days=700 if value == 70 else 5, low=60)
    assert state("thrombophilia", labs=[result], **known) == expected


def test_not_evaluable_counts_as_unknown():
    known = facts(labs=[lab("27821-8", 38, "%", low=60)], medications=[medicine(rxnorm=WARFARIN)])
    assert "thrombophilia" in {item.id for item in unknown_factors(known)}
    assert "thrombophilia" not in {item.id for item in present(known)}


def test_liver_disease_and_diabetes_are_read_from_the_problem_list():
    known = facts(conditions=[condition("K74.60", display="Cirrhosis"), condition("E11.9")])
    assert {"liver-disease", "diabetes"} <= {item.id for item in present(known)}


@pytest.mark.parametrize(
    ("conditions", "procedures", "expected"),
    [
        (
            [condition("Z94.0", display="Kidney transplant status")],
            [],
            "present, Kidney transplant status (Z94.0)",
        ),
        (
            [condition("T86.12", display="Kidney transplant failure")],
            [],
            "present, Kidney transplant failure (T86.12); coded as failed",
        ),
        (
            [],
            [procedure("70536003", text="Transplant of kidney")],
            "present, Transplant of kidney (70536003), 10 Nov 2026",
        ),
        ([], [], "not documented"),
    ],
)
def test_kidney_transplant_recorded_functioning_or_failed(conditions, procedures, expected):
    assert (
        line("kidney-transplant", conditions=conditions, procedures=procedures)
        == f"kidney transplant: {expected}"
    )


@pytest.mark.parametrize(
    ("verification", "clinical", "expected"),
    [
        (None, "active", "present, confirmed"),
        ("provisional", "active", "present, suspected"),
        (None, "resolved", "present, history"),
        ("refuted", "active", "not documented"),
    ],
)
def test_calciphylaxis_is_told_with_its_status_and_never_counted(verification, clinical, expected):
    found = condition("237900002", SNOMED, clinical=clinical, verification=verification)
    known = facts(conditions=[found])
    assert expected in told(known, "calciphylaxis-status")
    assert "calciphylaxis-status" not in {item.id for item in present(known)}


# --- dialysis vintage -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("onset", "procedures", "expected"),
    [
        ("2021-11-14", [], "present"),
        ("2021-11-15", [], "unknown"),
        ("2021-11-15", [procedure("302497006")], "absent"),
        ("2020", [], "present"),
        ("2021", [], "unknown"),
        ("2021-10", [], "present"),
        ("2021-11", [], "unknown"),
        ("2024-02-29", [procedure("302497006")], "absent"),
        (None, [], "unknown"),
        ("2024-02-29", [procedure("71192002")], "present"),
    ],
)
def test_more_than_five_years_of_dialysis_or_pd(onset, procedures, expected):
    esrd = condition("N18.6", onsetDateTime=onset)
    assert state("dialysis-vintage-or-pd", conditions=[esrd], procedures=procedures) == expected


def test_a_start_noted_for_the_last_day_of_the_calendar_is_a_slip_of_the_pen():
    """Five years after it there is no date at all."""
    esrd = condition("N18.6", onsetDateTime=None, recordedDate="9999-12-31T23:59:59+14:00")
    assert state("dialysis-vintage-or-pd", conditions=[esrd]) == "unknown"


def test_without_procedures_an_earlier_start_is_possible():
    conditions = [condition("N18.6", onsetDateTime=ago(400)), condition("428982002", SNOMED)]
    assert state("dialysis-vintage-or-pd", conditions=conditions, unreadable=("procedures",)) == "unknown"
    assert state("dialysis-vintage-or-pd", conditions=conditions, incomplete=("procedures",)) == "unknown"
    assert state("dialysis-vintage-or-pd", conditions=conditions) == "absent"


# --- lines ------------------------------------------------------------------------------------------


def test_one_line_for_each_factor_with_modifiable_ones_marked():
    lines = factor_lines(facts(labs=minerals(), conditions=[condition("E11.9")]))
    assert len(lines) == 20
    assert sum("(modifiable)" in str(each) for each in lines) == len(MODIFIABLE)
    assert lines[8] == "diabetes: present, Type 2 diabetes mellitus without complications (E11.9)"


def test_a_long_value_is_cut():
    told = line("diabetes", conditions=[condition("E11.9", display="Diabetes " + "y" * 500)])
    assert len(told) == len("diabetes: present, ") + 170


@pytest.mark.parametrize(
    ("known", "answer"),
    [
        ({"labs": minerals(10.4, 6.9, 2.5)}, "met"),
        ({"unreadable": ("labs",)}, "unknown"),
        (
            {
                "conditions": [condition("N18.6", onsetDateTime="2024-03-02")],
                "labs": [*minerals(), lab("6768-6", 80, "U/L", high=120)],
                "vitals": [
                    lab("39156-5", 24, "kg/m2"),
                    lab("29463-7", 70, "kg"),
                    lab("29463-7", 70, "kg", days=40),
                ],
                "procedures": [procedure("302497006")],
            },
            "not met",
        ),
    ],
)
def test_three_other_factors_are_many(known, answer):
    found = ManyOtherFactors().evaluate(facts(medications=[medicine(rxnorm=WARFARIN)], **known))
    assert str(found.answer) == answer
