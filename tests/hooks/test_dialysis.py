"""On maintenance dialysis or not: every form of evidence and every guard (clinical document, section 4)."""

import pytest
from support.facts import (
    ICD10CM,
    SNOMED,
    ago,
    concept,
    condition,
    encounter,
    facts,
    medicine,
    minerals,
    procedure,
)

from cds_service.rules.answer import Answer
from hooks.case_features.dialysis import OnDialysis, dialysis
from hooks.standing import STANDING

HD, PD, DIALYSIS, CRRT = "302497006", "71192002", "108241001", "5A1D90Z"
ICD10PCS = "http://www.cms.gov/Medicare/Coding/ICD10"
TRANSPLANT = "70536003"


def ill(*codes, **fields):
    return [condition(code, SNOMED if code.isdigit() else ICD10CM, **fields) for code in codes]


def sessions(*days, code=HD):
    return [procedure(code, days=day) for day in days]


def status(**lists):
    found = facts(**lists).feature(dialysis)
    return found.certainty or found.cohort


# --- evidence -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lists", "expected"),
    [
        # a dialysis-dependence code
        ({"conditions": ill("Z99.2")}, "definite"),
        ({"conditions": ill("714152005")}, "definite"),
        ({"conditions": ill("105502003")}, "definite"),
        ({"conditions": ill("Z99.2", clinical="resolved")}, "none"),
        ({"conditions": ill("Z99.2", abatementDateTime="2024-01-01")}, "none"),
        ({"conditions": ill("Z99.2", verification="refuted")}, "none"),
        ({"conditions": ill("Z99.2", verification="entered-in-error")}, "none"),
        # sessions: two days within 30, and chronic evidence
        ({"conditions": ill("46177005"), "procedures": sessions(2, 5)}, "definite"),
        ({"conditions": ill("46177005"), "procedures": sessions(2, 32)}, "definite"),
        ({"conditions": ill("46177005"), "procedures": sessions(2, 33)}, "none"),
        ({"conditions": ill("46177005"), "procedures": sessions(5, 5)}, "none"),
        ({"conditions": ill("46177005"), "procedures": sessions(5)}, "none"),
        ({"conditions": ill("46177005"), "procedures": sessions(95, 100)}, "none"),  # not recent
        ({"procedures": sessions(2, 5)}, "none"),  # not chronic
        ({"procedures": sessions(2, 5, 92)}, "none"),  # a span of 90 days is not chronic
        ({"procedures": sessions(2, 5, 93)}, "definite"),
        ({"procedures": sessions(2, 5, 93, code=PD)}, "definite"),
        ({"procedures": sessions(2, 5, 93, code=DIALYSIS)}, "definite"),
        ({"procedures": [procedure(CRRT, ICD10PCS, days=day) for day in (2, 5, 93)]}, "none"),
        ({"procedures": [procedure(HD, days=day, status="not-done") for day in (2, 5, 93)]}, "none"),
        ({"procedures": [*sessions(2, 93), *sessions(-3)]}, "none"),  # the future does not count
        ({"procedures": [procedure(HD, performedDateTime=None) for _ in range(3)]}, "unknown"),
        # end-stage renal disease by its ICD-10-CM code
        ({"conditions": ill("N18.6")}, "probable"),
        ({"conditions": ill("585.6")}, "none"),  # an ICD-9-CM code under the wrong system
        ({"conditions": ill("46177005")}, "none"),  # ESRD in SNOMED CT: treated or not is open
        ({"conditions": ill("N18.5")}, "none"),
        ({"conditions": ill("I12.0")}, "none"),
        ({"conditions": ill("Z91.15")}, "none"),  # said to miss dialysis, and no session on record
        ({"conditions": ill("N18.6", clinical="resolved")}, "none"),
        # care involving dialysis within 90 days
        ({"conditions": ill("Z49.31", onsetDateTime=ago(90))}, "probable"),
        ({"conditions": ill("Z49.31", recordedDate=ago(90))}, "probable"),
        ({"conditions": ill("Z49.31", recordedDate=ago(91))}, "none"),
        ({"conditions": ill("Z49.31")}, "unknown"),  # undated
        ({"encounters": [encounter(90, type=[concept("Z49.31", ICD10CM)])]}, "probable"),
        ({"encounters": [encounter(90, reasonCode=[concept("Z49.31", ICD10CM)])]}, "probable"),
        ({"encounters": [encounter(91, type=[concept("Z49.31", ICD10CM)])]}, "none"),
        ({"encounters": [encounter(2), encounter(3, type=[concept("Z49.31", ICD10CM)])]}, "probable"),
        ({"encounters": [encounter(period=None, type=[concept("Z49.31", ICD10CM)])]}, "unknown"),
        ({"encounters": [encounter(2, type=[concept("Z49.31", ICD10CM)], status="cancelled")]}, "none"),
        # nothing
        ({}, "none"),
    ],
)
def test_evidence(lists, expected):
    assert status(**lists) == expected


@pytest.mark.parametrize(
    ("lists", "because", "since"),
    [
        (
            {"conditions": ill("N18.6", display="ESRD", recordedDate="2024-03-02")},
            "ESRD (N18.6), recorded 2 Mar 2024",
            "2 Mar 2024",
        ),
        (
            {"conditions": ill("46177005", display="ESRD"), "procedures": sessions(2, 5, 40)},
            "Hemodialysis (procedure) (302497006), 13 Nov 2026",
            "6 Oct 2026",
        ),
        (
            {"encounters": [encounter(3, type=[concept("Z49.31", ICD10CM)])]},
            "dialysis-care encounter on 12 Nov 2026",
            "12 Nov 2026",
        ),
        ({"conditions": ill("Z99.2", display="On dialysis")}, "On dialysis (Z99.2)", "None"),
        (
            {"conditions": ill("Z99.2", "N18.6", display="x", onsetDateTime="2020-01-01")},
            "x (Z99.2), since 1 Jan 2020",
            "1 Jan 2020",
        ),
    ],
)
def test_the_evidence_is_named_and_the_first_date_kept(lists, because, since):
    found = facts(**lists).feature(dialysis)
    assert (found.because, str(found.since)) == (because, since)
    assert found.sources


# --- modality -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lists", "modality"),
    [
        ({"conditions": ill("Z99.2")}, None),
        ({"conditions": ill("Z99.2"), "procedures": sessions(5)}, "HD"),
        ({"conditions": ill("Z99.2"), "procedures": sessions(5, code=PD)}, "PD"),
        ({"conditions": ill("Z99.2"), "procedures": sessions(5, code=DIALYSIS)}, None),
        ({"conditions": ill("Z99.2"), "procedures": [*sessions(5), *sessions(50, code=PD)]}, "HD"),
        ({"conditions": ill("Z99.2"), "procedures": [*sessions(50), *sessions(5, code=PD)]}, "PD"),
        ({"conditions": [*ill("Z99.2"), *ill("I95.3", onsetDateTime="2025-01-01")]}, "HD"),
        ({"conditions": [*ill("Z99.2"), *ill("T85.611A")]}, "PD"),
        ({"conditions": [*ill("Z99.2"), *ill("I95.3", clinical="resolved")]}, None),
        ({"conditions": [*ill("Z99.2"), *ill("T85.611A")], "procedures": sessions(5)}, "HD"),
    ],
)
def test_the_latest_coded_modality(lists, modality):
    assert facts(**lists).feature(dialysis).modality == modality


# --- transplant ---------------------------------------------------------------------------------------


def graft(since=None, code="Z94.0"):
    return ill(code, onsetDateTime=since) if since else ill(code)


@pytest.mark.parametrize(
    ("lists", "expected"),
    [
        # dated after the last dialysis evidence: functioning
        (
            {"conditions": [*ill("Z99.2", onsetDateTime="2020-01-01"), *graft("2023-01-01")]},
            "kidney-transplant",
        ),
        (
            {"conditions": [*ill("N18.6", onsetDateTime="2020-01-01"), *graft("2023-01-01")]},
            "kidney-transplant",
        ),
        (
            {
                "conditions": ill("Z99.2", onsetDateTime="2020-01-01"),
                "procedures": [procedure(TRANSPLANT, days=400)],
            },
            "kidney-transplant",
        ),
        # dated before it: back on dialysis
        ({"conditions": [*ill("Z99.2", onsetDateTime="2024-01-01"), *graft("2023-01-01")]}, "definite"),
        ({"conditions": [*ill("N18.6", onsetDateTime="2024-01-01"), *graft("2023-01-01")]}, "probable"),
        (
            {"conditions": graft("2023-01-01"), "procedures": sessions(2, 5, 120)},
            "definite",
        ),
        # some dialysis evidence without a date cannot be shown to be older
        ({"conditions": [*ill("Z99.2"), *graft("2023-01-01")]}, "definite"),
        ({"conditions": [*ill("N18.6"), *graft("2023-01-01")]}, "kidney-transplant"),
        # undated transplant
        ({"conditions": [*ill("N18.6"), *graft()]}, "kidney-transplant"),
        ({"conditions": [*ill("N18.6", onsetDateTime="2024-01-01"), *graft()]}, "kidney-transplant"),
        ({"conditions": graft(), "procedures": sessions(90)}, "definite"),
        ({"conditions": graft(), "procedures": sessions(91)}, "kidney-transplant"),
        ({"conditions": [*ill("Z99.2"), *graft()]}, "definite"),
        # a few sessions after it are no maintenance dialysis
        ({"conditions": graft("2023-01-01"), "procedures": sessions(2, 5)}, "kidney-transplant"),
        ({"conditions": graft()}, "kidney-transplant"),
        ({"procedures": [procedure(TRANSPLANT, days=400)]}, "kidney-transplant"),
        # failed graft
        ({"conditions": [*ill("N18.6"), *graft("2023-01-01"), *ill("T86.12")]}, "probable"),
        ({"conditions": [*graft("2023-01-01"), *ill("T86.12")]}, "none"),
        ({"conditions": [*ill("T86.12"), *ill("Z99.2", onsetDateTime="2020-01-01")]}, "definite"),
        # the transplant is history
        ({"conditions": [*ill("N18.6"), *ill("Z94.0", clinical="inactive")]}, "probable"),
    ],
)
def test_transplant_before_after_or_undated(lists, expected):
    assert status(**lists) == expected


@pytest.mark.parametrize(
    "lists",
    [
        {"conditions": [*ill("N18.6", onsetDateTime="last spring"), *graft("2023-01-01")]},
        {"conditions": [*ill("N18.6", onsetDateTime="2024-01-01"), *graft("last spring")]},
        {
            "conditions": ill("N18.6", onsetDateTime="2024-01-01"),
            "procedures": [procedure(TRANSPLANT, performedDateTime="last spring")],
        },
    ],
)
def test_F20_a_date_that_cannot_be_read_leaves_the_order_of_transplant_and_renal_failure_open(lists):
    found = facts(**lists).feature(dialysis)
    assert found.answer is Answer.UNKNOWN
    assert str(found.because).endswith("a date is not readable, so their order is not known")


def test_what_is_known_of_the_graft():
    on = facts(conditions=[*ill("Z99.2"), *graft("2020-01-01")]).feature(dialysis)
    assert (on.failed_graft, on.transplant_recorded) == (True, True)
    off = facts(conditions=graft("2020-01-01")).feature(dialysis)
    assert (off.failed_graft, off.transplant_recorded) == (False, True)
    assert str(off.because).startswith(
        "functioning kidney transplant: Kidney transplant status (Z94.0), since"
    )
    done = facts(procedures=[procedure(TRANSPLANT, days=10)]).feature(dialysis)
    assert "Transplant of kidney" in str(done.because)
    failed = facts(conditions=ill("T86.12")).feature(dialysis)
    assert (failed.failed_graft, failed.transplant_recorded) == (True, True)


# --- acute kidney injury ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lists", "expected"),
    [
        ({"conditions": ill("N17.9"), "procedures": sessions(1, 4, 8)}, "aki-d"),
        ({"conditions": ill("N17.9"), "procedures": sessions(2, 5, 92)}, "aki-d"),
        ({"conditions": ill("N17.9"), "procedures": sessions(2, 5, 93)}, "definite"),
        ({"conditions": ill("N17.9"), "procedures": sessions(50, 150)}, "none"),
        ({"conditions": ill("N17.9", "N18.6"), "procedures": sessions(1, 4, 8)}, "definite"),
        ({"conditions": ill("N17.9", "Z99.2"), "procedures": sessions(1, 4, 8)}, "definite"),
        ({"conditions": ill("N17.9", "N18.6")}, "probable"),
        ({"conditions": ill("N17.9")}, "none"),
        ({"conditions": ill("N17.9", clinical="resolved"), "procedures": sessions(1, 4, 8)}, "none"),
    ],
)
def test_dialysis_for_acute_kidney_injury(lists, expected):
    assert status(**lists) == expected


# --- unknown ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lists", "because"),
    [
        ({"unreadable": ["conditions"]}, "problem list not readable (not permitted)"),
        ({"incomplete": ["conditions"]}, "problem list received only in part"),
        (
            {"conditions": ill("46177005", display="ESRD"), "unreadable": ["procedures"]},
            "ESRD (46177005), but procedures are not readable: dialysis not confirmed or excluded",
        ),
        (
            {"conditions": ill("N18.5", display="CKD 5"), "unreadable": ["procedures", "encounters"]},
            "CKD 5 (N18.5), but procedures and encounters are not readable: dialysis not confirmed or excluded",
        ),
        (
            {"conditions": ill("I12.0", display="CKD 5"), "incomplete": ["encounters"]},
            "CKD 5 (I12.0), but encounters are not readable: dialysis not confirmed or excluded",
        ),
        (
            {"conditions": ill("Z91.15", display="misses dialysis"), "unreadable": ["procedures"]},
            "misses dialysis (Z91.15), but procedures are not readable: dialysis not confirmed or excluded",
        ),
        (
            {"conditions": ill("T85.71XA", display="infected catheter"), "unreadable": ["encounters"]},
            "infected catheter (T85.71XA), but encounters are not readable: dialysis not confirmed or excluded",
        ),
        (
            {"conditions": ill("T82.41XA", display="broken catheter"), "unreadable": ["procedures"]},
            "broken catheter (T82.41XA), but procedures are not readable: dialysis not confirmed or excluded",
        ),
        (
            {
                "conditions": ill("Z99.2", display="dependence", clinical="resolved"),
                "unreadable": ["procedures"],
            },
            "dependence (Z99.2) (past), but procedures are not readable: dialysis not confirmed or excluded",
        ),
        (
            {"conditions": ill("I10", text="dialysis discussed"), "unreadable": ["procedures"]},
            "dialysis discussed, but procedures are not readable: dialysis not confirmed or excluded",
        ),
        (
            {"procedures": sessions(2, 5), "unreadable": ["encounters"]},
            "Hemodialysis (procedure) (302497006), 13 Nov 2026, but encounters are not readable: dialysis not confirmed or excluded",
        ),
        (
            {
                "conditions": ill("Z49.31", display="old care", recordedDate="2025-03-01"),
                "unreadable": ["procedures"],
            },
            "old care (Z49.31), recorded 1 Mar 2025, but procedures are not readable: dialysis not confirmed or excluded",
        ),
        (
            {"conditions": [condition(text="ESRD on hemodialysis MWF")]},
            "the problem list mentions dialysis or end-stage renal disease in words only, without a code",
        ),
        (
            {"conditions": [condition(text="End-stage renal failure")]},
            "the problem list mentions dialysis or end-stage renal disease in words only, without a code",
        ),
    ],
)
def test_when_it_cannot_be_told(lists, because):
    found = facts(**lists).feature(dialysis)
    assert (found.answer, found.because) == (Answer.UNKNOWN, because)


@pytest.mark.parametrize(
    "lists",
    [
        {"unreadable": ["procedures", "encounters"]},
        {"conditions": [condition(text="hypertension")]},
        {"conditions": ill("I10", text="dialysis discussed")},  # coded: the code decides
        {"conditions": [condition(text="on dialysis", clinical="resolved")]},
        {"conditions": ill("Z99.2", clinical="resolved")},
    ],
)
def test_no_hint_is_no_evidence(lists):
    assert status(**lists) == "none"


def test_dialysis_without_a_date_or_in_a_list_with_gaps_proves_nothing_either_way():
    undated = procedure(HD, performedDateTime=None)
    found = facts(conditions=graft("2023-01-01"), procedures=[undated]).feature(dialysis)
    assert (found.answer, str(found.because).rpartition(", but ")[2]) == (
        Answer.UNKNOWN,
        "dialysis is recorded without a usable date",
    )
    part = facts(procedures=sessions(2, 5), incomplete=["procedures"]).feature(dialysis)
    assert part.because == "dialysis sessions are on record and procedures were received only in part"
    assert status(incomplete=["procedures"]) == "none"


@pytest.mark.parametrize("lack", ["unreadable", "incomplete"])
@pytest.mark.parametrize("code", ["Z99.2", "N18.6", "N18.5", "Z91.15"])
def test_a_transplant_ends_dialysis_only_if_later_sessions_would_be_seen(code, lack):
    transplant = ill("Z94.0", display="transplant", onsetDateTime="2023-01-01")
    problems = [*transplant, *ill(code, display="CKD", recordedDate="2018-03-03")]
    found = facts(conditions=problems, **{lack: ["procedures"]}).feature(dialysis)
    assert found.answer is Answer.UNKNOWN
    assert str(found.because) == (
        "functioning kidney transplant: transplant (Z94.0), since 1 Jan 2023, but procedures are not readable and the "
        f"problem list has CKD ({code}), recorded 3 Mar 2018: dialysis since then not confirmed or excluded"
    )
    assert len(found.sources) == 2
    assert status(conditions=problems, **{lack: ["encounters"]}) == "kidney-transplant"
    assert status(conditions=transplant, **{lack: ["procedures"]}) == "kidney-transplant"


def test_a_transplant_does_not_end_dialysis_that_is_told_in_words():
    problems = [condition(text="ESRD on hemodialysis"), *graft("2023-01-01")]
    found = facts(conditions=problems, unreadable=["procedures"]).feature(dialysis)
    assert found.answer is Answer.UNKNOWN
    assert "the problem list has ESRD on hemodialysis" in str(found.because)
    assert status(conditions=problems) == "kidney-transplant"


def test_dialysis_that_was_over_when_the_graft_came_raises_no_doubt():
    problems = [*ill("Z99.2", clinical="resolved"), *graft("2023-01-01")]
    assert status(conditions=problems, unreadable=["procedures"]) == "kidney-transplant"


def test_a_list_in_part_cannot_show_that_it_is_over():
    for lists in (
        {"conditions": graft("2023-01-01")},
        {"conditions": ill("N17.9"), "procedures": sessions(1, 4)},
    ):
        found = facts(**lists, incomplete=["conditions"]).feature(dialysis)
        assert found.answer is Answer.UNKNOWN
        assert str(found.because).endswith("but the problem list was received only in part")
    assert status(conditions=ill("Z99.2"), incomplete=["conditions"]) == "definite"


@pytest.mark.parametrize(
    ("lists", "answer", "because"),
    [
        ({"conditions": ill("Z99.2", display="x")}, Answer.MET, "dialysis definite: x (Z99.2)"),
        ({"conditions": ill("N18.6", display="x")}, Answer.MET, "dialysis probable: x (N18.6)"),
        ({}, Answer.NOT_MET, "no evidence of maintenance dialysis on record"),
        ({"unreadable": ["conditions"]}, Answer.UNKNOWN, "problem list not readable (not permitted)"),
    ],
)
def test_the_criterion(lists, answer, because):
    finding = OnDialysis().evaluate(facts(**lists))
    assert (finding.answer, finding.because) == (answer, because)


HISTORIES = {
    "on dialysis": {"conditions": [condition("N18.6"), condition("Z99.2", onsetDateTime=ago(900))]},
    "transplanted": {"conditions": [condition("Z94.0", onsetDateTime=ago(400))]},
    "hardly anything": {"conditions": [condition("E11.9")]},
    "calciphylaxis": {
        "conditions": [condition("Z99.2"), condition(text="calciphylaxis", verification="confirmed")]
    },
    "skin": {"conditions": [condition("Z99.2"), condition("I96", onsetDateTime=ago(20))]},
    "visits": {"encounters": [encounter(days=10, reasonCode=[concept("Z49.31")])]},
}


@pytest.mark.parametrize("history", HISTORIES.values(), ids=HISTORIES)
@pytest.mark.parametrize("feature", STANDING.lasting, ids=lambda each: each.__name__)
def test_what_lasts_in_a_screening_does_not_change_when_more_is_read(feature, history):
    rest = ("labs", "vitals", "medications", "requests")
    whole = {"labs": minerals(11, 7), "medications": [medicine("warfarin")]}
    assert feature(facts(**history, **whole)) == feature(facts(**history, unreadable=rest))
