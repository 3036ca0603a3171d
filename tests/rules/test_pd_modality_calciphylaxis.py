"""Rule 21: is PD the current modality, and when does the question of the modality come up?"""

import pytest
from support.cards import cards_of
from support.facts import ADULT, SNOMED, ago, concept, condition, encounter, facts, minerals, procedure
from support.judging import judge, longest

from cds_service.rules.rule import Mode
from hooks.case_features.modality import OnPeritonealDialysis
from hooks.rules import pd_modality_calciphylaxis
from hooks.services import PATIENT_VIEW

RULE = pd_modality_calciphylaxis.RULE
ESRD = condition("N18.6", onsetDateTime="2024-03-02", display="End stage renal disease")
CONFIRMED = condition("237900002", SNOMED, display="Calciphylaxis")
SUSPECTED = condition("237900002", SNOMED, verification="provisional")
PAST = condition("237900002", SNOMED, clinical="resolved")
PD, HD, REMOVAL = "71192002", "302497006", "PD catheter removal"


def chart(*conditions, **known):
    return facts(conditions=(ESRD, *(conditions or (CONFIRMED,))), labs=minerals(), **known)


def verdict(*conditions, **known):
    return judge(RULE, chart(*conditions, **known))


def pd(days):
    return procedure(PD, days=days, text="Peritoneal dialysis")


def pd_problem(days=None):
    return condition("T85.71XA", recordedDate=None if days is None else ago(days))


def hd_problem(days=None):
    return condition("T82.41XA", recordedDate=None if days is None else ago(days))


@pytest.mark.parametrize(
    ("problems", "procedures", "result"),
    [
        ((), [pd(90)], "fires"),
        ((), [pd(91)], "cannot-assess"),
        ((), [], "cannot-assess"),
        ((), [procedure(HD)], "clear"),
        ((), [pd(10), procedure(HD, days=5)], "clear"),
        ((), [pd(5), procedure(HD, days=10)], "fires"),
        ((), [pd(5), procedure(HD, days=5)], "fires"),
        ((), [procedure(PD, days=-3)], "cannot-assess"),
        ((pd_problem(),), [], "fires"),
        ((pd_problem(400),), [], "fires"),
        ((pd_problem(400),), [procedure(HD, days=10)], "clear"),
        ((pd_problem(),), [procedure(HD, days=10)], "cannot-assess"),
        ((hd_problem(),), [pd(5)], "cannot-assess"),
        ((hd_problem(40),), [pd(5)], "fires"),
        ((hd_problem(),), [], "clear"),
        ((), [pd(20), procedure(text=REMOVAL, days=5)], "clear"),
        ((), [pd(5), procedure(text=REMOVAL, days=20)], "fires"),
        ((pd_problem(),), [procedure(text=REMOVAL, days=20)], "cannot-assess"),
    ],
)
def test_pd_must_be_the_current_modality(problems, procedures, result):
    assert verdict(CONFIRMED, *problems, procedures=procedures).result == result


@pytest.mark.parametrize("lack", ["unreadable", "incomplete"])
@pytest.mark.parametrize("source", ["procedures", "encounters"])
@pytest.mark.parametrize(
    ("problems", "because"),
    [
        ((hd_problem(40),), "haemodialysis: Breakdown"),
        ((pd_problem(400), hd_problem(40)), "later: Breakdown"),
    ],
)
def test_haemodialysis_may_be_over_where_pd_would_not_be_seen(problems, because, source, lack):
    assert verdict(CONFIRMED, *problems).result == "clear"
    known = chart(CONFIRMED, *problems, **{lack: [source]})
    assert judge(RULE, known).result == "cannot-assess"
    found = str(OnPeritonealDialysis().evaluate(known).because)
    assert found.startswith(because)
    assert found.endswith(f"; {source} not readable")


def test_an_encounter_for_pd_counts():
    visit = encounter(type=[concept(PD, SNOMED)])
    assert verdict(encounters=[visit]).result == "fires"


@pytest.mark.parametrize(
    ("conditions", "known", "result"),
    [
        ((SUSPECTED,), {}, "fires"),
        ((PAST,), {}, "clear"),
        ((condition("E11.9"),), {}, "clear"),
        ((CONFIRMED,), {"patient": ADULT | {"birthDate": ago(17 * 365)}}, "clear"),
    ],
)
def test_calciphylaxis_must_be_confirmed_or_suspected(conditions, known, result):
    assert verdict(*conditions, procedures=[pd(5)], **known).result == result


def test_a_functioning_transplant_is_not_dialysis():
    known = facts(conditions=[condition("Z94.0", recordedDate=ago(3)), CONFIRMED], procedures=[pd(80)])
    assert judge(RULE, known).result == "clear"


@pytest.mark.parametrize(
    ("known", "result"),
    [
        ({"conditions": [condition("Z51.5", recordedDate=ago(90))]}, "suppressed"),
        ({"conditions": [condition("Z51.5", recordedDate=ago(91))]}, "fires"),
        ({"conditions": [condition("Z51.5")]}, "fires"),
        ({"encounters": [encounter(days=90, type=[concept("Z51.5")])]}, "suppressed"),
        ({"encounters": [encounter(days=91, type=[concept("Z51.5")])]}, "fires"),
        ({"unreadable": ("encounters",)}, "fires"),
    ],
)
def test_palliative_care_silences_it(known, result):
    conditions = [ESRD, CONFIRMED, *known.pop("conditions", [])]
    assert judge(RULE, facts(conditions=conditions, procedures=[pd(5)], **known)).result == result


@pytest.mark.parametrize(
    ("known", "words"),
    [
        ({"conditions": [condition("Z51.5")]}, "palliative care without a date"),
        ({"unreadable": ("encounters",)}, "encounters not readable (palliative care)"),
    ],
)
def test_palliative_care_that_could_not_be_checked_is_named(known, words):
    conditions = [ESRD, CONFIRMED, *known.get("conditions", [])]
    rest = {key: value for key, value in known.items() if key != "conditions"}
    assert words in judge(RULE, facts(conditions=conditions, procedures=[pd(5)], **rest)).detail


def test_modality_not_recorded_makes_no_card_but_the_summary_says_so():
    (only,) = cards_of(PATIENT_VIEW, chart(), gap_card=True)
    assert only.topic == "dialysisRiskSummaryInfo"
    assert "Dialysis: modality not recorded" in only.card.detail


def test_an_unreadable_problem_list_stays_open():
    assert judge(RULE, facts(procedures=[pd(5)], unreadable=("conditions",))).result == "cannot-assess"


def test_it_is_a_line_of_the_summary():
    (only,) = cards_of(PATIENT_VIEW, chart(procedures=[pd(5)]))
    assert only.topic == "dialysisRiskSummaryInfo"
    assert "no trial shows that changing modality helps" in only.card.detail
    assert only.card.detail.count("calciphylaxis on record") == 1


def test_with_the_summary_off_it_stands_alone():
    (only,) = cards_of(PATIENT_VIEW, chart(procedures=[pd(5)]), dialysis_risk_summary=Mode.OFF)
    card = only.card
    assert card.summary == (
        "Peritoneal dialysis with confirmed calciphylaxis: discuss with nephrology whether the modality still fits."
    )
    assert "calciphylaxis on record: present, confirmed: Calciphylaxis (237900002)" in card.detail
    assert "switch" not in card.detail.lower()
    assert [each.code for each in card.override_reasons] == [
        "action-completed",
        "expert-contradicts",
        "patient-contraindication",
        "patient-refuses",
        "service-not-available",
    ]


def test_summary_fits_at_its_longest():
    assert all(longest(tier.summary) <= 139 for tier in RULE.tiers)
