"""Rule 8 on the chart, with rule 7 as its line, and the card that both make."""

import pytest
from support.cards import cards_of, outcomes_of
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
    service_request,
)
from support.judging import judge, longest

from cds_service.rules.rule import Mode
from hooks.rules import dialysis_risk_summary, mbd_labs_missing
from hooks.services import PATIENT_VIEW

RULE = dialysis_risk_summary.RULE
LABS = mbd_labs_missing.RULE
WARFARIN, CALCITRIOL, ACETATE = "11289", "308867", "197433"
ESRD = condition("N18.6", onsetDateTime="2024-03-02", display="End stage renal disease")
CONFIRMED = condition("237900002", SNOMED, display="Calciphylaxis", onsetDateTime=ago(20))
SUSPECTED = condition("237900002", SNOMED, verification="provisional")
PAST = condition("237900002", SNOMED, clinical="resolved")
VALVE = condition("Z95.2", display="Presence of prosthetic heart valve")
VKA = medicine(rxnorm=WARFARIN)
TRANSPLANT = condition("Z94.0", recordedDate=ago(100))


def chart(*conditions, **known):
    return facts(conditions=conditions or (ESRD,), **({"labs": minerals()} | known))


def verdict(*conditions, **known):
    return judge(RULE, chart(*conditions, **known))


# --- criteria ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("conditions", "known", "result"),
    [
        ((ESRD,), {"medications": [VKA]}, "fires"),
        ((ESRD,), {"medications": [medicine(rxnorm=WARFARIN, status="on-hold")]}, "clear"),
        ((ESRD,), {"medications": [medicine(rxnorm=WARFARIN, status="stopped", days=10)]}, "clear"),
        ((ESRD,), {"medications": [medicine(rxnorm=CALCITRIOL)]}, "clear"),
        ((ESRD,), {"medications": [medicine(rxnorm=CALCITRIOL)], "labs": minerals(10.0, 5.5, 4.0)}, "fires"),
        ((ESRD,), {"medications": [medicine(rxnorm=CALCITRIOL)], "labs": minerals(8.8, 5.7, 3.0)}, "clear"),
        ((ESRD,), {"medications": [medicine(rxnorm=ACETATE)], "labs": minerals(10.3, 4.0, 4.0)}, "fires"),
        ((ESRD,), {"medications": [medicine(rxnorm=ACETATE)], "labs": minerals(10.2, 4.0, 4.0)}, "clear"),
        ((ESRD,), {"labs": minerals(10.4, 6.9, 2.5)}, "clear"),
        ((ESRD,), {"medications": [medicine(rxnorm=ACETATE)], "labs": minerals(days=91)}, "fires"),
        ((ESRD,), {"medications": [medicine(rxnorm=ACETATE)], "labs": minerals(days=90)}, "clear"),
        ((ESRD,), {"labs": []}, "clear"),
        ((ESRD, CONFIRMED), {}, "fires"),
        ((ESRD, SUSPECTED), {}, "fires"),
        ((ESRD, PAST), {}, "clear"),
        ((ESRD, PAST), {"medications": [VKA]}, "fires"),
        ((condition("E11.9"),), {"medications": [VKA]}, "clear"),
        ((TRANSPLANT, CONFIRMED), {"medications": [VKA]}, "clear"),
        (
            (condition("N17.9"), CONFIRMED),
            {"medications": [VKA], "procedures": [procedure("302497006", days=d) for d in (1, 3, 5)]},
            "clear",
        ),
    ],
)
def test_it_needs_dialysis_and_something_that_can_be_acted_on(conditions, known, result):
    assert verdict(*conditions, **known).result == result


def test_children_get_no_card():
    assert verdict(patient=ADULT | {"birthDate": ago(17 * 365)}, medications=[VKA]).result == "clear"


@pytest.mark.parametrize(
    "known",
    [
        {"unreadable": ("medications",)},
        {"incomplete": ("medications",)},
        {"unreadable": ("conditions",), "medications": [VKA]},
        {
            "medications": [medicine(rxnorm=CALCITRIOL)],
            "labs": [calcium(9.0), phosphate(4.0, days=30), albumin(4.2), pth(300)],
        },
        {"medications": [VKA], "patient": ADULT | {"birthDate": ""}},
    ],
)
def test_only_unknown_items_make_no_card_but_are_recorded(known):
    known = chart(**known)
    assert judge(RULE, known).result == "cannot-assess"
    assert cards_of(PATIENT_VIEW, known) == []


def test_unreadable_labs_beside_a_medicine_of_interest_make_the_card():
    known = chart(medications=[medicine(rxnorm=ACETATE)], unreadable=("labs",))
    card = cards_of(PATIENT_VIEW, known)[0].card
    assert "Not readable: laboratory results (not permitted)" in card.detail


# --- tiers ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("conditions", "orders", "tier"),
    [
        ((ESRD, CONFIRMED), [VKA], "warning"),
        ((ESRD, SUSPECTED), [VKA], "warning"),
        ((ESRD, CONFIRMED, VALVE), [VKA], "info"),
        ((ESRD, CONFIRMED), [medicine(rxnorm=WARFARIN, status="on-hold")], "info"),
        ((ESRD, CONFIRMED), [], "info"),
        ((ESRD, PAST), [VKA], "info"),
        ((ESRD,), [VKA], "info"),
    ],
)
def test_warning_only_for_calciphylaxis_with_an_active_vka_that_nothing_makes_mandatory(
    conditions, orders, tier
):
    assert verdict(*conditions, medications=orders).tier == tier


def test_a_mandatory_vka_is_not_swapped():
    assert "do not swap to a DOAC" in verdict(ESRD, VALVE, medications=[VKA]).detail
    assert "do not swap" not in verdict(ESRD, medications=[VKA]).detail


# --- text -------------------------------------------------------------------------------------------


def test_the_summary_counts_and_names_up_to_three_factors():
    labs = [*minerals(10.4, 6.9, 2.5), lab("6768-6", 90, "U/L", high=120)]
    found = verdict(ESRD, CONFIRMED, medications=[VKA], labs=labs)
    assert found.summary == (
        "Calciphylaxis risk factors on dialysis: 5 present, 3 unknown (vitamin K antagonist, high Ca x P, high calcium)."
    )


def test_without_any_factor_the_summary_names_calciphylaxis():
    known = {
        "procedures": [procedure("302497006")],
        "labs": [*minerals(), lab("6768-6", 90, "U/L", high=120)],
    }
    vitals = [lab("39156-5", 24, "kg/m2"), lab("29463-7", 70, "kg"), lab("29463-7", 70, "kg", days=40)]
    found = verdict(ESRD, CONFIRMED, vitals=vitals, **known)
    assert found.summary.endswith("0 present, 0 unknown (calciphylaxis on record).")


def test_a_factor_that_does_not_fit_is_left_out_of_the_summary():
    labs = [*minerals(), lab("6768-6", 170, "U/L", high=120)]
    known = {"medications": [medicine(rxnorm="1161705")], "procedures": [procedure("71192002")], "labs": labs}
    found = verdict(ESRD, CONFIRMED, **known)
    assert found.summary.endswith("(systemic corticosteroid, dialysis over 5 years or PD).")


@pytest.mark.parametrize("rule", [RULE, LABS])
def test_summaries_fit_at_their_longest(rule):
    assert all(longest(tier.summary) <= 139 for tier in rule.tiers)


def test_the_header_gives_modality_start_and_evidence():
    found = verdict(ESRD, medications=[VKA], procedures=[procedure("302497006")])
    assert (
        "Dialysis: haemodialysis, since 2 Mar 2024; evidence: End stage renal disease (N18.6), since 2 Mar 2024"
        in found.detail
    )
    undated = verdict(condition("Z99.2", display="Dependence on renal dialysis"), medications=[VKA])
    assert "Dialysis: modality not recorded, start not recorded; evidence: Dependence" in undated.detail


def test_the_start_is_that_of_the_earliest_evidence():
    found = verdict(condition("Z99.2", recordedDate="2026-01-05"), ESRD, medications=[VKA])
    assert "modality not recorded, since 2 Mar 2024" in found.detail


@pytest.mark.parametrize("source", ["procedures", "encounters"])
@pytest.mark.parametrize("how", ["unreadable", "incomplete"])
def test_end_stage_disease_without_proof_of_dialysis_stays_open_when_proof_could_be_unread(source, how):
    hint = condition("46177005", SNOMED)
    assert verdict(hint, CONFIRMED, **{how: (source,)}).result == "cannot-assess"
    assert verdict(hint, CONFIRMED).result == "clear"


@pytest.mark.parametrize(
    ("code", "text", "said"),
    [
        ("E21.0", None, "primary hyperparathyroidism"),
        ("C50.911", None, "breast cancer"),
        ("K74.60", None, "cirrhosis"),
        ("C22.1", None, "cholangiocarcinoma"),
        ("K50.90", None, "Crohn disease"),
        ("M06.9", None, "rheumatoid arthritis"),
        ("M32.9", None, "systemic lupus erythematosus"),
        ("D86.0", None, "sarcoidosis"),
        (None, "Milk alkali syndrome", "milk-alkali syndrome"),
        ("E67.3", None, "hypervitaminosis D"),
    ],
)
def test_other_associations_are_named_when_coded(code, text, said):
    other = condition(code, text=text)
    assert f"Also associated: {said}".lower() in verdict(ESRD, other, medications=[VKA]).detail.lower()


def test_no_line_without_its_reason():
    detail = verdict(ESRD, CONFIRMED).detail
    for words in ("Also associated", "Vitamin K status", "dialysis prescription", "leg revascularisation"):
        assert words not in detail


@pytest.mark.parametrize(
    "labs",
    [minerals(10.0, 5.5, 4.0), minerals(10.3, 4.0, 4.0), minerals(intact_pth=586)],
)
def test_the_dialysis_prescription_line(labs):
    assert "Review of the dialysis prescription" in verdict(ESRD, CONFIRMED, labs=labs).detail


def test_the_dialysis_prescription_line_needs_pth_above_nine_times_its_limit():
    assert "prescription" not in verdict(ESRD, CONFIRMED, labs=minerals(intact_pth=585)).detail


@pytest.mark.parametrize(("days", "shown"), [(90, True), (91, False)])
def test_a_recent_leg_revascularisation_with_documented_calciphylaxis(days, shown):
    done = [procedure(text="femoral popliteal bypass", days=days)]
    assert (
        "vascular procedures had poor results" in verdict(ESRD, CONFIRMED, procedures=done).detail
    ) is shown
    assert "poor results" not in verdict(ESRD, medications=[VKA], procedures=done).detail


def closing(**known):
    return cards_of(PATIENT_VIEW, chart(**known))[0].card.detail.split("\n\n")


def test_the_card_ends_with_the_footer_and_what_could_not_be_read():
    parts = closing(
        medications=[VKA, medicine("homeopathic globules"), medicine("other globules")],
        unreadable=("procedures",),
        incomplete=("encounters",),
    )
    assert parts[-3].startswith("Factors are associations from case-control studies; most patients")
    assert parts[-3].endswith("Ca x P <55 does not exclude it.")
    assert parts[-2] == (
        "Not readable: procedures (not permitted); encounters read in part (only part of the list was received); "
        "2 uncoded medicines present, not evaluated"
    )


def test_nothing_is_said_to_be_unreadable_when_all_was_read():
    assert not closing(medications=[VKA, medicine("unknown code", rxnorm="999999999")])[-2].startswith(
        "Not readable"
    )
    assert "1 uncoded medicine present" in closing(medications=[VKA, medicine("globules")])[-2]


# --- suggestions ------------------------------------------------------------------------------------


def test_labs_when_stale_and_referrals_but_never_an_action_on_a_medicine():
    found = judge(RULE, chart(medications=[VKA], labs=[calcium(9.0)]))
    assert found.offered == [
        "referral.anticoagulation",
        "lab.phosphate",
        "lab.albumin",
        "lab.pth",
        "referral.nephrology",
    ]
    assert judge(RULE, chart(ESRD, CONFIRMED)).offered == ["referral.nephrology"]


def test_labs_already_ordered_are_not_offered_again():
    ordered = [service_request(code, "http://loinc.org") for code in ("2777-1", "2731-8")]
    labs = [calcium(9.0), albumin(4.0)]
    found = judge(RULE, chart(medications=[VKA], labs=labs, requests=ordered))
    assert found.offered == ["referral.anticoagulation", "referral.nephrology"]


def test_nothing_to_override():
    assert RULE.override_reasons == ()


# --- the card: rule 7 as a line, rule 9 apart -------------------------------------------------------


def test_missing_labs_are_a_line_of_the_summary():
    known = chart(medications=[VKA, medicine(rxnorm=CALCITRIOL)], labs=[])
    (only,) = cards_of(PATIENT_VIEW, known)
    assert only.topic == "dialysisRiskSummaryInfo"
    assert (
        "No usable Ca, P, albumin and PTH in the last 90 days: Ca x P could not be checked for"
        in only.card.detail
    )
    assert "warfarin, calcitriol." in only.card.detail
    assert [each.label for each in only.card.suggestions] == [
        "Order calcium",
        "Order phosphate",
        "Order albumin",
        "Order intact PTH",
    ]


@pytest.mark.parametrize(
    ("labs", "words"),
    [
        ([*minerals()[:2], pth(300)], "No usable albumin in the last 90 days"),
        (minerals()[:3], "No usable PTH in the last 180 days for warfarin"),
    ],
)
def test_the_other_tiers_of_missing_labs(labs, words):
    assert words in cards_of(PATIENT_VIEW, chart(medications=[VKA], labs=labs))[0].card.detail


def test_missing_labs_concern_only_patients_with_such_a_medicine_on_the_chart():
    assert judge(LABS, chart(ESRD, CONFIRMED, labs=[])).result == "clear"
    assert judge(LABS, chart(labs=[], unreadable=("medications",))).result == "cannot-assess"
    assert judge(LABS, chart(medications=[VKA], labs=[])).result == "fires"


def test_missing_labs_on_an_order_do_not_ask_about_the_list():
    known = facts(
        conditions=[ESRD],
        drafts=[medicine(rxnorm=WARFARIN, status="draft")],
        hook="order-sign",
        unreadable=("medications",),
    )
    found = judge(LABS, known)
    assert found.summary.endswith("Ca x P could not be checked for warfarin.")
    assert "Dialysis probable" in found.detail


def test_a_mere_line_leaves_no_gap_card_on_the_chart():
    known = chart(labs=[], unreadable=("medications",))
    assert cards_of(PATIENT_VIEW, known, gap_card=True) == []


def test_with_the_summary_off_missing_labs_stand_alone():
    known = chart(medications=[VKA], labs=[])
    (only,) = cards_of(PATIENT_VIEW, known, dialysis_risk_summary=Mode.SHADOW)
    assert only.topic == "mbdLabsMissingInfo"


def test_a_skin_lesion_is_a_card_of_its_own():
    lesion = condition("L97.111", recordedDate=ago(10))
    found = cards_of(PATIENT_VIEW, chart(ESRD, lesion, medications=[VKA], labs=[]))
    assert [each.topic for each in found] == ["dialysisRiskSummaryInfo", "skinLesionConsiderInfo"]
    assert "Order calcium" not in [each.label for each in found[1].card.suggestions]


def test_an_unreadable_problem_list_is_one_gap_card_where_the_client_asks_for_it():
    known = chart(medications=[VKA], unreadable=("conditions",))
    assert cards_of(PATIENT_VIEW, known) == []
    (only,) = cards_of(PATIENT_VIEW, known, gap_card=True)
    assert only.topic == "skinLesionConsiderInfoGap"
    assert "problem list not readable" in only.card.summary


# --- the fullest card -------------------------------------------------------------------------------


def fullest():
    return facts(
        conditions=[
            ESRD,
            CONFIRMED,
            condition("E11.9", display="Type 2 diabetes"),
            condition("D68.62", display="Lupus anticoagulant syndrome"),
            condition("T86.12", display="Kidney transplant failure"),
            condition("K74.60", display="Cirrhosis"),
            condition("D86.0"),
        ],
        labs=[
            *minerals(9.6, 6.1, 2.8, 1300, days=12),
            *minerals(9.4, 5.1, 2.8, 900, days=50),
            *minerals(9.9, 5.9, 2.8, 900, days=90),
            lab("6768-6", 170, "U/L", high=120),
            lab("1994-3", 1.21, "mmol/L", days=3, low=1.12, high=1.32),
        ],
        medications=[
            VKA,
            medicine(rxnorm=CALCITRIOL, dosageInstruction=[dose(0.5, "ug", 2)]),
            medicine(rxnorm=ACETATE, dosageInstruction=[dose(2001, "mg", 3)]),
            medicine(rxnorm="1161705", days=100),
            medicine(rxnorm="139825", route="subcutaneous"),
            medicine("tacrolimus", days=300),
        ],
        procedures=[procedure("71192002", days=3), procedure(text="femoral popliteal bypass", days=30)],
        vitals=[lab("39156-5", 34.2, "kg/m2"), lab("29463-7", 80, "kg"), lab("29463-7", 90, "kg", days=60)],
        patient=ADULT | {"gender": "female"},
        unreadable=("encounters",),
    )


@pytest.mark.parametrize("markdown", [True, False])
def test_the_fullest_card_keeps_every_factor_and_its_ending(markdown):
    (only,) = cards_of(PATIENT_VIEW, fullest(), markdown=markdown)
    detail = only.card.detail
    assert only.topic == "dialysisRiskSummaryWarning"
    assert only.card.summary.startswith("Calciphylaxis risk factors on dialysis: 19 present, 0 unknown")
    assert len(detail) <= 3000
    assert detail.count(": present") == 20
    assert "Peritoneal dialysis with confirmed calciphylaxis" in detail
    assert "Kidney transplant and confirmed calciphylaxis" in detail
    assert "Not readable: encounters (not permitted)" in detail


def test_every_rule_of_the_service_answers():
    assert set(outcomes_of(PATIENT_VIEW, fullest())) == {
        "mbd-labs-missing",
        "dialysis-risk-summary",
        "skin-lesion-consider",
        "pd-modality-calciphylaxis",
        "immunosuppressant-calciphylaxis",
    }


def test_no_card_text_gives_a_score_or_calls_anything_safe():
    text = cards_of(PATIENT_VIEW, fullest())[0].card.detail.lower()
    assert not any(
        words in text for words in ("score", "low risk", "safe", "probability", "%  risk", "stop the")
    )
