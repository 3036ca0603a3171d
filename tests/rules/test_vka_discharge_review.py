"""Rule 11: discharge of a dialysis patient on a vitamin K antagonist."""

import pytest
from support.cards import cards_of, outcomes_of
from support.facts import ADULT, ago, condition, encounter, facts, lab, medicine, procedure
from support.judging import judge, longest

from cds_service.rules.rule import Mode
from hooks.rules import vka_discharge_review
from hooks.services import ENCOUNTER_DISCHARGE

RULE = vka_discharge_review.RULE
ESRD = condition("N18.6", display="End stage renal disease")
VKA = medicine(rxnorm="11289", days=30)
HOME = encounter(disposition="home")


def discharged(*conditions, **known):
    known = {"medications": [VKA], "encounters": [HOME], "hook": "encounter-discharge"} | known
    return facts(conditions=conditions or (ESRD,), **known)


def verdict(*conditions, **known):
    return judge(RULE, discharged(*conditions, **known))


def test_it_runs_in_shadow_until_a_site_turns_it_on():
    known = discharged()
    assert outcomes_of(ENCOUNTER_DISCHARGE, known)[RULE.id].mode is Mode.SHADOW
    assert cards_of(ENCOUNTER_DISCHARGE, known) == []


@pytest.mark.parametrize(
    ("conditions", "known", "result"),
    [
        ((ESRD,), {}, "fires"),
        ((ESRD,), {"medications": [medicine("acenocoumarol")]}, "fires"),
        ((ESRD,), {"medications": []}, "clear"),
        ((ESRD,), {"medications": [medicine(rxnorm="11289", status="stopped", days=5)]}, "clear"),
        ((ESRD,), {"medications": [medicine(rxnorm="11289", status="on-hold")]}, "clear"),
        ((condition("E11.9"),), {}, "clear"),
        ((ESRD, condition("Z95.2")), {}, "clear"),
        ((condition("Z94.0"),), {}, "clear"),
        ((condition("N17.9"),), {"procedures": [procedure("302497006", days=3)]}, "clear"),
        ((ESRD,), {"patient": ADULT | {"birthDate": ago(17 * 365)}}, "clear"),
    ],
)
def test_dialysis_with_an_active_vka_that_nothing_makes_mandatory(conditions, known, result):
    assert verdict(*conditions, **known).result == result


@pytest.mark.parametrize(
    ("stay", "result"),
    [
        (encounter(disposition="exp"), "suppressed"),
        (encounter(disposition="hosp"), "suppressed"),
        (encounter(disposition="51", ended=1), "suppressed"),
        (encounter(days=300, disposition="hosp", ended=2), "fires"),
        (encounter(), "fires"),
    ],
)
def test_no_card_when_the_stay_ends_in_death_or_hospice(stay, result):
    assert verdict(encounters=[stay]).result == result


def test_unreadable_encounters_do_not_silence_it_and_are_named():
    found = verdict(unreadable=("encounters",))
    assert found.result == "fires"
    assert "encounters not readable (discharge disposition)" in found.detail


@pytest.mark.parametrize("source", ["medications", "conditions"])
def test_what_cannot_be_read_makes_no_card_but_is_recorded(source):
    known = discharged(unreadable=(source,))
    assert judge(RULE, known).result == "cannot-assess"
    assert cards_of(ENCOUNTER_DISCHARGE, known, vka_discharge_review=Mode.LIVE) == []


@pytest.mark.parametrize(
    ("known", "words"),
    [
        ({"labs": [lab("6301-6", 2.4, "{INR}", days=35)]}, "Last INR: 2.4 on 11 Oct 2026"),
        ({"labs": [lab("6301-6", 2.4, "{INR}", days=36)]}, "Last INR: 2.4 on 10 Oct 2026 (36 days old)"),
        ({"labs": [lab("6301-6", 99, "{INR}")]}, "Last INR: no result on record"),
        ({}, "Last INR: no result on record"),
        ({"unreadable": ("labs",)}, "Last INR: not readable (not permitted)"),
    ],
)
def test_the_last_inr_is_shown_whatever_its_age(known, words):
    lines = verdict(**known).detail.splitlines()
    assert words in lines


def test_an_inr_given_as_a_bound_is_shown_as_sent():
    result = lab("6301-6", 8, "{INR}")
    result["valueQuantity"]["comparator"] = ">"
    assert "Last INR: >8 {INR} on 10 Nov 2026" in verdict(labs=[result]).detail


def test_the_card():
    fibrillation = condition("I48.91", display="Atrial fibrillation")
    known = discharged(ESRD, fibrillation)
    (only,) = cards_of(ENCOUNTER_DISCHARGE, known, vka_discharge_review=Mode.LIVE)
    card = only.card
    assert card.summary == (
        "Discharge on warfarin and dialysis: confirm indication, INR plan and skin-check advice."
    )
    assert card.indicator == "info"
    assert "Indication: Atrial fibrillation (I48.91)" in card.detail
    assert "who follows the INR" in card.detail
    assert "painful, mottled, purple or hard skin" in card.detail
    assert len(card.detail) <= 1200
    assert not card.suggestions
    assert "refer for anticoagulation review" in card.detail
    assert [each.code for each in card.override_reasons] == [
        "action-completed",
        "mitigate-risk-negative-outcome",
    ]
    assert "no indication coded" in verdict().detail


def test_summary_fits_at_its_longest():
    assert all(longest(tier.summary) <= 139 for tier in RULE.tiers)


def test_two_antagonists_are_named_alike_however_the_list_is_sorted():
    both = [medicine("warfarin", id="m1"), medicine("phenprocoumon", id="m0")]
    said = {verdict(medications=listed).summary for listed in (both, both[::-1])}
    assert said == {
        "Discharge on phenprocoumon, warfarin and dialysis: confirm indication, INR plan and skin-check advice."
    }
