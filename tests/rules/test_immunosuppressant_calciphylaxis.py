"""Rule 22: a kidney transplant, an active immunosuppressant and calciphylaxis on record."""

import pytest
from support.cards import cards_of
from support.facts import ADULT, SNOMED, ago, condition, facts, medicine, minerals, procedure
from support.judging import judge, longest

from hooks.rules import immunosuppressant_calciphylaxis
from hooks.services import PATIENT_VIEW

RULE = immunosuppressant_calciphylaxis.RULE
CONFIRMED = condition("237900002", SNOMED, display="Calciphylaxis")
SUSPECTED = condition("237900002", SNOMED, verification="provisional")
PAST = condition("237900002", SNOMED, clinical="resolved")
TRANSPLANT = condition("Z94.0", recordedDate=ago(400), display="Kidney transplant status")
FAILED = condition("T86.12", display="Kidney transplant failure")
ESRD = condition("N18.6", display="End stage renal disease")
TACROLIMUS = medicine("tacrolimus", days=300)


def verdict(*conditions, **known):
    known = {"medications": [TACROLIMUS]} | known
    return judge(RULE, facts(conditions=conditions or (TRANSPLANT, CONFIRMED), **known))


@pytest.mark.parametrize(
    ("conditions", "known", "result"),
    [
        ((TRANSPLANT, CONFIRMED), {}, "fires"),
        ((TRANSPLANT, SUSPECTED), {}, "fires"),
        ((ESRD, FAILED, CONFIRMED), {}, "fires"),
        ((CONFIRMED,), {"procedures": [procedure("70536003", days=900)]}, "fires"),
        ((condition("T86.11"), CONFIRMED), {}, "fires"),
        ((TRANSPLANT, PAST), {}, "clear"),
        ((TRANSPLANT,), {}, "clear"),
        ((CONFIRMED, condition("M32.9")), {}, "clear"),
        ((TRANSPLANT, CONFIRMED), {"medications": []}, "clear"),
        ((TRANSPLANT, CONFIRMED), {"medications": [medicine("prednisone")]}, "clear"),
        ((TRANSPLANT, CONFIRMED), {"medications": [medicine("tacrolimus", status="stopped")]}, "clear"),
        ((TRANSPLANT, CONFIRMED), {"medications": [medicine("tacrolimus", status="on-hold")]}, "clear"),
        (
            (TRANSPLANT, CONFIRMED),
            {"medications": [medicine("tacrolimus ointment", route="topical")]},
            "clear",
        ),
        ((TRANSPLANT, CONFIRMED), {"patient": ADULT | {"birthDate": ago(17 * 365)}}, "clear"),
        ((TRANSPLANT, CONFIRMED), {"unreadable": ("medications",)}, "cannot-assess"),
        ((TRANSPLANT, CONFIRMED), {"unreadable": ("conditions",)}, "cannot-assess"),
        # The operation may be among the procedures that could not be read.
        ((CONFIRMED,), {"unreadable": ("procedures",)}, "cannot-assess"),
        ((CONFIRMED,), {"incomplete": ("procedures",)}, "cannot-assess"),
        ((CONFIRMED,), {"unreadable": ("procedures",), "medications": []}, "clear"),
    ],
)
def test_transplant_immunosuppressant_and_calciphylaxis_together(conditions, known, result):
    assert verdict(*conditions, **known).result == result


def test_an_unreadable_medication_list_makes_no_card():
    known = facts(conditions=[TRANSPLANT, CONFIRMED], unreadable=("medications",))
    assert cards_of(PATIENT_VIEW, known, gap_card=True) == []


def test_off_dialysis_it_is_a_card_of_its_own():
    known = facts(
        conditions=[TRANSPLANT, SUSPECTED],
        medications=[TACROLIMUS, medicine("mycophenolate mofetil", days=200), medicine(rxnorm="11289")],
    )
    (only,) = cards_of(PATIENT_VIEW, known)
    card = only.card
    assert card.summary == (
        "Kidney transplant and suspected calciphylaxis: ask the transplant team to review immunosuppression."
    )
    assert "tacrolimus (matched by name) since 19 Jan 2026; mycophenolate" in card.detail
    assert "kidney transplant: present, Kidney transplant status (Z94.0)" in card.detail
    assert "vitamin K antagonist (modifiable): present, warfarin" in card.detail
    assert "oral calcium (modifiable): absent" in card.detail
    assert "The decision is the transplant team's" in card.detail
    assert "stop" not in card.detail.lower()
    assert len(card.detail) <= 3000
    assert not card.suggestions
    assert [each.code for each in card.override_reasons] == [
        "action-completed",
        "expert-contradicts",
        "risk-benefit-ratio",
        "patient-ineligible",
    ]


def test_on_dialysis_with_a_failed_graft_it_is_a_line_of_the_summary():
    known = facts(conditions=[ESRD, FAILED, CONFIRMED], medications=[TACROLIMUS], labs=minerals())
    (only,) = cards_of(PATIENT_VIEW, known)
    assert only.topic == "dialysisRiskSummaryInfo"
    assert "Immunosuppressants: tacrolimus" in only.card.detail
    assert only.card.detail.count("kidney transplant: present") == 1
    assert only.card.detail.count("oral calcium (modifiable)") == 1


def test_summary_fits_at_its_longest():
    assert all(longest(tier.summary) <= 139 for tier in RULE.tiers)
