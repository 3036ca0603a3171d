"""The engine's criterion kinds: what each asks, and its three answers."""

import pytest
from support.answers import MAYBE, NO, OPTIONAL, YES, Says
from support.facts import (
    ADULT,
    ago,
    condition,
    facts,
    medicine,
    procedure,
    service_request,
)

from cds_service.rules.answer import Answer
from cds_service.rules.criteria import (
    AgeAtLeast,
    AllOf,
    Always,
    AnyOf,
    Criterion,
    Discharging,
    EitherOrder,
    HadProcedure,
    HasProblem,
    Not,
    OpeningChart,
    Ordering,
    OrderingProcedure,
    Requested,
    Taking,
    describe,
    describe_medication,
)
from hooks import valuesets as vs

MET, NOT_MET, UNKNOWN = Answer.MET, Answer.NOT_MET, Answer.UNKNOWN
ESRD = HasProblem((vs.END_STAGE_RENAL_DISEASE,))
VKA = (vs.VITAMIN_K_ANTAGONISTS,)


def ordered(*drafts):
    return facts(drafts=drafts, hook="order-sign").order


# --- triggers -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("trigger", "draft", "concerned"),
    [
        (Ordering(VKA), medicine("warfarin"), True),
        (Ordering(VKA), medicine("warfarin", route="oral"), True),
        (Ordering(VKA), medicine("warfarin", status="stopped"), True),
        (Ordering(VKA), medicine("apixaban"), False),
        (Ordering(VKA), service_request(text="skin biopsy"), False),
        (Ordering((vs.CALCITRIOL,), not_routes=("topical",)), medicine("calcitriol", route="topical"), False),
        (Ordering((vs.CALCITRIOL,), not_routes=("topical",)), medicine("calcitriol", route="oral"), True),
        (Ordering((vs.CALCITRIOL,), not_routes=("topical",)), medicine("calcitriol"), True),
        (Ordering((vs.INSULIN,), only_routes=("sc",)), medicine("insulin glargine", route="SC"), True),
        (Ordering((vs.INSULIN,), only_routes=("sc",)), medicine("insulin glargine", route="IV"), False),
        (Ordering((vs.INSULIN,), only_routes=("sc",)), medicine("insulin glargine"), True),
        (OrderingProcedure((vs.SKIN_BIOPSY,)), service_request(text="skin biopsy"), True),
        (OrderingProcedure((vs.SKIN_BIOPSY,)), service_request(text="leg bypass"), False),
        (OrderingProcedure((vs.SKIN_BIOPSY,)), medicine("warfarin"), False),
        (
            OrderingProcedure((vs.SKIN_BIOPSY,), but_not=(vs.SKIN_BIOPSY,)),
            service_request(text="skin biopsy"),
            False,
        ),
        (EitherOrder((Ordering(VKA), OrderingProcedure((vs.SKIN_BIOPSY,)))), medicine("warfarin"), True),
        (EitherOrder((Ordering(VKA), OrderingProcedure((vs.SKIN_BIOPSY,)))), medicine("aspirin"), False),
    ],
)
def test_which_orders_concern_a_rule(trigger, draft, concerned):
    assert trigger.concerns(ordered(draft)) is concerned


def test_hooks_without_orders():
    order = ordered(medicine("warfarin"))
    for trigger in (OpeningChart(), Discharging()):
        assert (trigger.concerns(None), trigger.concerns(order)) == (True, False)
    assert not Ordering(VKA).concerns(None)
    assert not OrderingProcedure((vs.SKIN_BIOPSY,)).concerns(None)


@pytest.mark.parametrize(
    ("item", "text"),
    [
        (Ordering(VKA), "an order for vitamin K antagonist"),
        (
            Ordering((vs.CALCITRIOL, vs.PARICALCITOL), not_routes=("topical",)),
            "an order for calcitriol or paricalcitol, other than by the route: topical",
        ),
        (
            Ordering((vs.INSULIN,), only_routes=("sc", "im")),
            "an order for insulin by the route: sc, im (or route not given)",
        ),
        (OrderingProcedure((vs.SKIN_BIOPSY,)), "an order for skin biopsy"),
        (
            OrderingProcedure((vs.SKIN_BIOPSY,), but_not=(vs.PREGNANCY,)),
            "an order for skin biopsy (not pregnancy)",
        ),
        (
            EitherOrder((Ordering(VKA), OpeningChart())),
            "an order for vitamin K antagonist; or the chart is opened",
        ),
        (Discharging(), "the patient is being discharged"),
        (Always(), "in every such case"),
        (AgeAtLeast(18), "age 18 years or more"),
        (ESRD, "active problem: end-stage renal disease"),
        (
            HasProblem((vs.END_STAGE_RENAL_DISEASE,), history=True, within_days=90),
            "active or past problem in the last 90 days: end-stage renal disease",
        ),
        (Taking(VKA), "taking vitamin K antagonist"),
        (
            Taking(VKA, ended_within_days=90),
            "taking vitamin K antagonist (or ended in the last 90 days)",
        ),
        (HadProcedure((vs.PARATHYROIDECTOMY,), 90), "parathyroidectomy in the last 90 days"),
        (Requested((vs.SKIN_BIOPSY,), 60), "skin biopsy requested in the last 60 days"),
        (Not(ESRD), "not (active problem: end-stage renal disease)"),
        (AllOf((ESRD, Always())), "(active problem: end-stage renal disease) and (in every such case)"),
        (AnyOf((ESRD, Always())), "(active problem: end-stage renal disease) or (in every such case)"),
    ],
)
def test_each_kind_says_in_plain_english_what_it_asks(item, text):
    assert item.text == text


# --- logic --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("criteria", "every", "some"),
    [
        ((YES, YES), MET, MET),
        ((YES, NO), NOT_MET, MET),
        ((YES, MAYBE), UNKNOWN, MET),
        ((NO, MAYBE), NOT_MET, UNKNOWN),
        ((NO, NO), NOT_MET, NOT_MET),
        ((MAYBE, MAYBE), UNKNOWN, UNKNOWN),
        ((), MET, NOT_MET),
    ],
)
def test_three_valued_and_and_or(criteria, every, some):
    assert AllOf(criteria).evaluate(facts()).answer is every
    assert AnyOf(criteria).evaluate(facts()).answer is some


def test_only_the_findings_that_decide_are_quoted_each_once():
    finding = AllOf((YES, NO, MAYBE, Says(NOT_MET, "no"), Says(NOT_MET, "neither"))).evaluate(facts())
    assert (finding.because, finding.sources) == ("no; neither", ("no", "neither"))
    assert AllOf((YES, MAYBE)).evaluate(facts()).because == "maybe"


def test_an_unknown_is_optional_only_when_everything_unknown_is():
    assert AllOf((YES, OPTIONAL)).evaluate(facts()).optional
    assert not AllOf((MAYBE, OPTIONAL)).evaluate(facts()).optional
    assert not AllOf((YES, YES)).evaluate(facts()).optional


@pytest.mark.parametrize(
    ("one", "turned"), [(YES, NOT_MET), (NO, MET), (MAYBE, UNKNOWN), (OPTIONAL, UNKNOWN)]
)
def test_not_turns_round_and_leaves_unknown_unknown(one, turned):
    finding = Not(one).evaluate(facts())
    assert (finding.answer, finding.because, finding.optional) == (turned, one.because, one.optional)


def test_always():
    assert Always().evaluate(facts()).answer is MET
    assert isinstance(Always(), Criterion)


# --- patient ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("birth", "answer", "because"),
    [
        ("2008-11-15", MET, "age 18"),  # the birthday counts
        ("2008-11-16", NOT_MET, "age 17"),
        ("2008-11", UNKNOWN, "birth date too vague to tell the age"),
        ("2008-10", MET, "age 18"),
        ("2008", UNKNOWN, "birth date too vague to tell the age"),
        ("1960", MET, "age 65"),
        ("2020", NOT_MET, "age 6"),
        (None, UNKNOWN, "age not recorded"),
        ("unknown", UNKNOWN, "age not recorded"),
        ("2126-11-15", UNKNOWN, "age not recorded"),
    ],
)
def test_adult(birth, answer, because):
    finding = AgeAtLeast(18).evaluate(facts(patient=ADULT | {"birthDate": birth}))
    assert (finding.answer, finding.because, finding.sources) == (answer, because, ("Patient/p1",))


def test_no_patient_is_never_assumed_adult():
    assert AgeAtLeast(18).evaluate(facts(patient=None)).because == "Patient: not found"
    assert AgeAtLeast(18).evaluate(facts(unreadable=["patient"])).because == "Patient: not permitted"


@pytest.mark.parametrize(
    ("criterion", "one", "answer"),
    [
        (ESRD, condition("N18.6"), MET),
        (ESRD, condition("N18.6", clinical="resolved"), NOT_MET),
        (
            HasProblem((vs.END_STAGE_RENAL_DISEASE,), history=True),
            condition("N18.6", clinical="resolved"),
            MET,
        ),
        (ESRD, condition("N18.5"), NOT_MET),
        (
            HasProblem((vs.END_STAGE_RENAL_DISEASE,), within_days=90),
            condition("N18.6", onsetDateTime=ago(90)),
            MET,
        ),
        (
            HasProblem((vs.END_STAGE_RENAL_DISEASE,), within_days=90),
            condition("N18.6", recordedDate=ago(90)),
            MET,
        ),
        (
            HasProblem((vs.END_STAGE_RENAL_DISEASE,), within_days=90),
            condition("N18.6", onsetDateTime=ago(91)),
            NOT_MET,
        ),
        (
            HasProblem((vs.END_STAGE_RENAL_DISEASE,), within_days=90),
            condition("N18.6", onsetDateTime=ago(-2)),
            NOT_MET,
        ),
        (HasProblem((vs.END_STAGE_RENAL_DISEASE,), within_days=90), condition("N18.6"), NOT_MET),
    ],
)
def test_has_problem(criterion, one, answer):
    assert criterion.evaluate(facts(conditions=[one])).answer is answer


def test_has_problem_when_the_list_is_not_whole():
    assert ESRD.evaluate(facts(conditions=[condition("N18.6")], incomplete=["conditions"])).answer is MET
    part = ESRD.evaluate(facts(incomplete=["conditions"]))
    assert (part.answer, part.optional) == (UNKNOWN, True)
    none = ESRD.evaluate(facts(unreadable=["conditions"]))
    assert (none.answer, none.optional) == (UNKNOWN, False)
    assert none.because == "problem list not readable: not permitted"


@pytest.mark.parametrize(
    ("criterion", "one", "answer"),
    [
        (Taking(VKA), medicine("warfarin"), MET),
        (Taking(VKA), medicine("warfarin", status="on-hold"), MET),
        (Taking(VKA), medicine("warfarin", status="stopped", authoredOn=ago(10)), NOT_MET),
        (Taking(VKA, 90), medicine("warfarin", status="stopped", authoredOn=ago(90)), MET),
        (Taking(VKA, 90), medicine("warfarin", status="stopped", authoredOn=ago(91)), NOT_MET),
        (Taking(VKA, 90), medicine("warfarin", status="stopped", authoredOn=None), NOT_MET),
        (Taking(VKA), medicine("apixaban"), NOT_MET),
        (Taking((vs.CALCITRIOL,)), medicine("calcitriol", route="topical"), NOT_MET),
        (Taking((vs.CALCITRIOL,)), medicine("calcitriol", route="oral"), MET),
        (Taking((vs.INSULIN,), only_routes=("sc",)), medicine("insulin glargine", route="IV"), NOT_MET),
        (Taking((vs.INSULIN,), only_routes=("sc",)), medicine("insulin glargine", route="SC"), MET),
        (Taking((vs.INSULIN,), only_routes=("sc",)), medicine("insulin glargine"), MET),
    ],
)
def test_taking(criterion, one, answer):
    assert criterion.evaluate(facts(medications=[one])).answer is answer


def test_taking_when_the_list_is_not_whole():
    assert (
        Taking(VKA).evaluate(facts(medications=[medicine("warfarin")], incomplete=["medications"])).answer
        is MET
    )
    part = Taking(VKA).evaluate(facts(incomplete=["medications"]))
    assert (part.answer, part.optional) == (UNKNOWN, True)
    none = Taking(VKA).evaluate(facts(unreadable=["medications"]))
    assert (none.answer, none.because) == (UNKNOWN, "current medicines not readable: not permitted")
    assert Taking(VKA).found(facts(unreadable=["medications"])) == []


def test_the_order_being_judged_is_no_current_medicine():
    draft = medicine("warfarin", id="m9")
    assert (
        Taking(VKA).evaluate(facts(medications=[draft], drafts=[draft], hook="order-sign")).answer is NOT_MET
    )
    assert Taking(VKA).evaluate(facts(medications=[draft])).answer is MET


@pytest.mark.parametrize(
    ("done", "answer"),
    [
        (procedure("53304009", days=90), MET),
        (procedure("53304009", days=91), NOT_MET),
        (procedure("53304009", days=-2), NOT_MET),
        (procedure("53304009", performedDateTime=None), NOT_MET),
        (procedure("302497006"), NOT_MET),
        (procedure("53304009", status="not-done"), NOT_MET),
    ],
)
def test_had_procedure(done, answer):
    assert HadProcedure((vs.PARATHYROIDECTOMY,), 90).evaluate(facts(procedures=[done])).answer is answer


def test_procedures_and_requests_are_optional_data():
    had, asked = HadProcedure((vs.PARATHYROIDECTOMY,), 90), Requested((vs.SKIN_BIOPSY,), 60)
    for finding in (
        had.evaluate(facts(unreadable=["procedures"])),
        had.evaluate(facts(incomplete=["procedures"])),
        asked.evaluate(facts(unreadable=["requests"])),
    ):
        assert (finding.answer, finding.optional) == (UNKNOWN, True)


@pytest.mark.parametrize(
    ("one", "answer"),
    [
        (service_request(text="skin biopsy", days=60), MET),
        (service_request(text="skin biopsy", days=61), NOT_MET),
        (service_request(text="skin biopsy", authoredOn=None), NOT_MET),
        (service_request(text="leg bypass"), NOT_MET),
    ],
)
def test_requested(one, answer):
    assert Requested((vs.SKIN_BIOPSY,), 60).evaluate(facts(requests=[one])).answer is answer


# --- wording ------------------------------------------------------------------------------------------


def test_how_problems_and_medicines_are_described():
    conditions = [
        condition("N18.6", display="ESRD", onsetDateTime="2024-03-02"),
        condition("N18.6", display="ESRD", recordedDate="2024-03"),
        condition("N18.6", display="ESRD"),
    ]
    assert [describe(item) for item in facts(conditions=conditions).problems] == [
        "ESRD (N18.6), since 2 Mar 2024",
        "ESRD (N18.6), recorded Mar 2024",
        "ESRD (N18.6)",
    ]
    listed = [
        medicine(rxnorm="11289", authoredOn="2025-01-03"),
        medicine("warfarin", status="on-hold", authoredOn=None),
        medicine("warfarin", status="stopped", authoredOn="2026-10-01"),
    ]
    assert [describe_medication(item) for item in facts(medications=listed).medications] == [
        "warfarin, active since 3 Jan 2025",
        "warfarin (matched by name), on hold",
        "warfarin (matched by name), ended, ended 1 Oct 2026",
    ]
