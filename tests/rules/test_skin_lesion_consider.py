"""Rule 9: which skin findings count, for whom, and how recent."""

import pytest
from support.cards import cards_of
from support.facts import ADULT, SNOMED, ago, condition, facts, medicine, procedure, service_request
from support.judging import judge, longest

from hooks.rules import skin_lesion_consider
from hooks.services import PATIENT_VIEW

RULE = skin_lesion_consider.RULE
ICD10CM = "http://hl7.org/fhir/sid/icd-10-cm"
ESRD = condition("N18.6", onsetDateTime="2024-03-02", display="End stage renal disease")


def lesion(code=None, system=ICD10CM, days=10, **fields):
    return condition(code, system, **({"recordedDate": ago(days)} | fields))


THIGH = lesion("L97.111", display="Non-pressure chronic ulcer of right thigh")


def verdict(*conditions, **known):
    return judge(RULE, facts(conditions=(ESRD, *conditions), **known))


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (THIGH, "non-pressure ulcer of thigh, buttock or calf"),
        (lesion("L98.411", display="Ulcer of buttock"), "non-pressure ulcer of thigh, buttock or calf"),
        (lesion("L98.431", display="Ulcer of abdomen"), "non-pressure ulcer of the abdomen"),
        (lesion("238772004", SNOMED), "livedo reticularis"),
        (lesion(text="Livedo racemosa"), "livedo reticularis"),
        (lesion("95347000", SNOMED), "skin necrosis"),
        (lesion(text="black eschar, left thigh"), "skin necrosis"),
        (lesion("M79.3"), "panniculitis or skin induration"),
        (lesion("I96", display="Gangrene, not elsewhere classified"), "gangrene, site not recorded"),
        (lesion("46742003", SNOMED, display="Skin ulcer"), "skin ulcer, site not recorded"),
    ],
)
def test_findings_that_count(found, words):
    assert verdict(found).summary == (
        f"Dialysis and {words}: if painful or necrotic, consider calciphylaxis in the differential."
    )


@pytest.mark.parametrize(
    "found",
    [
        lesion("L89.150", display="Pressure ulcer of sacral region"),
        lesion("L89.150", text="eschar over the sacrum"),
        lesion("E11.621", display="Type 2 diabetes with foot ulcer"),
        lesion("I70.261", display="Atherosclerosis with gangrene, right leg"),
        lesion("I96", display="Gangrene of the left great toe"),
        lesion("46742003", SNOMED, display="Ulcer of foot"),
        lesion("L97.511", display="Ulcer of other part of right foot"),
        lesion("R23.1", display="Pallor"),
        lesion("E83.59", display="Other disorders of calcium metabolism"),
        lesion("L97.111", clinical="resolved"),
        lesion("L97.111", verification="refuted"),
    ],
)
def test_look_alikes_and_past_findings_do_not(found):
    assert verdict(found).result == "clear"


def test_gangrene_that_an_arterial_or_diabetic_code_explains_does_not():
    gangrene = lesion("I96", display="Gangrene, not elsewhere classified")
    assert verdict(gangrene, lesion("I70.261")).result == "clear"
    assert verdict(gangrene, lesion("I70.261", clinical="resolved")).result == "fires"


def test_the_most_telling_finding_leads():
    assert "skin necrosis" in verdict(lesion("46742003", SNOMED), lesion("95347000", SNOMED)).summary


@pytest.mark.parametrize(
    ("dates", "result"),
    [
        ({"recordedDate": ago(90)}, "fires"),
        ({"recordedDate": ago(91)}, "clear"),
        ({"recordedDate": ago(5), "onsetDateTime": ago(200)}, "fires"),
        ({"recordedDate": ago(200), "onsetDateTime": ago(90)}, "fires"),
        ({"recordedDate": ago(-5)}, "clear"),
        ({"recordedDate": None}, "cannot-assess"),
    ],
)
def test_onset_or_recording_in_the_last_90_days(dates, result):
    assert verdict(lesion("L97.111", **dates)).result == result


def cellulitis(days, clinical="active", **fields):
    return lesion("L03.115", days=days, clinical=clinical, display="Cellulitis of right lower limb", **fields)


@pytest.mark.parametrize(
    ("episodes", "result"),
    [
        ((cellulitis(5), cellulitis(60, "resolved")), "fires"),
        ((cellulitis(5), cellulitis(90)), "fires"),
        ((cellulitis(5), cellulitis(91)), "clear"),
        ((cellulitis(5), cellulitis(5)), "clear"),
        ((cellulitis(5),), "clear"),
        ((cellulitis(5, "resolved"), cellulitis(60, "resolved")), "clear"),
    ],
)
def test_cellulitis_counts_when_it_recurs(episodes, result):
    found = verdict(*episodes)
    assert found.result == result
    if result == "fires":
        assert "recurrent cellulitis" in found.summary
        assert "2 episodes in 90 days" in found.detail


# --- for whom ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("conditions", "procedures", "result"),
    [
        ((condition("Z94.0", recordedDate=ago(365)),), (), "fires"),
        ((condition("Z94.0", recordedDate=ago(366)),), (), "clear"),
        ((condition("Z94.0", recordedDate=ago(20)),), (procedure("70536003", days=900),), "clear"),
        ((condition("Z94.0"),), (procedure("70536003", days=365),), "fires"),
        ((condition("Z94.0"),), (), "cannot-assess"),
        ((condition("E11.9"),), (), "clear"),
    ],
)
def test_a_kidney_transplant_of_the_last_year(conditions, procedures, result):
    known = facts(conditions=(*conditions, THIGH), procedures=procedures)
    found = judge(RULE, known)
    assert found.result == result
    if result == "fires":
        assert found.summary.startswith("Kidney transplant and non-pressure ulcer")
        assert "kidney transplant: present" in found.detail


@pytest.mark.parametrize("lack", ["unreadable", "incomplete"])
@pytest.mark.parametrize(
    ("conditions", "medications", "result"),
    [
        ((), [medicine("tacrolimus")], "cannot-assess"),
        ((condition("Z94.0", recordedDate=ago(900)),), [], "cannot-assess"),
        ((condition("Z94.0", recordedDate=ago(90)),), [], "fires"),
        # Nothing speaks for a transplant: most servers offer no procedures, and many patients have an ulcer.
        ((), [medicine("warfarin")], "clear"),
    ],
)
def test_an_operation_that_would_not_be_seen_leaves_it_open(conditions, medications, result, lack):
    known = {"conditions": (*conditions, THIGH), "medications": medications}
    assert judge(RULE, facts(**known, **{lack: ["procedures"]})).result == result


def test_children_get_no_card():
    assert verdict(THIGH, patient=ADULT | {"birthDate": ago(17 * 365)}).result == "clear"


@pytest.mark.parametrize("known", [{}, {"verification": "provisional"}, {"clinical": "resolved"}])
def test_calciphylaxis_on_record_needs_no_reminder(known):
    assert verdict(THIGH, condition("237900002", SNOMED, **known)).result == "clear"


def test_a_refuted_calciphylaxis_does_not_silence_it():
    assert verdict(THIGH, condition("237900002", SNOMED, verification="refuted")).result == "fires"


# --- suppression, gaps ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("request_", "result"),
    [
        (service_request("308472003", days=60), "suppressed"),
        (service_request("225358003", days=60, status="completed"), "suppressed"),
        (service_request("308472003", days=61), "fires"),
        (service_request("308472003", days=10, status="revoked"), "fires"),
    ],
)
def test_a_referral_of_the_last_60_days_silences_it(request_, result):
    assert verdict(THIGH, requests=[request_]).result == result


def test_unreadable_requests_do_not_silence_it_and_are_named():
    found = verdict(THIGH, unreadable=("requests",))
    assert found.result == "fires"
    assert "earlier requests not readable" in found.detail


def test_an_incomplete_problem_list_without_a_finding_stays_open():
    assert verdict(incomplete=("conditions",)).result == "cannot-assess"
    assert verdict(THIGH, incomplete=("conditions",)).result == "fires"


def test_an_unreadable_problem_list_stays_open():
    assert verdict(unreadable=("conditions",)).result == "cannot-assess"


# --- text -------------------------------------------------------------------------------------------


def test_summary_fits_at_its_longest():
    assert all(longest(tier.summary) <= 139 for tier in RULE.tiers)


def test_the_detail_names_evidence_features_mimics_and_exposure():
    (only,) = cards_of(PATIENT_VIEW, facts(conditions=[ESRD, THIGH], medications=[medicine("prednisone")]))
    detail = only.card.detail
    for words in (
        "Non-pressure chronic ulcer of right thigh (L97.111), recorded 5 Nov 2026",
        "sometimes the penis",
        "mistaken for cellulitis",
        "ANA may help",
        "No laboratory value or image confirms or excludes it",
        "excisional biopsy is usually avoided",
        "look for infection",
        "vitamin K antagonist (modifiable): absent",
    ):
        assert words in detail
    assert len(detail) <= 3000
    assert [each.label for each in only.card.suggestions] == ["Refer to dermatology", "Request wound care"]
    assert [each.code for each in only.card.override_reasons] == ["patient-ineligible", "action-completed"]


def test_a_finding_without_a_site_says_so():
    assert "site not recorded" in verdict(lesion("46742003", SNOMED, display="Skin ulcer")).detail
    assert "site not recorded" not in verdict(THIGH).detail
