"""Rules 10 (skin biopsy), 20 (parathyroidectomy) and 23 (leg revascularisation): orders for procedures."""

import pytest
from support.facts import (
    ADULT,
    SNOMED,
    ago,
    calcium,
    condition,
    facts,
    lab,
    medicine,
    minerals,
    phosphate,
    pth,
    service_request,
)
from support.judging import judge

from hooks.rules import biopsy_calciphylaxis, parathyroidectomy_hbs, vascular_procedure_calciphylaxis

BIOPSY = biopsy_calciphylaxis.RULE
PARATHYROIDECTOMY = parathyroidectomy_hbs.RULE
LEG = vascular_procedure_calciphylaxis.RULE
CONFIRMED = condition("237900002", SNOMED)
SUSPECTED = condition("237900002", SNOMED, verification="provisional")
PAST = condition("237900002", SNOMED, clinical="resolved")
REFUTED = condition("237900002", SNOMED, verification="refuted")
CHILD = ADULT | {"birthDate": ago(17 * 365)}
EXCISION, PUNCH, SKIN_BIOPSY = "312968005", "68660007", "240977001"


def ordered(rule, order, *conditions, **chart):
    return judge(rule, facts(drafts=[order], hook="order-sign", conditions=conditions, **chart))


# --- 10 -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("status", "word"), [(CONFIRMED, "confirmed"), (SUSPECTED, "suspected")])
def test_an_excisional_biopsy_warns_and_names_the_status(status, word):
    found = ordered(BIOPSY, service_request(EXCISION), status)
    assert (found.result, found.tier) == ("fires", "warning")
    assert found.summary == (
        f"Excisional skin biopsy with {word} calciphylaxis: risk of new ulceration. Discuss punch or imaging instead."
    )
    assert "not coded" not in found.detail
    assert found.offered == ["referral.dermatology"]
    assert found.outcome.forbids_delete


def test_other_biopsies_inform_and_say_what_is_not_coded():
    plain = ordered(BIOPSY, service_request(SKIN_BIOPSY), CONFIRMED)
    assert plain.tier == "info"
    assert "first biopsy about 50%" in plain.summary
    assert "Biopsy type/site not coded" in plain.detail
    punch = ordered(BIOPSY, service_request(PUNCH), CONFIRMED)
    assert punch.tier == "info"
    assert "Biopsy site not coded" in punch.detail
    assert "type/site" not in punch.detail


def test_a_biopsy_ordered_in_words_is_recognised():
    assert (
        ordered(BIOPSY, service_request(text="Excisional biopsy of skin, thigh"), CONFIRMED).tier == "warning"
    )
    assert ordered(BIOPSY, service_request(text="Skin biopsy"), CONFIRMED).tier == "info"
    assert (
        ordered(BIOPSY, service_request(text="Punch biopsy, cervical"), CONFIRMED).result == "not-triggered"
    )


def test_anticoagulants_on_the_list_add_a_bleeding_line():
    found = ordered(
        BIOPSY, service_request(SKIN_BIOPSY), CONFIRMED, medications=[medicine("apixaban 2.5 mg")]
    )
    assert "On apixaban: plan for bleeding" in found.detail
    assert "bleeding" not in ordered(BIOPSY, service_request(SKIN_BIOPSY), CONFIRMED).detail


@pytest.mark.parametrize("conditions", [[], [PAST], [REFUTED]])
def test_without_documented_calciphylaxis_a_biopsy_is_not_questioned(conditions):
    assert ordered(BIOPSY, service_request(EXCISION), *conditions).result == "clear"


LIVEDO = condition("L95.0", onsetDateTime=ago(10))
DIALYSIS = condition("Z99.2")


def test_a_recent_lesion_on_dialysis_counts_as_possible():
    found = ordered(BIOPSY, service_request(EXCISION), LIVEDO, DIALYSIS)
    assert found.tier == "warning"
    assert found.summary.startswith("Excisional skin biopsy with possible calciphylaxis: ")
    assert "Calciphylaxis not documented; skin finding: " in found.detail
    assert ordered(BIOPSY, service_request(SKIN_BIOPSY), LIVEDO, DIALYSIS).tier == "info"


@pytest.mark.parametrize(
    ("conditions", "result"),
    [
        ([LIVEDO], "clear"),
        ([DIALYSIS], "clear"),
        ([DIALYSIS, condition("L95.0", onsetDateTime=ago(91))], "clear"),
        ([DIALYSIS, LIVEDO, PAST], "clear"),
        ([LIVEDO, condition("Z94.0", onsetDateTime=ago(365))], "fires"),
        ([LIVEDO, condition("Z94.0", onsetDateTime=ago(366))], "clear"),
    ],
)
def test_which_lesions_count_for_a_biopsy(conditions, result):
    assert ordered(BIOPSY, service_request(EXCISION), *conditions).result == result


def test_an_unreadable_problem_list_leaves_the_biopsy_unassessed():
    order = service_request(EXCISION)
    assert judge(BIOPSY, facts(drafts=[order], unreadable=("conditions",))).result == "cannot-assess"


# --- 20 -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "word"), [(CONFIRMED, "confirmed"), (SUSPECTED, "suspected"), (PAST, "past")]
)
def test_parathyroidectomy_asks_for_a_calcium_plan(status, word):
    found = ordered(PARATHYROIDECTOMY, service_request("53304009"), status)
    assert (found.result, found.tier) == ("fires", "info")
    assert found.summary == (
        f"Parathyroidectomy with {word} calciphylaxis: agree a calcium plan beforehand, hungry bone is common."
    )
    assert found.outcome.forbids_delete
    assert "remove" not in found.offered


def test_without_labs_it_still_fires_and_offers_all_of_them():
    found = ordered(PARATHYROIDECTOMY, service_request("53304009"), PAST)
    assert "ionised calcium not available" in found.detail
    assert "alkaline phosphatase not available (no result)" in found.detail
    assert found.offered == [
        "lab.calcium",
        "lab.ionised-calcium",
        "lab.phosphate",
        "lab.albumin",
        "lab.alp",
        "lab.pth",
        "referral.nephrology",
        "referral.endocrinology",
    ]


def test_with_current_labs_none_is_offered_and_all_are_printed():
    labs = [
        *minerals(),
        lab("1995-0", 1.2, "mmol/L", low=1.12, high=1.32),
        lab("6768-6", 140, "U/L"),
    ]
    found = ordered(PARATHYROIDECTOMY, service_request("53304009"), PAST, labs=labs)
    assert found.offered == ["referral.nephrology", "referral.endocrinology"]
    assert "alkaline phosphatase 140 U/L on 10 Nov 2026" in found.detail
    assert "ionised 1.20 mmol/L on 10 Nov 2026" in found.detail
    assert "ionised calcium" not in found.detail


def test_low_pth_and_a_vka_add_their_lines():
    low = [calcium(9.0), phosphate(4.0), pth(129, high=65)]
    found = ordered(
        PARATHYROIDECTOMY,
        service_request("53304009"),
        PAST,
        labs=low,
        medications=[medicine("warfarin 5 mg")],
    )
    assert "PTH is low: check the indication" in found.detail
    assert "On warfarin: plan the perioperative anticoagulation" in found.detail
    at_limit = ordered(PARATHYROIDECTOMY, service_request("53304009"), PAST, labs=[pth(130, high=65)])
    assert "PTH is low" not in at_limit.detail
    assert "warfarin" not in at_limit.detail


@pytest.mark.parametrize(
    ("order", "result"),
    [
        (service_request("38045-1", "http://loinc.org"), "not-triggered"),
        (service_request("38045-1", "http://loinc.org", text="Parathyroidectomy planning"), "not-triggered"),
        (service_request(text="Parathyroidectomy: selective venous sampling"), "not-triggered"),
        (service_request(text="Parathyroidectomy"), "fires"),
        (service_request("53304009", status="revoked"), "suppressed"),
        (service_request("53304009", status="completed"), "suppressed"),
    ],
)
def test_imaging_sampling_and_closed_orders_do_not_fire(order, result):
    assert ordered(PARATHYROIDECTOMY, order, CONFIRMED).result == result


def test_parathyroidectomy_without_calciphylaxis_or_in_a_child_is_clear():
    assert ordered(PARATHYROIDECTOMY, service_request("53304009")).result == "clear"
    assert ordered(PARATHYROIDECTOMY, service_request("53304009"), CONFIRMED, patient=CHILD).result == "clear"


def test_parathyroidectomy_with_an_unreadable_problem_list_is_not_assessed():
    order = service_request("53304009")
    assert (
        judge(PARATHYROIDECTOMY, facts(drafts=[order], unreadable=("conditions",))).result == "cannot-assess"
    )


# --- 23 -----------------------------------------------------------------------------------------


def leg(text="Femoral popliteal bypass", **fields):
    return service_request(text=text, **fields)


@pytest.mark.parametrize("status", [CONFIRMED, SUSPECTED])
def test_leg_revascularisation_asks_to_review_the_aim(status):
    found = ordered(LEG, leg(), status, medications=[medicine("warfarin 5 mg")])
    assert (found.result, found.tier) == ("fires", "info")
    assert found.summary.startswith("Femoral popliteal bypass with ")
    assert "On warfarin: plan" in found.detail
    assert found.offered == ["referral.nephrology", "referral.dermatology", "referral.wound-care"]
    assert found.outcome.forbids_delete


@pytest.mark.parametrize("priority", ["stat", "asap", "STAT"])
def test_an_emergency_is_not_questioned(priority):
    assert ordered(LEG, leg(priority=priority), CONFIRMED).result == "clear"


@pytest.mark.parametrize("priority", [None, "routine", "urgent"])
def test_any_other_priority_is(priority):
    assert ordered(LEG, leg(priority=priority), CONFIRMED).result == "fires"


def test_acute_limb_ischaemia_as_reason_is_not_questioned():
    reason = [{"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "I74.3"}]}]
    assert ordered(LEG, leg(reasonCode=reason), CONFIRMED).result == "clear"


@pytest.mark.parametrize(
    "text",
    [
        "AV fistula angioplasty, lower extremity angioplasty set",
        "Coronary angioplasty",
        "Carotid endarterectomy",
        "Lower extremity angiography before lower extremity angioplasty",
        "Amputation of lower limb",
        "Tunnelled dialysis catheter",
    ],
)
def test_access_other_vessels_imaging_and_amputation_are_not_meant(text):
    assert ordered(LEG, leg(text), CONFIRMED).result == "not-triggered"


def test_leg_revascularisation_with_history_only_or_none_is_clear():
    assert ordered(LEG, leg(), PAST).result == "clear"
    assert ordered(LEG, leg()).result == "clear"


def test_leg_revascularisation_with_an_unreadable_problem_list_is_not_assessed():
    assert judge(LEG, facts(drafts=[leg()], unreadable=("conditions",))).result == "cannot-assess"
